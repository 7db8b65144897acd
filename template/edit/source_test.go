package edit

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// mustDiff holds what Diff promises.
func mustDiff(t rapid.TB, before, after string) []Op {
	t.Helper()
	ops, err := Diff([]byte(before), []byte(after))
	if err != nil {
		t.Fatalf("%v\n%s", err, after)
	}
	got, err := Apply([]byte(before), ops)
	if err != nil {
		if p := first(err); p.Slug == Locked || p.Slug == Duplicate { // which people are told
			return nil
		}
		t.Fatalf("%+v: %v\nbefore\n%s\nafter\n%s", ops, err, before, after)
	}
	if string(got.Source) != after {
		t.Fatalf("%+v\nmade %s", ops, cmp.Diff(after, string(got.Source)))
	}
	back, err := Apply(got.Source, got.Inverse)
	if err != nil || string(back.Source) != before {
		t.Fatalf("not undone: %v\n%s", err, cmp.Diff(before, string(back.Source)))
	}
	return ops
}

func TestATextChangeIsOperationsThatAreUndoneToTheFirstByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{T: t}
		src := g.document()
		changed := src
		for range 1 + g.n(2) {
			changed = g.typed(changed)
		}
		if _, p := newEditor([]byte(changed)); p != nil {
			return
		}
		mustDiff(t, src, changed)
	})
}

// typed is a text in which somebody typed.
func (g *gen) typed(s string) string {
	from := rapid.IntRange(0, len(s)).Draw(g.T, "from")
	to := min(len(s), from+rapid.IntRange(0, 30).Draw(g.T, "length"))
	for from > 0 && from < len(s) && s[from]&0xc0 == 0x80 {
		from--
	}
	for to < len(s) && s[to]&0xc0 == 0x80 {
		to++
	}
	return s[:from] + g.pick("", "x", "é😀", "<b>y</b>", "\n", `<p id="z">new</p>`, "left: 3px", "</p>", "{{ a }}", "&lt;") + s[to:]
}

func TestADocumentThatWasChangedByOperationsIsFoundToBe(t *testing.T) {
	files, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := &gen{T: t, ids: 5}
		src, err := os.ReadFile(g.pick(files...))
		if err != nil {
			t.Fatal(err)
		}
		look := LookAt(src, nil)
		current := src
		for range 1 + g.n(2) {
			op := g.op()
			if op.ID != "" {
				op.ID = rapid.SampledFrom(look.Nodes).Draw(t, "node").Address
			}
			if made, err := Apply(current, []Op{op}); err == nil {
				current = made.Source
			}
		}
		mustDiff(t, string(src), string(current))
	})
}

func TestATextChangeIsWhatAnEditorWouldHaveSent(t *testing.T) {
	const src = `<html><head><style id="p-size-story">
  #a { left: 1px; }
</style></head><body>
<section id="page" class="p-page">
  <p id="a" p-if="x" style="left: 1px; top: 2px">Hello</p>
  <b id="b">World</b>
</section>
</body></html>
`
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"nothing":            {"", "", nil},
		"a text":             {"Hello", "R&amp;D", []string{"set_text"}},
		"a property":         {"left: 1px; top", "left: 9px; top", []string{"set_style"}},
		"another property":   {"top: 2px", "top: 2px; width: 4px", []string{"set_style"}},
		"a property less":    {"left: 1px; top", "top", []string{"set_style"}},
		"a binding":          {`p-if="x"`, `p-if="y > 2"`, []string{"set_binding"}},
		"an attribute":       {`<b id="b">`, `<b id="b" title="t">`, []string{"set_attr"}},
		"an odd tag":         {`<b id="b">`, `<b   id="b">`, []string{"set_tag"}},
		"a layer":            {"\n</section>", "\n  <i id=\"c\">new</i>\n</section>", []string{"add_node"}},
		"a layer less":       {"\n  <b id=\"b\">World</b>", "", []string{"remove_node"}},
		"a size":             {"#a { left: 1px; }", "#a { left: 5px; }", []string{"patch_text"}},
		"a comment":          {"<body>\n", "<body>\n<!-- x -->\n", []string{"patch_source"}},
		"text and a comment": {"Hello</p>", "Hi</p><!-- x -->", []string{"set_text", "patch_source"}},
	} {
		var got []string
		for _, op := range mustDiff(t, src, strings.Replace(src, c.old, c.new, 1)) {
			got = append(got, op.Op)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestATextChangeOfSomethingLockedIsRefused(t *testing.T) {
	const src = `<body><section id="page" class="p-page"><p id="a" p-lock>Hello</p></section></body>`
	for _, after := range []string{
		strings.Replace(src, "Hello", "Hi", 1), strings.Replace(src, "<p id", `<p class="x" id`, 1),
		strings.Replace(src, `<p id="a" p-lock>Hello</p>`, "", 1),
	} {
		ops, err := Diff([]byte(src), []byte(after))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Apply([]byte(src), ops); err == nil || first(err).Slug != Locked || first(err).Code != problem.Conflict {
			t.Errorf("%s: %v", after, err)
		}
	}
	mustDiff(t, src, strings.Replace(src, " p-lock>Hello", ">Hi", 1))
}
