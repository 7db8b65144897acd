package value

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/connectors/poll"
)

const (
	badRecord = poll.BadRecord
	tooLarge  = poll.TooLarge
)

// maxDepth is how deep values of JSON may nest: deeper than any row is.
const maxDepth = 200

// magic begins what a schema registry frames; the id of the schema follows.
const (
	magic  = 0
	header = 5
)

// unframed takes the frame of a schema registry off JSON that has one: no JSON
// begins with its first byte.
func unframed(text []byte) []byte {
	if len(text) >= header && text[0] == magic {
		return text[header:]
	}
	return text
}

// framed is the id of the schema by which data is written, and what was written.
func framed(data []byte) (id uint32, body []byte, f *flaw) {
	switch {
	case len(data) == 0:
		return 0, nil, flawed(badRecord, "it is empty, where a schema registry's frame has 5 bytes")
	case data[0] != magic:
		return 0, nil, flawed(badRecord, "it begins with the byte %#02x, not with the 0 of a schema registry's frame: it is not written by a serializer of one", data[0])
	case len(data) < header:
		return 0, nil, flawed(badRecord, "it has %d bytes, and a schema registry's frame alone has 5", len(data))
	}
	return binary.BigEndian.Uint32(data[1:header]), data[header:], nil
}

// readJSON decodes text, which is one JSON value and nothing else.
func readJSON(text []byte) (any, *flaw) {
	var value any
	if f := readJSONInto(text, &value); f != nil {
		return nil, f
	}
	return value, nil
}

func readJSONInto(text []byte, value any) *flaw {
	if f := plausible(text); f != nil {
		return f
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(value); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return flawed(badRecord, "the JSON breaks off")
		}
		return flawed(badRecord, "not JSON: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return flawed(badRecord, "there is more after the JSON value")
	}
	return nil
}

// plausible judges what a decoder would take or mend.
func plausible(text []byte) *flaw {
	if len(bytes.TrimLeft(text, " \t\r\n")) == 0 {
		return flawed(badRecord, "it is empty, not JSON")
	}
	if !utf8.Valid(text) {
		return flawed(badRecord, "not JSON: it is no UTF-8")
	}
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return flawed(badRecord, "its values nest deeper than %d", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// readLine is the row of a line of CSV.
func readLine(text []byte, columns []string, comma rune) (map[string]any, *flaw) {
	if !utf8.Valid(text) {
		return nil, flawed(badRecord, "the line is no UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	if comma != 0 {
		r.Comma = comma
	}
	cells, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, flawed(badRecord, "the line is empty")
	case err != nil:
		return nil, flawed(badRecord, "not a line of CSV: %v", err)
	case len(cells) != len(columns):
		return nil, flawed(badRecord, "the line has %d cells where columns names %d", len(cells), len(columns))
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		return nil, flawed(badRecord, "it has more than one line")
	}
	row := make(map[string]any, len(cells))
	for i, cell := range cells {
		if columns[i] != "" {
			row[columns[i]] = cell
		}
	}
	return row, nil
}

// kindOf names a value for people.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "a text"
	case bool:
		return "true or false"
	}
	return "a number"
}
