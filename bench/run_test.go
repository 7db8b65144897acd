package bench

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestRunDrawsEveryRowOnce(t *testing.T) {
	w := open(t, "card", 30, 1)
	null := &rendertest.Null{}
	r, err := Run(t.Context(), null, w, Options{Format: render.JPEG})
	if err != nil {
		t.Fatal(err)
	}
	if r.Images != 30 || r.Workload != "card" || r.Format != "jpeg" || r.Peer != Engine || r.MeanBytes != 64 || r.Stages != nil {
		t.Errorf("the result is %+v", r)
	}
	seen := map[string]bool{}
	for _, request := range null.Requests() {
		seen[request.HTML] = true
	}
	if len(seen) != 30 || len(null.Requests()) != 30 {
		t.Errorf("%d documents in %d requests", len(seen), len(null.Requests()))
	}
}

func TestRunHasSoManyInFlight(t *testing.T) {
	w := open(t, "card", 40, 1)
	for _, tc := range []struct{ inFlight, want int }{{0, 6}, {5, 5}, {1, 1}} {
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int64
			r := slots{3, func() {
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				time.Sleep(time.Second)
				now.Add(-1)
			}}
			if _, err := Run(t.Context(), r, w, Options{Format: render.PNG, InFlight: tc.inFlight}); err != nil {
				t.Fatal(err)
			}
			if int(most.Load()) != tc.want {
				t.Errorf("InFlight %d: %d at a time, want %d", tc.inFlight, most.Load(), tc.want)
			}
		})
	}
}

// slots is a renderer that says it works at so many, and lets all in.
type slots struct {
	n    int
	draw func()
}

func (s slots) Slots() int { return s.n }

func (s slots) Render(context.Context, render.Request) (render.Output, error) {
	s.draw()
	return render.Output{Bytes: []byte("picture"), Duration: 400 * time.Millisecond}, nil
}

func TestRunMeasuresAfterTheWarmUpAndEndsInTime(t *testing.T) {
	w := open(t, "card", 30, 1)
	synctest.Test(t, func(t *testing.T) {
		drawn := 0
		r := slots{1, func() { drawn++; time.Sleep(time.Second) }}
		got, err := Run(t.Context(), r, w, Options{Format: render.PNG, InFlight: 1, Warm: 35 * time.Second, Duration: 10 * time.Second, Trace: true})
		if err != nil {
			t.Fatal(err)
		}
		// A warm-up longer than the rows begins anew.
		if drawn != 45 || got.Images != 10 || got.Seconds != 10 || got.ImagesPerSecond != 1 {
			t.Errorf("%d drawn; the result is %+v", drawn, got)
		}
		if got.Stages[StageWait] != 600 || got.Stages[StageEngine] != 400 {
			t.Errorf("the stages are %v", got.Stages)
		}
	})
}

func TestRunStoresAndKeeps(t *testing.T) {
	w, dir := open(t, "card", 8, 1), t.TempDir()+"/made/here"
	var stored atomic.Int64
	o := Options{Format: render.JPEG, Warm: 10 * time.Millisecond, Trace: true, Keep: dir, StoreFunc: func(_ context.Context, data []byte) error {
		stored.Add(int64(len(data)))
		return nil
	}}
	r, err := Run(t.Context(), &rendertest.Null{}, w, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Stages[StageStore]; !ok || stored.Load() != 8*64 {
		t.Errorf("%d bytes stored, stages %v", stored.Load(), r.Stages)
	}
	kept, err := os.ReadDir(dir)
	if err != nil || len(kept) != 3 || kept[0].Name() != "pictifyd-card-0.jpg" {
		t.Errorf("kept %v, error %v", kept, err)
	}
}

func TestRunEndsWithTheFirstFault(t *testing.T) {
	w := open(t, "card", 20, 1)
	broken := errors.New("no more paper")
	fail := &rendertest.Null{FailFunc: func(_ context.Context, r render.Request) error {
		if r.HTML == w.Request(7, render.PNG).HTML {
			return broken
		}
		return nil
	}}
	full := func(context.Context, []byte) error { return broken }
	for _, tc := range []struct {
		name string
		r    render.Renderer
		o    Options
		want string
	}{
		{"a row", fail, Options{}, "row 7: "},
		{"a row of the warm-up", fail, Options{Warm: time.Minute}, "row 7: "},
		{"the store", &rendertest.Null{}, Options{StoreFunc: full}, "row "},
		{"the folder of pictures", &rendertest.Null{}, Options{Keep: "/dev/null/pictures"}, "the folder of the pictures"},
		{"a negative time", &rendertest.Null{}, Options{Duration: -time.Second}, "a run of -1s"},
		{"a negative warm-up", &rendertest.Null{}, Options{Warm: -time.Second}, "after -1s"},
		{"fewer than no images at a time", &rendertest.Null{}, Options{InFlight: -1}, "with -1 images"},
	} {
		tc.o.Format = render.PNG
		if _, err := Run(t.Context(), tc.r, w, tc.o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}
