package sample

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template"
)

// A Kind says what a case is hard by.
type Kind string

// The kinds.
const (
	KindLongest      Kind = "longest" // of the rows
	KindShortest     Kind = "shortest"
	KindEmpty        Kind = "empty"
	KindLong         Kind = "long" // longer than any row
	KindWord         Kind = "word" // without a place to break the line
	KindNumber       Kind = "number"
	KindRTL          Kind = "rtl"
	KindCJK          Kind = "cjk"
	KindEmoji        Kind = "emoji"
	KindMissingImage Kind = "missing_image"
	KindFalse        Kind = "false"
	KindTrue         Kind = "true"
	KindPast         Kind = "past"
	KindFar          Kind = "far"
	KindMany         Kind = "many"
	KindOption       Kind = "option"
)

// A Case is a row to try a template with.
type Case struct {
	Name     string         `json:"name"`
	Variable string         `json:"variable,omitempty"` // that is extreme; none where several are
	Kind     Kind           `json:"kind"`
	Made     bool           `json:"made"`          // there is no such row
	At       *int           `json:"at,omitempty"`  // the place of the row
	Key      string         `json:"key,omitempty"` // of the row
	Values   map[string]any `json:"variables"`
}

// maxCases bounds a stress sheet.
const maxCases = 40

// lacking is an address where no picture is; no name of that kind is ever given
// away.
const lacking = "https://missing.invalid/picture.png"

// Stress is the cases to try a template with: rows that are extreme, then what is
// harder. base fills the other variables of made ones. accepts says whether the
// template takes a row at all: made cases that it refuses are left out. Cases with
// the same values stand once.
func Stress(vars []template.Var, e *Extremes, base map[string]any, accepts func(map[string]any) bool) []Case {
	s := stress{vars: vars, base: base, accepts: accepts, seen: map[string]bool{}, cases: []Case{}}
	s.found(e)
	s.together()
	for _, v := range vars {
		s.make(v)
	}
	if len(s.cases) > maxCases {
		s.cases = s.cases[:maxCases]
	}
	return s.cases
}

type stress struct {
	vars    []template.Var
	base    map[string]any
	accepts func(map[string]any) bool
	seen    map[string]bool
	cases   []Case
}

func (s *stress) add(c Case) {
	text, err := json.Marshal(c.Values)
	if err != nil || s.seen[string(text)] || c.Made && !s.accepts(c.Values) {
		return
	}
	s.seen[string(text)] = true
	s.cases = append(s.cases, c)
}

// found adds rows that are extreme.
func (s *stress) found(e *Extremes) {
	named := func(name, variable string, kind Kind, row Row, ok bool) {
		if ok {
			at := row.At
			s.add(Case{Name: name, Variable: variable, Kind: kind, At: &at, Key: row.Key, Values: row.Values})
		}
	}
	add := func(variable string, kind Kind, row Row, ok bool) {
		named(caseName(variable, string(kind)), variable, kind, row, ok)
	}
	row, ok := e.Emptiest()
	named("the emptiest row", "", KindEmpty, row, ok) // it may lack nothing
	for _, v := range s.vars {
		if v.Type == template.Boolean || v.Type == template.Color {
			continue
		}
		row, ok := e.Longest(v.Name)
		add(v.Name, KindLongest, row, ok)
		row, ok = e.Empty(v.Name)
		add(v.Name, KindEmpty, row, ok)
	}
	for _, v := range s.vars {
		if v.Type == template.Text || v.Type == template.Any {
			row, ok := e.Shortest(v.Name)
			add(v.Name, KindShortest, row, ok)
		}
	}
}

func caseName(variable, what string) string {
	if variable == "" {
		variable = "all"
	}
	return variable + ": " + what
}

// made is the base with some values instead.
func (s *stress) made(variable string, kind Kind, what string, values map[string]any) {
	row := maps.Clone(s.base)
	if row == nil {
		row = map[string]any{}
	}
	for name, value := range values {
		if value == nil {
			delete(row, name)
		} else {
			row[name] = value
		}
	}
	s.add(Case{Name: caseName(variable, what), Variable: variable, Kind: kind, Made: true, Values: row})
}

