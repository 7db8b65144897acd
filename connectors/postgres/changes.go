package postgres

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	polling "github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/pg"
)

// changed is the part of a cursor that a watermark has.
type changed struct {
	Mark   string    `json:"mark"`   // of the last row that was read; empty where no row has one
	From   string    `json:"from"`   // the next reading begins there: the lookback before it
	Window string    `json:"window"` // the digest of the rows from there on
	Head   string    `json:"head"`   // of the columns: with others than these all rows are others
	AllAt  time.Time `json:"all_at"` // when all rows were read last
}

// marks are where one snapshot's readings begin and end.
type marks struct {
	kind *markKind
	from string // of this reading
	changed
}

// mostRecent is how many rows are remembered as they were committed.
const mostRecent = 100_000

// recent is what the rows of the last lookback were when they were committed with a
// cursor, so that of rows that are read again only those are emitted that are not so.
type recent struct {
	cursor connectors.Cursor
	rows   map[rowDigest]bool
}

// follow reads the rows that the watermark says are new, or all where they are due.
func (s *source) follow(ctx context.Context, w *walk, from connectors.Cursor, known bool, last state, emit connectors.Emit) error {
	if !known || last.Changed == nil {
		known, last.Changed = false, &changed{}
	}
	m, err := s.marks(ctx, w, last.Changed.Mark)
	if err != nil {
		return err
	}
	m.AllAt = last.Changed.AllAt
	known = known && last.Changed.Head == m.Head
	due := !known || s.due(m.AllAt)
	if !due && last.Changed.Mark != "" {
		return s.readChanges(ctx, w, from, last, m, emit)
	}
	if due {
		m.AllAt = s.nowFunc()
	}
	return s.readAll(ctx, w, known, last, m, emit)
}

// marks asks the snapshot for the watermark of its last row and for where to begin.
func (s *source) marks(ctx context.Context, w *walk, last string) (m marks, err error) {
	if m.kind, err = s.markOf(w); err != nil {
		return m, err
	}
	back, err := m.kind.lookback(s.cfg.Lookback)
	if err != nil {
		return m, err
	}
	ctx, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	params := [][]byte{nil, []byte(back)}
	if last != "" {
		params[0] = []byte(last)
	}
	result := w.conn.ExecParams(ctx, markSQL(m.kind, w.sql, s.cfg.Watermark), params, nil, nil, nil).Read()
	if result.Err != nil {
		return m, result.Err
	}
	row := result.Rows[0]
	m.from, m.Mark, m.From = string(row[0]), string(row[1]), string(row[2])
	m.Head = w.newSum().text()
	return m, nil
}

// markSQL gives where a reading begins whose cursor has the watermark $1, the watermark of the last row, and
// where the reading after that begins. Each is at most what the clock of the server says: a row that is dated ahead
// must not carry the cursor behind which rows of today are not looked for, and where the clock was set back
// it begins earlier. It is the last row's, not the clock's own: a row that comes late is behind both. So much as
// $2 before it is read again, for rows that others committed late. These are cures of pitfall P12.
func markSQL(k *markKind, statement, watermark string) string {
	column := fmt.Sprintf("max(pictifyd.%s)::%s", pg.Quote(watermark), k.cast)
	clock := ""
	if k.isTime() && cures.WatermarkAhead {
		clock = ", " + k.clock
	}
	if k.isTime() && !cures.WatermarkLast {
		column = k.clock
	}
	less := func(mark string) string {
		if k.isTime() {
			return fmt.Sprintf("(%s - $2::interval)::text", mark)
		}
		text := fmt.Sprintf("%s - $2::numeric", mark)
		if k.lower == "bigint" {
			text = fmt.Sprintf("trunc(GREATEST(%s, -9223372036854775808))::bigint", text)
		}
		return "(" + text + ")::text"
	}
	newest := fmt.Sprintf("LEAST(%s%s)", column, clock)
	from := fmt.Sprintf("LEAST($1::%s, %s%s)", k.cast, column, clock)
	if !cures.WatermarkAhead {
		from = fmt.Sprintf("coalesce($1::%s, %s)", k.cast, column)
	}
	return fmt.Sprintf("SELECT %s, CASE WHEN max(pictifyd.%s) IS NOT NULL THEN (%s)::text END, %s FROM (%s\n) pictifyd",
		less(from), pg.Quote(watermark), newest, less(newest), statement)
}

// before counts the rows that this reading has and the next one will not have.
func (m *marks) before(ctx context.Context, w *walk, watermark string) (int, error) {
	if m.from == m.From || m.Mark == "" {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	column := "pictifyd." + pg.Quote(watermark)
	rows, err := pg.Rows(ctx, w.conn, fmt.Sprintf("SELECT count(*) FROM (%s\n) pictifyd WHERE %s >= $1::%s AND %s < $2::%s",
		w.sql, column, m.kind.lower, column, m.kind.lower), m.from, m.From)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(rows[0][0]))
}

