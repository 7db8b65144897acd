package daemon

import (
	"context"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/store"
)

// A reading carries the batches of one reading from the source to the store.
type reading struct {
	store     *store.Store
	metrics   *readingMetrics
	plan      *bindings.Reading
	options   bindings.ReadingOptions
	source    string
	bindings  []string
	judged    bool     // the guard had its say
	whole     bool     // it had every row, or the source says that nothing changed
	unchanged bool     // the source says so
	settles   bool     // the stored rows are planned as the bindings are
	settled   bool     // and were looked through
	messages  []string // that its batch came in
	closed    bindings.Closing
	assign    assignFunc
	admitFunc func(ctx context.Context, p *bindings.Plan) error // has its say before a plan is committed; nil: nobody has
}

// emit is the connectors.Emit of the reading.
func (r *reading) emit(ctx context.Context, b connectors.Batch) error {
	_, _, err := r.commit(ctx, b)
	return err
}

// commit plans one batch and has it durable.
func (r *reading) commit(ctx context.Context, b connectors.Batch) (plan bindings.Plan, result store.CommitResult, err error) {
	ctx = reads(ctx, r.source, time.Now())
	if err := r.settle(ctx, b); err != nil {
		return plan, result, err
	}
	known, err := r.store.Known(ctx, r.source, r.plan.Keys(b), r.bindings)
	if err != nil {
		return plan, result, err
	}
	sifted, err := r.plan.Sift(b, known)
	if err != nil {
		return plan, result, err
	}
	joined, err := join(ctx, r.store, sifted, r.assign)
	if err != nil {
		return plan, result, err
	}
	plan = r.plan.Plan(sifted, joined)
	plan.Messages = r.messages
	if plan.Closes != nil {
		r.closed = *plan.Closes
	}
	if r.admitFunc != nil {
		if err := r.admitFunc(ctx, &plan); err != nil {
			return plan, result, err
		}
	}
	result, err = r.store.Commit(ctx, plan)
	if err == nil {
		r.metrics.committed(r, plan, result)
	}
	if err == nil && plan.Closes != nil {
		r.unchanged = plan.Closes.Unchanged
		r.whole = plan.Closes.Complete || r.unchanged
	}
	r.judged = r.judged || err == nil && plan.Closes != nil && !plan.Closes.Unchanged
	return plan, result, err
}

// settle looks through the stored rows once, before the first row of a reading:
// most rows are as they were, and then need no look each. Of a reading of a few changes
// each row gets its look: there may be a million that are not in it.
func (r *reading) settle(ctx context.Context, b connectors.Batch) error {
	few := b.Closes != nil && b.Closes.Reason == connectors.OfChanges
	if !r.settles || r.settled || len(b.Rows) == 0 || few {
		return nil
	}
	settled, err := r.store.Settled(ctx, r.source, r.bindings)
	if err == nil {
		r.plan.Settle(settled)
		r.settled = true
	}
	return err
}

// reading begins to plan a reading of f as o says. The caller is inside the gate.
func (d *Daemon) reading(ctx context.Context, f *feed, o bindings.ReadingOptions) (*reading, error) {
	bound, err := d.stillBound(ctx, f)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(bound))
	for i, b := range bound {
		names[i] = b.Name()
	}
	first, err := d.store.FirstReadings(ctx, names)
	if err != nil {
		return nil, err
	}
	o.Source, o.Bindings, o.Promote, o.Now = f.name, bound, first, time.Now()
	return &reading{store: d.store, assign: d.assignUnits, metrics: d.metrics.readingMetrics, source: f.name, bindings: names, options: o, plan: bindings.NewReading(o), settles: !o.Told && f.bound.Load()}, nil
}

// stillBound are the bindings of f that there are. One that was taken out, and for which f was not bound
// again yet, is not planned: its sinks would hear nothing of it. It is planned from all rows when it is back.
func (d *Daemon) stillBound(ctx context.Context, f *feed) (still []*bindings.Binding, err error) {
	there := namesOf(d.roster().of(f.name))
	for _, b := range f.bindings {
		if slices.Contains(there, b.Name()) {
			still = append(still, b)
			continue
		}
		if err := d.forgetPlan(ctx, b.Config()); err != nil {
			return nil, err
		}
	}
	return still, nil
}

// promote has what came be wanted as it comes where the guard could not hold
// it, so that it need not count all images.
func (r *reading) promote(a arrival) {
	for _, b := range r.options.Bindings {
		if a.asked || len(a.rows) <= b.Config().Guard.Floor {
			r.options.Promote[b.Name()] = true
		}
	}
	r.plan = bindings.NewReading(r.options)
}

// by has the bindings of runs planned by the clock of their moment.
func (r *reading) by(runs []batch.Job, at time.Time) {
	r.options.Bindings = slices.Clone(r.options.Bindings)
	for i, b := range r.options.Bindings {
		if slices.ContainsFunc(runs, func(j batch.Job) bool { return j.Origin.Binding == b.Name() }) {
			r.options.Bindings[i] = b.At(at)
			r.settles = r.settles && r.options.Bindings[i] == b // by another clock no row is as it was
		}
	}
	r.plan = bindings.NewReading(r.options)
}
