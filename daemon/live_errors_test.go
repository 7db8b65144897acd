package daemon

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestKeyThatTheSourceHasNotIsACached404(t *testing.T) {
	l := newLive(t, "ttl: 60s, missing_ttl: 20s", "", "")
	a := l.get("nope").must(t, 404)
	mustHeader(t, a, "Cache-Control", "public, max-age=")
	if a.Code != "image_not_found" {
		t.Errorf("code %q", a.Code)
	}
	l.get("nope").must(t, 404)
	if n := l.shop.asked.Load(); n != 1 {
		t.Errorf("the source was asked %d times, want once", n)
	}
	l.shop.change(func() { l.shop.titles["nope"] = "Cup" })
	l.age("nope", 20*time.Second)
	l.get("nope").must(t, 200)
}

func TestWhatNoBindingCanHaveIsNotAskedFor(t *testing.T) {
	l := newLive(t, "ttl: 60s", "", "")
	for _, path := range []string{"A,B.png", "A.jpg", "A/story.png", "A.png/x.png"} {
		ask(t, "GET", l.url+"/b/cards/"+path, "").must(t, 404)
	}
	long := make([]byte, 1100)
	for i := range long {
		long[i] = 'a'
	}
	ask(t, "GET", l.url+"/b/cards/"+string(long)+".png", "").must(t, 404)
	if n := l.shop.asked.Load(); n != 0 {
		t.Errorf("the source was asked %d times", n)
	}
}

func TestRowThatIsGoneGoesTheWayOfDeletions(t *testing.T) {
	for onDelete, status := range map[string]int{"keep": 200, "remove": 410} {
		t.Run(onDelete, func(t *testing.T) {
			l := newLive(t, "ttl: 60s", "", ", on_delete: "+onDelete)
			l.get("A").must(t, 200)
			l.shop.change(func() { delete(l.shop.titles, "A") })
			l.age("A", time.Minute)
			l.get("A").must(t, status)
			l.get("A").must(t, status)
			if n := l.shop.asked.Load(); n != 2 {
				t.Errorf("the source was asked %d times, want 2", n)
			}
			// It comes back.
			l.shop.change(func() { l.shop.titles["A"] = "Mug again" })
			l.age("A", time.Minute)
			l.get("A").must(t, 200)
		})
	}
}

func TestRowOutsideOfWhereHasNoImage(t *testing.T) {
	l := newLive(t, "ttl: 60s", "", `, where: 'title != "Mug"'`)
	a := l.get("A").must(t, 404)
	mustHeader(t, a, "Cache-Control", "max-age=")
	l.get("A").must(t, 404)
	if n := l.shop.asked.Load(); n != 1 {
		t.Errorf("the source was asked %d times, want once", n)
	}
}

// What is served when the source fails, by what is known and what the binding says.
func TestOnError(t *testing.T) {
	for _, one := range []struct {
		name, live, binding string
		known               bool
		slow                bool
		age                 time.Duration
		status              int
		header, value       string
	}{
		{"stale", "on_error: serve_stale", "", true, false, time.Minute, 200, "Cache-Status", "detail=row_unavailable"},
		{"stale says its age", "on_error: serve_stale", "", true, false, 900 * time.Second, 200, "Age", "9"},
		{"stale asks again", "on_error: serve_stale", "", true, false, time.Minute, 200, "Cache-Control", "no-cache"},
		{"stale after a timeout", "on_error: serve_stale", "", true, true, time.Minute, 200, "Cache-Status", "detail=row_late"},
		{"too stale", "on_error: serve_stale, max_stale: 800s", "", true, false, 900 * time.Second, 502, "Retry-After", "2"},
		{"stale enough", "on_error: serve_stale, max_stale: 1000s", "", true, false, 900 * time.Second, 200, "Age", "9"},
		{"nothing to be stale", "on_error: serve_stale", "", false, false, 0, 502, "Retry-After", "2"},
		{"nothing to be stale but a placeholder", "on_error: serve_stale", ", placeholder: soon", false, false, 0, 200, "Cache-Status", "fwd=miss"},
		{"error", "on_error: serve_error", ", placeholder: soon", true, false, time.Minute, 502, "Retry-After", "2"},
		{"late", "on_error: serve_error", "", true, true, time.Minute, 504, "Retry-After", "2"},
		{"default", "on_error: serve_default", ", placeholder: soon", true, false, time.Minute, 200, "Cache-Status", "fwd=miss"},
		{"default without a row", "on_error: serve_default", ", placeholder: soon", false, true, 0, 200, "Cache-Control", "no-cache"},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			timeout := "30s" // which only a source that hangs has to wait for
			if one.slow {
				timeout = "5s"
			}
			l := newLive(t, "ttl: 60s, timeout: "+timeout+", "+one.live, "", one.binding)
			if one.known {
				l.get("A").must(t, 200)
				l.age("A", one.age)
			}
			l.shop.change(func() {
				if one.slow {
					l.shop.held = make(chan struct{})
				} else {
					l.shop.status = http.StatusInternalServerError
				}
			})
			began := time.Now()
			a := l.get("A").must(t, one.status)
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
			mustHeader(t, a, one.header, one.value)
			// It is left alone about this row for a moment, with the same answer.
			asked := l.shop.asked.Load()
			l.get("A").must(t, one.status)
			if n := l.shop.asked.Load(); n != asked {
				t.Errorf("the source was asked again at once")
			}
		})
	}
}