// readChanges emits the rows from m on that are not as they were committed.
func (s *source) readChanges(ctx context.Context, w *walk, from connectors.Cursor, last state, m marks, emit connectors.Emit) error {
	digest, kept, err := w.digest(ctx, w.keyset(m.from, m.kind, s.cfg.Watermark))
	if err != nil {
		return err
	}
	if m.from == last.Changed.From && digest == last.Changed.Window {
		return polling.Unchanged(ctx, emit, nil) // which costs no commit
	}
	skip, err := m.before(ctx, w, s.cfg.Watermark)
	if err != nil {
		return err
	}
	var pages pager
	if kept == nil {
		pages = w.keyset(m.from, m.kind, s.cfg.Watermark)
	}
	rows := w.decoder(ctx, kept, pages)
	tail, next, taken := w.newSum(), recent{rows: map[rowDigest]bool{}}, 0
	known := s.recent.rows
	if !bytes.Equal(s.recent.cursor, from) {
		known = nil
	}
	rows.sawFunc = func(cells [][]byte, digest rowDigest) bool {
		if skip--; skip < 0 {
			tail.add(cells)
			next.note(digest)
		}
		if known[digest] {
			return false
		}
		taken++
		return true
	}
	reading := polling.NewReading(w.key, emit).OfChanges()
	if err := reading.Copy(ctx, rows); err != nil {
		return err
	}
	m.Window = tail.text()
	if next.cursor, err = s.binding.Seal(state{Digest: last.Digest, Changed: &m.changed}); err != nil {
		return err
	}
	if taken == 0 { // rows went, or were left behind by the lookback
		err = polling.Unchanged(ctx, emit, next.cursor)
	} else {
		err = reading.Close(ctx, connectors.Closing{Reason: connectors.OfChanges, Cursor: next.cursor})
	}
	if err == nil {
		s.recent = next
	}
	return err
}

// note remembers a row; where there are too many, none are.
func (r *recent) note(digest rowDigest) {
	switch {
	case r.rows == nil:
	case len(r.rows) == mostRecent:
		r.rows = nil
	default:
		r.rows[digest] = true
	}
}

// readAll compares all rows, as compare does, and begins anew from the last of them.
func (s *source) readAll(ctx context.Context, w *walk, known bool, last state, m marks, emit connectors.Emit) error {
	var kept []*page
	all := ""
	if known {
		f, err := w.open(ctx)
		if err != nil {
			return err
		}
		if all, kept, err = w.digest(ctx, f); err != nil {
			return err
		}
	}
	var next recent
	var err error
	if m.Window, next.rows, err = s.window(ctx, w, m); err != nil {
		return err
	}
	seal := func(digest string) error {
		next.cursor, err = s.binding.Seal(state{Digest: digest, Changed: &m.changed})
		return err
	}
	if known && all == last.Digest {
		if m.changed == *last.Changed {
			return polling.Unchanged(ctx, emit, nil) // which costs no commit
		}
		if err := seal(all); err != nil {
			return err
		}
		if err := polling.Unchanged(ctx, emit, next.cursor); err != nil {
			return err
		}
		s.recent = next
		return nil
	}
	rows, err := w.rows(ctx, kept)
	if err != nil {
		return err
	}
	without := 0
	at := w.at(s.cfg.Watermark)
	rows.sawFunc = func(cells [][]byte, _ rowDigest) bool {
		if cells[at] == nil {
			without++
		}
		return true
	}
	reading := polling.NewReading(w.key, emit)
	if err := reading.Copy(ctx, rows); err != nil {
		return err
	}
	if err := seal(rows.sum.text()); err != nil {
		return err
	}
	if err := reading.Close(ctx, connectors.Closing{Complete: true, Cursor: next.cursor}); err != nil {
		return err
	}
	s.recent = next
	s.noteWithout(without)
	return nil
}

// window is the digest of the rows that the next reading begins with, and they themselves.
func (s *source) window(ctx context.Context, w *walk, m marks) (digest string, rows map[rowDigest]bool, err error) {
	sum, r := w.newSum(), recent{rows: map[rowDigest]bool{}}
	if m.Mark == "" {
		return sum.text(), r.rows, nil
	}
	k, p := w.keyset(m.From, m.kind, s.cfg.Watermark), &page{}
	var cells [][]byte
	for {
		if err := k.next(ctx, p); err != nil {
			return "", nil, err
		}
		if p.len() == 0 {
			return sum.text(), r.rows, nil
		}
		for i := range p.len() {
			cells = p.cells(i, cells)
			r.note(sum.add(cells))
		}
	}
}

// noteWithout logs how many rows the watermark says nothing of, where that has changed.
func (s *source) noteWithout(rows int) {
	if (rows > 0) != (s.unknown > 0) {
		if rows > 0 {
			s.log.Warn("rows have no watermark: their changes are found only when all rows are compared",
				slog.String("watermark", s.cfg.Watermark), slog.Int("rows", rows))
		} else {
			s.log.Info("all rows have a watermark", slog.String("watermark", s.cfg.Watermark))
		}
	}
	s.unknown = rows
}
