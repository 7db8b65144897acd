package daemon

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// filesBelow are the files in a folder of the site, in order.
func (s *site) filesBelow(folder string) string {
	var names []string
	_ = filepath.WalkDir(filepath.Join(s.dir, folder), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(filepath.Join(s.dir, folder), path)
			names = append(names, name)
		}
		return nil // a file may go meanwhile
	})
	slices.Sort(names)
	return strings.Join(names, " ")
}

// A removal has the values that the row had last, so that what is found by them
// is found: files, and rows of a table whose key is no key of the source.
func TestRemovalHasTheValuesOfTheRow(t *testing.T) {
	sinks, names := `folder: { kind: file, path: "out/{{ row.category }}/{{ key }}.{{ ext }}" }`, "folder"
	urls := func() string { return "" }
	if os.Getenv("PICTIFYD_TEST_POSTGRES") != "" {
		db := pgtest.New(t)
		db.Run(`CREATE TABLE pictures (code int PRIMARY KEY, hash text); INSERT INTO pictures VALUES (1), (2), (3)`)
		sinks += fmt.Sprintf("\n  table: { kind: postgres, dsn: %q, table: pictures, key: { code: row.code }, set: { hash: hash } }", db.DSN)
		names += ", table"
		urls = func() string {
			return db.Value("SELECT coalesce(string_agg(code::text, ' ' ORDER BY code), '') FROM pictures WHERE hash IS NOT NULL")
		}
	}
	wantCodes := func(want string) bool { return !strings.Contains(names, "table") || urls() == want }
	s := newSite(t, `
sources: { shop: { kind: file, path: shop.csv, key: sku, every: 1s } }
sinks:
  `+sinks+`
bindings: [{ name: cards, source: shop, template: card, map: { title: name }, on_delete: remove, delete_grace: 0s, guard: { max_deleted: 100% }, sinks: [`+names+`] }]
`)
	s.write("shop.csv", "sku,name,price,category,code\nA,Mug,1,mugs,1\nB,Cup,2,cups,2\nC,Jug,3,jugs,3\n")
	s.run(Options{Renderer: &rendertest.Null{}})
	eventually(t, "all files", func() bool {
		return s.filesBelow("out") == "cups/B.png jugs/C.png mugs/A.png" && wantCodes("1 2 3")
	})
	// B moves with another picture, C with the one that it has.
	s.write("shop.csv", "sku,name,price,category,code\nA,Mug,1,mugs,1\nB,Beaker,2,beakers,2\nC,Jug,3,others,3\n")
	eventually(t, "B in its new place too", func() bool { return s.filesBelow("out") == "beakers/B.png cups/B.png jugs/C.png mugs/A.png" })
	s.write("shop.csv", "sku,name,price,category,code\nC,Jug,3,others,3\n")
	eventually(t, "A and B gone from where they were last", func() bool {
		return s.filesBelow("out") == "cups/B.png jugs/C.png" && wantCodes("3")
	})
}
