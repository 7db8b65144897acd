package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A holder holds an advisory lock in a session of its own: one daemon per database
// and schema. See fence.go for how those before it are kept from writing.
type holder struct {
	*session
	epoch int64 // set by reign
}

func newHolder(cfg *pgx.ConnConfig, log *slog.Logger, id string) *holder {
	h := &holder{session: newSession(cfg, log)}
	h.id = id
	h.post = post{class: ledgerClass, object: `hashtext(current_schema())`}
	return h
}

// ledgerClass is the first key of the lock of the ledger; the second is its schema.
const ledgerClass = `'pictifyd'`

// take takes the lock and the ledger with it. Where another process has it, or the
// server does not answer, that is a problem, and take may be called again.
func (h *holder) take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, takeLimit)
	defer cancel()
	sent := time.Now()
	got, err := h.try(ctx)
	if err != nil {
		h.drop()
		return err
	}
	if !got {
		return h.taken(ctx)
	}
	if err := h.reign(ctx); err != nil {
		h.drop()
		return err
	}
	h.begin(ctx, sent)
	return nil
}

// taken says who has the lock.
func (h *holder) taken(ctx context.Context) error {
	var known []string
	var where string
	if h.conn.QueryRow(ctx, `SELECT place FROM ledger_epoch`).Scan(&where) == nil && where != "" { // not of a version before it
		known = append(known, where)
	}
	if pid, _, ok := h.keeper(ctx); ok {
		known = append(known, fmt.Sprintf("server process %d", pid))
	}
	if len(known) == 0 {
		known = []string{"unknown"}
	}
	return problem.New(problem.Surroundings, "another pictifyd (%s) works with this database", strings.Join(known, ", ")).
		WithSlug(Locked).WithHint("stop it first, give this one a database or a schema of its own, or let it wait for its turn: pictifyd run --standby")
}

// superseded is how the ledger is lost to a process that took it since.
func superseded(where string) error {
	whom := "another pictifyd"
	if where != "" {
		whom += " (" + where + ")"
	}
	return lost("%s has taken over this database, and nothing of this one is committed any more", whom)
}
