package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const untidyTemplate = `<!DOCTYPE html>
<html><body>
<section class="p-page" id="card">
<h1 _if="sale" style="top:4px;left:2px" id="title">{{ title }}</h1>
  {{#if photo}}<img id="photo" src="{{ photo }}">{{/if}}
</section></body></html>
`

func TestTemplatesAreFormattedOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "card.html")
	mustLay(t, path, untidyTemplate)
	mustLay(t, filepath.Join(dir, "good.html"), cardTemplate)
	checked, err := Reformat{Dir: dir, Check: true}.Run()
	if err != nil || len(checked) != 2 || !checked[0].Changed {
		t.Fatalf("checked %+v, %v", checked, err)
	}
	if text, _ := os.ReadFile(path); string(text) != untidyTemplate {
		t.Error("a check has written")
	}
	done, err := Reformat{Dir: dir}.Run()
	if err != nil || !done[0].Changed {
		t.Fatalf("formatted %+v, %v", done, err)
	}
	text, _ := os.ReadFile(path)
	if !strings.Contains(string(text), `<section id="card" class="p-page">`) || !strings.Contains(string(text), "<!doctype html>") {
		t.Errorf("it is\n%s", text)
	}
	again, err := Reformat{Dir: dir, Check: true}.Run()
	if err != nil || again[0].Changed || again[1].Changed {
		t.Errorf("formatted it still changes: %+v, %v", again, err)
	}
}

func TestImportSaysWhatItSpellsOtherwise(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "card.html")
	mustLay(t, path, untidyTemplate)
	done, err := Reformat{Dir: dir, Names: []string{"card"}, Import: true}.Run()
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	for _, want := range []string{`p-if="sale"`, `p-if="photo"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if said := strings.Join(done[0].Imported, "\n"); !strings.Contains(said, "line 4: _if is p-if") || len(done[0].Imported) < 2 {
		t.Errorf("it says %s", said)
	}
}

func TestTemplateThatCannotBeReadDoesNotKeepOthersFromTheirForm(t *testing.T) {
	dir := t.TempDir()
	mustLay(t, filepath.Join(dir, "canvas.html"), `{"objects": []}`)
	mustLay(t, filepath.Join(dir, "card.html"), untidyTemplate)
	done, err := Reformat{Dir: dir, Names: []string{"canvas", "card", "none"}, Import: true}.Run()
	if len(done) != 1 || done[0].Template != "card" || !done[0].Changed {
		t.Errorf("done %+v", done)
	}
	problems := problem.All(err)
	if len(problems) != 2 || problems[0].Pos.File != "canvas.html" || problems[1].Code != problem.NotFound {
		t.Errorf("problems %v", err)
	}
}

func TestFormattedFileKeepsItsLinkAndItsMode(t *testing.T) {
	dir, store := t.TempDir(), t.TempDir()
	mustLay(t, filepath.Join(store, "real.html"), untidyTemplate)
	if err := os.Chmod(filepath.Join(store, "real.html"), 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "card.html")
	if err := os.Symlink(filepath.Join(store, "real.html"), link); err != nil {
		t.Skip("no links here:", err)
	}
	if _, err := (Reformat{Dir: dir}).Run(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	real, realErr := os.Stat(filepath.Join(store, "real.html"))
	if err != nil || realErr != nil || info.Mode()&os.ModeSymlink == 0 || real.Mode().Perm() != 0o640 {
		t.Errorf("%v %v, %v %v", info, err, real, realErr)
	}
}
