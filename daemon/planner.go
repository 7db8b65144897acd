package daemon

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A planner takes a reading as the daemon does, and counts what the daemon would
// commit.
type planner struct {
	daemon  *Daemon
	binding *bindings.Binding
	reading *bindings.Reading
	plan    *Plan
	sample  int
	live    int // images before

	waiting map[string]waitingRow // rows that the reading holds back, as the store knows them
	became  map[string]string     // what became of rows, but for the unchanged
	doubled map[string]bool
	rows    int // of the live images, those that would change with their row
}

// A waitingRow is what the store knows of a row.
type waitingRow struct {
	digest string // of its values; "" where it is new
	item   bindings.ItemState
}

func newPlanner(ctx context.Context, d *Daemon, b *bindings.Binding, sample int) (*planner, error) {
	cfg := b.Config()
	states, err := d.store.Bindings(ctx, []string{cfg.Name})
	if err != nil {
		return nil, err
	}
	first, err := d.store.FirstReadings(ctx, []string{cfg.Name})
	if err != nil {
		return nil, err
	}
	return &planner{
		daemon: d, binding: b, sample: sample, live: int(states[0].Live),
		reading: bindings.NewReading(bindings.ReadingOptions{Source: cfg.Source, Bindings: []*bindings.Binding{b}, Now: time.Now()}),
		plan:    &Plan{Binding: cfg.Name, Source: cfg.Source, OnDelete: cfg.OnDelete, First: first[cfg.Name], Sample: []PlannedRow{}},
		waiting: map[string]waitingRow{}, became: map[string]string{}, doubled: map[string]bool{},
	}, nil
}

// emit is the connectors.Emit of the plan.
func (p *planner) emit(ctx context.Context, batch connectors.Batch) error {
	keys := p.reading.Keys(batch)
	known, err := p.daemon.store.Known(ctx, p.plan.Source, keys, []string{p.plan.Binding})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if _, counted := p.became[key]; counted || p.doubled[key] {
			continue
		}
		row := waitingRow{item: known[key].Items[p.plan.Binding]}
		if k := known[key].Row; k != nil {
			row.digest = k.Digest
		}
		p.waiting[key] = row
	}
	// As if each row were new: then the reading says of all of them what they
	// want, also where only the template or the binding has changed.
	for key, k := range known {
		k.Row = nil
		known[key] = k
	}
	sifted, err := p.reading.Sift(batch, known)
	if err != nil {
		return err
	}
	joined, err := join(ctx, p.daemon.store, sifted, p.daemon.foreseeUnits)
	if err != nil {
		return err
	}
	did := p.reading.Plan(sifted, joined)
	p.plan.Rows += did.Seen
	for _, q := range did.Quarantined {
		p.quarantined(q)
	}
	if err := p.released(ctx, did); err != nil {
		return err
	}
	if did.Closes == nil {
		return nil
	}
	return p.close(ctx, did.Closes)
}

// quarantined notes a row that is kept out, and takes back what was said of it.
func (p *planner) quarantined(q bindings.Quarantined) {
	p.plan.Quarantined++
	p.show(PlannedRow{Key: q.Key, Name: bindings.KeyText(q.Key), Becomes: becomesQuarantined, Position: q.Position, Error: q.Detail})
	if q.Reason != bindings.DuplicateKey || p.doubled[q.Key] {
		return
	}
	p.doubled[q.Key] = true
	if _, still := p.waiting[q.Key]; still {
		delete(p.waiting, q.Key)
		return
	}
	p.count(p.became[q.Key], -1)
	delete(p.became, q.Key)
}

// released notes the rows that the reading no longer holds back.
func (p *planner) released(ctx context.Context, did bindings.Plan) error {
	wants := map[string]bindings.Proposal{}
	for _, q := range did.Proposals {
		wants[q.Key] = q
	}
	foreseen, err := p.daemon.store.Foresee(ctx, p.plan.Binding, did.Proposals)
	if err != nil {
		return err
	}
	p.plan.Renders, p.plan.Reused = p.plan.Renders+foreseen.Images, p.plan.Reused+foreseen.Reused
	for _, row := range did.Rows {
		was, ok := p.waiting[row.Key]
		if !ok {
			continue
		}
		delete(p.waiting, row.Key)
		becomes := becomesOf(row, was, wants)
		if becomes != "" {
			p.became[row.Key] = becomes
			if there(was.item) && becomes != becomesReplanned {
				p.rows++
			}
		}
		p.count(becomes, 1)
		if err := p.describe(ctx, row, becomes, wants[row.Key]); err != nil {
			return err
		}
	}
	return nil
}

// there reports whether an item has an image.
func there(item bindings.ItemState) bool { return item.Digest != "" && !item.Removed }

// becomesOf is what becomes of a row, "" where it stays as it is.
func becomesOf(row bindings.RowChange, was waitingRow, wants map[string]bindings.Proposal) string {
	want, wanted := wants[row.Key]
	switch {
	case !wanted, there(was.item) && want.Digest == was.item.Digest, want.Remove && !there(was.item):
		return ""
	case want.Remove:
		return becomesRemoved
	case want.Problem != nil:
		return becomesFailing
	case !there(was.item):
		return becomesNew
	case row.Digest == was.digest:
		return becomesReplanned
	}
	return becomesChanged
}

