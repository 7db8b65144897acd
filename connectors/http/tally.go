package httppoll

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A tally is what paging has to know of a page, whatever becomes of its rows:
// their number as they came, before any is set aside.
type tally struct {
	count       int
	first, last map[string]any // nil where it is no object
	rows        string         // the digest of the rows alone
	text        []byte         // of JSON: the page
}

// tally counts the rows of a page. JSON is not decoded for it.
func (s *source) tally(a answer, in *spill) (tally, error) {
	text, err := in.bytes(a.offset, a.size)
	if err != nil {
		return tally{}, err
	}
	format, err := formatOf(s.cfg.Layout, a, text[:min(len(text), lookAhead)])
	if err != nil {
		return tally{}, err
	}
	if format == poll.JSON {
		text = bytes.TrimPrefix(text, []byte(byteOrderMark))
		if t, ok := s.tallyJSON(text); ok {
			return t, nil
		}
	}
	return s.tallyDecoded(format, text, a.digest)
}

func (s *source) tallyJSON(text []byte) (t tally, ok bool) {
	array, err := poll.Find(text, s.cfg.Rows)
	if err != nil {
		return t, false
	}
	n, first, last, ok := poll.Elements(array)
	return tally{count: n, first: object(first), last: object(last), rows: poll.Digest(array), text: text}, ok
}

// tallyDecoded is the way for tables, and for JSON that is wrong: it has the error.
func (s *source) tallyDecoded(format string, text []byte, digest string) (t tally, err error) {
	t.rows = digest
	decoder, err := s.cfg.Decoder(format, bytes.NewReader(text), s.cfg.Key)
	if err != nil {
		return t, err
	}
	if c, ok := decoder.(io.Closer); ok {
		defer func() { err = errors.Join(err, c.Close()) }()
	}
	for {
		e, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		} else if err != nil {
			return t, err
		}
		if t.last = e.Values; t.count == 0 {
			t.first = e.Values
		}
		t.count++
	}
}

func object(raw json.RawMessage) map[string]any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var values map[string]any
	if dec.Decode(&values) != nil {
		return nil
	}
	return values
}

// find is the value at a path of the page as text, "" for null and for nothing.
// What is on the way to it has to be there.
func (t tally) find(path, setting string) (string, error) {
	if t.text == nil {
		return "", problem.New(problem.Upstream, "the page is no JSON in which pages.%s could be found", setting).WithSlug(NotRows)
	}
	raw, err := poll.Find(t.text, path)
	if err == nil && raw == nil {
		parent, _ := poll.Find(t.text, parentOf(path))
		if begin := bytes.TrimSpace(parent); len(begin) == 0 || begin[0] != '{' && !bytes.Equal(begin, []byte("null")) {
			return "", problem.New(problem.Upstream, "there is no %s in the page", parentOf(path)).
				WithSlug("rows_not_found").WithHint("correct pages.%s", setting)
		}
	}
	if err != nil {
		return "", err
	}
	value, err := poll.Text(raw)
	if err != nil {
		return "", problem.New(problem.Upstream, "%s: %w", path, err).WithHint("correct pages.%s", setting)
	}
	return value, nil
}

// parentOf is a path without its last step.
func parentOf(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if (path[i] == '.' || path[i] == '[') && poll.CheckPath(path[:i]) == nil {
			return path[:i]
		}
	}
	return path
}

// keyOf is the key of a row, as one text; "" where a part of it is missing.
func keyOf(columns []string, values map[string]any) string {
	key := connectors.KeyOf(columns, values)
	if slices.Contains(key, nil) {
		return ""
	}
	return fmt.Sprintf("%q", key)
}
