package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// DeliveryNotFound is the slug of a delivery that there is not.
const DeliveryNotFound = "delivery_not_found"

// Deliveries are those that a filter takes, newest first, behind a place: the
// zero Place is before all of them.
func (s *Store) Deliveries(ctx context.Context, f sink.Selection, after sink.Place, limit int) ([]sink.Record, error) {
	q := filtered(f)
	if after.ID != "" {
		at, id := q.arg(millis(after.At)), q.arg(clean(after.ID))
		q.and(`(d.created_at < ` + at + ` OR d.created_at = ` + at + ` AND d.id < ` + id + `)`)
	}
	// Of all that f takes, only the ids are sorted.
	all, err := collect(ctx, s.reader(), `SELECT `+recordColumns+` FROM deliveries AS d WHERE d.id IN (SELECT d.id FROM deliveries AS d`+q.text()+
		` ORDER BY d.created_at DESC, d.id DESC LIMIT `+q.arg(limit)+`) ORDER BY d.created_at DESC, d.id DESC`, q.args, scanRecord)
	return all, wrap(err, "list deliveries")
}

// Delivery is one delivery with what it tells and every attempt at it. One that a
// person may not see is not there.
func (s *Store) Delivery(ctx context.Context, id string, seen *sink.Seen) (sink.Record, error) {
	q := filtered(sink.Selection{IDs: []string{id}, Seen: seen})
	var data, outputs string
	var tried sql.NullInt64
	var took int64
	var spent int64
	r, err := scanRecord(func(into ...any) error {
		return s.reader().row(ctx, `SELECT `+recordColumns+`, d.data, d.outputs, d.tried_at, d.took, d.spent FROM deliveries AS d`+q.text(), q.args...).
			Scan(append(into, &data, &outputs, &tried, &took, &spent)...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return r, noDelivery(id)
	}
	if err != nil {
		return r, wrap(err, "read delivery %q", id)
	}
	told(&r, raw(data))
	if err := decode(outputs, &r.Outputs); err != nil {
		return r, wrap(err, "read what delivery %q tells", id)
	}
	r.Spent = spent
	r.Tries, err = s.tries(ctx, id)
	if tried.Valid {
		arrived := sink.Try{Number: r.Attempts, At: moment(tried), Took: time.Duration(took) * time.Microsecond}
		if r.Receipt != nil {
			arrived.Receipt = *r.Receipt
		}
		r.Tries = append(r.Tries, arrived)
	}
	return r, wrap(err, "read the attempts of delivery %q", id)
}

// told puts what is kept of what a delivery tells where it belongs.
func told(r *sink.Record, data json.RawMessage) {
	_, subscribed := SubscriptionOf(r.Sink)
	switch {
	case !sink.OfRow(r.Event):
		r.Data = data
	case r.Job != "":
		r.Fault = data
	case !subscribed: // of whom it is what their filters were held against
		r.Row = data
	}
}

func noDelivery(id string) error {
	return problem.New(problem.NotFound, "there is no delivery %q", id).WithSlug(DeliveryNotFound).
		WithHint("what arrived is kept until something newer of the same row has arrived; GET /deliveries lists those that there are")
}

func raw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// tries are the attempts at a delivery that are kept beside it: those that failed,
// and those that arrived before it was told again.
func (s *Store) tries(ctx context.Context, id string) ([]sink.Try, error) {
	return collect(ctx, s.reader(), `SELECT attempt, at, took, receipt, error FROM delivery_attempts WHERE delivery = $1 ORDER BY attempt`, []any{id},
		func(scan func(...any) error) (one sink.Try, err error) {
			var at sql.NullInt64
			var took int64
			var receipt string
			if err := scan(&one.Number, &at, &took, &receipt, &one.Error); err != nil {
				return one, err
			}
			one.At, one.Took = moment(at), time.Duration(took)*time.Microsecond
			return one, decode(receipt, &one.Receipt)
		})
}

const recordColumns = `d.id, d.sink, d.owner, d.key, d.generation, d.event, d.state, d.attempts, d.error, d.cause, d.created_at, d.due_at, d.ended_at,
	d.discarded_at, d.discarded_by, d.discard_reason,
	CASE WHEN d.tried_at IS NOT NULL THEN d.receipt ELSE COALESCE((SELECT a.receipt FROM delivery_attempts AS a WHERE a.delivery = d.id ORDER BY a.attempt DESC LIMIT 1), '') END`

func scanRecord(scan func(...any) error) (r sink.Record, err error) {
	var owner bindings.Owner
	var created, due, ended, discarded sql.NullInt64
	var gone sink.Discard
	var answer string
	if err := scan(&r.ID, &r.Sink, &owner, &r.Key, &r.Generation, &r.Event, &r.State, &r.Attempts, &r.Error, &r.Cause, &created, &due, &ended,
		&discarded, &gone.By, &gone.Reason, &answer); err != nil {
		return r, err
	}
	r.Binding, r.Job = owner.Binding(), owner.Job()
	if isWhole(r.Key) && !sink.OfRow(r.Event) {
		r.Key = ""
	}
	r.CreatedAt, r.DueAt, r.EndedAt = moment(created), moment(due), moment(ended)
	if discarded.Valid {
		gone.At = moment(discarded)
		r.Discard = &gone
	}
	if answer == "" {
		return r, nil
	}
	r.Receipt = new(sink.Receipt)
	return r, decode(answer, r.Receipt)
}

// A condition is a WHERE that is put together, with its arguments.
type condition struct {
	all  []string
	args []any
}

func (c *condition) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *condition) and(text string) { c.all = append(c.all, text) }

func (c *condition) equal(column, value string) {
	if value != "" {
		c.and(column + ` = ` + c.arg(clean(value)))
	}
}

func (c *condition) text() string {
	if len(c.all) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(c.all, ` AND `)
}

// filtered is f as a condition on deliveries AS d.
func filtered(f sink.Selection) *condition {
	c := &condition{}
	if f.IDs != nil {
		c.and(`d.id IN list(` + c.arg(list(f.IDs)) + `)`)
	}
	c.equal(`d.sink`, f.Sink)
	switch {
	case f.Binding != "":
		c.equal(`d.owner`, string(bindings.BindingOwner(f.Binding)))
	case f.Job != "":
		c.equal(`d.owner`, string(bindings.JobOwner(f.Job)))
	}
	c.equal(`d.key`, f.Key)
	if f.State == sink.Dead { // a word of its own, so that its index is used
		c.and(`d.state = 'dead'`)
	} else {
		c.equal(`d.state`, f.State)
	}
	c.equal(`d.event`, f.Event)
	c.equal(`d.cause`, f.Cause)
	if !f.Since.IsZero() {
		c.and(`COALESCE(d.ended_at, d.created_at) >= ` + c.arg(millis(f.Since)))
	}
	if f.Seen != nil {
		owners := make([]string, len(f.Seen.Bindings))
		for i, name := range f.Seen.Bindings {
			owners[i] = string(bindings.BindingOwner(name))
		}
		c.and(`(d.owner IN list(` + c.arg(list(owners)) + `) OR d.owner IN (SELECT 'job/' || j.id FROM jobs AS j WHERE j.template IN list(` + c.arg(list(f.Seen.Templates)) + `)))`)
		subscribed := make([]string, len(f.Seen.Subscriptions))
		for i, id := range f.Seen.Subscriptions {
			subscribed[i] = SinkOfSubscription(id)
		}
		c.and(`(substr(d.sink, 1, 4) <> 'sub:' OR d.sink IN list(` + c.arg(list(subscribed)) + `))`)
	}
	return c
}

// ForgetDiscarded removes dead letters that were discarded at before or earlier.
func (s *Store) ForgetDiscarded(ctx context.Context, before time.Time) error {
	for more := true; more; {
		if err := s.write(ctx, func(ctx context.Context, t *tx) error {
			gone, err := t.dropDeliveries(ctx, `id IN (SELECT id FROM deliveries WHERE state = 'discarded' AND discarded_at <= $1 LIMIT $2)`, millis(before), pageSize)
			more = len(gone) == pageSize
			return err
		}); err != nil {
			return wrap(err, "forget discarded deliveries")
		}
	}
	return nil
}

// arrivedBefore keeps, of deliveries that arrived and are told again, the attempt
// that arrived beside those that failed.
func (t *tx) arrivedBefore(ctx context.Context, ids []string) error {
	_, err := t.exec(ctx, `INSERT INTO delivery_attempts (delivery, attempt, at, took, receipt, error)
		SELECT id, attempts, COALESCE(tried_at, ended_at, created_at), took, receipt, '' FROM deliveries WHERE id IN list($1) AND state = 'delivered' AND attempts > 0
		ON CONFLICT (delivery, attempt) DO NOTHING`, list(slices.Sorted(slices.Values(ids))))
	return err
}
