package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const outline = `sources:
  shop: { kind: file, "odd key": 1 }
  none:
list:
  - a
  - { b: [x, y] }
unset: ${MISSING}
token_file: token.txt
`

func mustChild(tb testing.TB, n config.Node, keys ...string) config.Node {
	tb.Helper()
	for _, key := range keys {
		c, ok := n.Child(key)
		if !ok {
			tb.Fatalf("there is no key %q at %q", key, n.Path())
		}
		n = c
	}
	return n
}

func TestNodesAreWalked(t *testing.T) {
	root := mustParse(t, outline)
	if got, want := root.Keys(), []string{"sources", "list", "unset", "token_file"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
	items := mustChild(t, root, "list").Items()
	if len(items) != 2 || items[1].Path() != "list[1]" || items[1].Pos().String() != "test.yaml:6:5" {
		t.Errorf("items: got %v", items)
	}
	if got := mustChild(t, items[1], "b").Items()[1].Path(); got != "list[1].b[1]" {
		t.Errorf("path: got %q", got)
	}
	if got := mustChild(t, root, "sources", "shop", "odd key").Path(); got != `sources.shop["odd key"]` {
		t.Errorf("path: got %q", got)
	}
	if none := mustChild(t, root, "sources", "none"); !none.IsZero() || none.Pos().String() != "test.yaml:3:3" {
		t.Errorf("empty section: got zero %v at %v", none.IsZero(), none.Pos())
	}
	if _, ok := root.Child("nowhere"); ok || !(config.Node{}).IsZero() {
		t.Error("a key that is not there was found")
	}
	for _, key := range []string{"unset", "list", "nowhere"} {
		if text, ok := root.Scalar(key); ok {
			t.Errorf("%s: got text %q", key, text)
		}
	}
}

func TestProblemsOfOthersPointToTheNearestNode(t *testing.T) {
	root := mustParse(t, outline)
	for _, c := range []struct{ path, wantPos, wantPath string }{
		{"", "test.yaml:1:1", ""},
		{"sources.shop.kind", "test.yaml:2:17", "sources.shop.kind"},
		{"sources.shop.path", "test.yaml:2:9", "sources.shop.path"},
		{`sources.shop["odd key"].x`, "test.yaml:2:34", `sources.shop["odd key"].x`},
		{"sources.none.kind", "test.yaml:3:3", "sources.none.kind"},
		{"list[1].b[1]", "test.yaml:6:14", "list[1].b[1]"},
		{"list[2]", "test.yaml:5:3", "list[2]"},
		{"list[-1]", "test.yaml:5:3", "list[-1]"},
		{"token", "test.yaml:8:13", "token"},
	} {
		p := config.Problem(root, c.path, problem.NotFound, "no %s", "thing")
		if p.Pos.String() != c.wantPos || p.Path != c.wantPath || p.Message != "no thing" || p.Code != problem.NotFound {
			t.Errorf("problem of %q: got %v", c.path, p)
		}
	}
	shop := mustChild(t, root, "sources", "shop")
	if got, want := config.Problem(shop, "kind", problem.Invalid, "odd").Error(), "test.yaml:2:17: sources.shop.kind: odd"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := config.Problem(config.Node{}, "a.b", problem.Invalid, "odd").Error(); got != "a.b: odd" {
		t.Errorf("of the zero node: got %s", got)
	}
}

func TestDigestFollowsContentAlone(t *testing.T) {
	base := "a: ${PORT}\nb: [x, { c: 1, d: 2 }]\n"
	same := []string{"# comment\nb:\n  - x\n  - d: 2\n    c: 1\na: 8080\n", "z: &z { d: 2, c: 1 }\n", "a: ${NONE:-8080}\nb: [x, { <<: { c: 1 }, d: 2 }]"}
	same[1] = strings.Replace(base, "{ c: 1, d: 2 }", "{ d: 2, c: 1 }", 1)
	other := []string{
		"a: \"8080\"\nb: [x, { c: 1, d: 2 }]\n", "a: 8081\nb: [x, { c: 1, d: 2 }]\n", "a: 8080\nb: [{ c: 1, d: 2 }, x]\n",
		"a: 8080\nb: [x, { c: 1, d: }]\n", "a: 8080\nb: [x, { c: 1 }, { d: 2 }]\n", "a: ${MISSING}\nb: [x, { c: 1, d: 2 }]\n", "",
	}
	want := mustParse(t, base)
	for _, src := range same {
		if !mustParse(t, src).Equal(want) {
			t.Errorf("digest of %q differs", src)
		}
	}
	seen := map[string]string{want.Digest(): base}
	for _, src := range other {
		d := mustParse(t, src).Digest()
		if before, twice := seen[d]; twice {
			t.Errorf("%q and %q have one digest", before, src)
		}
		seen[d] = src
	}
	if got, want := (config.Node{}).Digest(), mustParse(t, "").Digest(); got != want {
		t.Errorf("digest of the zero node: got %s, want that of an empty file, %s", got, want)
	}
}

func TestDigestFollowsFilesOfSecrets(t *testing.T) {
	dir := t.TempDir()
	digest := func(content string) string {
		if err := os.WriteFile(filepath.Join(dir, "key"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		n, err := config.Parse("test.yaml", []byte("key_file: key"), config.Options{ReadFile: os.ReadFile, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return n.Digest()
	}
	before, newline, after := digest("one"), digest("one\n"), digest("two")
	if before == after || before != newline {
		t.Errorf("got %s, with a newline %s, with other content %s", before, newline, after)
	}
}

func TestNodesServeSeveralGoroutines(t *testing.T) {
	src, err := os.ReadFile("testdata/everything.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n, err := config.Parse("everything.good.yaml", src, options())
	if err != nil {
		t.Fatal(err)
	}
	var got [4]settings
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			got[i] = defaults()
			if err := n.Decode(&got[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, g := range got[1:] {
		if diff := difference(got[0], g); diff != "" {
			t.Errorf("settings differ:\n%s", diff)
		}
	}
}

func TestNearestIsWhatWasMeant(t *testing.T) {
	known := []string{"template", "sources", "sinks", "public_url", "every", "key"}
	for word, want := range map[string]string{
		"tempalte": "template", "templates": "template", "soruces": "sources", "sink": "sinks", "publicUrl": "public_url", "public-url": "public_url",
		"PUBLIC_URL": "public_url", "evry": "every", "keys": "key", "ky": "key",
		"zebra": "", "": "", "url": "", "_": "", "format": "", strings.Repeat("key", 100): "",
	} {
		if got, ok := config.Nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("nearest to %q: got %q, %v; want %q", word, got, ok, want)
		}
	}
	if got, ok := config.Nearest("a", nil); ok {
		t.Errorf("nearest of nothing: got %q", got)
	}
}
