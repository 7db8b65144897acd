package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func newOperated(t *testing.T) (dir string, text func() string) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "card.html")
	mustLay(t, path, cardTemplate)
	return dir, func() string {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(src)
	}
}

func TestOperationsAndTheirInverseLeaveTheSameFile(t *testing.T) {
	dir, text := newOperated(t)
	inverse := filepath.Join(t.TempDir(), "back.json")
	ops := `[{"op":"set_text","id":"title","text":"Sale: {{ title }}"},{"op":"set_style","id":"price","property":"top","value":"120px"}]`
	done, err := Operate{Dir: dir, Name: "card", Ops: []byte(ops), Inverse: inverse}.Run()
	if err != nil {
		t.Fatal(err)
	}
	if !done.Changed || len(done.Touched) == 0 || !strings.Contains(text(), "Sale: {{ title }}") {
		t.Errorf("%+v in\n%s", done, text())
	}
	back, err := os.ReadFile(inverse)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Operate{Dir: dir, Name: "card", Ops: back}).Run(); err != nil {
		t.Fatalf("%v: %s", err, back)
	}
	if text() != cardTemplate {
		t.Errorf("after its inverse it is\n%s", text())
	}
}

func TestOperationsThatWillNotDoChangeNothing(t *testing.T) {
	good := `{"op":"set_text","id":"title","text":"x"}`
	for name, c := range map[string]struct{ ops, want string }{
		"no JSON":             {`nonsense`, "JSON"},
		"a layer that is not": {`[` + good + `,{"op":"set_text","id":"tilte","text":"x"}]`, "ops[1].id"},
		"an unknown kind":     {`[{"op":"set_txt","id":"title"}]`, "ops[0]"},
		"a field too many":    {`[{"op":"set_text","id":"title","text":"x","colour":"red"}]`, "ops[0].colour"},
		"a broken result":     {`[` + good + `,{"op":"set_text","id":"price","text":"{{ prize }}"}]`, `did you mean "price"?`},
		"a missing asset":     {`[{"op":"set_attr","id":"photo","name":"p-fallback","value":"assets/none.png"}]`, "assets/none.png"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, text := newOperated(t)
			inverse := filepath.Join(dir, "back.json")
			_, err := Operate{Dir: dir, Name: "card", Ops: []byte(c.ops), Inverse: inverse}.Run()
			if err == nil || !strings.Contains(err.Error(), c.want) || problem.CodeOf(err) == problem.Internal {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if text() != cardTemplate || len(filesIn(t, dir)) != 1 {
				t.Errorf("files %v, and the template is\n%s", filesIn(t, dir), text())
			}
		})
	}
}

func TestAssetThatOperationsNameIsLookedForInTheFolder(t *testing.T) {
	dir, text := newOperated(t)
	mustLay(t, filepath.Join(dir, "assets", "none.png"), "png")
	ops := `[{"op":"set_attr","id":"photo","name":"p-fallback","value":"assets/none.png"}]`
	if _, err := (Operate{Dir: dir, Name: "card", Ops: []byte(ops)}).Run(); err != nil || !strings.Contains(text(), "assets/none.png") {
		t.Errorf("%v in\n%s", err, text())
	}
}

func TestTemplateStaysWhenTheInverseCannotBeWritten(t *testing.T) {
	dir, text := newOperated(t)
	_, err := Operate{Dir: dir, Name: "card", Ops: []byte(`[{"op":"set_text","id":"title","text":"x"}]`), Inverse: filepath.Join(dir, "no", "back.json")}.Run()
	if problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "back.json") || text() != cardTemplate {
		t.Errorf("error %v in\n%s", err, text())
	}
}

func TestOperationsWithoutAnEffectTouchNoFile(t *testing.T) {
	dir, text := newOperated(t)
	done, err := Operate{Dir: dir, Name: "card", Ops: []byte(`[]`)}.Run()
	if err != nil || done.Changed || text() != cardTemplate {
		t.Errorf("%+v, %v", done, err)
	}
	if out, err := json.Marshal(done); err != nil || !strings.Contains(string(out), `"inverse":[]`) {
		t.Errorf("as JSON %s, %v", out, err)
	}
}
