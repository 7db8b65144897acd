package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
)

// Gallery are the images of the world by the filters that the tests use.
func (w *world) Gallery(_ context.Context, f bindings.ImageFilter, limit int) (page []bindings.Shown, next *bindings.ImagePlace, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.filtered = append(w.filtered, f)
	var all []bindings.Shown
	for _, i := range w.images {
		if g := w.shown(i); i.Hash != "" && (f.Owner == "" || f.Owner == i.Owner) && (len(f.Templates) == 0 || slices.Contains(f.Templates, g.Made.Spec.Template)) {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b bindings.Shown) int { return cmp.Compare(a.Key+a.Output, b.Key+b.Output) })
	for _, g := range all {
		if f.Behind != nil && g.Key+g.Output <= f.Behind.Key+f.Behind.Output {
			continue
		}
		if len(page) == limit {
			last := page[limit-1].Place()
			return page, &last, nil
		}
		page = append(page, g)
	}
	return page, nil, w.broken
}

func (w *world) shown(i bindings.Image) bindings.Shown {
	return bindings.Shown{Image: i, Made: &bindings.Making{
		Fingerprint: "f" + i.Hash[:8], Spec: bindings.Spec{Template: testTemplate, Version: 3, Size: "default"}, Bytes: 7, Duration: 42 * time.Millisecond, State: "done",
		Fitting: bindings.Fitting{Layers: []bindings.LayerFit{{Layer: "title", Clipped: true}}},
	}}
}

func (w *world) ImagesOf(_ context.Context, hash string, _ int) (all []bindings.Shown, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range w.images {
		if i.Hash == hash {
			all = append(all, w.shown(i))
		}
	}
	slices.SortFunc(all, func(a, b bindings.Shown) int { return cmp.Compare(a.Key+a.Output, b.Key+b.Output) })
	return all, w.broken
}

func (w *world) AboutImage(_ context.Context, of bindings.Shown) (ImageAbout, error) {
	return ImageAbout{
		Texts: []ImageText{{"recipient_name", "Ada"}}, Row: json.RawMessage(`{"id":"` + of.Key + `"}`), Redrawn: ByRow,
		Changed: []TextChange{{"recipient_name", "Bob", "Ada"}}, Source: "shop", Freshness: connectors.Freshness{Complete: true},
		Past: &bindings.Past{Hash: hashOf([]byte("before")), Ext: "png", Generation: 1, Width: 4, Height: 3, RenderedAt: time.UnixMilli(1)},
	}, nil
}

func TestGalleryGoesPageByPage(t *testing.T) {
	w := newWorld()
	for i := range 7 {
		w.put("cards", fmt.Sprint("SKU-", i), "card", "png", []byte{byte(i)})
	}
	s := mustServer(t, open(), w)
	var keys []string
	cursor := ""
	for pages := 1; ; pages++ {
		page := mustAnswer[galleryPageView](t, get("/images?limit=3&cursor="+cursor).to(t, s), http.StatusOK)
		for _, i := range page.Images {
			keys = append(keys, i.Key)
		}
		if page.NextCursor == nil {
			if pages != 3 {
				t.Errorf("there were %d pages, want 3", pages)
			}
			break
		}
		cursor = *page.NextCursor
	}
	if want := []string{"SKU-0", "SKU-1", "SKU-2", "SKU-3", "SKU-4", "SKU-5", "SKU-6"}; !slices.Equal(keys, want) {
		t.Errorf("the pages have %q, want %q", keys, want)
	}
}

func TestGalleryTellsHowAnImageWasMade(t *testing.T) {
	w := newWorld()
	hash := w.put("cards", "SKU-1", "card", "png", []byte("picture"))
	page := mustAnswer[galleryPageView](t, get("/images").to(t, mustServer(t, open(), w)), http.StatusOK)
	if len(page.Images) != 1 || page.NextCursor != nil {
		t.Fatalf("the page is %+v", page)
	}
	i := page.Images[0]
	if i.Path != "/images/"+hash+".png" || i.ID != "binding/cards/SKU-1/card" || i.Template != testTemplate || i.Version != 3 || i.Size != "default" ||
		i.Bytes != 7 || i.RenderMs != 42 || len(i.Warnings) != 1 || i.Warnings[0].Code != bindings.TextClipped {
		t.Errorf("the image is %+v", i)
	}
}

