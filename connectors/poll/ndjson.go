package poll

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// ndjson reads one JSON object a line. A broken line is a fault, but for a last
// one that has no line end: that is where a document was cut.
type ndjson struct {
	rest []byte
	line int
}

func (d *ndjson) Next() (Element, error) {
	for len(d.rest) > 0 {
		text, rest, ended := bytes.Cut(d.rest, []byte("\n"))
		d.rest = rest
		d.line++
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		e := Element{Position: line(d.line), Size: int64(len(text))}
		if e.Size > maxRecord {
			e.Fault = tooLarge(e.Position)
			return e, nil
		}
		value, err := oneJSON(text)
		switch {
		case err == nil:
			e.take(value)
		case !ended:
			return Element{}, problem.New(problem.Invalid, "the last line breaks off: %w", err).
				In(atLine(d.line)).WithHint("see that the document was written and sent to its end")
		default:
			e.Fault = fault(e.Position, BadRecord, "not JSON: %v", err)
		}
		return e, nil
	}
	return Element{}, io.EOF
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
