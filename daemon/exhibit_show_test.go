package daemon

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
)

func TestUnitKeepsItsVariant(t *testing.T) {
	s := newShowroom(t, nil)
	first := map[string]string{}
	for i := range 40 {
		unit := fmt.Sprint("unit-", i)
		a := s.get("/s/two-cards/" + unit + ".png")
		if a.status != http.StatusOK || a.variant == "" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		first[unit] = a.variant
		if got, ok := s.assigned(unit); !ok || got.Variant != a.variant || got.ExposedAt.IsZero() || got.Channel != experiment.Web {
			t.Fatalf("%s was answered and is kept as %+v, %v", unit, got, ok)
		}
	}
	// New weights are for new units, also when nothing is in memory any more.
	s.save(func(e *experiment.Experiment) { e.Weights = []int{0, 10000} })
	s.d.exhibit.units = newUnitCache(10)
	seen := map[string]int{}
	for unit, variant := range first {
		if a := s.get("/s/two-cards/" + unit + ".png"); a.variant != variant {
			t.Errorf("%s was shown %s, and then %s", unit, variant, a.variant)
		}
		seen[variant]++
	}
	if len(seen) != 2 {
		t.Fatalf("40 units were all shown the same: %v", seen)
	}
	for i := range 10 {
		if a := s.get(fmt.Sprint("/s/two-cards/new-", i, ".png")); a.variant != "bold" {
			t.Errorf("a new unit was shown %s, with all of the weight on the other", a.variant)
		}
	}
	want := map[string]string{
		"plain web other": fmt.Sprintf("%d fetches %d exposures", 2*seen["plain"], seen["plain"]),
		"bold web other":  fmt.Sprintf("%d fetches %d exposures", 2*seen["bold"]+10, seen["bold"]+10),
	}
	if diff := cmp.Diff(want, s.counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestUnitKeepsItsVariantOverARestart(t *testing.T) {
	s := newSite(t, "")
	s.inside(func(d *Daemon) { d.exhibits(t, newExperiment("two-cards")) })
	first := map[string]string{}
	for round := range 2 {
		p := s.start()
		for i := range 20 {
			unit := fmt.Sprint("unit-", i)
			a := fetchAs(t, http.MethodGet, p.url+"/s/two-cards/"+unit+".png", "")
			if round == 0 {
				first[unit] = a.variant
			}
			if a.status != http.StatusOK || a.variant == "" || a.variant != first[unit] {
				t.Errorf("%s was shown %s, and then %d %s", unit, first[unit], a.status, a.variant)
			}
		}
		if code := p.terminate(); code != 0 {
			t.Fatalf("the daemon ended with %d", code)
		}
	}
	s.inside(func(d *Daemon) {
		fetches, exposures := 0, 0
		for _, line := range countsOf(t, d, newExperiment("two-cards").ID) {
			var f, e int
			if _, err := fmt.Sscanf(line, "%d fetches %d exposures", &f, &e); err != nil {
				t.Errorf("counted %q", line)
			}
			fetches, exposures = fetches+f, exposures+e
		}
		if fetches != 40 || exposures != 20 {
			t.Errorf("%d fetches and %d exposures, want 40 of 20: what was counted is written down at the end", fetches, exposures)
		}
	})
}

// Machines see the control, take part in nothing, and are counted apart.
func TestMachinesSeeTheControl(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) { e.Weights = []int{0, 10000} })
	for name, header := range map[string][]string{
		"a bot":      {"User-Agent", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"},
		"a preview":  {"User-Agent", "facebookexternalhit/1.1"},
		"a gateway":  {"User-Agent", "Mozilla/5.0 mimecast"},
		"a prefetch": {"Sec-Purpose", "prefetch"},
		"nobody":     {"User-Agent", ""},
	} {
		if a := s.get("/s/two-cards/machine.png", header...); a.status != http.StatusOK || a.variant != "plain" {
			t.Errorf("%s: %d %s", name, a.status, a.variant)
		}
	}
	if a := s.ask(http.MethodHead, "/s/two-cards/machine.png"); a.status != http.StatusOK || a.variant != "plain" || len(a.body) > 0 {
		t.Errorf("HEAD: %d %s", a.status, a.variant)
	}
	if a, ok := s.assigned("machine"); ok {
		t.Errorf("a machine was assigned: %+v", a)
	}
	want := map[string]string{"plain web bot": "5 fetches 5 suspects", "plain web prefetch": "1 fetches 1 suspects"}
	if diff := cmp.Diff(want, s.counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestUnitOutsideOfTheCoverageSeesTheControl(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) { e.Coverage = 1; e.Weights = []int{0, 10000} })
	for i := range 20 {
		if a := s.get(fmt.Sprint("/s/two-cards/unit-", i, ".png")); a.variant != "plain" {
			t.Errorf("unit %d was shown %s", i, a.variant)
		}
		if a, ok := s.assigned(fmt.Sprint("unit-", i)); ok {
			t.Errorf("it was assigned: %+v", a)
		}
	}
	if got := s.counts(); len(got) != 0 {
		t.Errorf("counted %v", got)
	}
}

// Without a unit the variant is drawn each time, and is nobody's exposure.
func TestFetchWithoutAUnitIsNoExposure(t *testing.T) {
	s := newShowroom(t, nil)
	seen := map[string]int{}
	for range 60 {
		seen[s.get("/s/two-cards.png").variant]++
	}
	want := map[string]string{"plain web anonymous": fmt.Sprint(seen["plain"], " fetches"), "bold web anonymous": fmt.Sprint(seen["bold"], " fetches")}
	if diff := cmp.Diff(want, s.counts()); diff != "" || seen["plain"]+seen["bold"] != 60 {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	// A page of the same site gives its browser a unit, which is one.
	a := s.get("/s/two-cards.png", "Sec-Fetch-Site", "same-origin")
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	unit := strings.TrimPrefix(cookie, "pf_unit=")
	for range 3 {
		if again := s.get("/s/two-cards.png", "Cookie", cookie); again.variant != a.variant {
			t.Errorf("the browser was shown %s, and then %s", a.variant, again.variant)
		}
	}
	if got, ok := s.assigned(unit); !ok || got.Variant != a.variant {
		t.Errorf("the browser's unit %q is kept as %+v", unit, got)
	}
}

func TestEachStatusShowsWhatItShould(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) { e.Weights = []int{0, 10000} })
	if a := s.get("/s/two-cards/early.png"); a.variant != "bold" {
		t.Fatalf("running: %s", a.variant)
	}
	s.save(func(e *experiment.Experiment) { e.Status = experiment.Paused })
	if known, fresh := s.get("/s/two-cards/early.png"), s.get("/s/two-cards/late.png"); known.variant != "bold" || fresh.variant != "plain" {
		t.Errorf("paused: who was there sees %s, who is new %s", known.variant, fresh.variant)
	}
	if _, ok := s.assigned("late"); ok {
		t.Error("paused: somebody new was assigned")
	}
	before := s.counts()
	s.save(func(e *experiment.Experiment) {
		e.Status, e.Winner, e.EndedAt = experiment.Completed, "plain", time.Now()
	})
	for _, path := range []string{"/s/two-cards/early.png", "/s/two-cards/late.png", "/s/two-cards.png"} {
		if a := s.get(path); a.variant != "plain" || a.status != http.StatusOK {
			t.Errorf("completed: %s shows %d %s", path, a.status, a.variant)
		}
	}
	s.save(func(e *experiment.Experiment) { e.Retired = true })
	if a := s.get("/s/two-cards/early.png"); a.variant != "plain" || a.status != http.StatusOK {
		t.Errorf("retired: %d %s, want what is in mailboxes served on", a.status, a.variant)
	}
	if diff := cmp.Diff(before, s.counts()); diff != "" || before["bold web other"] != "1 fetches 1 exposures" {
		t.Errorf("something counted that should not (-before +after):\n%s", diff)
	}
	e := newExperiment("not-yet")
	e.Status = experiment.Draft
	s.d.exhibits(t, e)
	if a := s.get("/s/not-yet/u.png"); a.status != http.StatusNotFound {
		t.Errorf("a draft answers %d", a.status)
	}
}

