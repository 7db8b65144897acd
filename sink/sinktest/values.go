package sinktest

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
)

// hostile are values that a row may have, of which some fit nowhere.
func hostile() map[string]any {
	return map[string]any{
		"null": nil, "empty": "", "list": []any{"a", nil, map[string]any{"b": json.Number("1")}}, "object": map[string]any{"a": []any{}},
		"lines": "a\r\nX-Evil: 1", "nul": "a\x00b", "bytes": "a\xffb", "large": longKey(), "number": json.Number("1e400"), "true": true,
		"right to left": "\u202egnp.exe", "quotes": `"'\` + "`", "braces": "{{ key }}", "formula": `=IMAGE("x")`, "climbs": "../../x", "query": "a&b=c#d?e",
	}
}

// Hostile asks of a sink whose expressions read row.v that it sends whatever that
// is, or refuses it for good, with a slug, and in few words.
func Hostile(t *testing.T, s sink.Sink) {
	t.Helper()
	values := hostile()
	for i, name := range slices.Sorted(maps.Keys(values)) {
		d := Completed("a", int64(i)+1)
		d.Row = map[string]any{"v": values[name]}
		_, err := s.Deliver(limit(t), d)
		if err == nil {
			continue
		}
		var p *problem.Error
		if !errors.As(err, &p) || !retry.IsPermanent(err) || p.Slug == "" || len(err.Error()) > 1000 {
			t.Errorf("%s: %.400v (%d bytes), want delivery, or a permanent error with a slug in few words", name, err, len(err.Error()))
		}
	}
	d := Completed("a", 100)
	d.Row = map[string]any{"v": "plain"}
	if _, err := s.Deliver(limit(t), d); err != nil {
		t.Errorf("a plain value after them: %v", err)
	}
}
