package chrome

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// attack is what a payload would run if it could: it leaves a mark in the page,
// and asks the canary for something.
const attack = "document.documentElement.setAttribute(`data-pwned`,1);new Image().src=`//canary.test/script`"

// payloads try to leave the places that rows' values go to.
var payloads = []struct{ name, text string }{
	{"script", `<script>` + attack + `</script>`},
	{"end of style", `</style><script>` + attack + `</script><style>`},
	{"end of title", `</title><script>` + attack + `</script>`},
	{"image", `"><img src=http://canary.test/x onerror="` + attack + `">`},
	{"image in single quotes", `'><img src=http://canary.test/x onerror="` + attack + `">`},
	{"attribute", `' autofocus tabindex=0 onfocus='` + attack + `' onmouseover='` + attack},
	{"attribute in double quotes", `" autofocus tabindex=0 onfocus="` + attack + `" onmouseover="` + attack},
	{"javascript", `javascript:` + attack},
	{"url", `url(http://canary.test/a.png)`},
	{"url in a string", `"url("http://canary.test/a.png")"`},
	{"expression", `expression(` + attack + `)`},
	{"declaration", `;background:url(//canary.test/b.png)`},
	{"rule", `red}*{background:url(//canary.test/c.png)}`},
	{"import", `}@import "//canary.test/d.css";`},
	{"end of svg", `</svg><script>` + attack + `</script>`},
	{"expression of a template", `{{ constructor.constructor('` + attack + `')() }}`},
	{"address", `//canary.test/e.png`},
	{"remote address", `http://canary.test/f.png`},
	{"data of HTML", `data:text/html,<script>` + attack + `</script>`},
	{"data of SVG", `data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="` + attack + `"><image href="http://canary.test/g.png"/></svg>`},
	{"NUL", "a\x00<b>\x00script>"},
	{"right to left", "\u202egnp.\u2066exe\u2069 <b>"},
	{"half a surrogate", "\xed\xa0\x80<\xed\xb0\x80b>\xff\xfe"},
	{"1 MB", strings.Repeat("words and <b>more</b> ", 1_000_000/21)},
	{"30 kB without a space", strings.Repeat("x", 30<<10)},
	{"10,000 emoji", strings.Repeat("🎉👍🏽", 5_000)},
}

// polyglot is something of all of them, for where each alone would take too long.
var polyglot = `x'"></title></style></svg><img src=//canary.test/h onerror=` + attack + `><script>` + attack + `</script>;}*{background:url(//canary.test/i)}`

// harmless is as long as text and means nothing anywhere.
func harmless(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r != utf8.RuneError && (r == ' ' || unicode.IsLetter(r) || unicode.IsDigit(r)) {
			b.WriteRune(r)
		} else {
			b.WriteByte('x')
		}
	}
	return b.String()
}

// A spot is a place in a row that takes a value: a variable, or something in the
// list or object that it is.
type spot struct {
	variable string
	path     []any // of keys and indexes
}

// spotsOf are the variables of a template, and what the row has inside of them; of
// a list the first and the last, and of one that gets a long text the first alone.
func spotsOf(t *template.Template, row map[string]any, text string) (spots []spot) {
	names := []string{"modifications"}
	for _, v := range t.Vars() {
		names = append(names, v.Name)
		spots = append(spots, spot{variable: v.Name})
	}
	for _, name := range names {
		var walk func(value any, path []any)
		walk = func(value any, path []any) {
			switch value := value.(type) {
			case map[string]any:
				for _, key := range slices.Sorted(maps.Keys(value)) {
					walk(value[key], append(slices.Clone(path), key))
				}
			case []any:
				for i, item := range value {
					if i == 0 || i == len(value)-1 && len(text) < 500_000 {
						walk(item, append(slices.Clone(path), i))
					}
				}
			default:
				if len(path) > 0 {
					spots = append(spots, spot{name, path})
				}
			}
		}
		walk(row[name], nil)
	}
	return spots
}

