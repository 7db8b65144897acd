package daemon

import (
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/api"
)

func TestPaceOfDrawing(t *testing.T) {
	start := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	p := &pace{since: start}
	if got := p.now(start.Add(time.Minute)); got != (api.Pace{Span: time.Minute}) {
		t.Errorf("before anything was drawn it is %+v", got)
	}
	for i := range 100 {
		p.note(start.Add(time.Duration(i)*time.Second), time.Duration(i+1)*time.Millisecond)
	}
	want := api.Pace{Count: 100, Span: 100 * time.Second, P50: 50 * time.Millisecond, P95: 95 * time.Millisecond}
	if got := p.now(start.Add(100 * time.Second)); got != want {
		t.Errorf("it is %+v, want %+v", got, want)
	}
	if got := p.now(start.Add(time.Hour)); got != (api.Pace{Span: paceSpan}) {
		t.Errorf("after an hour of rest it is %+v, want nothing in %s", got, paceSpan)
	}
	later := start.Add(2 * time.Hour)
	for i := range 2 * paceKept { // more than is remembered, ten each millisecond
		p.note(later.Add(time.Duration(i)*100*time.Microsecond), time.Millisecond)
	}
	end := later.Add(2 * paceKept * 100 * time.Microsecond)
	if got := p.now(end); got.Count != paceKept || got.Span != paceKept*100*time.Microsecond {
		t.Errorf("a fast one is %+v, want %d in the time that they took", got, paceKept)
	}
}
