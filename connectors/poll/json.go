package poll

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// maxDepth is how deep values may nest where they are only skipped; encoding/json
// has the same limit where it decodes.
const maxDepth = 10000

// jsonDecoder walks a document to the array at path, yields its elements one by
// one, and then walks to the end: half a document never looks whole.
type jsonDecoder struct {
	lines  *lineCount
	dec    *json.Decoder
	window *rows.Window
	path   path
	inside bool // in the array of rows
	next   int  // index of the next element
}

func newJSON(text io.Reader, at string) (*jsonDecoder, error) {
	p, invalid := parsePath(at)
	if invalid != nil {
		return nil, invalid
	}
	lines := &lineCount{from: text}
	w := &rows.Window{From: lines, Size: maxHeld}
	d := &jsonDecoder{lines: lines, dec: json.NewDecoder(w), window: w, path: p}
	d.dec.UseNumber()
	return d, nil
}

func (d *jsonDecoder) Next() (Element, error) {
	if !d.inside {
		if err := d.enter(); err != nil {
			return Element{}, d.explain(err)
		}
		d.inside = true
	}
	d.window.MoveTo(d.dec.InputOffset())
	if !d.dec.More() {
		return Element{}, d.explain(d.leave())
	}
	return d.element()
}

func (d *jsonDecoder) element() (Element, error) {
	begin := d.dec.InputOffset()
	var value any
	if err := d.dec.Decode(&value); err != nil {
		return Element{}, d.explain(cutShort(err))
	}
	e := Element{
		Position: append(d.path[:len(d.path):len(d.path)], step{index: d.next, isIndex: true}).String(),
		Size:     d.dec.InputOffset() - begin,
	}
	d.next++
	e.take(value)
	return e, nil
}

// take makes value the element's row, or its fault.
func (e *Element) take(value any) {
	object, ok := value.(map[string]any)
	switch {
	case e.Size > maxRecord:
		e.Fault = tooLarge(e.Position)
	case !ok:
		e.Fault = fault(e.Position, BadRecord, "%s, not an object", kindOf(value))
	default:
		e.Values = object
	}
}

// enter walks from the beginning of the document into the array of rows.
func (d *jsonDecoder) enter() error {
	for i, s := range d.path {
		begin, err := d.token()
		if err != nil {
			return err
		}
		if s.isIndex {
			err = d.enterIndex(begin, i)
		} else {
			err = d.enterName(begin, i)
		}
		if err != nil {
			return err
		}
	}
	begin, err := d.token()
	if err != nil {
		return err
	}
	if begin == json.Delim('[') {
		return nil
	}
	return d.noArray(begin)
}

func (d *jsonDecoder) enterName(begin json.Token, i int) error {
	here, name := d.path[:i], d.path[i].name
	if begin != json.Delim('{') {
		return d.missing(i, "%s is %s, not an object", here, kindOf(begin))
	}
	found, names, err := d.skipTo(name)
	if err != nil || found {
		return err
	}
	if len(names) == 0 {
		return d.missing(i, "%s is an empty object", here)
	}
	return d.missing(i, "%s has %s", here, connectors.Quoted(names))
}

func (d *jsonDecoder) enterIndex(begin json.Token, i int) error {
	here, index := d.path[:i], d.path[i].index
	if begin != json.Delim('[') {
		return d.missing(i, "%s is %s, not an array", here, kindOf(begin))
	}
	for n := range index {
		if !d.dec.More() {
			if _, err := d.token(); err != nil {
				return err
			}
			return d.missing(i, "%s has %d elements", here, n)
		}
		if err := d.skip(); err != nil {
			return err
		}
	}
	if !d.dec.More() {
		return d.missing(i, "%s has %d elements", here, index)
	}
	return nil
}

// skipTo skips the names of the current object up to the value of name, or to
// the object's end. It returns the names that it passed.
func (d *jsonDecoder) skipTo(name string) (found bool, passed []string, err error) {
	for d.dec.More() {
		key, err := d.token()
		if err != nil {
			return false, nil, err
		}
		if key == name {
			return true, passed, nil
		}
		if text, ok := key.(string); ok && len(passed) < 100 {
			passed = append(passed, text)
		}
		if err := d.skip(); err != nil {
			return false, nil, err
		}
	}
	_, err = d.token()
	return false, passed, err
}

