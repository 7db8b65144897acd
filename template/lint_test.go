package template

import (
	"fmt"
	"strings"
	"testing"
)

// lintDoc is a document whose body begins in line 6, and whose head has css in
// line 5.
func lintDoc(manifest, css, body string) string {
	return "<!doctype html>\n<html><head>\n<script type=\"application/json\" id=\"p-template\">\n{" + manifest + "}</script>\n" + css + "</head>\n<body>" + body + "</body></html>"
}

func lines(found []Finding) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "%d:%d %s\n", f.Pos.Line, f.Pos.Column, f.Kind())
	}
	return b.String()
}

func TestLintFindsEachTrapAtItsPlace(t *testing.T) {
	vars := `"vars": {"v": {"type": "text"}}`
	page := func(inner string) string { return `<section id="s" class="p-page">` + inner + `</section>` }
	const at = 38 // the column behind <body><section …>
	tests := []struct {
		trap, src, want string
	}{
		{"1: two engines", `{"version": "5.3.0", "objects": []}`, "0:0 not_supported"},
		{"2: a loop on a placed layer", lintDoc(vars, "", page(`<b id="x" p-for="f in v">{{ f }}</b>`)), fmt.Sprintf("6:%d loop_outside_stack\n6:%d wrong_type", at, 60)},
		{"3: an id twice", lintDoc(vars, "", page(`<b id="x">{{ v }}</b><i id="x"></i>`)), "6:59 duplicate_id"},
		{"4: a size that is guessed", lintDoc(vars, "", page(`<b id="x" style="left: 0; font-size: {{ length(v) > 9 ? 20 : 40 }}px">{{ v }}</b>`)), "6:64 computed_font_size"},
		{"4: a size that cannot change", lintDoc(vars, `<style>#x { width: 9px; height: 9px; font-size: 9px !important }</style>`, page(`<b id="x" p-fit="shrink">{{ v }}</b>`)), "5:38 important_font_size"},
		{"5: a font that comes late", lintDoc(vars, `<style>@font-face { font-family: A; font-display: swap }</style>`, `{{ v }}`), "5:37 font_display"},
		{"5: no height to fit", lintDoc(vars, "", page(`<b id="x" p-fit="shrink" style="width: 9px">{{ v }}</b>`)), "6:38 fit_without_box"},
		{"5: no width to fit", lintDoc(vars, "", page(`<b id="x" p-fit="shrink" style="height: 9px">{{ v }}</b>`)), "6:38 fit_without_box"},
		{"6: text-fit", lintDoc(vars, `<style>#x { text-fit: grow }</style>`, `{{ v }}`), "5:13 text_fit"},
		{"7: javascript:", lintDoc(vars, "", `<a href="javascript:x()">{{ v }}</a>`), "6:16 unsafe"},
		{"7: an address without url()", lintDoc(`"vars": {"v": {"type": "image"}}`, "", page(`<b id="x" p-style-background-image="{{ v }}"></b>`)), "6:48 bare_address"},
		{"7: an expression as a selector", lintDoc(vars, `<style>#{{ v }} {}</style>`, ``), "5:9 unsafe"},
		{"8: line breaks that show", lintDoc(vars, "", page("<b id=\"x\" style=\"white-space: pre-wrap\">\n  {{ v }}\n</b>")), "6:38 visible_indent"},
		{"9: a layout per size", lintDoc(`"sizes": {"default": {"w": 9, "h": 9}, "tall": {"w": 9, "h": 99}}, `+vars,
			`<style id="p-size-tall">#x { display: none }</style>`, page(`<b id="x">{{ v }}</b><i id="y">{{ v }}</i>`)), "6:59 copied_layer"},
		{"9: a size that repaints", lintDoc(`"sizes": {"default": {"w": 9, "h": 9}, "tall": {"w": 9, "h": 99}}, `+vars,
			`<style id="p-size-tall">#x { top: 1px; color: red }</style>`, page(`<b id="x">{{ v }}</b>`)), "5:40 size_property"},
		{"10: a size of width and height alone", lintDoc(`"sizes": {"default": {"w": 9, "h": 9}, "tall": {"w": 9, "h": 99}}, `+vars, "", page(`<b id="x">{{ v }}</b>`)), "4:41 size_without_block"},
		{"a variable that nobody shows", lintDoc(`"vars": {"v": {"type": "text"}, "w": {}}`, "", `{{ v }}`), "4:34 unused_variable"},
		{"a layer without a name", lintDoc(vars, "", page(`<b>{{ v }}</b>`)), "6:38 layer_without_id"},
		{"a file from the network", lintDoc(vars, "", `{{ v }}<img src="https://x.example/a.png">`), "6:14 remote_file"},
		{"an element that does not end", lintDoc(vars, "", page(`<div id="x"><b id="y">{{ v }}</b>`)), "6:38 unclosed_element"},
		{"a layer off the page", lintDoc(`"sizes": {"default": {"w": 90, "h": 90}, "small": {"w": 50, "h": 90}}, `+vars, `<style id="p-size-small">#y { top: 1px }</style>`,
			page(`<b id="x" style="left: 40px; top: 0; width: 20px">{{ v }}</b><i id="y" style="left: 80px; width: 90px"></i>`)), "6:38 off_page"},
		{"nothing", lintDoc(`"sizes": {"default": {"w": 9, "h": 9}, "tall": {"w": 9, "h": 99}}, `+vars,
			`<style>@font-face { font-family: A; font-display: block } @media print { #x { color: red } }</style><style id="p-size-tall">#x { top: 1px; font-size: 3px }</style>`,
			page(`<b id="x" p-fit="shrink" style="width: 9px; height: 9px">{{ v }}</b><ul id="l" class="p-stack"><li id="i" p-for="f in [v]">{{ f }}</li></ul>`)), ""},
	}
	for _, tt := range tests {
		if got := strings.TrimSpace(lines(Lint("card", []byte(tt.src), nil, nil))); got != tt.want {
			t.Errorf("%s:\n%s\ngot\n%s\nwant\n%s", tt.trap, tt.src, got, tt.want)
		}
	}
}

