package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/store"
)

// pagesOf are the keys of all images that f takes, page by page, and how many pages
// there were.
func pagesOf(tb testing.TB, s *store.Store, f bindings.ImageFilter, limit int) (keys []string, pages int) {
	tb.Helper()
	for {
		page, next, err := s.Gallery(tb.Context(), f, limit)
		must(tb, err)
		pages++
		for _, g := range page {
			keys = append(keys, g.Key+"/"+g.Output)
		}
		if len(page) > limit {
			tb.Fatalf("a page has %d images, at most %d were wanted", len(page), limit)
		}
		if next == nil {
			return keys, pages
		}
		f.Behind = next
	}
}

var gallery = map[string]func(*testing.T, Open){
	"GalleryIsReadPageByPage": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		const n = 137
		proposals := make([]bindings.Proposal, n)
		for i := range proposals { // many have the same moment, so that the order must be whole
			proposals[i] = wantsOutputs(owner, fmt.Sprintf("k%03d", i), "card="+fmt.Sprint(i), "story="+fmt.Sprint(i))
		}
		replan(t, s, proposals...)
		draw(t, s)
		keys, pages := pagesOf(t, s, bindings.ImageFilter{}, 10)
		seen := map[string]bool{}
		for _, key := range keys {
			if seen[key] {
				t.Errorf("%s is on two pages", key)
			}
			seen[key] = true
		}
		if len(seen) != 2*n || pages != 28 {
			t.Errorf("%d of %d images are on %d pages, want all on 28", len(seen), 2*n, pages)
		}
	},

	"GalleryIsFiltered": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		must(t, s.SetBinding(t.Context(), "badges", source, "v1"))
		badges := bindings.BindingOwner("badges")
		replan(t, s, wantsOutputs(owner, "a", "card=1", "story=1"), wantsOutputs(owner, "b", "card=2"), wantsOutputs(badges, "a", "badge=3"))
		draw(t, s)
		acceptJob(t, s, "batch_g", 2)
		planJob(t, s, "batch_g", func(i int64) string { return fmt.Sprint("job ", i) })
		draw(t, s)
		for name, c := range map[string]struct {
			f    bindings.ImageFilter
			want int
		}{
			"none":                   {bindings.ImageFilter{}, 6},
			"a binding":              {bindings.ImageFilter{Owner: owner}, 3},
			"another":                {bindings.ImageFilter{Owner: badges}, 1},
			"a job":                  {bindings.ImageFilter{Owner: bindings.JobOwner("batch_g")}, 2},
			"a row of a binding":     {bindings.ImageFilter{Owner: owner, Key: "a"}, 2},
			"a key":                  {bindings.ImageFilter{Key: "a"}, 3},
			"a size":                 {bindings.ImageFilter{Size: "story"}, 1},
			"a template":             {bindings.ImageFilter{Template: "card"}, 6},
			"another template":       {bindings.ImageFilter{Template: "none"}, 0},
			"templates of a key":     {bindings.ImageFilter{Templates: []string{"none"}}, 0},
			"its own templates":      {bindings.ImageFilter{Templates: []string{"none", "card"}}, 6},
			"a format":               {bindings.ImageFilter{Format: "png"}, 6},
			"another format":         {bindings.ImageFilter{Format: "pdf"}, 0},
			"warnings":               {bindings.ImageFilter{Warning: bindings.AnyWarning}, 0},
			"what is to come":        {bindings.ImageFilter{Since: time.Now().Add(time.Hour)}, 0},
			"what was before":        {bindings.ImageFilter{Until: time.Now().Add(-time.Hour)}, 0},
			"since then":             {bindings.ImageFilter{Since: time.Now().Add(-time.Hour)}, 6},
			"until later":            {bindings.ImageFilter{Until: time.Now().Add(time.Hour)}, 6},
			"a binding and a size":   {bindings.ImageFilter{Owner: owner, Size: "card"}, 2},
			"an owner that is not":   {bindings.ImageFilter{Owner: bindings.BindingOwner("none")}, 0},
			"a key that nobody has":  {bindings.ImageFilter{Owner: owner, Key: "z"}, 0},
			"a key of another owner": {bindings.ImageFilter{Owner: badges, Key: "b"}, 0},
		} {
			if keys, _ := pagesOf(t, s, c.f, 2); len(keys) != c.want {
				t.Errorf("filtered by %s there are %q, want %d", name, keys, c.want)
			}
		}
	},

	"GallerySaysHowImagesWereMade": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		replan(t, s, wants("a", "short"), wants("b", "far too long"))
		claims := got(s.ClaimRenders(t.Context(), hand(1), 10))(t)
		var done []store.Rendered
		for _, c := range claims {
			r := picture(c)
			if c.Spec.Values[0] == "far too long" {
				r.Fitting = bindings.Fitting{Layers: []bindings.LayerFit{{Layer: "title", Clipped: true}}}
			}
			done = append(done, r)
		}
		must(t, s.FinishRenders(t.Context(), hand(1), done, true))
		page, _, err := s.Gallery(t.Context(), bindings.ImageFilter{Warning: bindings.TextClipped}, 10)
		must(t, err)
		if len(page) != 1 || page[0].Key != "b" || page[0].Made.Spec.Template != "card" || page[0].Made.Bytes != 10 || page[0].Made.Duration != time.Millisecond {
			t.Fatalf("clipped are %+v, want b with how it was made", page)
		}
		if w := page[0].Warnings(); len(w) != 1 || w[0].Layer != "title" || w[0].Output != "card" {
			t.Errorf("the warnings are %+v", w)
		}
		if rest, _, err := s.Gallery(t.Context(), bindings.ImageFilter{Warning: bindings.GlyphMissing}, 10); err != nil || len(rest) != 0 {
			t.Errorf("with another warning there are %+v, %v", rest, err)
		}
	},

	"ImageKnowsWhatItWasBefore": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		for _, text := range []string{"one", "two"} {
			replan(t, s, wantsOutputs(owner, "a", "card="+text, "story="+text))
			draw(t, s)
		}
		places := got(s.ImagesOf(t.Context(), "hash of fp-story-two", 10))(t)
		if len(places) != 1 || places[0].Output != "story" || places[0].Made == nil || places[0].Made.Spec.Values[0] != "two" {
			t.Fatalf("the bytes are shown by %+v", places)
		}
		past := got(s.PastOf(t.Context(), places[0]))(t)
		if past == nil || past.Hash != "hash of fp-story-one" || past.Generation != 1 || past.RenderedAt.IsZero() || past.Ext != "png" || past.Width != 4 ||
			past.Made == nil || past.Made.Spec.Values[0] != "one" {
			t.Errorf("before it was %+v, want the first story", past)
		}
		replan(t, s, wantsOutputs(owner, "a", "card=three", "story=three")) // which waits
		if places = got(s.ImagesOf(t.Context(), "hash of fp-story-two", 10))(t); len(places) != 1 || !places[0].Waiting || places[0].Made.Spec.Values[0] != "two" {
			t.Errorf("what waits shows %+v, want how the shown bytes were made", places)
		}
		if past = got(s.PastOf(t.Context(), places[0]))(t); past == nil || past.Hash != "hash of fp-story-one" {
			t.Errorf("before what is shown was %+v, want the first story", past)
		}
		replan(t, s, wantsOutputs(owner, "a", "card=one", "story=one")) // back to what it was
		draw(t, s)
		places = got(s.ImagesOf(t.Context(), "hash of fp-story-one", 10))(t)
		if past = got(s.PastOf(t.Context(), places[0]))(t); past == nil || past.Hash != "hash of fp-story-two" {
			t.Errorf("before it came back it was %+v, want the second story", past)
		}
		if none := got(s.ImagesOf(t.Context(), "no bytes", 10))(t); len(none) != 0 {
			t.Errorf("unknown bytes are shown by %+v", none)
		}
	},

	"GalleryOfThousandsIsReadToItsEnd": func(t *testing.T, open Open) {
		if campaign.Leaves(t) {
			t.Skip("draws 5,200 images: runs in the pass without -short")
		}
		s := newStore(t, open)
		const n = 5200
		acceptJob(t, s, "batch_m", n)
		planJob(t, s, "batch_m", func(i int64) string { return fmt.Sprint(i) })
		draw(t, s)
		replan(t, s, wants("newest", "newest"))
		draw(t, s)
		keys, pages := pagesOf(t, s, bindings.ImageFilter{Owner: bindings.JobOwner("batch_m")}, 200)
		if len(keys) != n || pages != n/200 {
			t.Errorf("%d images are on %d pages, want %d on %d", len(keys), pages, n, n/200)
		}
		// No image passes, and all are looked through, in bounded steps.
		page, next, err := s.Gallery(t.Context(), bindings.ImageFilter{Format: "pdf"}, 10)
		must(t, err)
		if len(page) != 0 || next == nil {
			t.Fatalf("after one look there are %d images, and next is %v: want none, and where to go on", len(page), next)
		}
		if page, next, err = s.Gallery(t.Context(), bindings.ImageFilter{Format: "pdf", Behind: next}, 10); err != nil || len(page) != 0 || next != nil {
			t.Errorf("after the second look there are %d images, next %v, %v: want the end", len(page), next, err)
		}
		// A page that ends exactly with the last image is the last one.
		if page, next, err = s.Gallery(t.Context(), bindings.ImageFilter{Owner: owner}, 1); err != nil || len(page) != 1 || next != nil {
			t.Errorf("the only image is a page of %d with next %v, %v", len(page), next, err)
		}
	},

	"OutputsThatAreTheSamePictureHaveOnePast": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		for _, text := range []string{"one", "two"} {
			p := wantsOutputs(owner, "a", "card="+text)
			twin := p.Wants[0]
			twin.Output = "twin"
			p.Wants = append(p.Wants, twin)
			replan(t, s, p)
			draw(t, s)
		}
		places := got(s.ImagesOf(t.Context(), "hash of fp-card-two", 10))(t)
		if len(places) != 2 {
			t.Fatalf("the bytes are shown by %+v, want both outputs", places)
		}
	},
}
