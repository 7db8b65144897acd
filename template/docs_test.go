package template

import (
	"os"
	"strings"
	"testing"

	figures "github.com/pictifyd/pictifyd/template/element"
)

func mustReadDocs(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("../docs/templates.md")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func TestDocumentedTemplateIsWithoutFault(t *testing.T) {
	_, after, _ := strings.Cut(mustReadDocs(t), "```html\n")
	src, _, ok := strings.Cut(after, "```")
	if !ok {
		t.Fatal("the docs have no template")
	}
	digests := map[string]string{"assets/none.svg": "a", "assets/shoe.svg": "b"}
	for _, f := range Lint("product-card", []byte(src), digests, nil) {
		t.Errorf("%v", f.Error)
	}
	tpl := mustParse(t, src, digests)
	doc := mustFill(t, tpl, tpl.Examples())
	for _, want := range []string{`<li id="feature--1"`, ">$129.50</div>", "assets/shoe.svg"} {
		if !strings.Contains(doc.HTML, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestEveryDirectiveIsDocumented(t *testing.T) {
	docs := mustReadDocs(t)
	names := []string{"p-attr-", "p-style-", "p-class-"}
	for name := range directiveTable {
		names = append(names, name)
	}
	for _, kind := range figures.Kinds() {
		names = append(names, "p-"+kind.Name)
	}
	for key := range varReaders {
		if key != "label" && key != "enum" && key != "defaultValue" && key != "validation" {
			names = append(names, "`"+key)
		}
	}
	for _, name := range names {
		if !strings.Contains(docs, name) {
			t.Errorf("docs/templates.md does not mention %s", name)
		}
	}
}
