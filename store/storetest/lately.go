package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
)

// lately is about images that are asked for again and again, which the store
// may answer from memory.
var lately = map[string]func(*testing.T, Open){
	"ImageIsNeverOlderThanWhatWasCommitted": func(t *testing.T, open Open) {
		s := newStore(t, open)
		var committed atomic.Int64 // the newest generation of a
		replan(t, s, wants("a", "0"), wants("b", "0"))
		draw(t, s)
		committed.Store(1)
		done := make(chan struct{})
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					least := committed.Load()
					g, err := s.Image(t.Context(), owner, "a", "card", "png")
					if err != nil || g.Generation < least {
						t.Errorf("generation %d, of which %d was there: %v", g.Generation, least, err)
						return
					}
				}
			})
		}
		for n := int64(2); n <= 12; n++ {
			replan(t, s, wants("a", fmt.Sprint(n)))
			draw(t, s)
			committed.Store(n)
			if g := got(s.Image(t.Context(), owner, "a", "", "png"))(t); g.Generation != n {
				t.Errorf("after the commit the generation is %d, want %d", g.Generation, n)
			}
		}
		close(done)
		readers.Wait()
		removed := removes("a")
		replan(t, s, removed)
		if g, err := s.Image(t.Context(), owner, "a", "card", "png"); err == nil && !g.Removed {
			t.Errorf("the image of a removed row is %+v", g)
		}
		if g := got(s.Image(t.Context(), owner, "b", "card", "png"))(t); g.Generation != 1 || g.Key != "b" {
			t.Errorf("another row's image is %+v", g)
		}
	},

	"ImagesOfOtherNamesAreNotMixedUp": func(t *testing.T, open Open) {
		s := newStore(t, open)
		other := bindings.BindingOwner("banners")
		replan(t, s, wantsOutputs(owner, "a", "card=1", "story=2"), wantsOutputs(other, "a", "card=3"))
		draw(t, s)
		for range 2 {
			for _, c := range []struct {
				owner  bindings.Owner
				output string
				want   string
			}{{owner, "card", "card"}, {owner, "story", "story"}, {owner, "", "card"}, {other, "card", "card"}} {
				g := got(s.Image(t.Context(), c.owner, "a", c.output, "png"))(t)
				if g.Owner != c.owner || g.Output != c.want {
					t.Errorf("%s of %s is %s of %s", c.output, c.owner, g.Output, g.Owner)
				}
			}
			if _, err := s.Image(t.Context(), owner, "a", "card", "jpg"); kind(err) != "image_not_found" {
				t.Errorf("in another format: %v", err)
			}
		}
	},
}
