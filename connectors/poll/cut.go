package poll

import (
	"errors"
	"io"
)

// Unended yields the elements of d, of which the last one may be cut short: it is
// a fault.
func Unended(d Decoder) Decoder { return &unendedDecoder{from: d} }

type unendedDecoder struct {
	from Decoder
	held *Element // the one before the next
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
		case err != nil:
			return Element{}, err
		case d.held != nil:
			before := *d.held
			d.held = &next
			return before, nil
		}
		d.held = &next
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
