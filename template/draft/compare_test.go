package draft

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/template"
)

// A form has the variables and sizes of a test.
type form struct {
	vars  []template.Var
	sizes []template.Size
}

func (f form) Vars() []template.Var   { return f.vars }
func (f form) Sizes() []template.Size { return f.sizes }

func TestComparisonNamesWhatDiffers(t *testing.T) {
	a := template.Version{Name: "card", Number: 2, Source: []byte("<p>one\n"), Assets: map[string]string{"assets/a.png": "1", "assets/b.png": "2"}}
	b := template.Version{Name: "card", Number: 5, Source: []byte("<p>two\n"), Assets: map[string]string{"assets/b.png": "3", "assets/c.png": "4"}}
	fa := form{[]template.Var{{Name: "title"}, {Name: "price", Example: []any{1.0}}, {Name: "old"}}, []template.Size{{Name: "default", Width: 10}}}
	fb := form{[]template.Var{{Name: "title"}, {Name: "price", Example: []any{2.0}}, {Name: "new"}}, []template.Size{{Name: "default", Width: 20}, {Name: "story"}}}
	want := Comparison{
		From: 2, To: 5, Text: "--- card version 2\n+++ card version 5\n@@ -1,1 +1,1 @@\n-<p>one\n+<p>two\n",
		Variables: Changes{Added: []string{"new"}, Removed: []string{"old"}, Changed: []string{"price"}},
		Sizes:     Changes{Added: []string{"story"}, Removed: []string{}, Changed: []string{"default"}},
		Assets:    Changes{Added: []string{"assets/c.png"}, Removed: []string{"assets/a.png"}, Changed: []string{"assets/b.png"}},
	}
	if diff := cmp.Diff(want, Compare(a, b, fa, fb)); diff != "" {
		t.Errorf("Compare (-want +got):\n%s", diff)
	}
	if c := Compare(a, b, fa, nil); len(c.Variables.Removed)+len(c.Sizes.Removed) != 0 || c.Text == "" {
		t.Errorf("without a form: %+v", c)
	}
}
