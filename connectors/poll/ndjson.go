package poll

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// ndjson reads one JSON object a line. A broken line is a fault, but for a last
// one that has no line end: that is where a document was cut.
type ndjson struct{ lines *rows.Lines }

func newNDJSON(text io.Reader) *ndjson { return &ndjson{rows.NewLines(text, maxRecord)} }

func (d *ndjson) Next() (Element, error) {
	l, err := d.lines.Next()
	if err != nil {
		return Element{}, err
	}
	e := Element{Position: line(l.Number), Size: l.Size}
	if l.TooLong {
		e.Fault = tooLarge(e.Position)
		return e, nil
	}
	value, err := oneJSON(l.Text)
	switch {
	case err == nil:
		e.take(value)
	case !l.Ended:
		return Element{}, problem.New(problem.Invalid, "the last line breaks off: %w", err).
			In(atLine(l.Number)).WithHint("see that the document was written and sent to its end")
	default:
		e.Fault = fault(e.Position, BadRecord, "not JSON: %v", err)
	}
	return e, nil
}

// oneJSON decodes text, which is one JSON value and nothing else.
func oneJSON(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the value")
	}
	return value, nil
}
