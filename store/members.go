package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A Member is a process at work on the ledger.
type Member struct {
	ID      string // random, of one opening
	Place   string // of the process, for people
	Roles   []string
	Version string
	Address string // where its API answers; "" for nowhere
	Slots   int    // turns that it draws at a time
	Since   time.Time
	Holder  bool // it holds the ledger; the others work beside it
}

// Members are the processes at work on the ledger, its holder first, then by when they
// joined. One that died is among them until whoever holds the ledger has noticed.
func (s *Store) Members(ctx context.Context) ([]Member, error) {
	all, err := collect(ctx, s.reader(), `SELECT `+memberColumns+` FROM members ORDER BY number`, nil, scanMember)
	return all, wrap(err, "read who works with the store")
}

const memberColumns = `id, number, place, version, roles, address, slots, since`

func scanMember(scan func(...any) error) (m Member, err error) {
	var number, slots int64
	var roles string
	var since sql.NullInt64
	if err := scan(&m.ID, &number, &m.Place, &m.Version, &roles, &m.Address, &slots, &since); err != nil {
		return m, err
	}
	m.Holder, m.Slots, m.Since = number == 0, int(slots), moment(since)
	return m, decode(roles, &m.Roles)
}

// Holder is the address of whoever holds the ledger, or held it last: "" where it gave
// none, or has ended in peace.
func (s *Store) Holder(ctx context.Context) (address string, err error) {
	err = s.reader().row(ctx, `SELECT m.address FROM ledger_epoch AS e CROSS JOIN members AS m WHERE m.id = e.holder`).Scan(&address)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return address, wrap(err, "read who holds the store")
}

// SetAddress says where the API of this process answers.
func (s *Store) SetAddress(ctx context.Context, address string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE members SET address = $2 WHERE id = $1`, s.self.ID, clean(address))
		return err
	})
	return wrap(err, "note the address of this process")
}

// enroll has the ledger know its holder. One that is still named there has not ended
// in peace.
func (s *Store) enroll(ctx context.Context) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		before, err := collect(ctx, t.reader, `DELETE FROM members WHERE number = 0 RETURNING `+memberColumns, nil, scanMember)
		if err != nil {
			return err
		}
		if s.dialect.postgres {
			t.after = append(t.after, func() { s.noteGone(before) })
		}
		_, err = t.exec(ctx, insertMember, s.self.cells(0)...)
		return err
	})
	return wrap(err, "note who holds the store")
}

// resignLimit is how long the end of a store may take to say that it has ended.
const resignLimit = 2 * time.Second

// resign has the ledger know that nobody holds it. Where that fails its last holder is
// in the table until the next one is.
func (s *Store) resign() {
	ctx, cancel := context.WithTimeout(context.Background(), resignLimit)
	defer cancel()
	_ = s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM members WHERE id = $1`, s.self.ID)
		return err
	})
}

const insertMember = `INSERT INTO members (id, number, place, version, roles, address, slots, since, noted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`

func (m Member) cells(number int64) []any {
	return []any{m.ID, number, m.Place, clean(m.Version), list(m.Roles), clean(m.Address), m.Slots, millis(m.Since)}
}
