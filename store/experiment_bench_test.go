package store_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/store"
)

// exposes has n units meet the trial.
func exposes(tb testing.TB, s *store.Store, from, n int) {
	tb.Helper()
	meetings := make([]experiment.Meeting, n)
	for i := range meetings {
		meetings[i] = experiment.Meeting{Exposed: true, Client: experiment.Other, Assignment: experiment.Assignment{
			Experiment: "exp_trial", Unit: fmt.Sprintf("customer-%07d", from+i), Variant: string(rune('a' + i%2)), Channel: experiment.Web, At: noon}}
	}
	if _, err := s.Meet(tb.Context(), meetings); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkTakeEvents takes events 200 to a call, half of them views and half clicks, of
// 20,000 units.
func BenchmarkTakeEvents(b *testing.B) {
	for name, url := range databases(b) {
		b.Run(name, func(b *testing.B) {
			s := open(b, url)
			defer s.Close()
			newTrial(b, s)
			const units, size = 20_000, 200
			for at := 0; at < units; at += 500 {
				exposes(b, s, at, 500)
			}
			sent := 0
			for b.Loop() {
				events := make([]experiment.Event, size)
				for i := range events {
					events[i] = experiment.Event{Experiment: "exp_trial", ID: fmt.Sprintf("evt_%09d", sent*7919%1_000_000_007), Kind: []string{experiment.View, experiment.Click}[i%2],
						Unit: fmt.Sprintf("customer-%07d", sent*31%units), Channel: experiment.Web, Device: experiment.Mobile, At: noon.Add(time.Minute), Metadata: []byte(`{"page":"/spring"}`)}
					sent++
				}
				if _, err := s.TakeEvents(b.Context(), events); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(size*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkMeet exposes new units, 200 to a call.
func BenchmarkMeet(b *testing.B) {
	for name, url := range databases(b) {
		b.Run(name, func(b *testing.B) {
			s := open(b, url)
			defer s.Close()
			newTrial(b, s)
			at := 0
			for b.Loop() {
				exposes(b, s, at, 200)
				at += 200
			}
			b.ReportMetric(200*float64(b.N)/b.Elapsed().Seconds(), "units/s")
		})
	}
}

// Each count is what a slow and simple reckoning of the same events says, whatever came
// at once, in which order, and how often.
func TestCountsAreExactAfterManyEvents(t *testing.T) {
	total := 20_000
	if campaign.Whole() {
		total = 1_000_000
	}
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "p.db"))
	defer s.Close()
	newTrial(t, s)
	const workers, size = 4, 400
	units := total / 10 // so many that not all are exposed before the last page
	// An event follows from its number, so that workers can send the same ones.
	event := func(n int) experiment.Event {
		r := rand.New(rand.NewPCG(uint64(n), 1))
		return experiment.Event{Experiment: "exp_trial", ID: fmt.Sprint(n), Unit: fmt.Sprintf("customer-%07d", r.IntN(units)), Channel: experiment.Web,
			Kind: []string{experiment.View, experiment.View, experiment.Click, experiment.Conversion}[r.IntN(4)], At: noon.Add(time.Minute)}
	}
	var wg sync.WaitGroup
	var duplicates, fresh, unassigned atomic.Int64
	for w := range workers {
		wg.Go(func() {
			// Each worker sends its own quarter, and a tenth of all events once more, among
			// which it exposes its quarter of the units.
			r := rand.New(rand.NewPCG(uint64(w), 2))
			var mine []int
			for n := w; n < total; n += workers {
				mine = append(mine, n)
				if r.IntN(10) == 0 {
					mine = append(mine, r.IntN(total))
				}
			}
			exposed := 0
			for page := range slices.Chunk(mine, size) {
				if share := units / workers; exposed < share {
					n := min(40, share-exposed)
					exposes(t, s, w*share+exposed, n)
					exposed += n
				}
				events := make([]experiment.Event, len(page))
				for i, n := range page {
					events[i] = event(n)
				}
				taken, err := s.TakeEvents(t.Context(), events)
				if err != nil {
					t.Error(err)
					return
				}
				for _, took := range taken {
					switch {
					case took.Duplicate:
						duplicates.Add(1)
					case took.Unassigned:
						unassigned.Add(1)
						fresh.Add(1)
					default:
						fresh.Add(1)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := int(fresh.Load()); n != total {
		t.Errorf("%d events were taken for new, of %d", n, total)
	}
	if n := duplicates.Load(); n < int64(total/20) {
		t.Errorf("%d duplicates prove nothing", n)
	}
	// What was kept is reckoned again, unit by unit.
	want, clicked, converted := map[string]experiment.Counts{}, map[string]bool{}, map[string]bool{}
	kept := 0
	for after := int64(0); ; {
		events, err := s.ExportEvents(t.Context(), "exp_trial", after, 5000)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			if after++; e.Seq != after {
				t.Fatalf("event %d has the number %d", after, e.Seq)
			}
			kept++
			c := want[e.Variant]
			switch {
			case e.Unassigned:
				c.Unassigned++
			case e.Kind == experiment.View:
				c.Views++
			case e.Kind == experiment.Click && !clicked[e.Unit]:
				clicked[e.Unit] = true
				c.Clicks++
			case e.Kind == experiment.Conversion && !converted[e.Unit]:
				converted[e.Unit] = true
				c.Conversions++
			}
			want[e.Variant] = c
		}
	}
	if kept != total {
		t.Errorf("%d events were kept, of %d", kept, total)
	}
	for after := ""; ; {
		all, err := s.ExportAssignments(t.Context(), "exp_trial", after, 5000)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			break
		}
		for _, a := range all {
			c := want[a.Variant]
			c.Exposures++
			want[a.Variant] = c
			if a.ClickedAt.IsZero() == clicked[a.Unit] || a.ConvertedAt.IsZero() == converted[a.Unit] {
				t.Errorf("%s clicked at %v and converted at %v, and did %v and %v", a.Unit, a.ClickedAt, a.ConvertedAt, clicked[a.Unit], converted[a.Unit])
			}
			after = a.Unit
		}
	}
	counts, err := s.ExperimentCounts(t.Context(), "exp_trial")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]experiment.Counts{}
	for _, c := range counts {
		sum := got[c.Variant]
		sum.Exposures, sum.Clicks, sum.Conversions, sum.Views, sum.Unassigned = sum.Exposures+c.Exposures, sum.Clicks+c.Clicks, sum.Conversions+c.Conversions, sum.Views+c.Views, sum.Unassigned+c.Unassigned
		got[c.Variant] = sum
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if unassigned.Load() == 0 || len(clicked) == 0 || len(converted) == 0 {
		t.Errorf("%d unassigned, %d clicked, %d converted: that proves little", unassigned.Load(), len(clicked), len(converted))
	}
}