// leave walks from the end of the array of rows to the end of the document, and
// returns io.EOF if that was well-formed.
func (d *jsonDecoder) leave() error {
	if _, err := d.token(); err != nil { // the end of the rows
		return err
	}
	for i := len(d.path) - 1; i >= 0; i-- {
		if err := d.leaveStep(i); err != nil {
			return err
		}
	}
	var syntax *json.SyntaxError
	_, err := d.dec.Token()
	if err == nil || errors.As(err, &syntax) {
		return problem.New(problem.Invalid, "there is more after the end of the document").
			In(d.position()).WithHint("one JSON value a line is format: ndjson")
	}
	return err
}

func (d *jsonDecoder) leaveStep(i int) error {
	if d.path[i].isIndex {
		for d.dec.More() {
			if err := d.skip(); err != nil {
				return err
			}
		}
		_, err := d.token()
		return err
	}
	twice, _, err := d.skipTo(d.path[i].name)
	if err == nil && twice {
		return problem.New(problem.Invalid, "%s is there twice", d.path[:i+1]).In(d.position())
	}
	return err
}

// skip passes one value.
func (d *jsonDecoder) skip() error {
	for depth := 0; ; {
		token, err := d.token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return problem.New(problem.Invalid, "values nest deeper than %d", maxDepth).In(d.position())
		}
		if depth == 0 {
			return nil
		}
	}
}

func (d *jsonDecoder) token() (json.Token, error) {
	d.window.MoveTo(d.dec.InputOffset())
	token, err := d.dec.Token()
	return token, cutShort(err)
}

// cutShort turns the end of the input into what it is where a value has to
// follow: io.EOF would say that the document is whole.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (d *jsonDecoder) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, rows.ErrHeld):
		return problem.New(problem.TooLarge, "a value is larger than %d MB", maxHeld>>20).In(d.position())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return problem.New(problem.Invalid, "the JSON document breaks off: %w", io.ErrUnexpectedEOF).
			In(atLine(d.lines.read + 1)).WithHint("see that it was written and sent to its end")
	case errors.As(err, &syntax):
		return problem.New(problem.Invalid, "not JSON: %w", err).In(d.position())
	}
	return err
}

// position is where the value begins that the decoder stands before.
func (d *jsonDecoder) position() problem.Position {
	ahead, _ := io.ReadAll(d.dec.Buffered()) // of memory
	return atLine(d.lines.read + 1 - bytes.Count(bytes.TrimLeft(ahead, " \t\r\n,:"), newline))
}

// A lineCount counts the line ends that were read.
type lineCount struct {
	from io.Reader
	read int
}

func (l *lineCount) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	l.read += bytes.Count(p[:n], newline)
	return n, err
}

var newline = []byte("\n")

func (d *jsonDecoder) missing(i int, format string, args ...any) error {
	return problem.New(problem.Invalid, "there is no %s in the document; %s", d.path[:i+1], fmt.Sprintf(format, args...)).
		WithSlug("rows_not_found").WithHint("correct the rows path")
}

func (d *jsonDecoder) noArray(begin json.Token) error {
	if begin != json.Delim('{') {
		return problem.New(problem.Invalid, "%s is %s, not an array of rows", d.path, kindOf(begin)).
			WithSlug("rows_not_found").WithHint("correct the rows path")
	}
	_, names, err := d.skipTo("")
	if err != nil {
		return err
	}
	return problem.New(problem.Invalid, "%s is an object, not an array of rows; it has %s", d.path, connectors.Quoted(names)).
		WithSlug("rows_not_found").WithHint("name the array, as in rows: \"$.items\"")
}

// kindOf names what a decoded value, or the token that begins one, is in JSON.
func kindOf(value any) string {
	switch value {
	case nil:
		return "null"
	case json.Delim('{'):
		return "an object"
	case json.Delim('['):
		return "an array"
	}
	switch value.(type) {
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case map[string]any:
		return "an object"
	}
	return "an array"
}
