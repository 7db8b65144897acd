package httppoll

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const byteOrderMark = "\xef\xbb\xbf"

// rows make the elements of a body those of the reading: with the columns that
// are kept, and without what the page before had already.
type rows struct {
	sheet  sheet
	pass   *pass
	before map[string]bool // the keys of the page before; nil: rows are not compared
	begun  bool
}

func (r *rows) element(e poll.Element) (poll.Element, bool) {
	first := !r.begun
	r.begun = true
	if first && r.sheet.skip || r.known(e) {
		return e, false
	}
	return r.dress(e), true
}

// known notes the key of a row, and reports whether the page before had it. Then
// rows moved while they were read: it came along from there.
func (r *rows) known(e poll.Element) bool {
	if r.pass.keys == nil || r.pass.agreed || e.Fault != nil {
		return false
	}
	key := keyOf(r.pass.s.cfg.Key, e.Values)
	if r.pass.keys[key] = true; key == "" || !r.before[key] {
		return false
	}
	if r.pass.drift == "" {
		r.pass.drift = fmt.Sprintf("a row of page %d was in the page before it, too", r.sheet.page)
	}
	return true
}

// dress gives a row its place in all answers, and the columns that are kept.
func (r *rows) dress(e poll.Element) poll.Element {
	if r.sheet.page > 0 {
		e.Position = fmt.Sprintf("page %d, %s", r.sheet.page, e.Position)
	}
	if r.sheet.row != nil {
		e.Position = fmt.Sprintf("%s, %s", r.sheet.row, e.Position)
	}
	if e.Fault != nil {
		fault := *e.Fault
		fault.Position = e.Position
		e.Fault = &fault
	}
	if e.Values != nil {
		maps.Copy(e.Values, r.sheet.keep)
	}
	return e
}

// single is a document of one element.
type single struct {
	element poll.Element
	done    bool
}

// Next implements poll.Decoder.
func (s *single) Next() (poll.Element, error) {
	if s.done {
		return poll.Element{}, io.EOF
	}
	s.done = true
	return s.element, nil
}

// objectAt is the object at the rows path; nil where something else is there.
func (s *source) objectAt(text []byte) (map[string]any, error) {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	raw, err := poll.Find(text, s.cfg.Rows)
	if err != nil || len(raw) == 0 || raw[0] != '{' {
		return nil, nil //nolint:nilerr // the decoder has the words for it
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, problem.New(problem.Upstream, "the answer is not JSON, or breaks off: %w", err).WithSlug(NotRows)
	}
	return object(raw), nil
}

func rootOf(path string) string {
	if path == "" {
		return "$"
	}
	return path
}

// oneObject decodes an answer that is one object, the row of the key One.
func (s *source) oneObject(body io.Reader) (*connectors.Row, error) {
	text := bufio.NewReader(body)
	if mark, err := text.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = text.Discard(len(mark)) // it was peeked at
	}
	dec := json.NewDecoder(text)
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		return nil, notOne(err)
	}
	if values == nil {
		return nil, notOne(errors.New("it is null"))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, notOne(errors.New("there is more after the object"))
	}
	return &connectors.Row{Key: []any{s.cfg.One}, Values: values, Position: "$"}, nil
}

func notOne(err error) error {
	return problem.New(problem.Upstream, "the answer is not one JSON object: %w", err).WithSlug(NotRows).
		WithHint("leave one out, and name key columns, where it is a list of rows")
}
