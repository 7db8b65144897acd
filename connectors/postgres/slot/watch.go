package slot

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of what Watch warns of.
const (
	RetainedMuch = "wal_retained"
	Endangered   = "slot_endangered"
	Lost         = "slot_lost"
)

// A State is how a slot stands at its server.
type State struct {
	Retained    int64  // bytes of WAL that the server keeps for it
	Unconfirmed int64  // bytes behind what was confirmed: of those something may still be told
	WALStatus   string // reserved, extended, unreserved, lost; "" is not known
	Safe        int64  // bytes that may still be written before it may be lost; negative is without a limit
	ActivePID   int    // who reads it; 0 is nobody
	// Warning is what a person should look after, with what is to be done as its
	// hint; nil where all is well.
	Warning error
	// Dropped says that the slot was dropped, because more was kept than may be.
	Dropped bool
	// Err is why the server could not be asked; then nothing else is known.
	Err error
}

// Watch asks for the slot at once and then every interval, and tells what it
// found, until ctx ends; then it returns nil. Where a configuration says so it drops
// the slot, tells of it, and returns nil: the stream then ends by itself, and the
// next Prepare finds the gap.
func (k *Keeper) Watch(ctx context.Context, interval time.Duration, tell func(State)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		s := k.state(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if s.Err == nil && s.Retained > k.cfg.MaxRetained && k.cfg.OnRetained == RetainedDrop && k.cfg.Slot == "" {
			s = k.giveUp(ctx, s)
		}
		tell(s)
		if s.Dropped {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

const stateSQL = `
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), confirmed_flush_lsn)::bigint,
  wal_status, safe_wal_size, active_pid FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`

// state asks the server how the slot stands. It does so over a connection that does
// not replicate: a stream that hangs says nothing.
func (k *Keeper) state(ctx context.Context) (s State) {
	var rows [][][]byte
	s.Err = k.ask(ctx, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		rows, err = pg.Rows(ctx, conn, stateSQL, k.Slot())
		return err
	})
	switch {
	case s.Err != nil:
		return s
	case len(rows) == 0:
		s.Warning = problem.New(problem.Upstream, "the slot %s is gone", k.Slot()).WithSlug(Lost).WithHint("somebody dropped it; what is done then, on_gap says")
		return s
	}
	r := row(rows[0])
	s = State{Retained: int64(r.int(0)), Unconfirmed: int64(r.int(1)), WALStatus: r.text(2), Safe: -1, ActivePID: r.int(4)}
	if r[3] != nil {
		s.Safe = int64(r.int(3))
	}
	s.Warning = k.warning(ctx, s)
	return s
}

// warning is what a person should look after.
func (k *Keeper) warning(ctx context.Context, s State) error {
	switch {
	case s.WALStatus == "lost":
		return problem.New(problem.Upstream, "the slot %s is lost: the server has removed WAL that it needed", k.Slot()).WithSlug(Lost).
			WithHint("raise max_slot_wal_keep_size, so that it outlasts what happened; what is done now, on_gap says")
	case s.WALStatus == "unreserved":
		return problem.New(problem.Upstream, "the slot %s is about to be lost: it needs more WAL than max_slot_wal_keep_size allows", k.Slot()).WithSlug(Endangered).
			WithHint("%s", k.relief(ctx, s))
	case s.Retained > k.cfg.MaxRetained:
		return problem.New(problem.Upstream, "the server keeps %s of WAL for the slot %s, more than max_retained_wal (%s)", size(s.Retained), k.Slot(), size(k.cfg.MaxRetained)).
			WithSlug(RetainedMuch).WithHint("%s", k.relief(ctx, s))
	case s.Retained > k.cfg.MaxRetained/2:
		return problem.New(problem.Upstream, "the server keeps %s of WAL for the slot %s, more than half of max_retained_wal (%s)", size(s.Retained), k.Slot(), size(k.cfg.MaxRetained)).
			WithSlug(RetainedMuch).WithHint("%s", k.relief(ctx, s))
	}
	return nil
}

// relief says what makes the server keep so much, and what helps.
func (k *Keeper) relief(ctx context.Context, s State) string {
	drop := fmt.Sprintf("before the disk is full, give the slot up: SELECT pg_drop_replication_slot(%s); all rows are read again then", pg.Literal(k.Slot()))
	switch {
	case s.ActivePID == 0:
		return "nobody reads it: let pictifyd run and reach the server; " + drop
	case s.Unconfirmed < s.Retained/2:
		return "a transaction is open that began before it all" + k.oldestOpen(ctx) + "; end it"
	}
	return "changes come faster than they are taken in, or none are: see how the source fares; " + drop
}

// giveUp drops the slot, so that the user's disk survives.
func (k *Keeper) giveUp(ctx context.Context, s State) State {
	why := fmt.Sprintf("the slot %s was dropped, as on_retained says: the server kept %s of WAL for it, more than max_retained_wal (%s)", k.Slot(), size(s.Retained), size(k.cfg.MaxRetained))
	k.setDropped(why)
	if err := k.dropSlot(ctx, k.Slot()); err != nil {
		k.setDropped("")
		s.Warning = err
		return s
	}
	s.Dropped = true
	s.Warning = problem.New(problem.Upstream, "%s", why).WithSlug(Lost).WithHint("what is done now, on_gap says")
	return s
}

// size is a number of bytes for a person.
func size(bytes int64) string {
	units := []string{"B", "KB", "MB", "GB", "TB"}
	n, unit := float64(bytes), 0
	for ; n >= 1024 && unit < len(units)-1; unit++ {
		n /= 1024
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", n, units[unit])
}
