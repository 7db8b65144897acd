package sheets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/a1"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// maxQueue is the longest wait for the quota with which a reading begins. Sources of
// other kinds may stand behind it in the line.
const maxQueue = 10 * time.Second

// readings is how often a sheet is read that changes while it is read.
const readings = 3

// state is what the cursor holds.
type state struct {
	Digest   string    `json:"digest"`
	Modified string    `json:"modified,omitempty"` // by Drive, before the reading
	Full     time.Time `json:"full,omitzero"`      // when the values were read last, where Drive is asked
}

type source struct {
	cfg     *Config
	log     *slog.Logger
	address address
	ranges  []a1.Range
	binding poll.Binding
	client  *client
	desk    *desk
	leave   func()

	mu      sync.Mutex
	layout  *layout
	formats map[int]*formats // by the range that they are of
	last    map[int]int      // the last row with a value, as it was read last
	noDrive bool             // Drive was asked in vain, and the log says so
}

var _ connectors.Poller = (*source)(nil)

func newSource(cfg *Config, env connectors.Env) (*source, error) {
	s, err := newReader(cfg, env, false)
	if err != nil {
		return nil, err
	}
	s.desk, s.leave = openDesk(strings.Join([]string{s.client.budget.users, s.client.budget.projects, s.address.id}, "\n"))
	return s, nil
}

