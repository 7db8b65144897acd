package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/pictifyd/pictifyd/sink"
)

// A toldThing is the newest delivery of a thread that arrived.
type toldThing struct {
	id     string
	on     thread
	gen    int64
	event  string
	digest string

	idx   int64  // of a job's row
	item  string // state of the row's images now; "" where there are none
	newer bool   // something newer waits, is on its way, or is a dead letter
	job   bool   // it is of a job that is there
}

// itemID is the row that was told of.
func (p toldThing) itemID() itemID { return itemID{owner: p.on.owner, idx: p.idx, key: p.on.key} }

// shows reports whether there is still what was told of a binding's row.
func (p toldThing) shows() bool {
	return p.item != "" && (p.item != stateRemoved || p.event == sink.ImageRemoved)
}

// Redeliver tells a sink again what it was told last of the rows that f takes,
// under the same ids: those of its attempts go on. With newID they are deliveries
// of their own, for receivers that take no id twice. A page is a commit.
func (s *Store) Redeliver(ctx context.Context, f sink.Selection, newID bool) (total sink.Retold, err error) {
	f.State = sink.Delivered
	until := time.Now()
	var last toldThing
	for more := true; more; {
		page, err := s.toldPage(ctx, f, until, last)
		if err != nil {
			return total, wrap(err, "look for what %q was told", f.Sink)
		}
		if len(page) > 0 {
			last = page[len(page)-1]
			var done sink.Retold
			if err := s.write(ctx, func(ctx context.Context, t *tx) error {
				done, err = t.retell(ctx, page, newID)
				return err
			}); err != nil {
				return total, wrap(err, "tell %q again", f.Sink)
			}
			s.crash("letters.moved")
			total.Told, total.Waiting, total.Gone = total.Told+done.Told, total.Waiting+done.Waiting, total.Gone+done.Gone
		}
		more = len(page) == letterPage
	}
	return total, nil
}

// toldPage are the next things that a sink was told, by their threads.
func (s *Store) toldPage(ctx context.Context, f sink.Selection, until time.Time, last toldThing) ([]toldThing, error) {
	q := filtered(f)
	q.and(`COALESCE(d.ended_at, 0) <= ` + q.arg(millis(until)))
	if last.id != "" {
		q.and(`(d.sink, d.owner, d.key) > (` + q.arg(last.on.sink) + `, ` + q.arg(string(last.on.owner)) + `, ` + q.arg(last.on.key) + `)`)
	}
	// Of one thread the newest that arrived.
	q.and(`NOT EXISTS (SELECT 1 FROM deliveries AS l WHERE l.sink = d.sink AND l.owner = d.owner AND l.key = d.key AND l.state = 'delivered'
		AND (l.generation > d.generation OR l.generation = d.generation AND (l.created_at > d.created_at OR l.created_at = d.created_at AND l.id > d.id)))`)
	return collect(ctx, s.reader(), `SELECT d.id, d.sink, d.owner, d.key, d.generation FROM deliveries AS d`+q.text()+
		` ORDER BY d.sink, d.owner, d.key LIMIT `+q.arg(letterPage), q.args, func(scan func(...any) error) (p toldThing, err error) {
		return p, scan(&p.id, &p.on.sink, &p.on.owner, &p.on.key, &p.gen)
	})
}

// toldNow reads those of a page that are still as they were.
func (t *tx) toldNow(ctx context.Context, page []toldThing) ([]toldThing, error) {
	ids := make([]string, len(page))
	for i, p := range page {
		ids[i] = p.id
	}
	if _, err := t.exec(ctx, `SELECT 1 FROM deliveries WHERE id IN list($1) ORDER BY id FOR UPDATE`, list(ids)); err != nil {
		return nil, err
	}
	return collect(ctx, t.reader, `SELECT d.id, d.sink, d.owner, d.key, d.generation, d.event, d.digest, d.idx, COALESCE(i.state, ''),
			CASE WHEN EXISTS (SELECT 1 FROM deliveries AS n WHERE n.sink = d.sink AND n.owner = d.owner AND n.key = d.key AND n.generation >= d.generation
				AND n.state IN ('waiting', 'claimed', 'dead')) THEN 1 ELSE 0 END,
			CASE WHEN EXISTS (SELECT 1 FROM jobs AS j WHERE 'job/' || j.id = d.owner) THEN 1 ELSE 0 END
		FROM deliveries AS d LEFT JOIN items AS i ON i.owner = d.owner AND i.idx = 0 AND i.key = d.key
		WHERE d.id IN list($1) AND d.state = 'delivered' ORDER BY d.id`, []any{list(ids)}, func(scan func(...any) error) (p toldThing, err error) {
		var newer, job int64
		err = scan(&p.id, &p.on.sink, &p.on.owner, &p.on.key, &p.gen, &p.event, &p.digest, &p.idx, &p.item, &newer, &job)
		p.newer, p.job = newer == 1, job == 1
		return p, err
	})
}

