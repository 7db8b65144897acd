package poll

import "io"

// Through yields what pass makes of the elements of d, without those for which it
// returns false.
func Through(d Decoder, pass func(Element) (Element, bool)) Decoder {
	return &through{from: d, pass: pass}
}

type through struct {
	from Decoder
	pass func(Element) (Element, bool)
}

// Next implements Decoder.
func (t *through) Next() (Element, error) {
	for {
		e, err := t.from.Next()
		if err != nil {
			return e, err
		}
		if e, ok := t.pass(e); ok {
			return e, nil
		}
	}
}

func (t *through) missingNumbers() (missing, header []string) {
	if n, ok := t.from.(numbered); ok {
		return n.missingNumbers()
	}
	return nil, nil
}

// Close closes what is decoded.
func (t *through) Close() error {
	if c, ok := t.from.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
