package replication

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// errShort is a message that ends before what it announces.
var errShort = errors.New("the message ends too early")

// epoch is where the server's clock begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// A reader takes a message apart. Its first error stays.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || len(r.rest) < n {
		r.err = errShort
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) lsn() LSN {
	if b := r.take(8); b != nil {
		return LSN(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) time() time.Time {
	return epoch.Add(time.Duration(int64(r.lsn())) * time.Microsecond)
}

func (r *reader) text() string {
	text, rest, found := bytes.Cut(r.rest, []byte{0})
	if !found {
		r.err = errShort
		return ""
	}
	r.rest = rest
	return string(text)
}

// A parser reads messages into events. Descriptions of relations are kept for the
// changes that refer to them.
type parser struct {
	relations map[uint32]*Relation
	new, old  []Value
}

// parse reads a message. The values of the event are those of the one before,
// overwritten.
func (p *parser) parse(message []byte, at LSN) (e Event, err error) {
	r := &reader{rest: message}
	e = Event{Kind: Kind(r.byte()), LSN: at}
	switch e.Kind {
	case Begin:
		e.Commit, e.At, e.XID = r.lsn(), r.time(), r.uint32()
	case Commit:
		r.byte() // flags, of which there are none yet
		e.Commit, e.End, e.At = r.lsn(), r.lsn(), r.time()
	case Described:
		e.Relation = p.describe(r)
	case Insert, Update, Delete:
		p.change(r, &e)
	case Truncate:
		count := int(r.uint32())
		r.byte() // whether others were emptied with them, which are told, or sequences
		for range count {
			if id := r.uint32(); r.err == nil {
				e.Others = append(e.Others, id)
			}
		}
	case Message:
		e.Transactional = r.byte()&1 != 0
		e.LSN = r.lsn()
		e.Prefix = r.text()
		e.Content = r.take(int(r.uint32()))
	}
	if r.err != nil {
		return e, fmt.Errorf("read message %q of pgoutput: %w", byte(e.Kind), r.err)
	}
	return e, nil
}

func (p *parser) describe(r *reader) *Relation {
	rel := &Relation{ID: r.uint32(), Schema: r.text(), Table: r.text(), Identity: r.byte()}
	for range r.uint16() {
		c := Column{Key: r.byte()&1 != 0, Name: r.text(), Type: r.uint32(), Typmod: int32(r.uint32())}
		if r.err != nil {
			return nil
		}
		rel.Columns = append(rel.Columns, c)
	}
	if rel.Schema == "" {
		rel.Schema = "pg_catalog" // the protocol leaves it out
	}
	if r.err == nil {
		p.relations[rel.ID] = rel
	}
	return rel
}

func (p *parser) change(r *reader, e *Event) {
	id := r.uint32()
	if e.Relation = p.relations[id]; e.Relation == nil {
		if r.err == nil {
			r.err = fmt.Errorf("relation %d was not described", id)
		}
		return
	}
	for len(r.rest) > 0 && r.err == nil {
		switch part := r.byte(); part {
		case 'N':
			p.new = r.tuple(p.new)
			e.New = p.new
		case 'K', 'O':
			p.old = r.tuple(p.old)
			e.Old, e.OldKey = p.old, part == 'K'
		default:
			r.err = fmt.Errorf("a row of kind %q", part)
		}
		if got := max(len(e.New), len(e.Old)); r.err == nil && got != len(e.Relation.Columns) {
			r.err = fmt.Errorf("%d values for %d columns", got, len(e.Relation.Columns))
		}
	}
	if r.err == nil && e.New == nil && e.Old == nil {
		r.err = errShort
	}
}

// tuple reads a row into the place of into.
func (r *reader) tuple(into []Value) []Value {
	into = into[:0]
	for range r.uint16() {
		v := Value{Kind: r.byte()}
		switch v.Kind {
		case Null, Unchanged:
		case Text:
			v.Text = r.take(int(r.uint32()))
		default:
			if r.err == nil {
				r.err = fmt.Errorf("a value of kind %q", v.Kind)
			}
		}
		if r.err != nil {
			return into
		}
		into = append(into, v)
	}
	return into
}
