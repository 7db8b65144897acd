package store

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
)

// A CommitResult counts what a plan did.
type CommitResult struct {
	Rows     int // written
	Promoted int // items with a new wanted state
	Held     int // proposals that the guard holds
}

// Commit takes one batch of a reading: its rows, its proposals and, at its end,
// the judgement over the whole of it with the cursor. All of it or nothing is
// durable.
func (s *Store) Commit(ctx context.Context, p bindings.Plan) (CommitResult, error) {
	var result CommitResult
	if p.Closes == nil && len(p.Rows)+len(p.Proposals)+len(p.Quarantined)+len(p.Reads) == 0 {
		return result, nil // most batches of a source that hardly changes
	}
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		result = CommitResult{}
		p, err := t.withoutForgotten(ctx, p)
		if err != nil {
			return err
		}
		if err := t.takeMessages(ctx, p.Source, p.Messages); err != nil {
			return err
		}
		if len(p.Rows)+len(p.Reads) > 0 {
			if err := t.lockRows(ctx, p.Source, p.Reads); err != nil {
				return err
			}
		}
		before, err := t.rowsBefore(ctx, p)
		if err != nil {
			return err
		}
		stored, stale, err := t.storeRows(ctx, p.Source, p.Rows)
		if err != nil {
			return err
		}
		if err := t.notePast(ctx, p, before, stale); err != nil {
			return err
		}
		if err := t.followRows(ctx, p, stale); err != nil {
			return err
		}
		result.Rows = stored
		if err := t.noteChanged(ctx, p.Source, stored); err != nil {
			return err
		}
		if err := t.quarantine(ctx, p); err != nil {
			return err
		}
		// A row that lost against a newer one has no say in its images.
		proposals := slices.DeleteFunc(slices.Clone(p.Proposals), func(q bindings.Proposal) bool { return stale[q.Key] })
		if result.Promoted, err = t.propose(ctx, p, proposals); err != nil {
			return err
		}
		if p.Closes == nil {
			return t.leaveOpen(ctx, p)
		}
		if err := t.announceWith(ctx, p, stored > 0); err != nil {
			return err
		}
		err = t.closeReading(ctx, p, &result)
		s.crash("closing.tx")
		return err
	})
	if err == nil {
		s.crash("plan.committed")
	}
	return result, wrap(err, "commit reading %s", p.Reading)
}

// leaveOpen notes that the reading wrote something and has not closed. If it
// dies, the stored rows are of no state that the source ever had: the next
// reading must not start from a cursor that speaks of another one.
func (t *tx) leaveOpen(ctx context.Context, p bindings.Plan) error {
	_, err := t.exec(ctx, `INSERT INTO sources (name, unclosed) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET unclosed = excluded.unclosed WHERE sources.unclosed <> excluded.unclosed`, p.Source, p.Reading)
	return err
}

func (t *tx) quarantine(ctx context.Context, p bindings.Plan) error {
	var rows [][]any
	for _, q := range p.Quarantined {
		rows = append(rows, []any{q.Key, q.Position, q.Reason, q.Detail, base64.StdEncoding.EncodeToString(q.Raw)})
	}
	return pages(rows, pageSize, func(page [][]any) error {
		_, err := t.exec(ctx, `INSERT INTO quarantine (source, reading, key, position, reason, detail, raw)
			SELECT CAST($2 AS TEXT), CAST($3 AS TEXT), e.value->>0, e.value->>1, e.value->>2, e.value->>3, e.value->>4 FROM rows($1) AS e`,
			table(page), p.Source, p.Reading)
		return err
	})
}