func TestAnswerThatIsAnotherRowIsNoRow(t *testing.T) {
	l := newLive(t, "ttl: 60s, on_error: serve_error", ", polled: false", "")
	l.shop.change(func() { l.shop.as = "B" })
	l.get("A").must(t, 502)
	l.get("B").must(t, 404) // the counter has none
	if st, _ := l.d.store.Known(t.Context(), "shop", []string{"A", "B"}, nil); len(st) != 0 {
		t.Errorf("stored are %v", st)
	}
}

func TestStaleIsServedAtOnceWhileTheRowIsAskedForBehind(t *testing.T) {
	l := newLive(t, "ttl: 60s, swr: 30s", "", "")
	first := l.get("A").must(t, 200)
	mustHeader(t, first, "Cache-Control", "stale-while-revalidate=30")
	held := make(chan struct{})
	l.shop.change(func() { l.shop.titles["A"], l.shop.held = "Mug XL", held })
	l.age("A", 70*time.Second)
	stale := l.get("A").must(t, 200)
	mustHeader(t, stale, "Cache-Status", "detail=swr")
	if stale.header.Get("Etag") != first.header.Get("Etag") {
		t.Error("it is another image")
	}
	close(held)
	eventually(t, "the row behind", func() bool {
		a := l.get("A")
		return a.status == 200 && a.header.Get("Age") == "" && a.header.Get("Etag") != first.header.Get("Etag")
	})
	if n := l.shop.asked.Load(); n != 2 {
		t.Errorf("the source was asked %d times, want 2", n)
	}
}

func TestSourceGetsFewRequestsAtATime(t *testing.T) {
	l := newLive(t, "ttl: 60s, timeout: 60s, concurrency: 3", ", polled: false", "") // http has two for each host
	held := make(chan struct{})
	l.shop.change(func() {
		for i := range 40 {
			l.shop.titles[fmt.Sprint("P", i)] = "Mug"
		}
		l.shop.pause, l.shop.held = 10*time.Millisecond, held
	})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { l.get(fmt.Sprint("P", i)).must(t, 200) })
	}
	eventually(t, "three requests at a time", func() bool { return l.shop.inside.Load() >= 3 })
	close(held)
	wg.Wait()
	if most := l.shop.most.Load(); most != 3 {
		t.Errorf("%d requests at a time, want 3 at most", most)
	}
}

func TestFloodOfMadeUpKeysIsBounded(t *testing.T) {
	l := newLive(t, "ttl: 60s", "", "")
	l.get("A").must(t, 200)
	began, sent, refused := time.Now(), 0, 0
	for ; sent < 2000 && refused < 5; sent++ {
		a := l.get("made-up-" + strconv.Itoa(sent))
		switch a.status {
		case 404:
		case 429:
			refused++
			mustHeader(t, a, "Retry-After", "1")
		default:
			t.Fatalf("status %d: %s", a.status, a.body)
		}
	}
	// A minute has 120, of which those that were used come back meanwhile.
	most := 1 + 120 + int64(time.Since(began)/(time.Minute/120))
	if n := l.shop.asked.Load(); n > most || n != int64(1+sent-refused) || refused < 5 {
		t.Errorf("the source was asked %d times, %d at most, of %d requests %d were refused", n, most, sent, refused)
	}
	l.age("A", time.Minute)
	l.get("A").must(t, 200) // what is known is not among them
}

