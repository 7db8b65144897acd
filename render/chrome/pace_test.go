package chrome

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render"
)

func TestPlainLaneIsTakenWhereItIsClearlyFaster(t *testing.T) {
	for name, c := range map[string]struct {
		rates Rates
		plain bool
	}{
		"nothing is known":   {Rates{}, false},
		"staged is faster":   {Rates{Plain: 20, Staged: 80}, false},
		"as good as equal":   {Rates{Plain: 22, Staged: 20}, false},
		"plain is faster":    {Rates{Plain: 60, Staged: 20}, true},
		"staged never ended": {Rates{Plain: 60}, true},
	} {
		if got := (pace{render.JPEG: c.rates}).prefersPlain(render.JPEG); got != c.plain {
			t.Errorf("%s: plain %t, want %t", name, got, c.plain)
		}
	}
}

// pacer is a pool whose Chrome can draw on a stage, and has not been started.
func pacer(t *testing.T, path string) *Pool {
	return &Pool{options: Options{Pace: path, Log: testLog(t), Tabs: 2}, stages: true, places: make([]*place, 2)}
}

func TestPaceIsRecalledOrMeasuredAgain(t *testing.T) {
	slow := pace{render.JPEG: {Plain: 60, Staged: 20}}
	for name, c := range map[string]struct {
		write    func(t *testing.T, path, key string)
		measures bool
	}{
		"nothing is kept": {func(*testing.T, string, string) {}, true},
		"kept": {func(t *testing.T, path, key string) {
			if err := keepPace(path, key, slow); err != nil {
				t.Fatal(err)
			}
		}, false},
		"of another Chrome": {func(t *testing.T, path, key string) {
			if err := keepPace(path, "HeadlessChrome/1, "+key, slow); err != nil {
				t.Fatal(err)
			}
		}, true},
		"torn": {func(t *testing.T, path, _ string) {
			if err := os.WriteFile(path, []byte(`{"Headless`), 0o644); err != nil {
				t.Fatal(err)
			}
		}, true},
		"old": {func(t *testing.T, path, key string) {
			old := time.Now().Add(-paceAge - time.Hour).UTC().Format(time.RFC3339)
			text := `{"` + key + `":{"measured":"` + old + `","rates":{"jpeg":{"plain":60,"staged":20}}}}`
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}, true},
	} {
		path := filepath.Join(t.TempDir(), "deep", "pace.json")
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		p := pacer(t, path)
		c.write(t, path, p.paceKey("HeadlessChrome/999"))
		p.recall("HeadlessChrome/999")
		if p.measures != c.measures || p.pace.prefersPlain(render.JPEG) == c.measures {
			t.Errorf("%s: measures %t, pace %v", name, p.measures, p.pace)
		}
	}
}

func TestPaceIsMeasuredInARest(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("takes seconds: runs in the pass without -short")
	}
	path := filepath.Join(t.TempDir(), "pace.json")
	p := newPool(t, nil, withTabs(1), func(c *Config, o *Options) { c.Idle, o.Pace = 0, path })
	version := p.places[0].browser.version
	ctx, stop := context.WithCancel(context.Background())
	var rows sync.WaitGroup
	rows.Go(func() {
		for ctx.Err() == nil {
			if _, err := p.Render(ctx, card("<p>now</p>")); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	p.measures = false
	p.calibrate(version)
	stop()
	rows.Wait()
	if kept, err := readPaces(path); len(kept) != 0 || err != nil || !p.measures {
		t.Fatalf("measured beside rows: %v, %v, measures %t", kept, err, p.measures)
	}
	p.calibrate(version)
	kept, err := readPaces(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range paceFormats {
		r := kept[p.paceKey(version)].Rates[format]
		if r.Plain <= 0 || r.Staged <= 0 {
			t.Errorf("%s: %+v", format, r)
		}
	}
}
