package store

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/sink"
)

// Of what stands for the webhooks of jobs, and of subscriptions, where sinks are
// counted, so that the counts do not grow with them.
const (
	sinkOfJobs          = "batch"
	sinkOfJobRows       = "batch_rows"
	sinkOfSubscriptions = "subscriptions"
)

// countedAs is the sink under which deliveries of sink are counted.
func countedAs(name string) string {
	switch {
	case strings.HasPrefix(name, "job:"):
		return sinkOfJobs
	case IsRowsSink(name):
		return sinkOfJobRows
	case strings.HasPrefix(name, sink.ToSubscription):
		return sinkOfSubscriptions
	}
	return name
}

// countedSink is countedAs in SQL.
const countedSink = `CASE WHEN sink LIKE 'job:%' THEN '` + sinkOfJobs + `' WHEN sink LIKE 'rows:%' THEN '` + sinkOfJobRows + `'
	WHEN sink LIKE 'sub:%' THEN '` + sinkOfSubscriptions + `' ELSE sink END`

// A DeliveryCount says what became of all deliveries that were ever planned for
// a sink: Planned = Delivered + Waiting + Dead + Superseded, at all times.
type DeliveryCount struct {
	Sink       string
	Planned    int64
	Delivered  int64
	Waiting    int64 // those on their way among them
	Dead       int64 // the discarded ones among them
	Superseded int64 // something newer was told instead, or nobody was left to tell
}

// DeliveryCounts are the counts of all sinks at one moment, by name.
func (s *Store) DeliveryCounts(ctx context.Context) ([]DeliveryCount, error) {
	const ofState = ` UNION ALL SELECT ` + countedSink + `, 0, 0, 0, `
	counts, err := collect(ctx, s.reader(), `SELECT sink, CAST(sum(planned) AS BIGINT), CAST(sum(delivered) AS BIGINT), CAST(sum(superseded) AS BIGINT),
			CAST(sum(waiting) AS BIGINT), CAST(sum(dead) AS BIGINT)
		FROM (SELECT sink, planned, delivered, superseded, 0 AS waiting, discarded AS dead FROM delivery_counts`+
		ofState+`count(*), 0 FROM deliveries WHERE state = 'waiting' GROUP BY sink`+
		ofState+`count(*), 0 FROM deliveries WHERE state = 'claimed' GROUP BY sink`+
		ofState+`0, count(*) FROM deliveries WHERE state = 'dead' GROUP BY sink) AS c GROUP BY sink ORDER BY sink`, nil,
		func(scan func(...any) error) (c DeliveryCount, err error) {
			return c, scan(&c.Sink, &c.Planned, &c.Delivered, &c.Superseded, &c.Waiting, &c.Dead)
		})
	return counts, wrap(err, "count deliveries")
}

// A recount is what a change does to the counts of a sink.
type recount struct{ planned, delivered, superseded, discarded int64 }

// counted is where to note what this change does to the counts of a sink.
func (t *tx) counted(sink string) *recount {
	name := countedAs(sink)
	if t.recounts == nil {
		t.recounts = map[string]*recount{}
	}
	if t.recounts[name] == nil {
		t.recounts[name] = new(recount)
	}
	return t.recounts[name]
}

// keepCounts writes what was noted. It comes last and in one order, because all
// changes that plan for a sink share its counts.
func (t *tx) keepCounts(ctx context.Context) error {
	var rows [][]any
	for _, name := range slices.Sorted(maps.Keys(t.recounts)) {
		if c := *t.recounts[name]; c != (recount{}) {
			rows = append(rows, []any{name, c.planned, c.delivered, c.superseded, c.discarded})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `INSERT INTO delivery_counts (sink, planned, delivered, superseded, discarded)
		SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), CAST(e.value->>2 AS BIGINT), CAST(e.value->>3 AS BIGINT), CAST(e.value->>4 AS BIGINT) FROM rows($1) AS e WHERE true
		ON CONFLICT (sink) DO UPDATE SET planned = delivery_counts.planned + excluded.planned, delivered = delivery_counts.delivered + excluded.delivered,
			superseded = delivery_counts.superseded + excluded.superseded, discarded = delivery_counts.discarded + excluded.discarded`, table(rows))
	return err
}

// A dropped is a delivery that is no more.
type dropped struct {
	id, sink, state string
	attempts        int64
}

// dropDeliveries deletes deliveries, with their tries. What was not told of
// those, nobody is told.
func (t *tx) dropDeliveries(ctx context.Context, where string, args ...any) ([]dropped, error) {
	gone, err := collect(ctx, t.reader, `DELETE FROM deliveries WHERE `+where+` RETURNING id, sink, state, attempts`, args,
		func(scan func(...any) error) (d dropped, err error) {
			return d, scan(&d.id, &d.sink, &d.state, &d.attempts)
		})
	if err != nil {
		return nil, err
	}
	var tried []string
	for _, d := range gone {
		if d.state != stateDelivered && d.state != stateSuperseded && d.state != sink.Discarded {
			t.counted(d.sink).superseded++
		}
		if d.attempts > 0 {
			tried = append(tried, d.id)
		}
	}
	return gone, t.dropAttempts(ctx, tried)
}

// dropAttempts forgets the tries of deliveries that are no more.
func (t *tx) dropAttempts(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `DELETE FROM delivery_attempts WHERE delivery IN list($1)`, list(ids))
	return err
}
