package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
)

// deliveryID is the idempotency key of a delivery: it follows from what is
// delivered, so that no crash and no second planning can change it.
func deliveryID(sink string, owner bindings.Owner, key string, generation int64) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{sink, string(owner), key, strconv.FormatInt(generation, 10)}, "\x00")))
	return "dlv_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20]))
}

// A thread is the deliveries of one item to one sink, of which one at a time is
// on its way.
type thread struct {
	sink  string
	owner bindings.Owner
	key   string
}

// planDeliveries tells the sinks of bindings what became of items: unless the
// sink knows it already, and in place of what it was not told yet.
func (t *tx) planDeliveries(ctx context.Context, endings []ending) error {
	to, err := t.routes(ctx)
	if err != nil {
		return err
	}
	type planned struct {
		thread
		ending
	}
	var plans []planned
	var threads, pictured [][]any
	for _, e := range endings {
		names := to.to(e.owner.Binding(), e.event)
		for _, name := range names {
			plans = append(plans, planned{thread{name, e.owner, e.key}, e})
			threads = append(threads, []any{name, string(e.owner), e.key})
		}
		if len(names) > 0 {
			pictured = append(pictured, e.cells())
		}
	}
	if len(plans) == 0 {
		return nil
	}
	if err := t.supersede(ctx, threads); err != nil {
		return err
	}
	told, err := t.lastTold(ctx, threads)
	if err != nil {
		return err
	}
	outputs, err := t.outputs(ctx, pictured)
	if err != nil {
		return err
	}
	values, err := t.values(ctx, endings)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, p := range plans {
		now := outputs[p.itemID]
		digest := p.event + " " + whatWasTold(p.ending, now)
		if told[p.thread] == digest {
			continue
		}
		rows = append(rows, []any{deliveryID(p.thread.sink, p.thread.owner, p.thread.key, p.generation), p.thread.sink,
			string(p.thread.owner), p.thread.key, p.generation, p.event, digest, to.told(p.thread, values[p.itemID]), encode(now.outputs), 0, now.assigned})
		t.wantSinks[p.thread.sink] = true
	}
	return t.insertDeliveries(ctx, rows)
}

// whatWasTold stands for all that a sink learns from an ending: of pictures
// their bytes and names, so that nobody is told of a row that was made anew and
// looks as before.
func whatWasTold(e ending, now pictured) string {
	if e.event != sink.RenderCompleted {
		return e.digest
	}
	sum := sha256.Sum256([]byte(encode(now.outputs) + now.assigned))
	return hex.EncodeToString(sum[:])
}

func (t *tx) insertDeliveries(ctx context.Context, rows [][]any) error {
	return pages(rows, pageSize, func(page [][]any) error {
		planned, err := collect(ctx, t.reader, `INSERT INTO deliveries (id, sink, owner, key, generation, event, digest, data, outputs, idx, assigned, state, due_at, created_at)
			SELECT e.value->>0, e.value->>1, e.value->>2, e.value->>3, CAST(e.value->>4 AS BIGINT), e.value->>5, e.value->>6, e.value->>7,
				e.value->>8, COALESCE(CAST(e.value->>9 AS BIGINT), 0), COALESCE(e.value->>10, ''), 'waiting', CAST($2 AS BIGINT), CAST($2 AS BIGINT) FROM rows($1) AS e WHERE true
			ON CONFLICT (id) DO NOTHING RETURNING sink`, []any{table(page), millis(t.now)}, text1)
		for _, name := range planned {
			t.counted(name).planned++
		}
		return err
	})
}

// supersede drops what waits on threads and was never tried. What was tried may
// have arrived: it goes before the new one, at once and one last time.
func (t *tx) supersede(ctx context.Context, threads [][]any) error {
	text := table(threads)
	const those = `state = 'waiting' AND (sink, owner, key) IN (SELECT e.value->>0, e.value->>1, e.value->>2 FROM rows($1) AS e)`
	if _, err := t.dropDeliveries(ctx, `attempts = 0 AND `+those, text); err != nil {
		return err
	}
	_, err := t.exec(ctx, `UPDATE deliveries SET due_at = $2 WHERE due_at > $2 AND attempts > 0 AND `+those, text, millis(t.now))
	return err
}

