package rows

import (
	"bytes"
	"encoding/binary"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Encoding is how a text without a byte order mark was written. The zero one
// is UTF-8.
type Encoding struct {
	name  string
	order binary.ByteOrder  // of UTF-16
	other encoding.Encoding // of what is neither UTF-8 nor UTF-16
}

// ParseEncoding is the encoding of a name that browsers know, as "utf-16le",
// "latin1" (which is windows-1252 to them) or "iso-8859-2". Empty is UTF-8.
func ParseEncoding(name string) (Encoding, *problem.Error) {
	if name == "" {
		return Encoding{}, nil
	}
	known, err := htmlindex.Get(name)
	if err != nil {
		return Encoding{}, problem.New(problem.Invalid, "there is no encoding %q", name).
			WithHint("as in utf-8, utf-16le, latin1, windows-1252 or iso-8859-15; empty is UTF-8, or what a byte order mark says")
	}
	canonical, err := htmlindex.Name(known)
	if err != nil {
		return Encoding{}, problem.New(problem.Invalid, "encoding %q can't be read", name)
	}
	e := Encoding{name: canonical}
	switch canonical {
	case "utf-8":
	case "utf-16le":
		e.order = binary.LittleEndian
	case "utf-16be":
		e.order = binary.BigEndian
	case "replacement", "x-user-defined":
		return Encoding{}, problem.New(problem.Invalid, "encoding %q can't be read", name)
	default:
		e.other = known
	}
	return e, nil
}

// replacement is what golang.org/x/text gives for bytes that mean nothing.
var replacement = []byte("\ufffd")

func (t *text) foundForeign(known []byte) *problem.Error {
	n := bytes.Index(known, replacement)
	if t.decoded == nil || n < 0 {
		return nil
	}
	t.lines += bytes.Count(known[:n], newline)
	return problem.New(problem.Invalid, "bytes that are not %s", strings.ToUpper(t.encoding.name)).
		In(t.here()).WithHint("correct encoding, or save the document as UTF-8")
}