// Texts that are hard to set, each long enough for any limit.
var (
	longText  = strings.Repeat("Extraordinarily comfortable waterproof hiking boots with reinforced soles for long distances. ", 12)
	longWord  = strings.Repeat("Donaudampfschifffahrtsgesellschaftskapitänskajütentürschlüssel", 8)
	rtlText   = strings.Repeat("أحذية مشي مريحة ومقاومة للماء – 2 في 1 (ABC) ", 8)
	cjkText   = strings.Repeat("軽量で丈夫な防水トレッキングシューズ、北京限定版。", 8)
	emojiText = strings.Repeat("🎉👩‍👩‍👧‍👦🇩🇪 Zürich 😀 é ", 10)
)

// together adds cases in which all texts are of one kind.
func (s *stress) together() {
	for _, k := range []struct {
		kind Kind
		what string
		text string
		len  int
	}{
		{KindLong, "long texts", longText, 120}, {KindWord, "one long word", longWord, 60},
		{KindRTL, "right to left", rtlText, 60}, {KindCJK, "Chinese and Japanese", cjkText, 40}, {KindEmoji, "emoji and marks", emojiText, 40},
	} {
		values := map[string]any{}
		for _, v := range s.vars {
			if writes(v) {
				values[v.Name] = s.fit(v, k.text, k.len)
			}
		}
		if len(values) > 0 {
			s.made("", k.kind, k.what, values)
		}
	}
	none := map[string]any{}
	for _, v := range s.vars {
		if !v.Required {
			none[v.Name] = nil
		}
	}
	if len(none) > 0 {
		s.made("", KindEmpty, "only what is required", none)
	}
}

// writes reports whether any text may be given for v.
func writes(v template.Var) bool {
	return v.Type == template.Text && len(v.Options) == 0 && v.Pattern == ""
}

// fit is so much of a text as v may have: at least as much as its example.
func (s *stress) fit(v template.Var, text string, letters int) string {
	letters = max(letters, 2*Length(v.Example), 2*Length(s.base[v.Name]), v.MinLength)
	if v.MaxLength > 0 {
		letters = min(letters, v.MaxLength)
	}
	return strings.TrimSpace(cut(text, letters))
}

// cut is the first letters of text.
func cut(text string, letters int) string {
	n := 0
	for i := range text {
		if n == letters {
			return text[:i]
		}
		n++
	}
	return text
}

// make adds the cases of one variable.
func (s *stress) make(v template.Var) {
	one := func(kind Kind, what string, value any) { s.made(v.Name, kind, what, map[string]any{v.Name: value}) }
	if !v.Required && !writes(v) {
		one(KindEmpty, "empty", nil)
	}
	if len(v.Options) > 0 {
		for _, option := range v.Options {
			one(KindOption, "option "+expr.Text(option), option)
		}
		return
	}
	switch v.Type {
	case template.Text:
		if writes(v) {
			one(KindLong, "long", s.fit(v, longText, 200))
		}
	case template.Number:
		for _, n := range []float64{orElse(v.Max, 9_999_999_999.99), orElse(v.Min, -1234.5), 0} {
			one(KindNumber, strconv.FormatFloat(n, 'f', -1, 64), json.Number(strconv.FormatFloat(n, 'f', -1, 64)))
		}
	case template.Boolean:
		one(KindFalse, "false", false)
		one(KindTrue, "true", true)
	case template.Date:
		one(KindPast, "1900", "1900-01-01")
		one(KindFar, "2199", "2199-12-31")
	case template.Image:
		one(KindMissingImage, "missing picture", lacking)
	case template.URL:
		one(KindLong, "long", "https://example.com/"+strings.Repeat("long/", 30))
	case template.Array:
		one(KindEmpty, "no items", []any{})
		if many := repeated(first(s.base[v.Name], v.Example)); many != nil {
			one(KindMany, fmt.Sprintf("%d items", len(many)), many)
		}
	}
}

func orElse(limit *float64, otherwise float64) float64 {
	if limit != nil {
		return *limit
	}
	return otherwise
}

func first(values ...any) any {
	for _, v := range values {
		if !empty(v) {
			return v
		}
	}
	return nil
}

// manyItems is how long a list becomes that has some.
const manyItems = 12

// repeated is a list with its items again and again; nil where there are none.
func repeated(value any) []any {
	items, _ := value.([]any)
	if len(items) == 0 || len(items) >= manyItems {
		return nil
	}
	many := make([]any, manyItems)
	for i := range many {
		many[i] = items[i%len(items)]
	}
	return many
}
