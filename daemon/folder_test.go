package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// keptOut are the positions and reasons of the rows of a binding's source that are
// in quarantine.
func (p *process) keptOut(binding string) []string {
	var v struct {
		Quarantined []struct{ Key, Position, Reason string }
	}
	p.get("/bindings/"+binding+"/rows", &v)
	var all []string
	for _, q := range v.Quarantined {
		all = append(all, q.Position+" "+q.Reason)
	}
	slices.Sort(all)
	return all
}

const folderOfCards = `
sources: { shop: { kind: file, path: in/, key: sku, every: 1s } }
bindings: [{ name: cards, source: shop, template: card, map: { title: name }, on_delete: remove, delete_grace: 0s, guard: { max_deleted: 100% } }]
`

func TestKeyOfTwoFilesIsKeptOutAndItsImageStays(t *testing.T) {
	s := newSite(t, folderOfCards)
	s.write("in/a.csv", "sku,name,price\nA,Mug,1\nB,Cup,2\n")
	s.write("in/b.csv", "sku;name;price\nC;Jug;3\n")
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 3 })
	before := p.picture("/b/cards/B.png")

	s.write("in/b.csv", "sku;name;price\nC;Jug;4\nB;Another;5\n")
	eventually(t, "the key of both is kept out", func() bool {
		return slices.Equal(p.keptOut("cards"), []string{"b.csv line 3 duplicate_key", "row 2 duplicate_key"})
	})
	eventually(t, "the other images", func() bool { return p.ready("cards") == 3 })
	if now := p.picture("/b/cards/B.png"); now != before {
		t.Error("the image of the key that is there twice is another one")
	}
	s.write("in/b.csv", "sku;name;price\nC;Jug;4\n")
	eventually(t, "nothing is kept out", func() bool { return len(p.keptOut("cards")) == 0 })
}

func TestNothingIsGoneWhileTheFolderCannotBeReadInFull(t *testing.T) {
	s := newSite(t, folderOfCards)
	s.write("in/a.csv", "sku,name,price\nA,Mug,1\n")
	s.write("in/b.csv", "sku,name,price\nB,Cup,2\n")
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 2 })
	reads := func(words string) func() bool {
		return func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.polled["shop"] == nil && words == "" || d.polled["shop"] != nil && words != "" && strings.Contains(d.polled["shop"].Error(), words)
		}
	}
	dir := filepath.Join(s.dir, "in")
	for _, step := range []struct {
		words  string
		change func() error
	}{
		{"is not there", func() error { return os.Rename(dir, dir+".gone") }},
		{"where 2 did", func() error { return os.Mkdir(dir, 0o700) }}, // as where its disk is mounted
		{"a quote is not closed", func() error { return os.WriteFile(dir+"/a.csv", []byte("sku,name,price\nA,\"M"), 0o600) }},
		{"empty", func() error { return os.Truncate(dir+"/a.csv", 0) }},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the error that says "+step.words, reads(step.words))
		if n := p.ready("cards"); n != 2 {
			t.Fatalf("%q, and %d images are left, want both", step.words, n)
		}
	}
	s.write("in/a.csv", "sku,name,price\nA,Mug,1\n")
	eventually(t, "the image of the file that went is gone", func() bool { return reads("")() && p.picture("/b/cards/B.png") == "" })
	if p.picture("/b/cards/A.png") == "" {
		t.Error("the image of the file that is there is gone")
	}
}
