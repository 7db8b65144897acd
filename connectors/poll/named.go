package poll

import (
	"io"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Origin names one of several documents of a source.
type Origin struct {
	Name   string // stands in front of the positions of its elements
	Column string // of a table or an object: takes the name; empty is none
}

// Named yields the elements of d as those of the origin.
func (n Origin) Named(d Decoder) Decoder { return &namedDecoder{Origin: n, from: d} }

type namedDecoder struct {
	Origin
	from Decoder
}

// Next implements Decoder.
func (d *namedDecoder) Next() (Element, error) {
	e, err := d.from.Next()
	if err != nil {
		return e, err
	}
	e.Position = d.Name + " " + e.Position
	if e.Fault != nil {
		named := *e.Fault
		named.Position = e.Position
		e.Fault = &named
	}
	if d.Column == "" || e.Values == nil {
		return e, nil
	}
	if _, twice := e.Values[d.Column]; twice {
		return Element{}, problem.New(problem.Invalid, "column %q is to take the name of the file, and is in %s already", d.Column, e.Position).
			At("file_column").WithHint("choose another name")
	}
	e.Values[d.Column] = d.Name
	return e, nil
}

func (d *namedDecoder) missingNumbers() (missing, header []string) {
	if t, ok := d.from.(numbered); ok {
		return t.missingNumbers()
	}
	return nil, nil
}

// Close closes what is decoded.
func (d *namedDecoder) Close() error {
	if c, ok := d.from.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
