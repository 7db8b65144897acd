package batch

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// Limits bound one request. Zero is the package's own limit.
type Limits struct {
	Rows int64 // MaxRows
	Body int64 // in bytes: MaxBody

	Cells int64 // of a sheet: MaxCells
}

func (l Limits) orDefaults() Limits {
	if l.Rows == 0 {
		l.Rows = MaxRows
	}
	if l.Body == 0 {
		l.Body = MaxBody
	}
	if l.Cells == 0 {
		l.Cells = MaxCells
	}
	return l
}

// Decode reads a batch of the form
//
//	{"variables": [{…}, …], "webhookUrl": "…", "outputs": [{"format": "png"}]}
//
// and hands out each row as soon as it was read, in order; the fields may stand
// before or after the rows, or in the query. It accepts the names of the seed's
// API and those of pictifyd: variableSets, fileExtension, layout, layouts; a
// quality up to 1 is a fraction. In the other formats the body is rows alone,
// and the fields are the query's. A row's Key is its index; the key that rowKey
// names is found when the row is planned, because rowKey may follow the rows.
//
// An element of the rows that is no object becomes a row with an Error, and so
// does a bad line of NDJSON. An error of row ends the reading and is returned as
// it is. Any other error is a problem, or a problem.List, and refuses the batch
// whole: then the rows that were handed out must be forgotten. A body that ends
// early is one of these; an error of body itself is wrapped.
func Decode(body io.Reader, form Form, limits Limits, row func(Row) error) (Request, error) {
	limits = limits.orDefaults()
	d := newDecoder(body, limits, row)
	d.form = form
	d.problems = d.fields.readQuery(form.Query)
	if err := d.read(); err != nil {
		return Request{}, d.failure(err)
	}
	return d.request()
}

// DecodeRows reads rows that come from elsewhere than the request that asked for
// them, and hands them out as Decode does. It returns how many there were.
func DecodeRows(document io.Reader, format Format, layout Layout, limits Limits, row func(Row) error) (int64, error) {
	d := newDecoder(document, limits.orDefaults(), row)
	d.form.Format, d.fields.layout, d.elsewhere = format, layout, true
	err := d.read()
	if err == nil {
		err = d.problems.Err()
	}
	if err != nil {
		return 0, d.failure(err)
	}
	if d.rows == 0 {
		return 0, problem.New(problem.Invalid, "the document has no rows").WithSlug(NoRows)
	}
	return d.rows, nil
}

// NoRows is the slug of a place that rows were to come from, and that has none.
const NoRows = "no_rows"

// A decoder is one call of Decode.
type decoder struct {
	in        *input
	form      Form
	elsewhere bool // the rows are not in the request
	json      *json.Decoder
	window    *rows.Window
	limit     int64
	cells     int64 // that a sheet may have
	row       func(Row) error
	fields    fields
	rows      int64
	hasRows   bool
	problems  problem.List
	refused   error // what the caller's row said
}

func newDecoder(body io.Reader, limits Limits, row func(Row) error) *decoder {
	d := &decoder{in: newInput(body, limits.Body), limit: limits.Rows, cells: limits.Cells, row: row}
	d.fields.given, d.fields.encoding = map[string]string{}, encodingFields{}
	return d
}

// read reads the body to its end.
func (d *decoder) read() error {
	var table interface{ read(*decoder) error }
	switch d.form.Format {
	case NDJSON:
		table = ndjsonRows{}
	case CSV, TSV:
		table = csvRows{}
	case XLSX:
		table = xlsxRows{}
	default:
		d.window = &rows.Window{From: d.in, Size: maxHeld}
		d.json = json.NewDecoder(d.window)
		d.json.UseNumber()
		if d.elsewhere {
			return d.document()
		}
		return d.body()
	}
	d.hasRows = true
	return table.read(d)
}

// maxHeld is how large a value or a record may be that has to be held to find
// its end. One of more than MaxRow is a failed row; one of more than this
// refuses the batch.
const maxHeld = 16 << 20

// body reads the whole object and what follows it.
func (d *decoder) body() error {
	if err := d.open('{', "", "the body must be a JSON object"); err != nil {
		return err
	}
	for d.more() {
		name, err := d.token()
		if err != nil {
			return err
		}
		if err := d.field(fmt.Sprint(name)); err != nil {
			return err
		}
	}
	if _, err := d.token(); err != nil { // the closing brace
		return err
	}
	return d.end()
}

