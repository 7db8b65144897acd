package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

// A gallery is a daemon that shows an experiment, and answers over HTTP.
type showroom struct {
	tb  testing.TB
	d   *Daemon
	e   experiment.Experiment
	url string
}

// newShowroom shows two cards, or what change makes of them.
func newShowroom(tb testing.TB, change func(e *experiment.Experiment)) *showroom {
	tb.Helper()
	d := newSite(tb, "").open()
	e := newExperiment("two-cards")
	if change != nil {
		change(&e)
	}
	e = d.exhibits(tb, e)
	server, err := d.server(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	site := httptest.NewServer(server)
	tb.Cleanup(site.Close)
	d.urls.base = site.URL
	return &showroom{tb, d, e, site.URL}
}

// An answer is what came of one request.
type shownAnswer struct {
	status  int
	header  http.Header
	body    []byte
	variant string
}

// ask asks for a path, or an address, as a browser does; header are name, value, ….
func (s *showroom) ask(method, path string, header ...string) shownAnswer {
	s.tb.Helper()
	if strings.HasPrefix(path, "/") {
		path = s.url + path
	}
	return fetchAs(s.tb, method, path, "", header...)
}

func (s *showroom) get(path string, header ...string) shownAnswer {
	s.tb.Helper()
	return s.ask(http.MethodGet, path, header...)
}

func fetchAs(tb testing.TB, method, url, body string, header ...string) shownAnswer {
	tb.Helper()
	a, err := tryRequest(method, url, body, header...)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// stays follows no redirect.
var stays = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func tryRequest(method, url, body string, header ...string) (shownAnswer, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return shownAnswer{}, err
	}
	r.Header.Set("User-Agent", firefox)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := stays.Do(r)
	if err != nil {
		return shownAnswer{}, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return shownAnswer{res.StatusCode, res.Header, data, res.Header.Get("X-Variant")}, err
}

// report sends events with a write key, or without one in key.
func (s *showroom) report(key string, events ...map[string]any) map[string]any {
	s.tb.Helper()
	return reportTo(s.tb, s.url, key, events...)
}

func reportTo(tb testing.TB, url, key string, events ...map[string]any) map[string]any {
	tb.Helper()
	body, err := json.Marshal(map[string]any{"events": events})
	if err != nil {
		tb.Fatal(err)
	}
	a := fetchAs(tb, http.MethodPost, url+"/s/events", string(body), "X-Write-Key", key, "Content-Type", "application/json")
	var answer map[string]any
	if err := json.Unmarshal(a.body, &answer); err != nil {
		tb.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	answer["status"] = a.status
	return answer
}

// conversion is one as callers report it.
func conversion(unit, id string) map[string]any {
	return map[string]any{"experiment": "two-cards", "event": "conversion", "unit": unit, "id": id}
}

// whole are all counts, whatever the day, in one line for each variant, channel and
// client: only what is not zero.
func (s *showroom) counts() map[string]string {
	s.tb.Helper()
	s.d.exhibit.writeTallies(context.Background())
	return countsOf(s.tb, s.d, s.e.ID)
}

func countsOf(tb testing.TB, d *Daemon, id string) map[string]string {
	tb.Helper()
	all, err := d.store.ExperimentCounts(context.Background(), id)
	if err != nil {
		tb.Fatal(err)
	}
	of := map[string]string{}
	for _, c := range all {
		var b bytes.Buffer
		for _, one := range []struct {
			n    int64
			word string
		}{{c.Fetches, "fetches"}, {c.Exposures, "exposures"}, {c.Suspects, "suspects"}, {c.Failures, "failures"}, {c.Clicks, "clicks"},
			{c.Conversions, "conversions"}, {c.Views, "views"}, {c.Duplicates, "duplicates"}, {c.Unassigned, "unassigned"}, {c.Mismatches, "mismatches"}} {
			if one.n > 0 {
				fmt.Fprintf(&b, "%d %s ", one.n, one.word)
			}
		}
		of[strings.TrimSpace(c.Variant+" "+c.Channel+" "+c.Client)] = strings.TrimSpace(b.String())
	}
	return of
}

// assigned is what a unit has.
func (s *showroom) assigned(unit string) (experiment.Assignment, bool) {
	s.tb.Helper()
	all, err := s.d.store.Assigned(context.Background(), s.e.ID, []string{unit})
	if err != nil {
		s.tb.Fatal(err)
	}
	if len(all) == 0 {
		return experiment.Assignment{}, false
	}
	return all[0], true
}

// save keeps a change of the experiment and shows it.
func (s *showroom) save(change func(e *experiment.Experiment)) {
	s.tb.Helper()
	change(&s.e)
	kept, err := s.d.store.SaveExperiment(context.Background(), s.e)
	if err == nil {
		err = s.d.reloadExperiments(context.Background())
	}
	if err != nil {
		s.tb.Fatal(err)
	}
	s.e = kept
}

// mail assigns units for mails and returns their addresses.
func (s *showroom) mail(units ...string) map[string]mailed {
	s.tb.Helper()
	body, err := json.Marshal(map[string]any{"units": units})
	if err != nil {
		s.tb.Fatal(err)
	}
	a := fetchAs(s.tb, http.MethodPost, s.url+"/experiments/two-cards/assignments", string(body), "Content-Type", "application/json")
	var answer struct{ Assignments []mailed }
	if err := json.Unmarshal(a.body, &answer); err != nil || a.status != http.StatusOK {
		s.tb.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	of := map[string]mailed{}
	for _, m := range answer.Assignments {
		of[m.Unit] = m
	}
	return of
}

type mailed struct {
	Unit, Variant                string
	Counted                      bool
	ImageURL, ClickURL, PixelURL string
}

// inside opens a site's daemon for a moment, runs none of its stages, and closes it.
func (s *site) inside(do func(d *Daemon)) {
	s.tb.Helper()
	settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		s.tb.Fatal(err)
	}
	d := newDaemon(settings, Options{Log: quiet(s.tb), Renderer: &rendertest.Null{}})
	closing, err := d.open(context.Background())
	defer closing()
	if err != nil {
		s.tb.Fatal(err)
	}
	do(d)
}