// propose promotes the proposals of bindings that are promoted at once and
// notes the others on their items, until the reading closes.
func (t *tx) propose(ctx context.Context, p bindings.Plan, proposals []bindings.Proposal) (promoted int, err error) {
	var now, later []bindings.Proposal
	names := map[string]bool{}
	for _, q := range proposals {
		name := q.Owner.Binding()
		names[name] = true
		if p.Promote[name] {
			now = append(now, q)
		} else {
			later = append(later, q)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if err := t.registerBinding(ctx, name, p.Source); err != nil {
			return 0, err
		}
	}
	if err := t.note(ctx, p.Reading, latestOfEach(later)); err != nil {
		return 0, err
	}
	return t.promote(ctx, now)
}

// A noted is the part of a proposal that has no column of its own.
type noted struct {
	Wants    []bindings.Want   `json:"wants,omitempty"`
	Problem  *bindings.Problem `json:"problem,omitempty"`
	Remove   bool              `json:"remove,omitempty"`
	Priority int               `json:"priority"`

	Assigned *bindings.Assigned `json:"assigned,omitempty"`
}

func notedOf(p bindings.Proposal) noted {
	n := noted{Wants: p.Wants, Problem: p.Problem, Remove: p.Remove, Priority: p.Priority}
	if p.Assigned.Is() {
		n.Assigned = &p.Assigned
	}
	return n
}

// note writes proposals on their items. One that wants what is wanted already
// ends the open one instead; removals of what is not there are nothing.
func (t *tx) note(ctx context.Context, reading string, proposals []bindings.Proposal) error {
	return pages(proposals, pageSize, func(page []bindings.Proposal) error {
		var rows [][]any
		for _, p := range page {
			rows = append(rows, idOf(p).cells(p.Digest, encode(notedOf(p)),
				flag(p.Remove), flag(len(p.Wants) == 0 && p.Problem == nil && !p.Remove)))
		}
		text := table(rows)
		if _, err := t.exec(ctx, `INSERT INTO items (owner, idx, key, generation, proposed_digest, proposed_in, proposed)
			SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2, 0, e.value->>3, CAST($2 AS TEXT), e.value->>4 FROM rows($1) AS e
			WHERE CAST(e.value->>6 AS BIGINT) = 0 AND (CAST(e.value->>5 AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM items AS i
				WHERE i.owner = e.value->>0 AND i.idx = CAST(e.value->>1 AS BIGINT) AND i.key = e.value->>2 AND i.state <> 'removed'))
			ON CONFLICT (owner, idx, key) DO UPDATE SET proposed_digest = excluded.proposed_digest,
				proposed_in = excluded.proposed_in, proposed = excluded.proposed
			WHERE items.digest <> excluded.proposed_digest OR items.state = 'removed' OR items.generation = 0`, text, reading); err != nil {
			return err
		}
		return t.forgetSame(ctx, text)
	})
}

// forgetSame ends the open proposals of items that are wanted as they were
// proposed now, and of those that were proposed to go before they came.
func (t *tx) forgetSame(ctx context.Context, proposals string) error {
	if _, err := t.exec(ctx, `UPDATE items SET proposed_digest = '', proposed_in = '', proposed = '' FROM rows($1) AS e
		WHERE items.owner = e.value->>0 AND items.idx = CAST(e.value->>1 AS BIGINT) AND items.key = e.value->>2 AND proposed_digest <> ''
			AND ((generation > 0 AND state <> 'removed' AND digest = e.value->>3)
				OR (CAST(e.value->>5 AS BIGINT) = 1 AND (generation = 0 OR state = 'removed')))`, proposals); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM items WHERE generation = 0 AND proposed_digest = '' AND (owner, idx, key) IN
		(SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2 FROM rows($1) AS e)`, proposals)
	return err
}

// promoteNoted promotes the open proposals of a binding; of one reading, or,
// with reading "", of all that were judged.
func (t *tx) promoteNoted(ctx context.Context, binding, reading string) (promoted int, err error) {
	for {
		page, err := t.noted(ctx, binding, reading)
		if err != nil || len(page) == 0 {
			return promoted, err
		}
		n, err := t.promote(ctx, page)
		if err != nil {
			return promoted, err
		}
		promoted += n
	}
}

// noted is a page of open proposals. Promoting a proposal ends it, so that the
// next page is another.
func (t *tx) noted(ctx context.Context, binding, reading string) ([]bindings.Proposal, error) {
	return collect(ctx, t.reader, `SELECT owner, idx, key, proposed_digest, proposed FROM items
		WHERE owner = $1 AND proposed_digest <> '' AND (proposed_in = $2 OR ($2 = '' AND NOT EXISTS (SELECT 1 FROM bindings AS b
			LEFT JOIN sources AS s ON s.name = b.source WHERE b.name = $4
				AND (s.unclosed = items.proposed_in OR b.name || '~' || CAST(b.lookups AS TEXT) = items.proposed_in)))) LIMIT $3`,
		[]any{string(bindings.BindingOwner(binding)), reading, pageSize, binding},
		func(scan func(...any) error) (p bindings.Proposal, err error) {
			var text string
			if err := scan(&p.Owner, &p.Index, &p.Key, &p.Digest, &text); err != nil {
				return p, err
			}
			var n noted
			err = decode(text, &n)
			p.Wants, p.Problem, p.Remove, p.Priority = n.Wants, n.Problem, n.Remove, n.Priority
			if n.Assigned != nil {
				p.Assigned = *n.Assigned
			}
			return p, err
		})
}
