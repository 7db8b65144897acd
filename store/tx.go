package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A reader asks questions.
type reader struct {
	db interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
	dialect *dialect
}

func (r reader) row(ctx context.Context, query string, args ...any) *sql.Row {
	return r.db.QueryRowContext(ctx, r.dialect.text(query), args...)
}

// each calls f for each row of the answer. f scans.
func (r reader) each(ctx context.Context, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := r.db.QueryContext(ctx, r.dialect.text(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// collect gathers what f makes of each row.
func collect[T any](ctx context.Context, r reader, query string, args []any, f func(scan func(...any) error) (T, error)) ([]T, error) {
	var all []T
	err := r.each(ctx, query, args, func(scan func(...any) error) error {
		v, err := f(scan)
		if err == nil {
			all = append(all, v)
		}
		return err
	})
	return all, err
}

// text1 is the f of collect for answers of one text column.
func text1(scan func(...any) error) (s string, err error) { return s, scan(&s) }

// reader is what views ask: the last commit.
func (s *Store) reader() reader { return reader{s.read, s.dialect} }

// A tx is the transaction of one change.
type tx struct {
	reader
	raw   *sql.Tx
	store *Store
	now   time.Time

	places      int             // of the rows whose renders were added
	wantRenders bool            // renders were added that wait
	wantSinks   map[string]bool // deliveries were added that wait
	hearing     *routes         // who hears of events; nil: nobody asked yet
	stirred     map[string]bool // bindings of which something changed
	stopping    map[string]bool // jobs that this change stopped
	recounts    map[string]*recount
	ring        []string  // queues that got turns
	endedTurn   string    // the queue of the turn that it ends; "" for none
	raised      bool      // others have to look anew at something
	renewed     []Renewed // where somebody asks
	after       []func()  // to be called when committed
}

func (s *Store) newTx(raw *sql.Tx) *tx {
	return &tx{reader: reader{raw, s.dialect}, raw: raw, store: s, now: time.Now(), wantSinks: map[string]bool{}, stopping: map[string]bool{}, stirred: map[string]bool{}}
}

func (t *tx) exec(ctx context.Context, query string, args ...any) (affected int64, err error) {
	result, err := t.raw.ExecContext(ctx, t.dialect.text(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// millis is the moment as the tables have it.
func millis(t time.Time) int64 { return t.UnixMilli() }

// moment is the time of a column that may be NULL.
func moment(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// clean is s as both databases keep it: Postgres takes neither NUL nor bytes
// that are not UTF-8.
func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// list is the argument of list($n).
func list(texts []string) string {
	cleaned := make([]string, len(texts))
	for i, s := range texts {
		cleaned[i] = clean(s)
	}
	return encode(cleaned)
}

// table is the argument of rows($n).
func table(rows [][]any) string {
	for _, row := range rows {
		for i, cell := range row {
			if s, ok := cell.(string); ok {
				row[i] = clean(s)
			}
		}
	}
	return encode(rows)
}

// encode is v as JSON without the escapes that only HTML needs.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("encode %T for the store: %v", v, err)) // only types of our own reach this
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// decode reads what encode wrote; "" leaves v as it is.
func decode(text string, v any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), v)
}

// pages cuts all into pieces of at most size.
func pages[T any](all []T, size int, f func(page []T) error) error {
	for len(all) > 0 {
		n := min(size, len(all))
		if err := f(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// pageSize is how many rows one statement takes.
const pageSize = 500
