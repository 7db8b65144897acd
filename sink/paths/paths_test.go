package paths_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/paths"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

func mustParse(tb testing.TB, text string, rules paths.Rules) *paths.Path {
	tb.Helper()
	p, err := paths.Parse(text, rules)
	if err != nil {
		tb.Fatalf("parse %q: %v", text, err)
	}
	return p
}

func of(p *paths.Path, value string) (string, error) {
	d := sinktest.Completed("k", 1)
	d.Row = map[string]any{"v": value}
	return p.Of(d, d.Outputs[0])
}

func TestValuesBecomeOneName(t *testing.T) {
	const acute, cedilla = "\u0301", "\u0327"
	for value, want := range map[string]string{
		"a/b":               "a%2Fb",
		`a\b`:               "a%5Cb",
		"100%":              "100%25",
		"a\x00\n\x7f\u0085": "a%00%0A%7F%C2%85",
		"\xff":              "%FF",
		"\ufffd":            "\ufffd",
		"\ufffe":            "%EF%BF%BE",
		"Köln ключ 中 🖼️":    "Köln ключ 中 🖼️",
		"e" + acute:         "%65%CC%81",          // é, as macOS writes it
		acute:               "%CC%81",             // would join the letter before it
		"x/" + cedilla:      "x%2F%CC%A7",         // would join the escape
		"\u1100\u1161":      "%E1%84%80%E1%85%A1", // 가 in its parts
		"\u1161":            "%E1%85%A1",
		"ABC":               "ABC",
	} {
		p := mustParse(t, "o/{{ row.v }}", paths.Rules{})
		if got, err := of(p, value); err != nil || got != "o/"+want {
			t.Errorf("%q is %q, %v, want %q", value, got, err, "o/"+want)
		}
	}
}

func TestCaseIsWrittenOutWhereItDoesNotCount(t *testing.T) {
	p := mustParse(t, "Cards/{{ row.v }}", paths.Rules{FoldCase: true})
	for value, want := range map[string]string{
		"abc":    "abc",
		"aBc":    "a%42c",
		"Köln":   "%4Böln",
		"KÖLN":   "%4B%C3%96%4C%4E",
		"ß":      "%C3%9F",    // ss
		"\u212a": "%E2%84%AA", // the sign of Kelvin: not in NFC
		"\u017f": "%C5%BF",    // long s
		"ς":      "%CF%82",    // σ at the end of a word
		"ı":      "%C4%B1",    // whose capital is that of i
		"中-1":    "中-1",
	} {
		if got, err := of(p, value); err != nil || got != "Cards/"+want {
			t.Errorf("%q is %q, %v, want %q", value, got, err, "Cards/"+want)
		}
	}
}

func FuzzValuesNeverMeet(f *testing.F) {
	for _, seed := range [][2]string{{"a", "A"}, {"é", "e\u0301"}, {"a/b", "a%2Fb"}, {"", ""}, {"\xff", "%FF"}, {"ss", "ß"}, {"k", "\u212a"}, {"i\u0307", "İ"}, {"\u0344", "\u0308\u0301"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, rules := range []paths.Rules{{}, {FoldCase: true}} {
			p := mustParse(t, "o/e{{ row.v }}", rules)
			pa, errA := of(p, a)
			pb, errB := of(p, b)
			if errA != nil || errB != nil {
				if a != "" && b != "" {
					t.Errorf("%q, %q: %v, %v", a, b, errA, errB)
				}
				continue
			}
			if !norm.NFC.IsNormalString(pa) || !utf8.ValidString(pa) || strings.Count(pa, "/") != 1 {
				t.Errorf("%q is %q", a, pa)
			}
			if rules.FoldCase {
				pa, pb = cases.Fold().String(pa), cases.Fold().String(pb)
			}
			if a != b && (pa == pb || norm.NFD.String(pa) == norm.NFD.String(pb)) {
				t.Errorf("%q and %q are both %q", a, b, pa)
			}
		}
	})
}

