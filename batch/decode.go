package batch

import (
	"crypto/sha256"
	"encoding/hex"
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
)

// Limits bound one request. Zero is the package's own limit.
type Limits struct {
	Rows int64 // MaxRows
	Body int64 // in bytes: MaxBody
}

// Decode reads a batch of the form
//
//	{"variables": [{…}, …], "webhookUrl": "…", "outputs": [{"format": "png"}]}
//
// and hands out each row as soon as it was read, in order; the fields may stand
// before or after the rows. It accepts the names of the seed's API and those of
// pictifyd: variableSets, fileExtension, layout, layouts; a quality up to 1 is a
// fraction. A row's Key is its index; the key that rowKey names is found when
// the row is planned, because rowKey may follow the rows.
//
// An element of the rows that is no object becomes a row with an Error. An
// error of row ends the reading and is returned as it is. Any other error is a
// problem, or a problem.List, and refuses the batch whole: then the rows that
// were handed out must be forgotten. A body that ends early is one of these; an
// error of body itself is wrapped.
func Decode(body io.Reader, limits Limits, row func(Row) error) (Request, error) {
	if limits.Rows == 0 {
		limits.Rows = MaxRows
	}
	if limits.Body == 0 {
		limits.Body = MaxBody
	}
	in := &input{from: body, left: limits.Body, limit: limits.Body, digest: sha256.New()}
	d := &decoder{in: in, json: json.NewDecoder(in), limit: limits.Rows, row: row}
	d.json.UseNumber()
	d.fields.given, d.fields.encoding = map[string]string{}, encodingFields{}
	if err := d.body(); err != nil {
		return Request{}, d.failure(err)
	}
	return d.request()
}

// A decoder is one call of Decode.
type decoder struct {
	in       *input
	json     *json.Decoder
	limit    int64
	row      func(Row) error
	fields   fields
	rows     int64
	hasRows  bool
	problems problem.List
	refused  error // what the caller's row said
}

// body reads the whole object and what follows it.
func (d *decoder) body() error {
	if err := d.open('{', "", "the body must be a JSON object"); err != nil {
		return err
	}
	for d.json.More() {
		name, err := d.json.Token()
		if err != nil {
			return err
		}
		if err := d.field(fmt.Sprint(name)); err != nil {
			return err
		}
	}
	if _, err := d.json.Token(); err != nil { // the closing brace
		return err
	}
	if _, err := d.json.Token(); err == nil {
		return problem.New(problem.Invalid, "there is text after the end of the JSON object").WithSlug("bad_json")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// open reads the delimiter that begins an object or an array.
func (d *decoder) open(delim json.Delim, path, otherwise string) error {
	t, err := d.json.Token()
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
		var skipped json.RawMessage
		return d.json.Decode(&skipped)
	}
	if before, twice := d.fields.given[meaning]; twice {
		return givenTwice(before, name).At(name)
	}
	d.fields.given[meaning] = name
	if meaning == "variables" {
		return d.list(name)
	}
	var value json.RawMessage
	if err := d.json.Decode(&value); err != nil {
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
	for d.json.More() {
		if d.rows == d.limit {
			return problem.New(problem.TooLarge, "a batch has at most %d rows", d.limit).At(name).WithSlug("too_many_rows").
				WithHint("send several batches, or let a binding read the rows from their source")
		}
		var value json.RawMessage
		if err := d.json.Decode(&value); err != nil {
			return err
		}
		if err := d.give(newRow(d.rows, value)); err != nil {
			return err
		}
		d.rows++
	}
	_, err := d.json.Token() // the closing bracket
	return err
}

// give hands out r, unless the batch will be refused anyway.
func (d *decoder) give(r Row) error {
	if len(d.problems) > 0 {
		return nil
	}
	d.refused = d.row(r)
	return d.refused
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
	switch {
	case !d.hasRows:
		d.problems = append(d.problems, problem.New(problem.Invalid, "the batch names no rows").At("variables").
			WithHint(`give them as a list of objects, as in {"variables": [{"title": "Hello"}]}`))
	case d.rows == 0:
		d.problems = append(d.problems, problem.New(problem.Invalid, "the batch has no rows").At(d.fields.given["variables"]))
	}
	d.problems = append(d.problems, d.fields.checkEvents()...)
	if err := d.problems.Err(); err != nil {
		return Request{}, err
	}
	return Request{
		Outputs: outputs, RowKey: d.fields.rowKey, Metadata: d.fields.metadata, WebhookURL: d.fields.webhook, Events: d.fields.events,
		Rows: d.rows, Digest: hex.EncodeToString(d.in.digest.Sum(nil)),
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
