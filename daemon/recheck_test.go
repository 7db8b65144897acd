package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template"
)

// An album serves pictures that a test exchanges.
type album struct {
	server *httptest.Server

	mu     sync.Mutex
	widths map[string]int // of the picture at a path; 0: there is none
	asked  []string       // path, and whether it was asked for others than are known
}

func newAlbum(t *testing.T) *album {
	t.Helper()
	a := &album{widths: map[string]int{}}
	a.server = httptest.NewServer(a)
	t.Cleanup(a.server.Close)
	return a
}

func (a *album) set(path string, width int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.widths[path] = width
}

// take is what was asked for since the last time, in order.
func (a *album) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.asked
	a.asked = nil
	slices.Sort(asked)
	return asked
}

func (a *album) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	width := a.widths[r.URL.Path]
	what := r.URL.Path
	if r.Header.Get("If-None-Match") != "" {
		what += " if changed"
	}
	a.asked = append(a.asked, what)
	a.mu.Unlock()
	etag := fmt.Sprintf(`"%d"`, width)
	switch {
	case width == 0:
		http.NotFound(w, r)
		return
	case r.Header.Get("If-None-Match") == etag:
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("ETag", etag)
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 1)))
	_, _ = w.Write(b.Bytes())
}

// told is the addresses of pictures that webhooks brought, by key, since there
// were before of them.
func told(t *testing.T, r *receiver, before int) map[string]string {
	t.Helper()
	urls := map[string]string{}
	for _, h := range r.all("render.completed")[before:] {
		var data struct {
			Key     string
			Outputs []struct{ URL string }
		}
		if err := json.Unmarshal(h.Data, &data); err != nil {
			t.Fatal(err)
		}
		for _, o := range data.Outputs {
			urls[data.Key] = o.URL
		}
	}
	return urls
}

