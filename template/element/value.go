package element

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func bad(format string, args ...any) *problem.Error {
	return problem.New(problem.Invalid, format, args...).WithSlug(BadValue)
}

// empty reports whether a row has no value: then there is nothing to draw.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	}
	return false
}

// plain is a value that is one text or number.
func plain(what string, v any) (string, error) {
	switch v.(type) {
	case []any, map[string]any:
		return "", bad("%s needs a text, but the value is %s", what, describe(v))
	}
	s := expr.Text(v)
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return s, nil
}

// describe says in a message what v is.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "missing"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case json.Number, float64, int, bool:
		return cut(expr.Text(v))
	}
	return quote(expr.Text(v))
}

func quote(s string) string { return strconv.Quote(cut(s)) }

// cut keeps a long text from filling a message.
func cut(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}
