package httppoll

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
)

// state is what the cursor holds.
type state struct {
	validator
	Digest  string    `json:"digest"`            // of all bodies
	Hints   []byte    `json:"hints,omitempty"`   // a few bits of each, to tell early that something changed
	Partial bool      `json:"partial,omitempty"` // the reading was not complete
	Full    time.Time `json:"full"`              // when the bodies were read last
}

// hintSize is so small because Digest decides in the end.
const hintSize = 2

// A pass is one reading of a source: bodies go by as they come. Those that are
// as they were the last time are held back for as long as nothing else came, so
// that a reading in which nothing changed emits nothing.
type pass struct {
	s       *source
	at      time.Time
	emit    connectors.Emit
	emitErr error // what emit returned, other than errors of the source
	out     *poll.Reading
	binding poll.Binding
	last    state
	known   bool // last is of this configuration

	spill     spill // of bodies that are not emitted yet
	sheets    int
	held      []sheet
	sum       hash.Hash
	hints     []byte
	validator validator       // of the one answer
	only      *connectors.Row // its row, where it is of One

	drift  string // why rows may be missing although all pages came
	gap    string // what did not come
	visits visits
	// firstFailure is of the first request that failed of many.
	firstFailure error

	agreed bool // the reading before had the same drift: it is how the list is
	keys   map[string]bool
}

// A sheet is a body and what its rows need to know of it.
type sheet struct {
	answer
	page int            // from 1; 0 where there are none
	skip bool           // its first row was in the page before
	row  *origin        // that it was asked for; nil without ForEach
	keep map[string]any // columns of that row
}

// begin begins a reading.
func (s *source) begin(at time.Time, from connectors.Cursor, emit connectors.Emit) (*pass, error) {
	p := &pass{s: s, at: at, emit: emit, sum: sha256.New()}
	p.out = poll.NewReading(s.cfg.Key, func(ctx context.Context, b connectors.Batch) error {
		p.emitErr = emit(ctx, b)
		return p.emitErr
	})
	if s.cfg.Pages != nil || s.cfg.ForEach != "" {
		p.out.OfSeveral()
	}
	var err error
	if p.binding, err = poll.Bind(s.bound()...); err == nil {
		p.known = p.binding.Open(from, &p.last)
	}
	return p, err
}

// bound is what a cursor hangs on, so that it holds no secret.
func (s *source) bound() []any {
	c := s.cfg
	parts := []any{c.URL, c.method(), revealed(c.Headers), s.credentials, c.Layout, c.Key, c.One}
	parts = append(parts, revealed(c.Query), c.Body.Reveal(), c.JSON, c.ContentType, c.Pages, c.ForEach, c.Keep)
	if k := c.APIKey; k != nil {
		parts = append(parts, k.Query, k.Value.Reveal())
	}
	if o := c.OAuth2; o != nil {
		parts = append(parts, o.TokenURL, o.ClientID, o.Scopes, o.Audience, revealed(o.Params))
	}
	return parts
}

