package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func mustLay(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// filesIn are the paths of all files below dir.
func filesIn(tb testing.TB, dir string) (paths []string) {
	tb.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return paths
}

func TestMadeTemplateIsGood(t *testing.T) {
	for _, from := range []string{"", "quote"} {
		dir := filepath.Join(t.TempDir(), "new", "templates")
		done, err := Scaffold{Dir: dir, Name: "sale", From: from}.Make()
		if err != nil {
			t.Fatal(err)
		}
		if len(done.Variables) == 0 || len(done.Kept) > 0 || len(done.Written) != len(filesIn(t, dir)) {
			t.Errorf("from %q: %+v, and there are %v", from, done, filesIn(t, dir))
		}
		if last := done.Written[len(done.Written)-1]; last != "sale.html" {
			t.Errorf("from %q: the last file is %s", from, last)
		}
		reports, err := LintTemplates(dir, nil)
		if err != nil || len(reports) != 1 || len(reports[0].Findings) > 0 {
			t.Errorf("from %q: lint says %+v, %v", from, reports, err)
		}
	}
}

func TestSharedAssetsAreKeptWhenTheyAreTheSame(t *testing.T) {
	dir := t.TempDir()
	if _, err := (Scaffold{Dir: dir, Name: "one"}).Make(); err != nil {
		t.Fatal(err)
	}
	done, err := Scaffold{Dir: dir, Name: "two"}.Make()
	if err != nil {
		t.Fatal(err)
	}
	if len(done.Kept) == 0 || strings.Join(done.Written, " ") != "two.rows.json two.html" {
		t.Errorf("wrote %v, kept %v", done.Written, done.Kept)
	}
}

func TestNoFileIsWrittenOver(t *testing.T) {
	for _, path := range []string{"sale.html", "sale.rows.json", "assets/fonts/inter-latin.woff2"} {
		dir := t.TempDir()
		at := filepath.Join(dir, path)
		mustLay(t, at, "mine")
		_, err := Scaffold{Dir: dir, Name: "sale"}.Make()
		if problem.CodeOf(err) != problem.Conflict || !strings.Contains(err.Error(), at) {
			t.Errorf("%s: error %v", path, err)
		}
		text, _ := os.ReadFile(at)
		if all := filesIn(t, dir); string(text) != "mine" || len(all) != 1 {
			t.Errorf("%s is %q now, beside %v", path, text, all)
		}
	}
}

// A link in the folder must not lead the writing out of it, and what was written
// before it was met goes again.
func TestNothingStaysOfATemplateThatCannotBeWritten(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(filepath.Join(outside, "elsewhere.json"), filepath.Join(dir, "sale.rows.json")); err != nil {
		t.Skip("no links here:", err)
	}
	if _, err := (Scaffold{Dir: dir, Name: "sale"}).Make(); err == nil {
		t.Fatal("made")
	}
	if all := filesIn(t, outside); len(all) > 0 {
		t.Errorf("written outside: %v", all)
	}
	for _, path := range filesIn(t, dir) {
		if !strings.HasSuffix(path, "sale.rows.json") {
			t.Errorf("%s stays", path)
		}
	}
}

func TestFolderThatCannotBeWrittenSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	mustLay(t, file, "")
	if _, err := (Scaffold{Dir: file, Name: "sale"}).Make(); problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "not a folder") {
		t.Errorf("a file as the folder: %v", err)
	}
	err := cannotWrite("templates", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission})
	if problem.CodeOf(err) != problem.Surroundings || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "templates") {
		t.Errorf("no permission: %v", err)
	}
	if os.Getuid() == 0 {
		return // root may write everywhere
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if _, err := (Scaffold{Dir: dir, Name: "sale"}).Make(); problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("a folder that is not ours: %v", err)
	}
}

func TestNameThatCannotBeIsRefused(t *testing.T) {
	for _, name := range []string{"../sale", "a/b", "sale.html", ".sale", "batch"} {
		dir := t.TempDir()
		if _, err := (Scaffold{Dir: dir, Name: name}).Make(); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%s: error %v", name, err)
		}
		if all := filesIn(t, dir); len(all) > 0 {
			t.Errorf("%s: %v", name, all)
		}
	}
}
