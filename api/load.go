package api

import (
	"context"
	"math"
	"sync"
	"time"
)

// A Load is how much there is to do, with what, and how fast it goes.
type Load struct {
	Waiting, Drawing, Resting int64 // renders
	Failed                    int64 // renders, in the last 24 hours
	DeadLetters               int64
	DeliveriesWaiting         int64 // also those on their way

	Pace   Pace
	Chrome *ChromeLoad // nil: none is used
	Disk   DiskLoad
}

// A Pace is how fast pictures were drawn lately.
type Pace struct {
	Count    int           // pictures
	Span     time.Duration // in which they were drawn
	P50, P95 time.Duration // of one picture in the engine; of none 0
}

// A ChromeLoad is what the Chromes of the pool do.
type ChromeLoad struct {
	Used, Size, Failed int
	Error              string // why the last one that failed did
}

// A DiskLoad is what is kept on the disk, and what is left of it.
type DiskLoad struct {
	Free              int64 // of the fuller disk; below zero: nobody can say
	Files             int64 // of images, at the last sweep
	Bytes, Superseded int64 // of them: all, and those that nothing shows any more
	MeasuredAt        time.Time
	Low               error // why nothing more is taken in; nil when it is
}

// loadWindow is how old the load may be that is shown: counting a long queue is work.
const loadWindow = 2 * time.Second

// A loadMemo has the load counted once for all who ask within the window.
type loadMemo struct {
	look func(ctx context.Context) (Load, error)

	mu    sync.Mutex
	began time.Time
	load  Load
}

func (m *loadMemo) get(ctx context.Context) (Load, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.look == nil || !m.began.IsZero() && time.Since(m.began) < loadWindow {
		return m.load, nil
	}
	began := time.Now()
	l, err := m.look(ctx)
	if err == nil {
		m.began, m.load = began, l
	}
	return l, err
}

// The tiles of the first page.
type tilesView struct {
	Bindings          map[string]int `json:"bindings"` // by their state: ok, warn, error, paused
	OldestLagSeconds  *float64       `json:"oldestLagSeconds"`
	OldestLagSource   string         `json:"oldestLagSource,omitempty"`
	Queue             queueView      `json:"queue"`
	RendersPerMinute  float64        `json:"rendersPerMinute"`
	P50Ms             *float64       `json:"p50Ms"` // of one picture in the engine; null: none was drawn lately
	P95Ms             *float64       `json:"p95Ms"`
	Renders           spanView       `json:"renders"`
	Failures24h       int64          `json:"failures24h"` // renders that failed
	DeadLetters       int64          `json:"deadLetters"`
	DeliveriesWaiting int64          `json:"deliveriesWaiting"`
	DeliveriesFailing int            `json:"deliveriesFailing"` // sinks that nothing arrives at
	Sinks             int            `json:"sinks"`
	Chrome            *chromeTile    `json:"chrome"` // null: none is used
	Disk              diskTile       `json:"disk"`
}

// A queueView is what there is to draw.
type queueView struct {
	Depth      int64  `json:"depth"`
	Waiting    int64  `json:"waiting"`
	Drawing    int64  `json:"drawing"`
	Resting    int64  `json:"resting"`    // they failed, and are tried again later
	ETASeconds *int64 `json:"etaSeconds"` // at the pace of the last minutes; null when it can't be told
}

// A spanView is which pictures the rate and the percentiles are of.
type spanView struct {
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"` // the last ones
}

// A chromeTile is what the Chromes of the pool do.
type chromeTile struct {
	Used   int    `json:"used"`
	Size   int    `json:"size"`
	Failed int    `json:"failed"`
	Error  string `json:"error,omitempty"` // of the last one that failed
}

// A diskTile is what is kept on the disk, and what is left of it.
type diskTile struct {
	FreeBytes  *int64     `json:"freeBytes"`  // of the fuller disk; null: nobody can say
	Bytes      int64      `json:"bytes"`      // of images and their files, at the last sweep
	MeasuredAt *time.Time `json:"measuredAt"` // null: there was none since the start
	Low        bool       `json:"low"`        // nothing more is taken in
}

func viewOfQueue(l Load) queueView {
	v := queueView{Depth: l.Waiting + l.Drawing + l.Resting, Waiting: l.Waiting, Drawing: l.Drawing, Resting: l.Resting}
	switch {
	case v.Depth == 0:
		v.ETASeconds = new(int64)
	case l.Pace.Count > 0 && l.Pace.Span > 0:
		eta := int64(math.Ceil(float64(v.Depth) * l.Pace.Span.Seconds() / float64(l.Pace.Count)))
		v.ETASeconds = &eta
	}
	return v
}

func viewOfLoad(l Load) tilesView {
	v := tilesView{
		Bindings: map[string]int{}, Queue: viewOfQueue(l), Failures24h: l.Failed, DeadLetters: l.DeadLetters, DeliveriesWaiting: l.DeliveriesWaiting,
		Renders: spanView{l.Pace.Count, l.Pace.Span.Round(time.Millisecond).Seconds()},
		Disk:    diskTile{Bytes: l.Disk.Bytes, MeasuredAt: moment(l.Disk.MeasuredAt), Low: l.Disk.Low != nil},
	}
	for _, state := range stateWords {
		v.Bindings[state] = 0
	}
	if l.Pace.Count > 0 {
		v.RendersPerMinute = math.Round(float64(l.Pace.Count)/l.Pace.Span.Minutes()*10) / 10
		p50, p95 := inMillis(l.Pace.P50), inMillis(l.Pace.P95)
		v.P50Ms, v.P95Ms = &p50, &p95
	}
	if l.Disk.Free >= 0 {
		v.Disk.FreeBytes = &l.Disk.Free
	}
	if c := l.Chrome; c != nil {
		v.Chrome = &chromeTile{c.Used, c.Size, c.Failed, c.Error}
	}
	return v
}
