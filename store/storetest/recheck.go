package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/store"
)

const (
	photo = "https://photos.example/a.png"
	cover = "https://photos.example/b.png"
)

// pin says that the file at address has the bytes of digest, as of at.
func pin(tb testing.TB, s *store.Store, address, digest string, at time.Time) {
	tb.Helper()
	must(tb, s.SaveAssetPin(tb.Context(), address, assets.Pin{Digest: digest, ContentType: "image/png", Size: 7, FetchedAt: at, CheckedAt: at}))
}

// drawShowing draws every waiting render. Each shows the files as they are
// pinned; bytes are what comes of it.
func drawShowing(tb testing.TB, s *store.Store, bytes string, files ...string) (drawn []string) {
	tb.Helper()
	for turn := int64(4000); ; turn++ {
		claims := claim(tb, s, turn, 100)
		if len(claims) == 0 {
			return drawn
		}
		var done []store.Rendered
		for _, c := range claims {
			drawn = append(drawn, c.Fingerprint)
			r := picture(c)
			r.Hash = bytes + " of " + c.Fingerprint
			for _, address := range files {
				p, _, err := s.AssetPin(tb.Context(), address)
				must(tb, err)
				r.Remote = append(r.Remote, store.Shown{Address: address, Digest: p.Digest})
			}
			done = append(done, r)
		}
		must(tb, s.FinishRenders(tb.Context(), hand(turn), done, true))
	}
}

func remake(tb testing.TB, s *store.Store, names ...string) int {
	tb.Helper()
	return got(s.RemakeChanged(tb.Context(), names))(tb)
}

// since is the addresses that images of cards show and that were last asked for
// at before.
func since(tb testing.TB, s *store.Store, before time.Time) (addresses []string) {
	tb.Helper()
	must(tb, s.ShownSince(tb.Context(), "cards", before, func(address string) error {
		addresses = append(addresses, address)
		return nil
	}))
	slices.Sort(addresses)
	return addresses
}