func TestGalleryPassesItsFiltersOn(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	mustAnswer[galleryPageView](t, get("/images?job=batch_1&key=C-1&template=card&format=png&size=story&warning=any&since=2026-03-01&until=2026-03-02T00:00:00Z").to(t, s), http.StatusOK)
	got := w.filtered[0]
	want := bindings.ImageFilter{
		Owner: bindings.JobOwner("batch_1"), Key: "C-1", Template: "card", Format: "png", Size: "story", Warning: bindings.AnyWarning,
		Since: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the filter is %+v, want %+v", got, want)
	}
}

func TestGalleryRefusesWhatItDoesNotUnderstand(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for _, query := range []string{
		"limit=0", "limit=201", "limit=many", "cursor=x", "cursor=" + url.QueryEscape("W10"), "warning=none", "since=soon", "since=2199-01-01",
		"until=later", "binding=cards&job=batch_1", "since=2026-03-02&until=2026-03-01",
	} {
		mustProblem(t, get("/images?"+query).to(t, s), http.StatusUnprocessableEntity, "out_of_range")
	}
	mustProblem(t, get("/images?binding=cards&key=%25zz").to(t, s), http.StatusUnprocessableEntity, "bad_key")
}

func TestGalleryShowsAKeyItsOwnTemplates(t *testing.T) {
	w := newWorld()
	hash := w.put("cards", "SKU-1", "card", "png", []byte("picture"))
	s := mustServer(t, locked(
		Key{Name: "other", Key: config.NewSecret("key-for-another-template"), Scopes: []Scope{"images:read"}, Templates: []string{"badge"}},
		Key{Name: "own", Key: config.NewSecret("key-for-this-template-alone"), Scopes: []Scope{"images:read"}, Templates: []string{testTemplate}},
		Key{Name: "none", Key: config.NewSecret("key-for-metrics-and-no-more"), Scopes: []Scope{"metrics:read"}},
	), w)
	if page := mustAnswer[galleryPageView](t, get("/images").bearer("key-for-another-template").to(t, s), http.StatusOK); len(page.Images) != 0 {
		t.Errorf("a key for another template sees %+v", page.Images)
	}
	mustProblem(t, get("/images/"+hash+".png/about").bearer("key-for-another-template").to(t, s), http.StatusNotFound, slugImageNotFound)
	mustProblem(t, get("/images").bearer("key-for-metrics-and-no-more").to(t, s), http.StatusForbidden, slugScope)
	mustProblem(t, get("/images").to(t, s), http.StatusUnauthorized, slugNoKey)
	about := mustAnswer[aboutView](t, get("/images/"+hash+".png/about").bearer("key-for-this-template-alone").to(t, s), http.StatusOK)
	if string(about.Row) != "null" || about.Source != nil {
		t.Errorf("a key that may read images is told the row %s and its source %v", about.Row, about.Source)
	}
}

func TestAboutAnImage(t *testing.T) {
	w := newWorld()
	hash := w.put("cards", "SKU-1", "card", "png", []byte("picture"))
	w.put("cards", "SKU-2", "card", "png", []byte("picture")) // the same bytes
	s := mustServer(t, open(), w)
	about := mustAnswer[aboutView](t, get("/images/"+hash+".png/about?binding=cards&key=SKU-2").to(t, s), http.StatusOK)
	if about.Image.Key != "SKU-2" || about.Places != 2 || string(about.Row) != `{"id":"SKU-2"}` || about.Source == nil || about.Source.Name != "shop" {
		t.Errorf("it is %+v", about)
	}
	if about.Render == nil || about.Render.ChangedBy != ByRow || len(about.Render.Texts) != 1 || len(about.Texts) != 1 || about.Texts[0].Variable != "recipient_name" {
		t.Errorf("it was drawn as %+v with %+v", about.Render, about.Texts)
	}
	if p := about.Previous; p == nil || !strings.HasSuffix(p.Path, ".png") || p.Generation != 1 || p.RenderedAt == nil {
		t.Errorf("before it was %+v", about.Previous)
	}
	if first := mustAnswer[aboutView](t, get("/images/"+hash+".png/about").to(t, s), http.StatusOK); first.Image.Key != "SKU-1" {
		t.Errorf("without a place it is that of %q, want the newest", first.Image.Key)
	}
	for _, path := range []string{"/images/" + hash + ".png/about?key=SKU-3", "/images/" + hashOf(nil) + ".png/about", "/images/nonsense/about"} {
		mustProblem(t, get(path).to(t, s), http.StatusNotFound, slugImageNotFound)
	}
}