func TestRetryAfterOfTheSourceHoldsForAllRows(t *testing.T) {
	l := newLive(t, "ttl: 60s, on_error: serve_error", "", "")
	l.shop.change(func() { l.shop.status, l.shop.retryAfter = http.StatusTooManyRequests, 30*time.Second })
	a := l.get("A").must(t, 502)
	mustHeader(t, a, "Retry-After", "30")
	l.get("B").must(t, 502)
	if n := l.shop.asked.Load(); n != 1 {
		t.Errorf("the source was asked %d times, want once", n)
	}
}

func TestLongReadingDoesNotHoldARequestUp(t *testing.T) {
	l := newLive(t, "ttl: 60s, timeout: 400ms", "", "")
	eventually(t, "the first image", func() bool { return l.get("A").status == 200 }) // in time, which a busy machine may not be
	l.shop.change(func() { l.shop.titles["A"] = "Mug XL" })
	l.age("A", time.Minute)
	f := l.d.roster().feeds["shop"]
	if err := f.gate.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := l.get("A").must(t, 200)
	f.gate.leave()
	mustHeader(t, a, "Cache-Status", "detail=row_late")
	eventually(t, "the row is asked for again", func() bool {
		l.age("A", 0)
		b := l.get("A").must(t, 200)
		return b.header.Get("Etag") != a.header.Get("Etag") && b.header.Get("Age") == ""
	})
}

func TestRowOfAFreshReadingIsNotAskedFor(t *testing.T) {
	l := newLive(t, "ttl: 60s", ", polled: true", "")
	p := &process{tb: t, url: l.url}
	eventually(t, "the reading", func() bool { return p.ready("cards") == 1 })
	l.get("A").must(t, 200)
	if n := l.shop.asked.Load(); n != 0 {
		t.Errorf("the source was asked %d times for a row that it just gave", n)
	}
	l.shop.change(func() { l.shop.titles["B"] = "Cup" })
	l.get("B").must(t, 200)
}

// A row that was asked for while a whole reading began may be older than what
// that one brought: it is asked for again.
func TestRowAskedForAcrossAReadingIsAskedForAgain(t *testing.T) {
	l := newLive(t, "ttl: 60s, timeout: 20s", "", "")
	held := make(chan struct{})
	l.shop.change(func() { l.shop.held = held })
	done := make(chan asked, 1)
	go func() { done <- ask(t, "GET", l.url+"/b/cards/A.png", "") }()
	eventually(t, "the source is asked", func() bool { return l.shop.asked.Load() == 1 })
	l.d.roster().feeds["shop"].live.turned()
	l.shop.change(func() { l.shop.titles["A"], l.shop.held = "newer", nil })
	close(held)
	(<-done).must(t, 200)
	row, err := l.d.store.Row(t.Context(), "shop", "A")
	if n := l.shop.asked.Load(); n != 2 || err != nil {
		t.Errorf("asked %d times, want twice; %v", n, err)
	}
	if want := `{"sku":"A","title":"newer"}`; string(row.Values) != want {
		t.Errorf("stored is %s, want %s", row.Values, want)
	}
}

func TestPlaceholderStandsForAnImageThatIsBeingMade(t *testing.T) {
	l := newLive(t, "ttl: 60s, timeout: 300ms", "", ", placeholder: soon")
	l.get("A").must(t, 200)
	slow := make(chan struct{})
	l.shop.change(func() { l.shop.titles["B"] = "Cup"; l.shop.held = slow })
	a := l.get("B").must(t, 200)
	mustHeader(t, a, "Cache-Control", "no-cache")
	mustHeader(t, a, "Retry-After", "2")
	close(slow)
}
