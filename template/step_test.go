package template

import (
	"strings"
	"testing"
)

func TestARowChangesTheImageThatItNames(t *testing.T) {
	src := `<section id="card" class="p-page"><img id="one" p-src="{{ a }}"><img id="two" p-src="{{ a }}"><img p-src="{{ a }}"></section>`
	tpl := mustParse(t, src, map[string]string{"assets/a.png": "d", "assets/b.png": "e"})
	got := mustFill(t, tpl, map[string]any{"a": "assets/a.png", "modifications": []any{map[string]any{"name": "two", "image_url": "assets/b.png"}}})
	want := `<img id="one" src="/assets/a.png"><img id="two" src="/assets/b.png"><img src="/assets/a.png">`
	if !strings.Contains(got.HTML, want) {
		t.Errorf("got %s", got.HTML)
	}
}

func TestModificationsThatChangeNothingAreNone(t *testing.T) {
	tpl := mustParse(t, `<p id="a">x</p>`, nil)
	for _, mods := range []any{[]any{}, []any{map[string]any{"name": "a"}}, []any{map[string]any{"name": "a", "hide": false}}} {
		if v, err := tpl.Resolve(map[string]any{"modifications": mods}, noon); err != nil || v[0] != "" {
			t.Errorf("%v: %q, %v", mods, v, err)
		}
	}
}

func TestLayoutIsWantedHoweverItsDirectivesAreSetApart(t *testing.T) {
	for src, want := range map[string]bool{
		"<p p-fit=shrink>x": true, "<p\np-fit=shrink>x": true, "<p\tp-focus='auto'>": true, `<p title="a"p-fit="fit">`: true,
		"<p P-FIT=shrink>": true, "<p data-p-fit=shrink>": true, "<p p-fit = shrink>": true, "<p>p-fit": false,
	} {
		if got := mustPage(t, mustParse(t, src, nil), "").Layout; got != want {
			t.Errorf("%q: %t", src, got)
		}
	}
}

func TestOtherSizesKeepStepWithBlocksInATag(t *testing.T) {
	tpl := mustParse(t, doc(`"sizes": {"default": {"w": 8, "h": 4}, "story": {"w": 8, "h": 9}}, "vars": {"a": {}, "l": {"type": "array"}}`,
		`<style id="p-size-story" class="k" p-class-on="a" title="{{ if a }}{{ a }}{{ end }}{{ for x in l }}{{ x }}{{ end }}">p{color:{{ a }}}</style><p>{{ a }}</p>`), nil)
	v, err := tpl.Resolve(map[string]any{"a": "red", "l": []any{"1", "2"}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[string]string{"": "<body><p>red</p>", "story": `<style id="p-size-story" class="k on" title="red12">p{color:red !important}</style><p>red</p>`} {
		if got := mustPage(t, tpl, size).Fill(v).HTML; !strings.Contains(got, want) {
			t.Errorf("%q: got %s", size, got)
		}
	}
}

func TestEntitiesInAddressesAreThoseOfBrowsers(t *testing.T) {
	for in, want := range map[string]string{
		"?a=1&region=eu&copy=2": "?a=1&region=eu&copy=2", "?a&amp;b&#38;c&lt;": "?a&b&c<", "&copy": "©", "&copy;=": "©=", "&copy/": "©/", "&unknown;": "&unknown;", "&": "&", "&amp=": "&amp=",
	} {
		if got := unescapeAttr(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestPEmptyBelongsToALoop(t *testing.T) {
	if _, err := Parse("card", []byte(`<p p-if="a">x</p><p p-empty>y</p>`), nil); err == nil {
		t.Error("p-empty stands behind p-if")
	}
}
