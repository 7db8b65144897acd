package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// How long a statement waits for somebody's lock, in milliseconds. The first wait
// is shorter than what PostgreSQL waits before it looks for a deadlock, so that
// it is never somebody else's transaction that is ended for ours. When rows are
// told apart, nothing is waited for again.
const (
	patience = 500
	hurry    = 1
)

// write makes the changes of a part and says of each how it ended.
func (t *table) write(ctx context.Context, part []*change) {
	err := t.line.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
		fresh, err := t.learn(ctx, conn)
		if err != nil {
			return err
		}
		err = t.apply(ctx, conn, part, patience)
		if err == nil || pg.BlameOf(err) != pg.Setup || fresh {
			return err
		}
		// The table is not as it was looked at: made anew, or with other types.
		t.forget()
		if _, err := t.learn(ctx, conn); err != nil {
			return err
		}
		return t.apply(ctx, conn, open(part), patience)
	})
	if err == nil {
		return
	}
	if pg.BlameOf(err) == pg.Setup {
		t.forget()
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = problem.New(problem.Timeout, "PostgreSQL did not answer within %s", t.limit).WithHint("see whether the server is overloaded, or raise timeout")
	}
	for _, c := range open(part) {
		c.end("", fmt.Errorf("write to table %s: %w", t.name, err))
	}
}

// open are the changes of which it is not said yet how they ended.
func open(part []*change) (left []*change) {
	for _, c := range part {
		if !c.ended {
			left = append(left, c)
		}
	}
	return left
}

func (c *change) end(ref string, err error) {
	c.ended, c.outcome.Ref, c.outcome.Err = true, ref, err
}

// learn looks at the table unless that was done; fresh says that it was not.
func (t *table) learn(ctx context.Context, conn *pgconn.PgConn) (fresh bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known != nil {
		return false, nil
	}
	t.known, _, err = t.look(ctx, conn)
	return true, err
}

func (t *table) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known = nil
}

func (t *table) shape() *shape {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known
}

// apply makes changes in one transaction. Where one of them is at fault, or its row
// is locked, it is found by halves, so that the others are made all the same. An
// error is that of the table or the server, and of all that are open.
func (t *table) apply(ctx context.Context, conn *pgconn.PgConn, part []*change, wait int) error {
	err := t.once(ctx, conn, part, wait)
	if err != nil && pg.BlameOf(err) == pg.Clash {
		err = t.once(ctx, conn, part, wait)
	}
	if err == nil {
		return nil
	}
	blame := pg.BlameOf(err)
	if blame != pg.Row && blame != pg.Locked {
		return err
	}
	if len(part) > 1 {
		half := len(part) / 2
		if err := t.apply(ctx, conn, part[:half], hurry); err != nil {
			return err
		}
		return t.apply(ctx, conn, part[half:], hurry)
	}
	c := part[0]
	said := t.line.Explain(ctx, err)
	if blame == pg.Row {
		var p *problem.Error
		if errors.As(said, &p) {
			p.Code, p.Slug = problem.Invalid, RowRefused
		}
		said = retry.Permanent(said)
	}
	c.end("", fmt.Errorf("write %s: %w", t.place(c), said))
	return nil
}

// once makes changes in one transaction and one round trip, all of them or none.
func (t *table) once(ctx context.Context, conn *pgconn.PgConn, part []*change, wait int) error {
	var batch pgconn.Batch
	batch.ExecParams("BEGIN", nil, nil, nil, nil)
	batch.ExecParams(fmt.Sprintf(`SELECT set_config('lock_timeout', '%d', true), set_config('statement_timeout', '%d', true), set_config('client_encoding', 'UTF8', true)`,
		wait, max(t.limit.Milliseconds(), 1)), nil, nil, nil, nil)
	batch.ExecParams(t.shape().statement(part), arguments(part), nil, nil, nil)
	batch.ExecParams("COMMIT", nil, nil, nil, nil)
	results, err := conn.ExecBatch(ctx, &batch).ReadAll()
	if err != nil {
		if !conn.IsClosed() && conn.TxStatus() != 'I' {
			if _, failed := conn.Exec(ctx, "ROLLBACK").ReadAll(); failed != nil {
				return failed
			}
		}
		return err
	}
	for _, row := range results[2].Rows {
		n, err := strconv.Atoi(string(row[0]))
		if err != nil || n < 1 || n > len(part) {
			return fmt.Errorf("the server counts %q of %d rows", row[0], len(part))
		}
		t.judge(part[n-1], row[1:])
	}
	return nil
}

// judge ends a change by what its statement told: found, same, newer, written.
func (t *table) judge(c *change, told [][]byte) {
	is := func(i int) bool { return string(told[i]) == "t" }
	place := t.place(c)
	found := string(told[0])
	switch {
	case found == "0" && c.removes:
		c.end(place+": no such row", nil)
	case found == "0":
		c.end("", retry.Permanent(problem.New(problem.NotFound, "no row is %s", place).WithSlug(TargetMissing).
			WithHint("add the row and replay the delivery, or set insert: true")))
	case found != "1":
		c.end("", retry.Permanent(problem.New(problem.Conflict, "%s rows are %s, and none was written", found, place).WithSlug(TargetAmbiguous).
			WithHint("name all columns in key that identify a row")))
	case is(3):
		c.end(place, nil)
	case is(2):
		c.end(place+": has a newer state", nil)
	case is(1):
		c.end(place+": was so already", nil)
	default:
		c.end("", problem.New(problem.Conflict, "%s was changed by somebody else at the same moment, or a trigger refuses the change without a word", place).WithSlug(RowChanging))
	}
}

// place is the row of a change for a person: "shop.products sku=A".
func (t *table) place(c *change) string {
	var b strings.Builder
	b.WriteString(t.name.String())
	for i, k := range t.key {
		fmt.Fprintf(&b, " %s=%.100s", k.column, *c.key[i])
	}
	return b.String()
}
