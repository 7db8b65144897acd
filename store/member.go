package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A member works beside the holder of a ledger. It joins with a row in the table of
// members and the lock of its number, and gives signs of life as the holder does. See
// fence.go for how one that gives none is kept from writing.
type member struct {
	*session
	self   Member
	number int64
}

func newMember(cfg *pgx.ConnConfig, log *slog.Logger, self Member) *member {
	m := &member{session: newSession(cfg, log), self: self}
	m.id = self.ID
	return m
}

// The first keys of the locks of a member and of its connections; the second of both is
// its number.
const (
	memberClass = `'pictifyd member ' || current_schema()`
	guestClass  = `'pictifyd member session ' || current_schema()`
)

// Behind is the slug of a ledger whose tables are older than a member needs, or that
// has none.
const Behind = "store_behind"

// take joins. While the ledger has not the tables that a member needs, or the server
// does not answer, that is a problem, and take may be called again.
func (m *member) take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, takeLimit)
	defer cancel()
	sent := time.Now()
	if err := m.enter(ctx); err != nil {
		m.drop()
		return err
	}
	m.begin(ctx, sent)
	return nil
}

// enter takes the lock of a new number, and then makes the row: so that nobody sees a
// row without its lock while its member lives.
func (m *member) enter(ctx context.Context) error {
	if err := m.connected(ctx); err != nil {
		return err
	}
	if err := m.migrated(ctx); err != nil {
		return err
	}
	if err := m.conn.QueryRow(ctx, `UPDATE ledger_revisions SET number = number + 1 WHERE name = 'members' RETURNING number`).Scan(&m.number); err != nil {
		return away(err)
	}
	m.post = post{
		class: memberClass, object: fmt.Sprint(m.number), badgeClass: guestClass, badge: m.number,
		still: fmt.Sprintf(`EXISTS (SELECT FROM members WHERE number = %d AND id = '%s'), ''`, m.number, m.id), why: putOut,
	}
	got, err := m.try(ctx)
	if err == nil && !got {
		err = fmt.Errorf("join the store: somebody has the lock of member %d", m.number)
	}
	if err != nil {
		return err
	}
	_, err = m.conn.Exec(ctx, insertMember, m.self.cells(m.number)...)
	return away(err)
}

// migrated refuses a ledger that has not all tables and columns that this version
// needs. One that has more is as good: see migrate.go.
func (m *member) migrated(ctx context.Context) error {
	needs, err := newestMigration()
	if err != nil {
		return err
	}
	var there bool
	var have int64
	if err = m.conn.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there); err == nil && there {
		err = m.conn.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&have)
	}
	switch {
	case err != nil:
		return away(err)
	case have == 0:
		return problem.New(problem.Surroundings, "no pictifyd has made the tables of this store yet").WithSlug(Behind).
			WithHint("start one with the role connect; members wait for it")
	case have < needs:
		return problem.New(problem.Surroundings, "the store has the tables of an older version of pictifyd (%d, this one needs %d)", have, needs).WithSlug(Behind).
			WithHint("start a pictifyd of this version with the role connect: it brings the store to it; members wait for that")
	}
	return nil
}

// putOut is how a member's place is lost.
func putOut(string) error {
	return lost("it gave no sign of life, or left; what it had begun is put back for others, and nothing of it is committed any more")
}

// release ends the membership: nobody waits for this one's signs of life.
func (m *member) release() error {
	return m.leave(fmt.Sprintf(`DELETE FROM members WHERE number = %d`, m.number))
}