// with is row with text in the spots.
func with(row map[string]any, spots []spot, text func(spot) string) map[string]any {
	out := maps.Clone(row)
	for _, s := range spots {
		out[s.variable] = put(out[s.variable], s.path, text(s))
	}
	return out
}

// put is value with text at the path in it; nothing of value is changed.
func put(value any, path []any, text string) any {
	if len(path) == 0 {
		return text
	}
	switch value := value.(type) {
	case map[string]any:
		key, _ := path[0].(string)
		out := maps.Clone(value)
		out[key] = put(value[key], path[1:], text)
		return out
	case []any:
		i, _ := path[0].(int)
		out := slices.Clone(value)
		out[i] = put(value[i], path[1:], text)
		return out
	}
	return value
}

func always(text string) func(spot) string { return func(spot) string { return text } }

// An attempt is one row with a payload in some spots, and the same row with a
// harmless value in them.
type attempt struct {
	hostile, harmless map[string]any
	spots             []spot
}

// attempts put text into every spot that takes it, as many in one row as go
// together. A spot that does not take it must say so cleanly.
func attempts(t *testing.T, tpl *template.Template, row map[string]any, text string) (all []attempt) {
	t.Helper()
	var open []spot
	stands := map[string]string{} // harmless values, by variable
	for _, s := range spotsOf(tpl, row, text) {
		err := resolves(tpl, with(row, []spot{s}, always(text)))
		if err != nil {
			checkRefusal(t, tpl, s, text, err)
			continue
		}
		if stands[s.variable] == "" {
			stands[s.variable] = standIn(t, tpl, row, s, text)
		}
		open = append(open, s)
	}
	instead := func(s spot) string { return stands[s.variable] }
	for len(open) > 0 {
		now, later := open, []spot(nil)
		for len(now) > 1 && (len(now)*len(text) > longest || nested(now) || resolves(tpl, with(row, now, always(text))) != nil || resolves(tpl, with(row, now, instead)) != nil) {
			half := (len(now) + 1) / 2
			now, later = now[:half], append(slices.Clone(now[half:]), later...)
		}
		all = append(all, attempt{with(row, now, always(text)), with(row, now, instead), now})
		open = later
	}
	return all
}

// longest is how much text one row has at most in all its spots.
const longest = 4 << 20

// nested reports whether one spot is inside of another.
func nested(spots []spot) bool {
	return slices.ContainsFunc(spots, func(s spot) bool {
		return len(s.path) == 0 && slices.ContainsFunc(spots, func(o spot) bool { return o.variable == s.variable && len(o.path) > 0 })
	})
}

// standIn is a harmless value for a spot that took text.
func standIn(t *testing.T, tpl *template.Template, row map[string]any, s spot, text string) string {
	t.Helper()
	for _, value := range []string{harmless(text), "https://photos.test/a.png"} {
		if resolves(tpl, with(row, []spot{s}, always(value))) == nil {
			return value
		}
	}
	t.Errorf("%v takes %.60q, and no harmless value", s, text)
	return text
}

func resolves(tpl *template.Template, row map[string]any) error {
	_, err := tpl.ResolveIn(row, expr.Env{Now: clock})
	return err
}

// checkRefusal sees to it that the error names the variable, and is short. Where
// several meet in one expression it may name another, if it shows the value.
func checkRefusal(t *testing.T, tpl *template.Template, s spot, text string, err error) {
	t.Helper()
	shown := strings.Trim(strconv.Quote(text[:4]), `"`)
	for _, p := range problem.All(err) {
		named := p.Path == "variables."+s.variable || s.variable == "modifications" && strings.HasPrefix(p.Path, s.variable) || strings.HasPrefix(p.Path, "variables.") && strings.Contains(p.Message, shown)
		if !named || p.Message == "" || p.Code == problem.Internal || len(p.Message)+len(p.Hint) > 1000 || !utf8.ValidString(p.Error()) {
			t.Errorf("%s: %s%v refuses with path %q: %.300s", tpl.Name(), s.variable, s.path, p.Path, p.Error())
		}
	}
}
