package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The fence: once reign has returned, nothing of an earlier holder is committed,
// whenever it wakes, and no write is any slower for it.
//
// A holder has an epoch, one more than the one before it, and the table ledger_epoch
// names the newest holder. Each connection of its store, and so River's too, begins
// with (1) a shared advisory lock of the epoch, kept for as long as the connection
// lives, and then (2) a question who the newest holder is; a connection whose holder
// that is not is closed before it is used (admit). A new holder (a) writes itself into
// the table and commits, and then (b) ends the sessions that have locks of other
// epochs, until there are none left (expel).
//
// Take any connection of an earlier holder that is ever used. Its question (2) saw the
// table as it was before (a) was committed, or it would have been refused: so (2) was
// asked before (b) began, and (1) before that. Then (b), which comes after (a), finds
// its lock, for pg_locks shows the locks of the moment and has no snapshot. A session
// ends its transaction before it lets go of its locks. So when (b) finds none left,
// each transaction of an earlier holder was committed before, and is seen by all that
// the new holder reads, or is undone; and none can begin.
//
// (a) is done in the session that has the ledger's lock, so that two never do it at
// once: the lock ends with its session, and not before the session's last statement.
// A holder whose session ended takes the lock again only if the table still names it.
// If the server forgets (a), as after a failover to a server that was behind, it has
// forgotten all that the new holder wrote too, and what is fenced is that server's.

// A member of the ledger is kept from writing in the same way, with its number for the
// epoch and its row for the table of epochs. It takes the lock of its number, and then
// makes its row; each connection of its store (1) takes a shared lock of the number and
// then (2) asks whether the row is there. The holder puts out one whose lock nobody has:
// (a) it deletes the row, with that lock in hand, and commits, and then (b) ends the
// sessions that have shared locks of numbers without a row, until there are none left
// (dismiss, expelGuests). Only then it puts back what turns of processes without a row had
// claimed, those that it saw before (b): so a row that goes meanwhile does no harm. The
// holder is fenced itself, and (b) is done again by the next one, should it die.
//
// A member whose session broke takes its lock again only if the row is there still; as
// (a) is done with the lock in hand, it has the one or the holder the other, never both.
// By its own clock a member stops after lockPatience, before the server lets its lock go.

// epochClass is the first key of the locks of epochs; the second is the epoch.
const epochClass = `'pictifyd epoch ' || current_schema()`

const (
	expelLimit = 5 * time.Second // the server ends a session in milliseconds
	expelLook  = 20 * time.Millisecond
)

// reign makes this holder the newest, and ends what the others have open.
func (h *holder) reign(ctx context.Context) error {
	if err := h.makeTable(ctx); err != nil {
		return fmt.Errorf("make the table of epochs: %w", err)
	}
	if err := h.conn.QueryRow(ctx, `UPDATE ledger_epoch SET epoch = epoch + 1, holder = $1, place = $2, since = $3 RETURNING epoch`,
		h.id, place(), millis(time.Now())).Scan(&h.epoch); err != nil {
		return fmt.Errorf("raise the store's epoch: %w", err)
	}
	h.post.badgeClass, h.post.badge = epochClass, h.epoch
	h.post.still, h.post.why = `holder = '`+h.id+`', place FROM ledger_epoch`, superseded
	return h.expel(ctx)
}

// makeTable makes the table of epochs where there is none yet, by the text of its
// migration: migrations are run by connections that have an epoch.
func (h *holder) makeTable(ctx context.Context) error {
	var there bool
	if err := h.conn.QueryRow(ctx, `SELECT to_regclass('ledger_epoch') IS NOT NULL`).Scan(&there); err != nil || there {
		return err
	}
	text, err := fs.ReadFile(migrations, "migrations/00027_epoch.sql")
	if err != nil {
		return err
	}
	_, up, _ := strings.Cut(string(text), "-- +goose Up")
	up, _, _ = strings.Cut(up, "-- +goose Down")
	_, err = h.conn.Exec(ctx, up)
	return err
}

// expel ends the sessions of other epochs, and returns when there are none.
func (h *holder) expel(ctx context.Context) error {
	stayed, err := expel(ctx, h.leftBehind, func(ctx context.Context, pid int64) error {
		_, err := h.conn.Exec(ctx, endSession, pid)
		return err
	})
	if len(stayed) > 0 {
		return staying(stayed, err, h.cfg.User)
	}
	return err
}

const endSession = `SELECT pg_terminate_backend($1)`

// expel ends the sessions that left gives, until there are none. stayed are those that
// do not end, and err is then why they were not asked to, if they were not.
func expel(ctx context.Context, left func(context.Context) ([]int64, error), end func(ctx context.Context, pid int64) error) (stayed []int64, err error) {
	if !cures.Epoch {
		return nil, nil
	}
	deadline := time.Now().Add(expelLimit)
	for {
		pids, err := left(ctx)
		if err != nil || len(pids) == 0 {
			return nil, err
		}
		var refused error
		for _, pid := range pids {
			if err := end(ctx, pid); err != nil {
				refused = err
			}
		}
		if time.Now().After(deadline) {
			return pids, refused
		}
		wait := time.NewTimer(expelLook)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, ctx.Err()
		}
	}
}

// leftBehind are the server's processes that belong to other epochs.
func (h *holder) leftBehind(ctx context.Context) ([]int64, error) {
	rows, err := h.conn.Query(ctx, `SELECT DISTINCT l.pid FROM pg_locks AS l WHERE `+locksOf(epochClass)+` AND l.objid::bigint <> $1`, h.epoch)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// staying says why the ledger cannot be had although its lock can.
func staying(pids []int64, refused error, user string) error {
	var said *pgconn.PgError
	if !errors.As(refused, &said) {
		return problem.New(problem.Surroundings, "sessions of the pictifyd that had this database before do not end (server processes %v)", pids).
			WithSlug(Locked).WithHint("look for them in pg_stat_activity; it is tried again with --standby")
	}
	return problem.New(problem.Surroundings, "this role may not end the sessions of the pictifyd that had this database before (server processes %v): %w", pids, refused).
		WithSlug(Locked).WithHint("let all pictifyds of a database connect as one role, or: GRANT pg_signal_backend TO %s", pgx.Identifier{user}.Sanitize())
}