// lastTold is what each sink was told last, where that arrived and nothing was
// tried since.
func (t *tx) lastTold(ctx context.Context, threads [][]any) (map[thread]string, error) {
	told := map[thread]string{}
	err := t.each(ctx, `SELECT d.sink, d.owner, d.key, d.digest, d.state FROM rows($1) AS e CROSS JOIN deliveries AS d
		WHERE d.sink = e.value->>0 AND d.owner = e.value->>1 AND d.key = e.value->>2 AND d.attempts > 0 ORDER BY d.generation, d.created_at`, []any{table(threads)}, func(scan func(...any) error) error {
		var on thread
		var digest, state string
		if err := scan(&on.sink, &on.owner, &on.key, &digest, &state); err != nil {
			return err
		}
		if state != "delivered" {
			digest = ""
		}
		told[on] = digest
		return nil
	})
	return told, err
}

// A pictured is what an item shows, and as which variant; "" of none.
type pictured struct {
	outputs  []sink.Output
	assigned string
}

// outputs are the pictures of items, in their order, or why there are none. Of
// a removed item they are the last ones that there were: sinks find by them
// what they have to take away.
func (t *tx) outputs(ctx context.Context, items [][]any) (map[itemID]pictured, error) {
	outputs := map[itemID]pictured{}
	if len(items) == 0 {
		return outputs, nil
	}
	err := t.each(ctx, `SELECT i.owner, i.idx, i.key, i.assigned, i.state, i.problem, COALESCE(g.output, ''), COALESCE(g.state, 'failed'), COALESCE(g.problem, ''),
			COALESCE(g.hash, ''), COALESCE(g.format, ''), COALESCE(g.ext, ''), COALESCE(g.width, 0), COALESCE(g.height, 0)
		FROM rows($1) AS e CROSS JOIN items AS i
		LEFT JOIN images AS g ON g.owner = i.owner AND g.idx = i.idx AND g.key = i.key
		WHERE i.owner = e.value->>0 AND i.idx = CAST(e.value->>1 AS BIGINT) AND i.key = e.value->>2 ORDER BY g.place`, []any{table(items)}, func(scan func(...any) error) error {
		var id itemID
		var o sink.Output
		var assigned, state, itemState, itemProblem, imageProblem string
		if err := scan(&id.owner, &id.idx, &id.key, &assigned, &itemState, &itemProblem, &o.Name, &state, &imageProblem,
			&o.Hash, &o.Format, &o.Ext, &o.Width, &o.Height); err != nil {
			return err
		}
		now := outputs[id]
		now.assigned = assigned
		outputs[id] = now
		if itemState == stateRemoved && o.Hash == "" {
			return nil
		}
		if state == stateFailed {
			p, err := problemOf(cmp.Or(itemProblem, imageProblem))
			if err != nil {
				return err
			}
			o = sink.Output{Name: o.Name}
			if p != nil {
				o.Code, o.Error = p.Code, p.Message
			}
		}
		now.outputs = append(now.outputs, o)
		outputs[id] = now
		return nil
	})
	return outputs, err
}

// values are the rows that items show.
func (t *tx) values(ctx context.Context, endings []ending) (map[itemID]string, error) {
	var rows [][]any
	for _, e := range endings {
		rows = append(rows, []any{e.owner.Binding(), e.key})
	}
	values := map[itemID]string{}
	if len(rows) == 0 {
		return values, nil
	}
	err := t.each(ctx, `SELECT b.name, r.key, r.data FROM rows($1) AS e CROSS JOIN bindings AS b CROSS JOIN source_rows AS r
		WHERE b.name = e.value->>0 AND r.source = b.source AND r.key = e.value->>1`, []any{table(rows)}, func(scan func(...any) error) error {
		var name, key, data string
		err := scan(&name, &key, &data)
		values[itemID{owner: bindings.BindingOwner(name), key: key}] = data
		return err
	})
	return values, err
}
