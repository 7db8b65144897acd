package daemon

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/store"
)

func TestErrandIsDoneAgainUntilItWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var tries []time.Duration
		began := time.Now()
		e := newErrand(func(context.Context) error {
			if tries = append(tries, time.Since(began)); len(tries) < 3 {
				return errors.New("the disk is full")
			}
			return nil
		}, func(error) {})
		go e.work(ctx)
		e.ask()
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(tries) != 3 {
			t.Fatalf("tried at %v, want three tries and no more", tries)
		}
		for i, least := range []time.Duration{0, backoff.Base / 2, backoff.Base} {
			if i > 0 && tries[i]-tries[i-1] < least {
				t.Errorf("try %d came %s after the one before, want at least %s", i+1, tries[i]-tries[i-1], least)
			}
		}
		e.ask()
		e.ask()
		synctest.Wait()
		if len(tries) < 4 || len(tries) > 5 {
			t.Errorf("%d tries after two more wishes, want 4 or 5", len(tries))
		}
	})
}

func TestFailedReadingIsReadAgainBeforeItsInterval(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		most time.Duration
	}{
		"backing off":         {errors.New("connection reset"), 5 * time.Second},
		"as the source asked": {retry.After(errors.New("429"), 30*time.Second), 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var asked []time.Time
				d := &Daemon{}
				d.current.Store(&roster{})
				f := d.newFeed("catalog", &connectors.Common{Every: 0}, nil)
				f.every = time.Hour
				f.rebind.doFunc = func(context.Context) error { return nil }
				f.wish.doFunc = func(context.Context) error { asked = append(asked, time.Now()); return nil }
				f.rebind.noteFunc, f.wish.noteFunc = func(error) {}, func(error) {}
				go d.watch(ctx, f)
				synctest.Wait()
				failed := time.Now()
				f.read(c.err)
				time.Sleep(c.most)
				synctest.Wait()
				if len(asked) != 2 || asked[1].Sub(failed) < time.Second {
					t.Fatalf("asked at %v, want once more within %s of %s", asked, c.most, failed)
				}
				f.read(nil)
				time.Sleep(30 * time.Minute)
				synctest.Wait()
				if len(asked) != 2 {
					t.Errorf("asked %d times, want no more after a good reading", len(asked))
				}
			})
		})
	}
}

func TestPauseAfterFailuresGrowsUpToTheInterval(t *testing.T) {
	f := &feed{every: time.Minute, failures: 1}
	if got := f.pause(errors.New("reset")); got > 5*time.Second {
		t.Errorf("the first pause is %s, want at most 5s", got)
	}
	f.failures = 50
	if got := f.pause(errors.New("reset")); got < 30*time.Second || got > time.Minute {
		t.Errorf("the 50th pause is %s, want about the interval of 1m", got)
	}
}

// Of a daemon that was killed in a reading the turn comes back at once, before
// its source is bound.
func TestPollBeforeBindingPlansTheChangedRow(t *testing.T) {
	s := newSite(t, catalogYAML)
	s.write("rows.csv", csvRows(3, "one"))
	d := s.open()
	f := d.roster().feeds["catalog"]
	if err := d.bind(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if err := d.poll(t.Context(), store.Turn{Source: "catalog"}); err != nil {
		t.Fatal(err)
	}
	before, err := d.store.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	s.write("rows.csv", strings.Replace(csvRows(3, "one"), "one 1", "another 1", 1))
	f.compiled, f.bindings = false, nil // as in a daemon that has just begun
	if err := d.poll(t.Context(), store.Turn{Source: "catalog"}); err != nil {
		t.Fatal(err)
	}
	after, err := d.store.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := after.RendersWaiting - before.RendersWaiting; got != 1 {
		t.Errorf("%d more pictures are wanted, want 1 for the changed row", got)
	}
}

func TestRowsReadWhileTheirBindingWasBrokenArriveOnceItIsMended(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(3, "one"))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "three images", func() bool { return p.ready("cards") == 3 })

	// A good template, but the binding maps a variable that it no longer has.
	s.write("templates/card.html", strings.ReplaceAll(cardTemplate, "title", "headline"))
	eventually(t, "the binding is broken", func() bool { return strings.Contains(p.binding("cards").Error, "title") })
	s.write("rows.csv", strings.Replace(csvRows(3, "one"), "one 1", "two 1", 1))
	eventually(t, "the row is read", func() bool { return strings.Contains(p.row("cards", "SKU-001"), "two 1") })
	if got := null.Count(); got != 3 {
		t.Errorf("%d pictures while the binding is broken, want 3", got)
	}

	s.write("templates/card.html", cardTemplate)
	eventually(t, "the row's new picture", func() bool { return null.Count() == 4 && p.ready("cards") == 3 })
	if e := p.binding("cards").Error; e != "" {
		t.Errorf("the mended binding still has the error %q", e)
	}
}

func TestTemplateThatComesLaterDrawsTheRowsThatWaited(t *testing.T) {
	s := newSite(t, strings.Replace(catalogWithHook, "template: card", "template: late", 1))
	s.write("rows.csv", csvRows(3, "one"))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the rows are read", func() bool {
		return strings.Contains(p.binding("cards").Error, "late") && strings.Contains(p.row("cards", "SKU-001"), "one 1")
	})
	s.write("templates/late.html", cardTemplate)
	eventually(t, "three images", func() bool { return p.ready("cards") == 3 && null.Count() == 3 })
}

func TestPublishedTemplateDoesNotWaitForAReadingThatHangs(t *testing.T) {
	u := newUpstream(t, jsonRows(3, "one"))
	s := newSite(t, strings.ReplaceAll(feedYAML, "UPSTREAM", u.server.URL))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, ended := s.begin(ctx, Options{Renderer: &rendertest.Null{}, Grace: time.Millisecond})
	p := &process{tb: t, url: url}
	eventually(t, "three images", func() bool { return p.ready("cards") == 3 })

	asked := make(chan struct{}, 1)
	u.set(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	p.refresh("cards")
	<-asked
	s.write("templates/card.html", strings.Replace(cardTemplate, "700 32px", "700 40px", 1))
	s.write("templates/other.html", cardTemplate)
	eventually(t, "both templates are published", func() bool {
		return p.get("/templates/other", nil) == http.StatusOK && strings.Contains(p.text("/templates/card"), `"version":2`)
	})
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the daemon ended with %v, want a clean end", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the daemon does not end while a source hangs")
	}
}