// A smart link shows what fits at the moment; what is counted is what was seen first.
func TestSmartLinkFollowsTheMoment(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) {
		e.Type = experiment.SmartLink
		e.Variants[1].Conditions = &experiment.Condition{Type: "rule", Property: "device", Operator: "equals", Value: []byte(`"mobile"`)}
	})
	const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
	if a := s.get("/s/two-cards/u.png", "User-Agent", phone); a.variant != "bold" {
		t.Errorf("a phone sees %s", a.variant)
	}
	if a := s.get("/s/two-cards/u.png"); a.variant != "plain" {
		t.Errorf("a desktop sees %s", a.variant)
	}
	if a, ok := s.assigned("u"); !ok || a.Variant != "bold" {
		t.Errorf("it counts for %+v", a)
	}
}

// A mail's unit is known by its signature.
func TestForgedUnitsAreToldApart(t *testing.T) {
	s := newShowroom(t, nil)
	m := s.mail("ada", "bob")
	if len(m) != 2 || !m["ada"].Counted {
		t.Fatalf("assigned %+v", m)
	}
	if a, _ := s.assigned("ada"); a.Channel != experiment.Email || a.ExposedAt.IsZero() || a.Variant != m["ada"].Variant {
		t.Errorf("a mail's unit is kept as %+v", a)
	}
	good := s.get(m["ada"].ImageURL)
	unsigned := s.get("/s/two-cards/ada.png")
	wrong := s.get(strings.Replace(m["ada"].ImageURL, "/ada.png", "/bob.png", 1))
	strange := s.get("/s/two-cards/eve.png?sig=" + strings.Repeat("A", 22))
	for name, c := range map[string]struct {
		a       shownAnswer
		variant string
	}{"signed": {good, m["ada"].Variant}, "unsigned": {unsigned, m["ada"].Variant}, "of another": {wrong, "plain"}, "made up": {strange, "plain"}} {
		if c.a.status != http.StatusOK || c.a.variant != c.variant {
			t.Errorf("%s: %d %s, want %s", name, c.a.status, c.a.variant, c.variant)
		}
	}
	if _, ok := s.assigned("eve"); ok {
		t.Error("whoever made up a signature was assigned")
	}
	counts := s.counts()
	v := m["ada"].Variant + " email other"
	if counts[v] != "2 fetches 1 suspects" || counts["plain web other"] != "2 fetches 2 suspects" {
		t.Errorf("counted %v, want the forged ones as suspects", counts)
	}
	// A unit that was not assigned when its mail was made is not assigned as it is opened.
	if a := s.get(s.d.unitURLs(s.e, "zoe").Image); a.variant != "plain" {
		t.Errorf("a signed unit without an assignment sees %s", a.variant)
	}
	if _, ok := s.assigned("zoe"); ok {
		t.Error("it was assigned as it was opened")
	}
}

