package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/tracing"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

const (
	// closeTraces is how long what was traced may take to be sent at the end.
	closeTraces = 3 * time.Second
	// mostFollowed is how many rows of a turn are followed: one picture may be that of
	// many thousands.
	mostFollowed = 1000
)

// openTraces has the rooms that come later traced.
func (d *Daemon) openTraces(ctx context.Context) (err error) {
	d.traces, err = tracing.Open(ctx, d.settings.Traces, tracing.About{
		Version: d.options.Version, Instance: tracing.NewInstance(),
		SentFunc: func(err error) {
			if ctx.Err() == nil {
				d.faults.note(d.log, "traces", "to the collector", err)
			}
		},
	})
	if d.traces != nil {
		d.metrics.registry.MustRegister(d.traces)
	}
	return err
}

func (d *Daemon) closeTraces(ctx context.Context) {
	d.close("traces", func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTraces)
		defer cancel()
		return d.traces.Close(ctx)
	})
}

// A readFrom says whose rows are committed, and since when they are read.
type readFrom struct {
	source string
	began  time.Time
}

type readFromKey struct{}

// reads is ctx in which rows of a source are committed that are read since then. What
// it says already holds: a visit of many batches began once.
func reads(ctx context.Context, source string, began time.Time) context.Context {
	if _, ok := ctx.Value(readFromKey{}).(readFrom); ok {
		return ctx
	}
	return context.WithValue(ctx, readFromKey{}, readFrom{source, began})
}

// renewedFunc begins the traces of rows that were given other images; nil where nothing is traced.
func (d *Daemon) renewedFunc() func(ctx context.Context, rows []store.Renewed) {
	if d.traces == nil {
		return nil
	}
	return func(ctx context.Context, rows []store.Renewed) {
		now := time.Now()
		from, ok := ctx.Value(readFromKey{}).(readFrom)
		if !ok {
			from.began = now
		}
		var about []tracing.Attribute
		if from.source != "" {
			about = append(about, tracing.Text("pictifyd.source", from.source))
		}
		for _, r := range rows {
			name := "plan"
			if r.Removed {
				name = "remove"
			}
			d.traces.Row(ctx, wayOf(r.Owner, r.Index, r.Key, r.Generation), name, from.began, now, about...)
		}
	}
}

func wayOf(owner bindings.Owner, index int64, key string, generation int64) tracing.Way {
	return tracing.Way{Owner: string(owner), Index: index, Key: key, Generation: generation}
}

// tracedRows are the rows that a render turn draws for, as far as they are traced.
type tracedRows struct {
	tracer *tracing.Tracer
	rows   map[string][]tracedRow // by fingerprint
}

type tracedRow struct {
	way    tracing.Way
	output string
}

// tracedOf are the rows whose pictures claims are; nil where nothing is traced.
func (d *Daemon) tracedOf(ctx context.Context, claims []store.Claim) *tracedRows {
	if d.traces == nil || len(claims) == 0 {
		return nil
	}
	fingerprints := make([]string, len(claims))
	for i, c := range claims {
		fingerprints[i] = c.Fingerprint
	}
	images, err := d.store.WaitingImages(ctx, fingerprints, mostFollowed)
	d.faults.note(d.log, "traces", "whose pictures are drawn", err)
	if err != nil { // they are made all the same
		return nil
	}
	f := &tracedRows{d.traces, map[string][]tracedRow{}}
	for _, g := range images {
		if w := wayOf(g.Owner, g.Index, g.Key, g.Generation); d.traces.Follows(w) {
			f.rows[g.Fingerprint] = append(f.rows[g.Fingerprint], tracedRow{w, g.Output})
		}
	}
	return f
}

// part adds a part to the trace of each row that shows the picture.
func (f *tracedRows) part(ctx context.Context, fingerprint, name string, began, ended time.Time, err error, about ...tracing.Attribute) {
	if f == nil || ended.IsZero() {
		return
	}
	for _, row := range f.rows[fingerprint] {
		all := append([]tracing.Attribute{tracing.Text("pictifyd.output", row.output)}, about...)
		f.tracer.Past(f.tracer.On(ctx, row.way), tracing.Inside, name, began, ended, err, all...)
	}
}

// drawn adds how a picture was made.
func (f *tracedRows) drawn(ctx context.Context, p picture) {
	if f == nil {
		return
	}
	f.part(ctx, p.done.Fingerprint, "prepare", p.times.began, p.times.ready, nil)
	var err error
	switch {
	case p.done.Retry != nil:
		err = p.done.Retry
	case p.done.Problem != nil:
		err = problem.New(problem.Invalid, "%s", p.done.Problem.Message).WithSlug(p.done.Problem.Code)
	}
	f.part(ctx, p.done.Fingerprint, "draw", p.times.drawing, p.times.drawn, err,
		tracing.Text("pictifyd.fingerprint", p.done.Fingerprint), tracing.Text("pictifyd.lane", p.done.Lane), tracing.Text("pictifyd.format", p.done.Ext),
		tracing.Number("pictifyd.bytes", p.done.Bytes), tracing.Number("pictifyd.engine_ms", p.done.Duration.Milliseconds()))
}

// recorded adds that pictures were kept and are the rows' images.
func (f *tracedRows) recorded(ctx context.Context, done []store.Rendered, began time.Time) {
	if f == nil {
		return
	}
	now := time.Now()
	for _, p := range done {
		f.part(ctx, p.Fingerprint, "record", began, now, nil)
	}
}

// times are those of a picture on its way.
type times struct {
	began, ready   time.Time // its page was made
	drawing, drawn time.Time // it was drawn, by us or by whoever drew the same
}

// telling begins a try of a delivery as a part of its row's trace. What is about no row
// is a trace of its own.
func (c *courier) telling(ctx context.Context, claim store.DeliveryClaim) (context.Context, *tracing.Span) {
	return c.traces.Begin(c.onRow(ctx, claim), tracing.Client, "deliver "+claim.Sink, aboutDelivery(claim)...)
}

func (c *courier) onRow(ctx context.Context, claim store.DeliveryClaim) context.Context {
	if !sink.OfRow(claim.Event) {
		return ctx
	}
	return c.traces.On(ctx, wayOf(claim.Owner, claim.Index, claim.Key, claim.Generation))
}

// toldTogether adds to the trace of each row that its sink was told of it, with others.
func (c *courier) toldTogether(ctx context.Context, began time.Time, claims []store.DeliveryClaim, outcomes []sink.Outcome) {
	if c.traces == nil {
		return
	}
	now := time.Now()
	for i, claim := range claims {
		about := append(aboutDelivery(claim), tracing.Number("messaging.batch.message_count", int64(len(claims))))
		about = append(about, statusOf(outcomes[i].Status)...)
		c.traces.Past(c.onRow(ctx, claim), tracing.Client, "deliver "+claim.Sink, began, now, outcomes[i].Err, about...)
	}
}

// aboutDelivery says which delivery a part is about.
func aboutDelivery(c store.DeliveryClaim) []tracing.Attribute {
	return []tracing.Attribute{
		tracing.Text("pictifyd.sink", c.Sink), tracing.Text("pictifyd.delivery", c.ID), tracing.Text("pictifyd.event", c.Event),
		tracing.Number("pictifyd.attempt", int64(c.Attempt)),
	}
}

// statusOf is what a receiver answered, where it speaks HTTP.
func statusOf(status int) []tracing.Attribute {
	if status == 0 {
		return nil
	}
	return []tracing.Attribute{tracing.Number("http.response.status_code", int64(status))}
}
