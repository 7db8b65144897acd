package looktest

import (
	"embed"
	"io/fs"
	"path"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template/edit"
)

//go:embed testdata
var fixtures embed.FS

// Fixtures are the names of templates that no rule was made for: "literal" has
// nothing but literal colours, "email" came out of another tool, "photo" has its
// text on a photograph.
func Fixtures() []string { return []string{"literal", "email", "photo"} }

// Fixture is a template of Fixtures with its rows: an ordinary one first, then a
// long, a right-to-left, a Japanese and a bare one. Some of their pictures are
// missing. What another tool wrote has been imported.
func (r *Room) Fixture(tb testing.TB, name string) (look.Doc, []map[string]any) {
	tb.Helper()
	files := map[string][]byte{}
	read := func(p string) {
		data, err := fixtures.ReadFile(path.Join("testdata", p))
		if err != nil {
			tb.Fatal(err)
		}
		files[p] = data
	}
	read(name + ".html")
	read(name + ".rows.json")
	folder := path.Join("assets", name)
	list, err := fs.ReadDir(fixtures, path.Join("testdata", folder))
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range list {
		read(path.Join(folder, f.Name()))
	}
	imported, _, err := edit.Import(files[name+".html"])
	if err != nil {
		tb.Fatalf("import %s: %v", name, err)
	}
	files[name+".html"] = imported
	return r.Doc(tb, name, files)
}