var rechecks = map[string]func(*testing.T, Open){
	"FileThatChangedIsShownAsItIs": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		pin(t, s, photo, "d1", start)
		replan(t, s, wants("a", "1"), wants("b", "2"))
		drawShowing(t, s, "old", photo, photo)
		if sent := deliver(t, s, "hook", nil); len(sent) != 2 {
			t.Errorf("told at first was %+v", sent)
		}
		if n := remake(t, s, "cards"); n != 0 {
			t.Errorf("%d items are made again although nothing changed", n)
		}

		pin(t, s, photo, "d2", start.Add(time.Hour))
		if n := remake(t, s, "cards"); n != 2 {
			t.Errorf("%d items are made again, want both", n)
		}
		if g := image(t, s, "a"); g.Hash != "old of fp-card-1" || !g.Waiting || g.Generation != 2 {
			t.Errorf("meanwhile served is %+v", g)
		}
		if n := remake(t, s, "cards"); n != 0 {
			t.Errorf("%d items are made again while they are", n)
		}
		if drawn := drawShowing(t, s, "new", photo); len(drawn) != 2 {
			t.Errorf("drawn is %q", drawn)
		}
		if g := image(t, s, "a"); g.Hash != "new of fp-card-1" || g.Waiting {
			t.Errorf("served is %+v", g)
		}
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 2 || sent[0].Event != "render.completed" || sent[0].Outputs[0].Hash != "new of fp-card-1" || sent[0].Generation != 2 {
			t.Errorf("told is %+v", sent)
		}
		if n := remake(t, s, "cards"); n != 0 {
			t.Errorf("%d items are made again for ever", n)
		}

		pin(t, s, photo, "d3", start.Add(2*time.Hour))
		remake(t, s, "cards")
		drawShowing(t, s, "newest", photo)
		if sent := deliver(t, s, "hook", nil); len(sent) != 2 {
			t.Errorf("told the next time is %+v", sent)
		}
	},

	"ChangeThatNobodySeesIsNotTold": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		pin(t, s, photo, "d1", start)
		replan(t, s, wants("a", "1"))
		drawShowing(t, s, "same", photo)
		deliver(t, s, "hook", nil)
		pin(t, s, photo, "d2", start)
		remake(t, s, "cards")
		if drawn := drawShowing(t, s, "same", photo); len(drawn) != 1 {
			t.Errorf("drawn is %q", drawn)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("told is %+v", sent)
		}
		if g := image(t, s, "a"); g.Hash != "same of fp-card-1" || g.Waiting {
			t.Errorf("served is %+v", g)
		}
		replan(t, s, wants("a", "2"))
		drawShowing(t, s, "same", photo)
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 {
			t.Errorf("told of the next change of the row is %+v", sent)
		}
	},

	"OnlyTheOutputsThatShowItAreMadeAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		pin(t, s, photo, "d1", start)
		replan(t, s, wantsOutputs(owner, "a", "card=1", "story=1"))
		for range 2 {
			c := claim(t, s, 1, 100)[0]
			done := picture(c)
			if c.Spec.Size == "story" {
				done.Remote = []store.Shown{{Address: photo, Digest: "d1"}}
			}
			must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{done}, true))
		}
		deliver(t, s, "hook", nil)
		pin(t, s, photo, "d2", start)
		remake(t, s, "cards")
		if diff := cmp.Diff([]string{"fp-story-1"}, drawShowing(t, s, "new", photo)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || len(sent[0].Outputs) != 2 || sent[0].Outputs[0].Hash != "hash of fp-card-1" || sent[0].Outputs[1].Hash != "new of fp-story-1" {
			t.Errorf("told is %+v", sent)
		}
	},

	"WhoDoesNotAskForItKeepsHisImage": func(t *testing.T, open Open) {
		s := newStore(t, open)
		pin(t, s, photo, "d1", start)
		other := bindings.BindingOwner("badges")
		replan(t, s, wants("a", "1"), wantsOutputs(other, "x", "card=1"))
		acceptJob(t, s, "job", 1)
		planJob(t, s, "job", func(int64) string { return "1" })
		drawShowing(t, s, "old", photo)
		pin(t, s, photo, "d2", start)
		if n := remake(t, s, "badges"); n != 1 {
			t.Fatalf("%d items are made again", n)
		}
		drawShowing(t, s, "new", photo)
		if g := got(s.Image(t.Context(), other, "x", "", "png"))(t); g.Hash != "new of fp-card-1" {
			t.Errorf("who asked for it is served %+v", g)
		}
		if g := image(t, s, "a"); g.Hash != "old of fp-card-1" || g.Waiting {
			t.Errorf("who did not is served %+v", g)
		}
		if r := got(s.Results(t.Context(), "job", -1, 10, ""))(t); len(r) != 1 || r[0].Pictures[0].Hash != "old of fp-card-1" {
			t.Errorf("the batch has %+v", r)
		}
	},

	"RowThatChangesMeanwhileWins": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		pin(t, s, photo, "d1", start)
		replan(t, s, wants("a", "1"))
		drawShowing(t, s, "old", photo)
		deliver(t, s, "hook", nil)
		pin(t, s, photo, "d2", start)
		remake(t, s, "cards")
		replan(t, s, wants("a", "2"))
		if n := remake(t, s, "cards"); n != 0 {
			t.Errorf("%d items on their way are made again", n)
		}
		if diff := cmp.Diff([]string{"fp-card-2"}, drawShowing(t, s, "new", photo)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || sent[0].Outputs[0].Hash != "new of fp-card-2" || sent[0].Generation != 3 {
			t.Errorf("told is %+v", sent)
		}
	},

	"PictureThatNoLongerShowsTheFileIsDoneWithIt": func(t *testing.T, open Open) {
		s := newStore(t, open)
		pin(t, s, photo, "d1", start)
		replan(t, s, wants("a", "1"))
		drawShowing(t, s, "old", photo)
		pin(t, s, photo, "d2", start)
		remake(t, s, "cards")
		drawShowing(t, s, "without it") // another file stands in
		pin(t, s, photo, "d3", start)
		if n := remake(t, s, "cards"); n != 0 {
			t.Errorf("%d items are made again for a file that they do not show", n)
		}
	},

	"ItemOnItsWayFollowsToo": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		pin(t, s, photo, "d1", start)
		replan(t, s, wantsOutputs(owner, "a", "card=1"), wantsOutputs(owner, "b", "card=1", "story=2"))
		for drawn := false; !drawn; {
			c := claim(t, s, 1, 1)[0]
			drawn = c.Fingerprint == "fp-card-1"
			done := picture(c)
			done.Remote = []store.Shown{{Address: photo, Digest: "d1"}}
			if !drawn {
				done = store.Rendered{Fingerprint: c.Fingerprint, Retry: errors.New("later"), After: time.Nanosecond}
			}
			must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{done}, true))
		}
		pin(t, s, photo, "d2", start)
		if n := remake(t, s, "cards"); n != 2 {
			t.Errorf("%d items are made again, want both", n)
		}
		drawShowing(t, s, "new")
		for _, key := range []string{"a", "b"} {
			if g := got(s.Image(t.Context(), owner, key, "card", "png"))(t); g.Hash != "new of fp-card-1" || g.Waiting {
				t.Errorf("%s is served as %+v", key, g)
			}
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 2 {
			t.Errorf("told was %+v, want of each once", sent)
		}
		if st := status(t, s); st.Waiting != 0 || st.Ready != 2 {
			t.Errorf("the binding is %+v", st)
		}
	},

	"PictureOfManyRowsIsMadeOnce": func(t *testing.T, open Open) {
		if campaign.Leaves(t) {
			t.Skip("many rows: runs in the pass without -short")
		}
		s := newStore(t, open)
		pin(t, s, photo, "d1", start)
		const rows = 1203
		all := make(map[string]string, rows)
		for i := range rows {
			all[rowKey(i)] = "same"
		}
		read(t, s, reading{seq: 1, rows: all, promote: true})
		drawShowing(t, s, "old", photo)
		pin(t, s, photo, "d2", start)
		if n := remake(t, s, "cards"); n != rows {
			t.Errorf("%d items are made again, want %d", n, rows)
		}
		if drawn := drawShowing(t, s, "new", photo); len(drawn) != 1 {
			t.Errorf("drawn is %q", drawn)
		}
		if st := status(t, s); st.Ready != rows {
			t.Errorf("the binding is %+v", st)
		}
	},

	"PictureThatFailsAgainKeepsTheOldOne": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		pin(t, s, photo, "d1", start)
		replan(t, s, wants("a", "1"))
		drawShowing(t, s, "old", photo)
		deliver(t, s, "hook", nil)
		pin(t, s, photo, "d2", start)
		remake(t, s, "cards")
		c := claim(t, s, 1, 1)[0]
		bad := &bindings.Problem{Code: "asset_failed", Message: "damaged"}
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{{Fingerprint: c.Fingerprint, Problem: bad}}, true))
		if g := image(t, s, "a"); g.Hash != "old of fp-card-1" || g.Problem == nil || g.Problem.Code != "asset_failed" {
			t.Errorf("served is %+v", g)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 || sent[0].Event != "render.failed" {
			t.Errorf("told is %+v", sent)
		}
		if n := remake(t, s, "cards"); n != 0 {
			t.Errorf("%d items are made again for ever", n)
		}
	},

	"DueAreTheFilesThatImagesShow": func(t *testing.T, open Open) {
		s := newStore(t, open)
		pin(t, s, photo, "d1", start)
		pin(t, s, cover, "d1", start.Add(time.Hour)) // the same bytes at two addresses
		pin(t, s, "https://photos.example/unused.png", "d1", start)
		replan(t, s, wants("a", "1"))
		drawShowing(t, s, "x", photo)
		replan(t, s, wants("b", "2"))
		drawShowing(t, s, "x", cover, photo)
		for at, want := range map[time.Time][]string{
			start.Add(-time.Second):     nil,
			start:                       {photo},
			start.Add(59 * time.Minute): {photo},
			start.Add(time.Hour):        {photo, cover},
		} {
			if diff := cmp.Diff(want, since(t, s, at)); diff != "" {
				t.Errorf("due at %v (-want +got):\n%s", at, diff)
			}
		}
		pin(t, s, cover, "d2", start)
		if n := remake(t, s, "cards"); n != 1 {
			t.Errorf("%d items are made again, want the one that shows it", n)
		}
		replan(t, s, removes("a"))
		if diff := cmp.Diff([]string(nil), since(t, s, start.Add(time.Hour))); diff != "" {
			t.Errorf("of images that are gone or on their way (-want +got):\n%s", diff)
		}
	},

	"MoreThanAPageIsMadeAgain": func(t *testing.T, open Open) {
		if campaign.Leaves(t) {
			t.Skip("many rows: runs in the pass without -short")
		}
		s := newStore(t, open)
		pin(t, s, photo, "d1", start)
		const rows = 1203
		all := make(map[string]string, rows)
		for i := range rows {
			all[rowKey(i)] = rowKey(i)
		}
		read(t, s, reading{seq: 1, rows: all, promote: true})
		drawShowing(t, s, "old", photo)
		pin(t, s, photo, "d2", start)
		if n := remake(t, s, "cards"); n != rows {
			t.Errorf("%d items are made again, want %d", n, rows)
		}
		if drawn := drawShowing(t, s, "new", photo); len(drawn) != rows {
			t.Errorf("%d are drawn", len(drawn))
		}
		if g := image(t, s, rowKey(7)); g.Hash != "new of fp-card-"+rowKey(7) {
			t.Errorf("served is %+v", g)
		}
	},
}

func rowKey(i int) string { return fmt.Sprintf("row-%05d", i) }
