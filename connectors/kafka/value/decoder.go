package value

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// A Decoded is what one record says. All of it may be empty: there are records that
// say nothing of any row.
type Decoded struct {
	Rows   []connectors.Row
	Faults []connectors.Fault
	// Truncated says that all rows that there were are gone: a batch of their
	// topic's stream begins and ends a snapshot without rows. With Config.Refresh,
	// it says that the source that it names is to be read as a whole.
	Truncated bool
	// Wakes are keys of rows of the source that Config.Refresh names, which are to
	// be read anew; there are no Rows then.
	Wakes [][]any
}

// A Decoder decodes the records of one source. It is safe for concurrent use.
type Decoder struct {
	cfg      Config
	key      []string
	comma    rune
	programs programs
	registry *registry // nil where nothing is avro
	shapes   shapes
}

// New is a decoder of records whose rows have the key columns key; without any, the
// key of a row is the record's key, or what Config.RowKey makes of it.
func New(cfg Config, key []string, env connectors.Env) (*Decoder, error) {
	if err := cfg.Check(key); err != nil {
		return nil, err
	}
	d := &Decoder{cfg: cfg, key: key}
	d.comma, _ = rows.ParseDelimiter(cfg.Delimiter) // it was judged, as the programs were
	d.programs, _ = cfg.programs()
	if cfg.SchemaRegistry != nil {
		var err error
		if d.registry, err = newRegistry(cfg.SchemaRegistry, dialect(cfg.Envelope), env.Client); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Decode decodes a record. An error says that this cannot be done now (the registry
// is away, or ctx ended) and that it may be later; retry.Wait has what the registry
// asked for. What is wrong with the record itself is in its Faults, each of which
// has a Raw for Replay where the record is not too large for one.
func (d *Decoder) Decode(ctx context.Context, r Record) (Decoded, error) {
	s, err := d.read(ctx, r)
	var bad *flaw
	switch {
	case errors.As(err, &bad):
		f := fault(r, bad, nil)
		f.Key = d.keyOfFault(ctx, r)
		return Decoded{Faults: []connectors.Fault{f}}, nil
	case err != nil:
		return Decoded{}, fmt.Errorf("decode %s: %w", r.Position(), err)
	}
	out := Decoded{Truncated: s.truncated}
	for i, o := range s.outcomes {
		var element *int
		if s.several {
			element = &i
		}
		switch {
		case o.flaw != nil:
			f := fault(r, o.flaw, element)
			f.Key = o.row.Key
			out.Faults = append(out.Faults, f)
		case d.cfg.Refresh != "":
			out.Wakes = append(out.Wakes, o.row.Key)
		default:
			out.Rows = append(out.Rows, o.row)
		}
	}
	return out, nil
}

// fault is what is told of a flaw. element is nil where it is the record's.
func fault(r Record, bad *flaw, element *int) connectors.Fault {
	f := connectors.Fault{Position: r.Position(), Reason: bad.reason, Detail: bad.detail, Raw: rawOf(r, element)}
	if element != nil {
		f.Position = positionOf(r, *element)
	}
	return f
}

func positionOf(r Record, element int) string {
	return r.Position() + " [" + strconv.Itoa(element) + "]"
}

// keyOfFault is the key of the row that a record with a flaw is of, where the
// record's own key says it beyond doubt.
func (d *Decoder) keyOfFault(ctx context.Context, r Record) []any {
	if d.programs.rowKey != nil || d.several() {
		return nil
	}
	key, err := d.readKey(ctx, r)
	if err != nil || key == nil {
		return nil
	}
	if len(d.key) == 0 {
		return partsOf(key)
	}
	if object, ok := key.(map[string]any); ok {
		if parts, all := pick(d.key, object); all {
			return parts
		}
	}
	return nil
}

// several reports whether a record may be of several rows.
func (d *Decoder) several() bool { return d.cfg.Rows != "" }

var _ connectors.Replayer = (*Decoder)(nil)

// Replay implements connectors.Replayer. An error says why there is still no row; a
// record that has come to say nothing, or several rows, is one as well.
func (d *Decoder) Replay(ctx context.Context, raw []byte) (connectors.Row, error) {
	r, element, err := recordOf(raw)
	if err != nil {
		return connectors.Row{}, err
	}
	if d.registry != nil {
		d.registry.forgetUnknown()
	}
	s, err := d.read(ctx, r)
	var bad *flaw
	switch {
	case errors.As(err, &bad):
		return connectors.Row{}, bad.problem()
	case err != nil:
		return connectors.Row{}, fmt.Errorf("decode %s: %w", r.Position(), err)
	case element != nil && *element >= 0 && *element < len(s.outcomes):
		s.outcomes = s.outcomes[*element : *element+1]
	}
	switch {
	case d.cfg.Refresh != "":
		return connectors.Row{}, problem.New(problem.Unsupported, "the rows come from the source %q", d.cfg.Refresh).WithHint("have that source read")
	case len(s.outcomes) == 0:
		return connectors.Row{}, problem.New(problem.Invalid, "the record says nothing of any row").WithHint("discard it")
	case len(s.outcomes) > 1:
		return connectors.Row{}, problem.New(problem.Unsupported, "the record has become %d rows, and one can be taken again", len(s.outcomes)).
			WithHint("produce it again")
	case s.outcomes[0].flaw != nil:
		return connectors.Row{}, s.outcomes[0].flaw.problem()
	}
	return s.outcomes[0].row, nil
}

// problem is the flaw for whoever tries the record again.
func (f *flaw) problem() error {
	return problem.New(problem.Invalid, "%s", f.detail).WithSlug(f.reason)
}

// A said is what a record says, element by element.
type said struct {
	outcomes  []outcome
	several   bool // it may have several elements
	truncated bool
}

// An outcome is what one element of a record came to: a row, or what is wrong with
// it, with the row's key where that could be read.
type outcome struct {
	row  connectors.Row
	flaw *flaw
}

// read reads a record. The error is a *flaw where the record is wrong.
func (d *Decoder) read(ctx context.Context, r Record) (said, error) {
	if size := int64(len(r.Key) + len(r.Value)); size > int64(d.cfg.MaxSize) {
		return said{}, flawed(tooLarge, "the record has %d bytes, and max_size is %s", size, d.cfg.MaxSize)
	}
	k := &recordKey{decoder: d, record: r}
	v := &view{record: r}
	if reads(d.programs.rowKey, localKey) || reads(d.programs.when, localKey) || reads(d.programs.deleted, localKey) {
		key, err := k.read(ctx)
		if err != nil {
			return said{}, err
		}
		v.key = key
	}
	if r.tombstone() {
		return d.buried(ctx, v, k)
	}
	c, err := d.content(ctx, r)
	switch {
	case err != nil:
		return said{}, err
	case c.tombstone:
		return d.buried(ctx, v, k)
	case c.truncated:
		return said{truncated: true}, nil
	}
	v.value = c.value
	s := said{several: c.several}
	for i, e := range c.elements {
		v.row = e.row
		o, wanted, err := d.outcome(ctx, v, k, e)
		if err != nil {
			return said{}, err
		}
		if !wanted {
			continue
		}
		o.row.Position = r.Position()
		if c.several {
			o.row.Position = positionOf(r, i)
		}
		s.outcomes = append(s.outcomes, o)
	}
	return s, nil
}

// tombstone says that the record says that its key is gone: its value is null. A
// value that is empty is one, of no bytes.
func (r Record) tombstone() bool {
	if cures.NullIsNotEmpty {
		return r.Value == nil
	}
	return len(r.Value) == 0
}

// outcome is what an element comes to. It is not wanted where when is false. The
// error is a *flaw where the whole record is wrong.
func (d *Decoder) outcome(ctx context.Context, v *view, k *recordKey, e element) (o outcome, wanted bool, err error) {
	wrong := e.flaw
	if wrong == nil {
		wanted, bad := v.holds("when", d.programs.when, true)
		if bad == nil && !wanted {
			return o, false, nil
		}
		wrong = bad
	}
	if e.row != nil {
		o.row.Key, err = d.identify(ctx, v, k)
		var bad *flaw
		switch {
		case errors.As(err, &bad):
			if wrong == nil {
				wrong = bad
			}
		case err != nil:
			return o, false, err
		}
	}
	o.row.Deleted = e.deleted
	if wrong == nil && !e.deleted {
		o.row.Deleted, wrong = v.holds("deleted", d.programs.deleted, false)
	}
	if wrong == nil && !o.row.Deleted {
		o.row.Values = e.row
	}
	o.flaw = wrong
	return o, true, nil
}

// buried is what a tombstone says.
func (d *Decoder) buried(ctx context.Context, v *view, k *recordKey) (said, error) {
	if !readsValue(d.programs.when) {
		wanted, bad := v.holds("when", d.programs.when, true)
		switch {
		case bad != nil:
			return said{}, bad
		case !wanted:
			return said{}, nil
		}
	}
	key, err := d.identifyBuried(ctx, v, k)
	if err != nil {
		return said{}, err
	}
	return said{outcomes: []outcome{{row: connectors.Row{Key: key, Deleted: true, Position: v.record.Position()}}}}, nil
}

// A content is what a value has.
type content struct {
	value     any // all of it, for expressions
	elements  []element
	several   bool // rather than one
	truncated bool // there are no rows any more
	tombstone bool // it stands for null
}

// An element is one row of a content, or what is wrong with it.
type element struct {
	row     map[string]any // nil where nothing of it could be read
	deleted bool
	flaw    *flaw
}

// content reads a value. The error is a *flaw where the value is wrong.
func (d *Decoder) content(ctx context.Context, r Record) (c content, err error) {
	switch d.cfg.Format {
	case None:
		c.elements = []element{{row: map[string]any{}}}
	case CSV:
		row, bad := readLine(r.Value, d.cfg.Columns, d.comma)
		if bad != nil {
			return c, bad
		}
		c.value, c.elements = row, []element{{row: row}}
	default:
		p, err := d.parse(ctx, r.Value, d.cfg.Format)
		if err != nil {
			return c, err
		}
		if d.cfg.Envelope == Debezium {
			return d.change(p)
		}
		if c, err = d.document(p.value); err != nil {
			return c, err
		}
	}
	for _, e := range c.elements {
		d.leaveOut(e.row)
	}
	return c, nil
}

// leaveOut takes the columns away that are not wanted.
func (d *Decoder) leaveOut(row map[string]any) {
	for _, column := range d.cfg.Without {
		delete(row, column)
	}
}

// document has the rows of a value that is no event.
func (d *Decoder) document(value any) (content, error) {
	c := content{value: value, several: d.several()}
	_, array := value.([]any)
	if array && d.cfg.Rows == "" {
		if len(d.key) == 0 && d.programs.rowKey == nil {
			return c, flawed(badRecord, "an array of rows, for which the record's key is not enough: name key columns")
		}
		c.several = true
	}
	found, err := poll.Document{Value: value}.Elements(d.cfg.Rows)
	if err != nil {
		return c, flawed(badRecord, "%s", problem.All(err)[0].Message)
	}
	for _, e := range found {
		if e.Fault != nil {
			c.elements = append(c.elements, element{flaw: flawed(e.Fault.Reason, "%s", e.Fault.Detail)})
			continue
		}
		c.elements = append(c.elements, element{row: e.Values})
	}
	return c, nil
}

// A parsed is a value of JSON or Avro. shape is what a schema beside it says, which
// of Avro is read already.
type parsed struct {
	framed bool // there was a schema beside it, or a word that there is none
	value  any
	shape  *shape
}

// parse reads a value, or a key. The error is a *flaw where the text is wrong.
func (d *Decoder) parse(ctx context.Context, text []byte, format string) (parsed, error) {
	if format == Avro {
		value, err := d.registry.decode(ctx, text)
		return parsed{value: value}, err
	}
	if d.cfg.Envelope == Debezium {
		return d.readConnect(unframed(text))
	}
	value, bad := readJSON(unframed(text))
	if bad != nil {
		return parsed{}, bad
	}
	return parsed{value: value}, nil
}