// add takes the next body of the reading.
func (p *pass) add(ctx context.Context, sh sheet) error {
	matches := p.mark(sh.digest)
	if p.sheets++; matches && p.known && len(p.held) == p.sheets-1 && p.spill.size <= int64(p.s.cfg.MaxSize) {
		p.held = append(p.held, sh)
		return nil
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	if err := p.copy(ctx, sh); err != nil {
		return err
	}
	p.spill.cut(0)
	return nil
}

// mark takes text into the digest of the reading, and reports whether the one
// before was the same there.
func (p *pass) mark(text string) bool {
	fmt.Fprintf(p.sum, "%q", text)
	at := len(p.hints)
	p.hints = append(p.hints, p.sum.Sum(nil)[:hintSize]...)
	return len(p.last.Hints) >= len(p.hints) && slices.Equal(p.last.Hints[at:len(p.hints)], p.hints[at:])
}

// same reports whether the reading had what the one before had, so far and in all.
func (p *pass) same() bool {
	return p.known && len(p.held) == p.sheets && p.digest() == p.last.Digest
}

func (p *pass) digest() string { return hex.EncodeToString(p.sum.Sum(nil)) }

// flush emits what was held back.
func (p *pass) flush(ctx context.Context) error {
	held := p.held
	p.held = nil
	for _, sh := range held {
		if err := p.copy(ctx, sh); err != nil {
			return err
		}
	}
	if len(held) > 0 && held[len(held)-1].offset+held[len(held)-1].size == p.spill.size {
		p.spill.cut(0)
	}
	return nil
}

// close ends the reading.
func (p *pass) close(ctx context.Context) error {
	next := state{validator: p.validator, Digest: p.digest(), Hints: p.hints, Full: time.Now()}
	same := p.same()
	if same && p.drift+p.gap == "" && !p.last.Partial {
		if next.isZero() && p.last.isZero() { // nothing to remember that is not known
			return poll.Unchanged(ctx, p.emit, nil)
		}
		cursor, err := p.binding.Seal(next)
		if err != nil {
			return err
		}
		return poll.Unchanged(ctx, p.emit, cursor)
	}
	p.agreed = same && p.gap == ""
	if err := p.flush(ctx); err != nil {
		return err
	}
	closing := connectors.Closing{Reason: p.reason()}
	closing.Complete = closing.Reason == ""
	next.Partial = !closing.Complete
	var err error
	if closing.Cursor, err = p.binding.Seal(next); err != nil {
		return err
	}
	if p.only != nil {
		return p.emit(ctx, connectors.Batch{Rows: []connectors.Row{*p.only}, Closes: &closing})
	}
	return p.out.Close(ctx, closing)
}

func (p *pass) reason() string {
	switch {
	case p.gap != "":
		return p.gap
	case p.s.form.reads(runName):
		return connectors.OfOneTime
	case p.agreed:
		return ""
	}
	return p.drift
}

// copy emits the rows of a body.
func (p *pass) copy(ctx context.Context, sh sheet) error {
	err := p.emitRows(ctx, sh)
	if err == nil || p.emitErr != nil || ctx.Err() != nil {
		return err
	}
	err = p.place(sh, err)
	if sh.row == nil {
		return err
	}
	return p.fail(sh.row, err)
}

// place says where a fault of a body is.
func (p *pass) place(sh sheet, err error) error {
	if sh.page > 0 {
		err = fmt.Errorf("page %d: %w", sh.page, err)
	}
	return fmt.Errorf("%s %s: %w", p.s.cfg.method(), display(sh.url), err)
}

// lookAhead is how much of a body is looked at to tell its format.
const lookAhead = 512

func (p *pass) emitRows(ctx context.Context, sh sheet) error {
	begin := make([]byte, min(sh.size, lookAhead))
	if _, err := io.ReadFull(p.spill.reader(sh.offset, sh.size), begin); err != nil {
		return err
	}
	layout := p.s.cfg.Layout
	if p.s.cfg.One != "" {
		layout = poll.Layout{Format: poll.JSON}
	}
	format, err := formatOf(layout, sh.answer, begin)
	if err != nil {
		return err
	}
	body := p.spill.reader(sh.offset, sh.size)
	if p.s.cfg.One != "" {
		p.only, err = p.s.oneObject(body)
		return err
	}
	d, err := p.rows(format, body, sh)
	if err != nil {
		return err
	}
	r := &rows{sheet: sh, pass: p}
	if p.s.cfg.Pages != nil && p.s.cfg.Pages.drifting() && !p.agreed {
		r.before, p.keys = p.keys, map[string]bool{}
	}
	return p.out.Copy(ctx, poll.Through(d, r.element))
}

// rows decodes a list. Where there is one request for each row of another
// source, an object in its place is one row.
func (p *pass) rows(format string, body io.Reader, sh sheet) (poll.Decoder, error) {
	if sh.row != nil && format == poll.JSON {
		text, err := p.spill.bytes(sh.offset, sh.size)
		if err != nil {
			return nil, err
		}
		if values, err := p.s.objectAt(text); err != nil {
			return nil, err
		} else if values != nil {
			return &single{element: poll.Element{Values: values, Position: rootOf(p.s.cfg.Rows), Size: sh.size}}, nil
		}
	}
	return p.s.cfg.Decoder(format, body, p.s.cfg.Key)
}