// retell has what a sink was told wait again, with what is told built anew: it is
// kept only until it has arrived.
func (t *tx) retell(ctx context.Context, page []toldThing, newID bool) (done sink.Retold, err error) {
	if page, err = t.toldNow(ctx, page); err != nil {
		return done, err
	}
	texts, err := t.rebuilt(ctx, page)
	if err != nil {
		return done, err
	}
	var rows [][]any
	var ids []string
	for _, p := range page {
		now := texts[p.id]
		switch {
		case isWhole(p.on.key) && p.on.owner.Job() == "": // an event that has passed, and of no row
			continue
		case p.newer:
			done.Waiting++
			continue
		case p.on.owner.Job() != "" && !p.job, p.on.owner.Binding() != "" && !p.shows():
			done.Gone++
			continue
		case now.digest != p.digest && p.item == stateWaiting: // what is being made is told when it is there
			done.Waiting++
			continue
		}
		done.Told++
		ids = append(ids, p.id)
		t.counted(p.on.sink).planned++ // told twice is delivered twice
		rows = append(rows, []any{p.id, now.digest, now.row, now.outputs, newDeliveryID(), now.assigned})
		t.wantSinks[p.on.sink] = true
	}
	if len(ids) == 0 {
		return done, nil
	}
	if newID {
		_, err = t.exec(ctx, `INSERT INTO deliveries (id, sink, owner, key, generation, event, digest, data, outputs, idx, assigned, state, due_at, created_at)
			SELECT e.value->>4, d.sink, d.owner, d.key, d.generation, d.event, e.value->>1, e.value->>2, e.value->>3, d.idx, e.value->>5, 'waiting', CAST($2 AS BIGINT), CAST($2 AS BIGINT)
			FROM rows($1) AS e CROSS JOIN deliveries AS d WHERE d.id = e.value->>0`, table(rows), millis(t.now))
		return done, err
	}
	if err := t.arrivedBefore(ctx, ids); err != nil {
		return done, err
	}
	_, err = t.exec(ctx, `UPDATE deliveries SET state = 'waiting', claimed_by = 0, due_at = CAST($2 AS BIGINT), ended_at = NULL, spent = attempts, tried_at = NULL, took = 0, receipt = '',
			digest = e.value->>1, data = e.value->>2, outputs = e.value->>3, assigned = e.value->>5 FROM rows($1) AS e WHERE deliveries.id = e.value->>0`, table(rows), millis(t.now))
	return done, err
}

// newDeliveryID is an id that no delivery has had.
func newDeliveryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // which cannot fail
	return "dlv_" + hex.EncodeToString(b[:])
}

// A rebuiltText is what a delivery tells, as the images are now.
type rebuiltText struct{ digest, row, outputs, assigned string }

// rebuilt is what deliveries tell, by their ids: of bindings, the pictures that
// their rows have now. A row whose newest picture could not be made still has the
// one before, which is what a sink that hears nothing of failures was told.
func (t *tx) rebuilt(ctx context.Context, page []toldThing) (map[string]rebuiltText, error) {
	var items, ofJobs [][]any
	var endings []ending
	for _, p := range page {
		e := ending{changedItem: changedItem{itemID: p.itemID()}}
		switch {
		case p.on.owner.Binding() != "":
			items, endings = append(items, e.cells()), append(endings, e)
		case sink.OfRow(p.event):
			ofJobs = append(ofJobs, e.cells())
		}
	}
	outputs, err := t.outputs(ctx, items)
	if err != nil {
		return nil, err
	}
	shown, err := t.shownOutputs(ctx, items)
	if err != nil {
		return nil, err
	}
	values, err := t.values(ctx, endings)
	if err != nil {
		return nil, err
	}
	rows, err := t.rowsAsTold(ctx, ofJobs)
	if err != nil {
		return nil, err
	}
	to, err := t.routes(ctx)
	if err != nil {
		return nil, err
	}
	texts := map[string]rebuiltText{}
	for _, p := range page {
		id := p.itemID()
		if p.on.owner.Binding() == "" {
			now := rebuiltText{digest: p.digest} // the end of a job is written when it is sent
			if row, ok := rows[id]; ok {
				now.row, now.outputs = row.texts()
				now.assigned = row.assigned
			}
			texts[p.id] = now
			continue
		}
		now := rebuiltText{digest: p.digest, row: to.told(p.on, values[id])}
		now.outputs, now.assigned = encode(outputs[id].outputs), outputs[id].assigned
		if p.event == sink.RenderCompleted {
			told := func(all pictured) string { return p.event + " " + whatWasTold(ending{event: p.event}, all) }
			now.digest = told(outputs[id])
			if before := told(pictured{shown[id], now.assigned}); now.digest != p.digest && (before == p.digest || p.item == stateFailed) {
				now.digest, now.outputs = before, encode(shown[id])
			}
		}
		texts[p.id] = now
	}
	return texts, nil
}

// shownOutputs are the pictures that items show, whether or not newer ones could
// be made.
func (t *tx) shownOutputs(ctx context.Context, items [][]any) (map[itemID][]sink.Output, error) {
	shown := map[itemID][]sink.Output{}
	if len(items) == 0 {
		return shown, nil
	}
	err := t.each(ctx, `SELECT g.owner, g.idx, g.key, g.output, g.hash, g.format, g.ext, g.width, g.height
		FROM rows($1) AS e CROSS JOIN images AS g
		WHERE g.owner = e.value->>0 AND g.idx = CAST(e.value->>1 AS BIGINT) AND g.key = e.value->>2 AND g.hash <> '' ORDER BY g.place`, []any{table(items)}, func(scan func(...any) error) error {
		var id itemID
		var o sink.Output
		err := scan(&id.owner, &id.idx, &id.key, &o.Name, &o.Hash, &o.Format, &o.Ext, &o.Width, &o.Height)
		shown[id] = append(shown[id], o)
		return err
	})
	return shown, err
}