func TestPathsAreBounded(t *testing.T) {
	p := mustParse(t, "a/{{ row.v }}/b", paths.Rules{MaxBytes: 20, MaxSegment: 10})
	for value, want := range map[string]string{
		strings.Repeat("x", 10): "",
		strings.Repeat("x", 11): "longer than 10 bytes",
		strings.Repeat("ö", 6):  "longer than 10 bytes",
		strings.Repeat("x", 17): "longer than 20 bytes",
		"..":                    "a part of it is empty, or one or two dots",
		".":                     "a part of it is empty, or one or two dots",
		"":                      "is empty",
	} {
		_, err := of(p, value)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", value, err)
			}
			continue
		}
		var said *problem.Error
		if !errors.As(err, &said) || said.Slug != paths.Refused || !retry.IsPermanent(err) || !strings.Contains(said.Message, want) {
			t.Errorf("%q: %v, want a permanent %s: %s", value, err, paths.Refused, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "is the same for every row",
		"a.png":                                "is the same for every row",
		"{{ output }}.{{ ext }}":               "is the same for every row",
		"{{ binding }}-{{ width }}":            "is the same for every row",
		"/{{ key }}":                           "a part of it is empty",
		"a//{{ key }}":                         "a part of it is empty",
		"{{ key }}/":                           "a part of it is empty",
		"a/../{{ key }}":                       "a part of it is empty, or one or two dots",
		"{{ key }}\n":                          "control character",
		"{{ key }}\xff":                        "not UTF-8",
		"{{ key":                               "{{ is not closed",
		"{{ kee }}":                            `unknown variable "kee"`,
		"{{ key }}/" + strings.Repeat("x", 11): "longer than 10 bytes",
	} {
		if _, err := paths.Parse(text, paths.Rules{MaxSegment: 10}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestStablePathsAreThoseOfARow(t *testing.T) {
	for text, want := range map[string]string{
		"{{ key }}.png":                     "",
		"{{ row.sku }}/{{ output }}":        "",
		"{{ keys[0] }}.{{ ext }}":           "",
		"{{ key }}-{{ hash }}":              "reads hash",
		"{{ key }}-{{ url }}":               "reads url",
		"{{ key }}-{{ outputs.card.hash }}": "reads outputs",
		"{{ key }}-{{ generation }}":        "reads generation",
		"{{ key }}-{{ time }}":              "reads time",
	} {
		err := mustParse(t, text, paths.Rules{}).Stable()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if err := mustParse(t, "{{ outputs.card.width }}.png", paths.Rules{}).Stable(); err == nil {
		t.Error("a path of no row is stable")
	}
}

func TestSharedPathsAreThoseWithoutARow(t *testing.T) {
	for text, want := range map[string]bool{
		"{{ hash }}.{{ ext }}":         true,
		"{{ binding }}/{{ hash }}":     true,
		"{{ key }}-{{ hash }}":         false,
		"{{ row.v }}/{{ hash }}":       false,
		"{{ keys[0] }}/{{ hash }}":     false,
		`{{ $env["key"] }}-{{ hash }}`: false,
	} {
		if got := mustParse(t, text, paths.Rules{}).Shared(); got != want {
			t.Errorf("%s is shared: %v, want %v", text, got, want)
		}
	}
}

func TestOutputsThatAlwaysMeetAreFound(t *testing.T) {
	png, jpeg := sink.Output{Name: "card", Format: "png", Ext: "png"}, sink.Output{Name: "story", Format: "jpeg", Ext: "jpg"}
	second := sink.Output{Name: "second", Format: "png", Ext: "png"}
	for text, clash := range map[string]bool{
		"{{ key }}.png":                             true,
		"{{ key }}.{{ ext }}":                       true,
		"{{ key }}/{{ format }}":                    true,
		"{{ key }}-{{ outputs.card.hash }}":         true,
		`{{ key }}-{{ output == "story" ? 1 : 0 }}`: true,
		"{{ key }}-{{ output }}.{{ ext }}":          false,
		"{{ key }}-{{ hash }}.{{ ext }}":            false,
		"{{ key }}-{{ width }}":                     false, // nobody knows yet
		"{{ key + output }}":                        false,
		`{{ key }}-{{ $env["out" + "put"] }}`:       false,
	} {
		p := mustParse(t, text, paths.Rules{})
		first, other, got := p.Clash([]sink.Output{png, jpeg, second})
		if got != clash || got && (first != "card" || other == "card") {
			t.Errorf("%s: %q and %q meet: %v, want %v", text, first, other, got, clash)
		}
		if _, _, alone := p.Clash([]sink.Output{png}); alone {
			t.Errorf("%s: one output meets itself", text)
		}
	}
}