// end reads what may follow the JSON: nothing.
func (d *decoder) end() error {
	if _, err := d.token(); err == nil {
		return problem.New(problem.Invalid, "there is text after the end of the JSON").WithSlug("bad_json")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (d *decoder) more() bool {
	d.window.MoveTo(d.json.InputOffset())
	return d.json.More()
}

func (d *decoder) token() (json.Token, error) {
	d.window.MoveTo(d.json.InputOffset())
	return d.json.Token()
}

func (d *decoder) value() (value json.RawMessage, err error) {
	d.window.MoveTo(d.json.InputOffset())
	err = d.json.Decode(&value)
	return value, err
}

// open reads the delimiter that begins an object or an array.
func (d *decoder) open(delim json.Delim, path, otherwise string) error {
	t, err := d.token()
	if err != nil {
		return err
	}
	if t != delim {
		return problem.New(problem.Invalid, "%s", otherwise).At(path).WithSlug("wrong_type").
			WithHint(`as in {"variables": [{"title": "Hello"}]}`)
	}
	return nil
}

func (d *decoder) field(name string) error {
	meaning, known := canonicalField[name]
	if !known {
		d.problems = append(d.problems, unknownField(name, canonicalField).At(name))
		_, err := d.value()
		return err
	}
	if before, twice := d.fields.given[meaning]; twice {
		return givenTwice(before, name).At(name)
	}
	d.fields.given[meaning] = name
	if meaning == "variables" {
		return d.list(name)
	}
	value, err := d.value()
	if err != nil {
		return err
	}
	d.problems = append(d.problems, d.fields.set(name, value)...)
	return nil
}

// list reads the rows.
func (d *decoder) list(name string) error {
	d.hasRows = true
	if err := d.open('[', name, "the rows must be a list of objects"); err != nil {
		return err
	}
	return d.elements()
}

// elements reads the rest of a list of rows.
func (d *decoder) elements() error {
	for d.more() {
		value, err := d.value()
		if err != nil {
			return err
		}
		if err := d.give(newRow(d.rows, value)); err != nil {
			return err
		}
	}
	_, err := d.token() // the closing bracket
	return err
}

// give hands out the next row, unless the batch will be refused anyway.
func (d *decoder) give(r Row) error {
	if d.rows == d.limit {
		return d.tooMany()
	}
	d.rows++
	if len(d.problems) > 0 {
		return nil
	}
	d.refused = d.row(r)
	return d.refused
}

func (d *decoder) tooMany() error {
	if d.elsewhere {
		return problem.New(problem.TooLarge, "a batch has at most %d rows", d.limit).WithSlug("too_many_rows").
			WithHint("make several documents of it, or let a binding read the rows from their source")
	}
	return problem.New(problem.TooLarge, "a request brings at most %d rows", d.limit).At(d.fields.given["variables"]).WithSlug("too_many_rows").
		WithHint("send several batches, or put the rows where pictifyd can read them and name the place as sourceUrl")
}

// newRow is the element of the rows with that index.
func newRow(index int64, value json.RawMessage) Row {
	r := Row{Index: index, Key: strconv.FormatInt(index, 10)}
	switch {
	case value[0] != '{':
		r.Error = &RowError{Code: "bad_row", Message: fmt.Sprintf("the row is %s, not an object of variables", kindOf(value))}
	case len(value) > MaxRow:
		r.Error = &RowError{Code: "too_large", Message: fmt.Sprintf("the row has %d bytes, and at most %d are taken", len(value), MaxRow)}
	default:
		r.Values = value
	}
	return r
}

func kindOf(value json.RawMessage) string {
	switch value[0] {
	case '[':
		return "a list"
	case '"':
		return "a text"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// request is what was asked for, once the body was read to its end.
func (d *decoder) request() (Request, error) {
	outputs, err := d.fields.resolve()
	if err != nil && !d.problemAt("outputs") {
		d.problems = append(d.problems, problem.All(err)...)
	}
	elsewhere := d.fields.origins()
	switch {
	case len(elsewhere) > 1 || len(elsewhere) == 1 && d.hasRows:
		d.problems = append(d.problems, problem.New(problem.Invalid, "the rows come from one place").At(elsewhere[0]).WithSlug("given_twice").
			WithHint("give either the rows, or one of sourceUrl, source and binding"))
	case len(elsewhere) == 1:
	case !d.hasRows:
		d.problems = append(d.problems, problem.New(problem.Invalid, "the batch names no rows").At("variables").
			WithHint(`give them as a list of objects, as in {"variables": [{"title": "Hello"}]}`))
	case d.rows == 0:
		d.problems = append(d.problems, problem.New(problem.Invalid, "the batch has no rows").At(d.fields.given["variables"]))
	}
	d.problems = append(d.problems, d.fields.checkEvents()...)
	d.problems = append(d.problems, d.fields.checkExperiment()...)
	if err := d.problems.Err(); err != nil {
		return Request{}, err
	}
	return Request{
		Outputs: outputs, RowKey: d.fields.rowKey, Mapping: d.fields.mapping, Experiment: d.fields.experiment, Metadata: d.fields.metadata, WebhookURL: d.fields.webhook, Events: d.fields.events,
		Priority: Priority(d.fields.priority), MaxErrors: d.fields.maxErrors, TemplateVersion: d.fields.version, DryRun: d.fields.dryRun,
		Origin: d.fields.origin, Layout: d.fields.layout,
		Rows: d.rows, Digest: d.form.Digest(d.in.digest.Sum(nil)),
	}, nil
}

// problemAt reports whether something at path is known to be wrong.
func (d *decoder) problemAt(path string) bool {
	return slices.ContainsFunc(d.problems, func(p *problem.Error) bool { return strings.HasPrefix(p.Path, path) })
}

// failure is the error of a body that could not be read to its end.
func (d *decoder) failure(err error) error {
	if d.refused != nil {
		return d.refused
	}
	var found *problem.Error
	var syntax *json.SyntaxError
	switch {
	case errors.As(d.in.err, &found), errors.As(err, &found):
		return append(d.problems, found)
	case errors.Is(err, rows.ErrHeld):
		return append(d.problems, problem.New(problem.TooLarge, "row %d, or the field behind it, is larger than %d MB", d.rows, maxHeld>>20).WithSlug("row_too_large").
			WithHint("a row has at most %d MB", MaxRow>>20))
	case d.json == nil && d.in.err == nil:
		return err
	case errors.Is(d.in.err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return problem.New(problem.Invalid, "the body ends in the middle: %d rows were read, and nothing was accepted", d.rows).
			WithSlug("body_cut_short").WithHint("send it again, with the same Idempotency-Key if it had one")
	case d.in.err != nil:
		return fmt.Errorf("read the batch: %w", d.in.err)
	case errors.As(err, &syntax):
		return problem.New(problem.Invalid, "the body is not JSON, near byte %d: %w", d.json.InputOffset(), err).WithSlug("bad_json")
	}
	return problem.New(problem.Invalid, "the body is not JSON: %w", err).WithSlug("bad_json")
}

func newInput(from io.Reader, limit int64) *input {
	return &input{from: from, left: limit, limit: limit, digest: sha256.New()}
}

// An input is the body: measured, digested, and with its own error remembered,
// which the JSON decoder would take for the text's.
type input struct {
	from        io.Reader
	left, limit int64
	digest      hash.Hash
	err         error
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.from.Read(p)
	if int64(n) > in.left {
		in.err = problem.New(problem.TooLarge, "the body is larger than %d bytes", in.limit).WithSlug("body_too_large").
			WithHint("send several batches")
		return 0, in.err
	}
	in.left -= int64(n)
	in.digest.Write(p[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		in.err = err
	}
	return n, err
}

func unknownField(name string, known map[string]string) *problem.Error {
	p := problem.New(problem.Invalid, "there is no field %q", name).WithSlug("unknown_field")
	names := sortedKeys(known)
	if near := expr.Nearest(name, names); near != "" {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("the fields are %s", strings.Join(names, ", "))
}

func givenTwice(first, second string) *problem.Error {
	p := problem.New(problem.Invalid, "the field is given twice").WithSlug("given_twice")
	if first != second {
		p = problem.New(problem.Invalid, "%q and %q mean the same", first, second).WithSlug("given_twice")
	}
	return p.WithHint("give it once")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