func (p *planner) count(becomes string, by int) {
	switch becomes {
	case "":
		p.plan.Unchanged += by
	case becomesNew:
		p.plan.New += by
	case becomesChanged:
		p.plan.Changed += by
	case becomesReplanned:
		p.plan.Changed, p.plan.Replanned = p.plan.Changed+by, p.plan.Replanned+by
	case becomesRemoved:
		p.plan.Removed += by
	case becomesFailing:
		p.plan.Failing += by
	}
}

// describe shows a row, unless enough of its sort are shown.
func (p *planner) describe(ctx context.Context, row bindings.RowChange, becomes string, want bindings.Proposal) error {
	shown := PlannedRow{Key: row.Key, Name: bindings.KeyText(row.Key), Becomes: becomes}
	if becomes == "" || !p.room(becomes) {
		return nil
	}
	if want.Problem != nil {
		shown.Error = want.Problem.Message
	}
	if becomes == becomesChanged {
		before, err := p.daemon.store.Row(ctx, p.plan.Source, row.Key)
		if err != nil && problem.CodeOf(err) != problem.NotFound {
			return err
		}
		if shown.Variables, err = p.variableChanges(ctx, before.Values, row.Values); err != nil {
			return fmt.Errorf("compare row %s: %w", shown.Name, err)
		}
	}
	p.show(shown)
	return nil
}

func (p *planner) room(becomes string) bool {
	n := 0
	for _, row := range p.plan.Sample {
		if row.Becomes == becomes {
			n++
		}
	}
	return n < p.sample
}

func (p *planner) show(row PlannedRow) {
	if p.room(row.Becomes) {
		p.plan.Sample = append(p.plan.Sample, row)
	}
}

// close counts what is gone, and asks the guard.
func (p *planner) close(ctx context.Context, c *bindings.Closing) error {
	p.plan.Complete, p.plan.Reason = c.Complete, c.Reason
	if c.Complete {
		if err := p.gone(ctx, c); err != nil {
			return err
		}
	}
	if p.plan.First {
		return nil
	}
	counts := bindings.Counts{Live: p.live, Changed: p.rows, Gone: p.plan.Gone, Rows: c.Rows}
	if !c.Complete { // the store asks about removals then alone
		counts.Rows = max(counts.Rows, 1)
	}
	v := c.Judge(p.plan.Binding, counts)
	if !v.HoldChanges && !v.HoldRemoval {
		return nil
	}
	p.plan.Guard = &Held{Reason: v.Reason}
	if v.HoldChanges {
		p.plan.Guard.Changes = p.plan.New + p.rows
	}
	if v.HoldRemoval {
		p.plan.Guard.Removals = p.plan.Gone
	}
	return nil
}

// gone counts the rows with an image that the source does not have any more.
func (p *planner) gone(ctx context.Context, c *bindings.Closing) error {
	for after := ""; ; {
		rows, err := p.daemon.store.Rows(ctx, p.plan.Source, after, replanPage)
		if err != nil {
			return err
		}
		var absent []string
		for _, row := range rows {
			if !c.Has(row.Key) {
				absent = append(absent, row.Key)
			}
			after = row.Key
		}
		known, err := p.daemon.store.Known(ctx, p.plan.Source, absent, []string{p.plan.Binding})
		if err != nil {
			return err
		}
		for _, key := range absent {
			if there(known[key].Items[p.plan.Binding]) {
				p.plan.Gone++
				p.show(PlannedRow{Key: key, Name: bindings.KeyText(key), Becomes: becomesGone})
			}
		}
		if len(rows) < replanPage {
			return nil
		}
	}
}

// variableChanges are the variables that differ between two states of a row. A
// state in which they cannot be had has none.
func (p *planner) variableChanges(ctx context.Context, before, after []byte) ([]VariableChange, error) {
	was, err := p.variablesOf(ctx, before)
	if err != nil {
		return nil, err
	}
	is, err := p.variablesOf(ctx, after)
	if err != nil {
		return nil, err
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(was)), maps.Keys(is))
	slices.Sort(names)
	var changes []VariableChange
	for _, name := range slices.Compact(names) {
		if !reflect.DeepEqual(was[name], is[name]) {
			changes = append(changes, VariableChange{name, was[name], is[name]})
		}
	}
	return changes, nil
}

func (p *planner) variablesOf(ctx context.Context, row []byte) (map[string]any, error) {
	if len(row) == 0 {
		return nil, nil
	}
	values, err := bindings.Values(row)
	if err != nil {
		return nil, err
	}
	joined, err := p.daemon.joinRows(ctx, p.binding, values)
	if err != nil {
		return nil, err
	}
	variables, _ := p.binding.Resolve(values, joined, time.Now()) // what is wrong is the proposal's problem
	return variables, nil
}

// keyOf is a canonical key as a source would send it.
func keyOf(key string) []any {
	columns, err := bindings.ParseKey(key)
	if err != nil {
		return nil
	}
	parts := make([]any, len(columns))
	for i, c := range columns {
		parts[i] = c
	}
	return parts
}
