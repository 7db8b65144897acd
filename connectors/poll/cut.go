package poll

import (
	"errors"
	"io"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Unended yields the elements of d, of which the last one may be cut short: it is
// a fault, and a document without elements an error.
func Unended(d Decoder) Decoder { return &unendedDecoder{from: d} }

type unendedDecoder struct {
	from Decoder
	held *Element // the one before the next
	any  bool
}

// Next implements Decoder.
func (d *unendedDecoder) Next() (Element, error) {
	for {
		next, err := d.from.Next()
		switch {
		case errors.Is(err, io.EOF) && d.held != nil:
			last := *d.held
			d.held = nil
			if last.Fault == nil {
				last.Values, last.Fault = nil, fault(last.Position, BadRecord, "the last line has no end, where the file had one before: it may be cut short")
			}
			return last, nil
		case errors.Is(err, io.EOF) && !d.any:
			return Element{}, problem.New(problem.Invalid, "the header has no end, where the file had rows before: it may be cut short").
				WithHint("see that it was written to its end")
		case err != nil:
			return Element{}, err
		case d.held != nil:
			before := *d.held
			d.held = &next
			return before, nil
		}
		d.held, d.any = &next, true
	}
}

func (d *unendedDecoder) missingNumbers() (missing, header []string) {
	if t, ok := d.from.(numbered); ok {
		return t.missingNumbers()
	}
	return nil, nil
}

// Close closes what is decoded.
func (d *unendedDecoder) Close() error {
	if c, ok := d.from.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