// The picture of a variant is gone: its fallback is shown, counts as that arm's
// exposure and as a failure, somebody is told, and it is made again.
func TestFailingVariantServesItsFallback(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) { e.Weights = []int{0, 10000} })
	stand, err := s.d.exhibit.of("two-cards")
	if err != nil {
		t.Fatal(err)
	}
	hash := stand.pictures["bold"].Hash
	var told []string
	s.d.exhibit.failing.alarmFunc = func(f api.FailingVariant) { told = append(told, f.Variant+" "+f.Why) }
	removed := 0
	if err := filepath.WalkDir(filepath.Dir(filepath.Dir(s.d.blobs.Temporary())), func(path string, e os.DirEntry, err error) error {
		if err == nil && strings.Contains(e.Name(), hash) && !e.IsDir() {
			removed++
			return os.Remove(path)
		}
		return nil
	}); err != nil || removed != 1 {
		t.Fatalf("removed %d files, %v", removed, err)
	}
	control := s.get("/images/" + stand.pictures["plain"].Hash + ".png")
	for i := range 3 {
		a := s.get(fmt.Sprint("/s/two-cards/u", i, ".png"))
		if a.status != http.StatusOK || a.variant != "bold" || !bytes.Equal(a.body, control.body) {
			t.Errorf("got %d, %s with %d bytes, want the control's %d as bold", a.status, a.variant, len(a.body), len(control.body))
		}
	}
	if counts := s.counts(); counts["bold web other"] != "3 fetches 3 exposures 3 failures" {
		t.Errorf("counted %v", counts)
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "bold ") {
		t.Errorf("told %q, want once an hour", told)
	}
	if f := s.d.exhibit.Failing(); len(f) != 1 || f[0].Variant != "bold" || f[0].Shown != 3 || f[0].Slug != "two-cards" {
		t.Errorf("failing are %+v", f)
	}
	// A turn makes it again.
	s.d.exhibit.lookAgain(t.Context())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.d.queue(ctx) }()
	eventually(t, "the picture is made again", func() bool {
		s.d.exhibit.lookAgain(t.Context())
		return len(s.d.exhibit.Failing()) == 0
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if a := s.get("/s/two-cards/u0.png"); a.variant != "bold" || bytes.Equal(a.body, control.body) {
		t.Error("the variant is still not shown")
	}
}

// With even the fallback gone there is a plain picture of the size.
func TestPlainPictureIsTheLastResort(t *testing.T) {
	s := newShowroom(t, func(e *experiment.Experiment) { e.Rows = true })
	stand, err := s.d.exhibit.of("two-cards")
	if err != nil {
		t.Fatal(err)
	}
	if file, _, err := s.d.blobs.Open(t.Context(), stand.pictures[""].Hash); err == nil {
		data, _ := io.ReadAll(file)
		file.Close()
		if a := s.get("/s/two-cards/u.png"); a.status != http.StatusOK || !bytes.Equal(a.body, data) || http.DetectContentType(a.body) != "image/png" {
			t.Errorf("without a row: %d with %d bytes", a.status, len(a.body))
		}
	}
	stand.pictures[""] = experiment.Picture{Hash: strings.Repeat("0", 64), Ext: "png"}
	if a := s.get("/s/two-cards/u.png"); a.status != http.StatusOK || !bytes.Equal(a.body, plainPNG(400, 200)) {
		t.Errorf("without anything: %d with %d bytes", a.status, len(a.body))
	}
	if a := s.get("/s/two-cards/u.png?mode=redirect"); a.status != http.StatusOK {
		t.Errorf("it leads to %d %s, where nothing is", a.status, a.header.Get("Location"))
	}
	if counts := s.counts(); counts["plain web other"] != "" && strings.Contains(counts["plain web other"], "failures") {
		t.Errorf("what has no row yet is no failure: %v", counts)
	}
}

func TestUnitsInMemoryAreBounded(t *testing.T) {
	c := newUnitCache(100)
	for i := range 10_000 {
		c.put(experiment.Assignment{Experiment: "exp_1", Unit: fmt.Sprint(i), Variant: "a"})
		if _, ok := c.get("exp_1", "0"); !ok {
			t.Fatalf("the one that is used was forgotten after %d", i)
		}
		if c.size() > 100 {
			t.Fatalf("%d are remembered, want at most 100", c.size())
		}
	}
	c.forget("exp_1", "0")
	if _, ok := c.get("exp_1", "0"); ok {
		t.Error("one that was erased is remembered")
	}
}