func newRecheckSite(t *testing.T, a *album, rows ...string) *site {
	t.Helper()
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
sinks: { hook: { kind: webhook, url: RECEIVER } }
bindings: [{ name: cards, source: catalog, template: card, sinks: [hook], assets: { recheck: 24h }, guard: { max_changed: 100% } }]
`)
	s.write("rows.csv", "sku,title,photo\n"+strings.ReplaceAll(strings.Join(rows, "\n"), "ALBUM", a.server.URL)+"\n")
	return s
}

func TestImagesFollowTheFilesThatTheyShow(t *testing.T) {
	a := newAlbum(t)
	a.set("/mug.png", 1)
	a.set("/cup.png", 2)
	s := newRecheckSite(t, a, "A,Mug,ALBUM/mug.png", "B,Mug again,ALBUM/mug.png", "C,Cup,ALBUM/cup.png", "D,No photo,")
	_, d := s.run(Options{Renderer: &rendertest.Null{}})
	eventually(t, "all rows have their image", func() bool { return len(s.receiver.all("render.completed")) == 4 })
	first := told(t, s.receiver, 0)
	a.take()
	cards := d.roster().bindings
	pass := func(after time.Duration) {
		t.Helper()
		if err := d.recheckBinding(t.Context(), cards[0], cards, time.Now().Add(after)); err != nil {
			t.Fatal(err)
		}
	}

	pass(23 * time.Hour)
	if asked := a.take(); len(asked) != 0 {
		t.Errorf("before their time asked for were %q", asked)
	}
	pass(25 * time.Hour)
	if asked := a.take(); !slices.Equal(asked, []string{"/cup.png if changed", "/mug.png if changed"}) {
		t.Errorf("asked for were %q", asked)
	}
	a.set("/mug.png", 3)
	pass(25 * time.Hour)
	eventually(t, "the changed photo is shown", func() bool { return len(s.receiver.all("render.completed")) == 6 })
	second := told(t, s.receiver, 4)
	if len(second) != 2 || second["A"] == first["A"] || second["B"] == first["B"] {
		t.Errorf("told was %v, after %v", second, first)
	}
	a.take()

	a.set("/cup.png", 0)
	pass(26 * time.Hour)
	if asked := a.take(); !slices.Equal(asked, []string{"/cup.png if changed", "/mug.png if changed"}) {
		t.Errorf("asked for were %q", asked)
	}
	pass(26 * time.Hour)
	if asked := a.take(); !slices.Equal(asked, []string{"/mug.png if changed"}) {
		t.Errorf("within the hour asked for were %q", asked)
	}
	a.set("/cup.png", 2)
	pass(28 * time.Hour)
	if asked := a.take(); !slices.Contains(asked, "/cup.png if changed") {
		t.Errorf("in the next hour asked for were %q", asked)
	}
	if n := len(s.receiver.all("")); n != 6 {
		t.Errorf("%d webhooks, want 6", n)
	}
}

// The pin and the images that show it are two commits.
func TestDeathBetweenAFileAndItsImagesLosesNothing(t *testing.T) {
	a := newAlbum(t)
	a.set("/mug.png", 1)
	s := newRecheckSite(t, a, "A,Mug,ALBUM/mug.png")
	_, d := s.run(Options{Renderer: &rendertest.Null{}})
	eventually(t, "the row has its image", func() bool { return len(s.receiver.all("render.completed")) == 1 })
	a.set("/mug.png", 3)
	if _, err := d.assets.Recheck(t.Context(), a.server.URL+"/mug.png", ""); err != nil {
		t.Fatal(err)
	}
	if err := d.recheckBinding(t.Context(), d.roster().bindings[0], d.roster().bindings, time.Now()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the changed photo is shown", func() bool { return len(s.receiver.all("render.completed")) == 2 })
}

func TestRowThatComesLaterShowsTheFileAsItIsThen(t *testing.T) {
	a := newAlbum(t)
	a.set("/mug.png", 1)
	s := newRecheckSite(t, a, "A,Mug,")
	d := s.open()
	url := a.server.URL + "/mug.png"
	fetch := func(o bindings.Owner) string {
		t.Helper()
		pin, err := d.fetch(t.Context(), template.Remote{URL: url}, store.Claim{Owner: o})
		if err != nil {
			t.Fatal(err)
		}
		return pin.Digest
	}
	first := fetch(bindings.BindingOwner("cards"))
	a.set("/mug.png", 3)
	if again := fetch(bindings.BindingOwner("cards")); again != first {
		t.Error("a young pin is not trusted")
	}
	pin, _, err := d.store.AssetPin(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	pin.CheckedAt = time.Now().Add(-25 * time.Hour)
	if err := d.store.SaveAssetPin(t.Context(), url, pin); err != nil {
		t.Fatal(err)
	}
	for _, o := range []bindings.Owner{bindings.JobOwner("job"), bindings.BindingOwner("others")} {
		if again := fetch(o); again != first {
			t.Errorf("%s never asked for it", o)
		}
	}
	if again := fetch(bindings.BindingOwner("cards")); again == first {
		t.Error("an old pin is trusted")
	}
}

func TestFilesAreAskedForInTheirRhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wants := []bindings.Config{{Name: "daily"}, {Name: "hasty"}, {Name: "hourly"}}
		for i, every := range []time.Duration{24 * time.Hour, time.Minute, time.Hour} {
			wants[i].Assets.Recheck = config.Duration(every)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour+time.Second)
		defer cancel()
		passes := map[string]int{}
		rounds(ctx, func() []bindings.Config { return wants }, func(_ context.Context, b bindings.Config) { passes[b.Name]++ })
		if passes["daily"] < 23 || passes["daily"] > 25 || passes["hasty"] != 24*60 || passes["hourly"] < 24*7 || passes["hourly"] > 24*9 {
			t.Errorf("in a day passes were %v", passes)
		}
	})
}

func TestWithoutARecheckNothingIsAskedFor(t *testing.T) {
	for _, d := range []*Daemon{
		{settings: &Settings{Bindings: []bindings.Config{{Name: "cards"}}}},
		{settings: &Settings{Bindings: []bindings.Config{{Name: "cards", Assets: bindings.Assets{Recheck: config.Duration(time.Hour)}}}}},
	} {
		d.settings.Render.Sandbox = "none"
		d.recheck(t.Context()) // returns at once
	}
}