// newReader is a source without a place at a desk; writes says that its client writes, too.
func newReader(cfg *Config, env connectors.Env, writes bool) (*source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &source{cfg: cfg, log: env.Log, formats: map[int]*formats{}, last: map[int]int{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.address, _ = parseAddress(cfg.Spreadsheet) // Validate has read it
	for _, text := range cfg.Range {
		r, err := a1.Parse(text)
		if err != nil {
			return nil, err
		}
		s.ranges = append(s.ranges, r)
	}
	if len(s.ranges) == 0 {
		s.ranges = []a1.Range{{}}
	}
	var err error
	s.binding, err = poll.Bind(s.address.id, s.address.gid, cfg.Range, cfg.HeaderRow, cfg.Values, cfg.Dates, cfg.Errors, cfg.Endpoint, cfg.Key)
	if err != nil {
		return nil, err
	}
	if s.client, err = newClient(cfg, env, s.address.id, writes); err != nil {
		return nil, err
	}
	return s, nil
}

// Close gives back the source's place among those that share its credential.
func (s *source) Close() error {
	s.leave()
	s.client.close()
	return nil
}

// Poll implements connectors.Poller.
func (s *source) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.busy(); err != nil {
		return s.name(ctx, err)
	}
	var last state
	known := s.binding.Open(from, &last)
	modified := s.modified(ctx)
	if known && modified != "" && modified == last.Modified && time.Since(last.Full) < s.cfg.FullEvery.Std() {
		return poll.Unchanged(ctx, emit, nil)
	}
	tables, err := s.read(ctx)
	moved := errors.Is(err, errMoved)
	if err != nil && !moved {
		return s.name(ctx, err)
	}
	if moved {
		return s.emit(ctx, tables, emit, connectors.Closing{Reason: errMoved.Error()})
	}
	next := state{Digest: digestOf(tables)}
	if s.cfg.Drive {
		next.Modified, next.Full = modified, time.Now()
	}
	if known && next == last {
		return poll.Unchanged(ctx, emit, nil) // which costs no commit
	}
	cursor, err := s.binding.Seal(next)
	if err != nil {
		return err
	}
	if known && next.Digest == last.Digest {
		return poll.Unchanged(ctx, emit, cursor)
	}
	return s.emit(ctx, tables, emit, connectors.Closing{Complete: true, Cursor: cursor})
}

// busy says that the quota is used up for so long that nothing should begin now.
func (s *source) busy() error {
	wait := s.client.budget.wait(time.Now())
	if wait <= maxQueue {
		return nil
	}
	return retry.After(problem.New(problem.Overloaded, "the quota of these credentials is used up by other sheets").WithSlug("quota").
		WithHint("read them less often (every), or with several service accounts"), wait)
}

func (s *source) emit(ctx context.Context, tables []*rowsOf, emit connectors.Emit, end connectors.Closing) error {
	reading := poll.NewReading(s.cfg.Key, emit)
	for _, t := range tables {
		if err := reading.Copy(ctx, t); err != nil {
			return s.name(ctx, err)
		}
	}
	return reading.Close(ctx, end)
}

// modified is Drive's word, or "" where it is not asked or does not say.
func (s *source) modified(ctx context.Context) string {
	if !s.cfg.Drive {
		return ""
	}
	modified, err := s.client.modified(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !s.noDrive && ctx.Err() == nil {
		s.log.Warn("Drive does not say when the sheet was modified, it is read at every poll", slog.Any("err", err))
	}
	s.noDrive = err != nil
	return modified
}

// read reads all tables, again where they were changed meanwhile. On errMoved they
// are the last that were read.
func (s *source) read(ctx context.Context) ([]*rowsOf, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for try := 1; ; try++ {
		tables, err := s.readOnce(ctx)
		switch {
		case err == nil:
			return tables, nil
		case refusedRange(err), errors.Is(err, errMoved):
			s.layout = nil // a sheet was renamed, or shrank
		default:
			return nil, err
		}
		if try == readings || refusedRange(err) && try == 2 {
			return tables, err
		}
	}
}

func (s *source) readOnce(ctx context.Context) (all []*rowsOf, err error) {
	if s.layout == nil || time.Since(s.layout.read) > layoutFor {
		if s.layout, err = s.readLayout(ctx); err != nil {
			return nil, err
		}
	}
	var moved error
	for i, r := range s.ranges {
		p, err := s.layout.place(r, s.address.gid, s.cfg.HeaderRow)
		if err != nil {
			s.layout = nil
			return nil, err
		}
		if p.body.Top > p.rows {
			s.layout = nil // as soon as there is a row, its place has to be known
		}
		t, err := s.readTable(ctx, p, s.last[i])
		if errors.Is(err, errMoved) {
			moved = err
			t.settle(s.cfg.Key)
		} else if err != nil {
			return nil, err
		}
		if n := len(t.lines); n > 0 {
			s.last[i] = t.lines[n-1].row
		}
		dated, err := s.datings(ctx, i, t)
		if err != nil {
			return nil, err
		}
		all = append(all, newRows(t, s.cfg, dated))
	}
	return all, moved
}

// datings says of each column what its numbers mean.
func (s *source) datings(ctx context.Context, i int, t *table) (map[string]dating, error) {
	if !s.cfg.looksAtFormats() {
		declared := map[string]dating{}
		for _, column := range s.cfg.dateColumns() {
			declared[column] = anyDate
		}
		return declared, nil
	}
	if f := s.formats[i]; f.good(t) {
		return f.of, nil
	}
	f := &formats{header: t.header.names, read: time.Now()}
	if len(t.numbers()) > 0 {
		var err error
		if f, err = s.readFormats(ctx, t); err != nil {
			return nil, err
		}
	}
	s.formats[i] = f
	return f.of, nil
}

// name says which spreadsheet an error is about. The end of ctx goes before what
// it caused.
func (s *source) name(ctx context.Context, err error) error { return s.named(ctx, "read", err) }

func (s *source) named(ctx context.Context, verb string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%s sheet %q: %w", verb, s.address.id, err)
}

// digestOf is the same for tables that give the same rows.
func digestOf(tables []*rowsOf) string {
	sum := sha256.New()
	for _, t := range tables {
		t.digest(sum)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// rowsOf gives the rows of a table one by one; it is a poll.Decoder.
type rowsOf struct {
	*table
	key   []string
	empty bool // an error in a cell is no value
	dated map[string]dating
	next  int
}

var _ poll.Decoder = (*rowsOf)(nil)

func newRows(t *table, cfg *Config, dated map[string]dating) *rowsOf {
	return &rowsOf{table: t, key: cfg.Key, empty: cfg.Errors == empty, dated: dated}
}

// Next is the next row that is not blank.
func (r *rowsOf) Next() (poll.Element, error) {
	for r.next < len(r.lines) {
		l := r.lines[r.next]
		r.next++
		if e, ok := r.element(l); ok {
			return e, nil
		}
	}
	return poll.Element{}, io.EOF
}

// element is the row of a line, or its fault.
func (r *rowsOf) element(l line) (e poll.Element, ok bool) {
	e = poll.Element{Position: position(r.title, r.header.left, l.row), Values: make(map[string]any, len(r.header.names)), Size: 1}
	var broken []string
	for i, name := range r.header.names {
		if name == "" {
			continue
		}
		var c any
		if i < len(l.cells) {
			c = l.cells[i]
		}
		ok = ok || !blank(c)
		if why := failed(c); why != "" && (!r.empty || slices.Contains(r.key, name)) {
			broken = append(broken, fmt.Sprintf("%s at %s is %s", name, position(r.title, r.header.left+i, l.row), why))
			c = nil
		} else if why != "" {
			c = nil
		}
		e.Values[name] = r.value(name, c)
		if s, isText := c.(string); isText {
			e.Size += int64(len(s))
		}
		e.Size += 16
	}
	if len(broken) > 0 {
		e.Fault = &connectors.Fault{
			Position: e.Position, Reason: poll.ErrorCell, Detail: strings.Join(broken, ", "), Key: connectors.KeyOf(r.key, e.Values),
		}
		e.Values = nil
	}
	return e, ok
}

func (r *rowsOf) value(name string, c any) any {
	if serial, number := c.(float64); number {
		if d, dated := r.dated[name]; dated {
			if iso, ok := moment(serial, d); ok {
				return iso
			}
		}
	}
	return value(c)
}

// digest writes what Next gives to sum, in an order that is always the same.
func (r *rowsOf) digest(sum hash.Hash) {
	b := make([]byte, 0, 1024)
	for _, name := range r.header.names {
		b = strconv.AppendQuote(b, name)
	}
	for _, l := range r.lines {
		b = strconv.AppendInt(append(b, '\n'), int64(l.row), 10)
		for i, c := range l.cells {
			if i < len(r.header.names) && r.header.names[i] != "" {
				b = r.appendCell(append(b, ' '), r.header.names[i], c)
			}
		}
		_, _ = sum.Write(b) // a hash takes everything
		b = b[:0]
	}
	_, _ = sum.Write(b)
}

// appendCell writes a cell's value, texts in quotes.
func (r *rowsOf) appendCell(b []byte, name string, c any) []byte {
	if s, isText := r.value(name, c).(string); isText {
		return strconv.AppendQuote(b, s)
	}
	return append(b, text(c)...)
}