func TestLintHoldsExpressionsAgainstTheSampleRows(t *testing.T) {
	src := lintDoc(`"vars": {"team": {"type": "array", "example": [{"name": "Ada", "points": 3}]}, "who": {"type": "object"}}`, "",
		`<ul id="l" class="p-stack"><li id="i" p-for="m in team">{{ m.nam }} {{ m.points * 2 }} {{ isNumber(m.since) ? m.since * 2 : m.since }}</li></ul>{{ who.x }}`)
	rows := []map[string]any{{"team": []any{map[string]any{"name": "B", "since": "2020-01-01", "points": 1.0}}, "who": map[string]any{"x": 1.0}}, {"team": "nobody", "who": map[string]any{}}}
	found := Lint("card", []byte(src), nil, rows)
	var text []string
	for _, f := range found {
		text = append(text, f.Error.Error())
	}
	all := strings.Join(text, "\n")
	if len(found) != 1 || !strings.Contains(all, `card.html:6:68: `) || !strings.Contains(all, `did you mean "name"?`) || found[0].Pos.EndColumn != 71 {
		t.Errorf("got %s (until %d)", all, found[0].Pos.EndColumn)
	}
	found = Lint("card", []byte(strings.Replace(src, "m.nam ", "m.name ", 1)), nil, rows)
	if len(found) != 1 || found[0].Slug != LintSample || !strings.Contains(found[0].Message, `sample row 1: team is "nobody", not a list`) || !found[0].Fatal {
		t.Errorf("got %v", found)
	}
}

func TestExamplesHaveNoTraps(t *testing.T) {
	for name, fsys := range examples {
		src, files, err := Load(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		digests := map[string]string{}
		for path := range files {
			digests[path] = "d"
		}
		for _, f := range Lint(name, src, digests, nil) {
			t.Errorf("%v", f.Error)
		}
	}
}
