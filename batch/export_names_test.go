package batch

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// named are the names of pictures of rows with these keys, one for each output.
func named(folders bool, outputs []Output, keys ...string) (names []string) {
	n := NewNames(outputs, folders)
	for i, key := range keys {
		for _, o := range outputs {
			names = append(names, n.Of(Result{Index: int64(i), Key: key}, Picture{Output: o.Name, Ext: o.Format}))
		}
	}
	return names
}

func TestFilesAreNamedByTheirKeys(t *testing.T) {
	two := outputsOf("png", "pdf")
	sizes := []Output{{Name: "card"}, {Name: "story"}}
	sizes[0].Format, sizes[1].Format = "png", "png"
	for name, c := range map[string]struct {
		folders bool
		outputs []Output
		keys    []string
		want    []string
	}{
		"one output":           {false, outputsOf("png"), []string{"SKU-1", "Łukasz Müller"}, []string{"SKU-1.png", "Łukasz Müller.png"}},
		"two formats":          {false, two, []string{"a"}, []string{"a.png", "a.pdf"}},
		"two of one format":    {false, sizes, []string{"a"}, []string{"a-card.png", "a-story.png"}},
		"folders":              {true, sizes, []string{"a"}, []string{"card/a.png", "story/a.png"}},
		"paths":                {false, outputsOf("png"), []string{"../../x", "/etc/passwd", `..\..\x`, "a/b", "C:x", "...", "./.."}, []string{"x.png", "etc-passwd.png", "x-2.png", "a-b.png", "C-x.png", "row-5.png", "row-6.png"}},
		"devices":              {false, outputsOf("png"), []string{"con", "CON.txt", "Lpt1", "com¹", "console", "nul "}, []string{"_con.png", "_CON.txt.png", "_Lpt1.png", "_com¹.png", "console.png", "_nul.png"}},
		"equal":                {false, outputsOf("png"), []string{"a", "A", "a?", "a:", "a-", "a-2", "A-2"}, []string{"a.png", "A-2.png", "a-.png", "a--2.png", "a--3.png", "a-2-2.png", "A-2-3.png"}},
		"composed differently": {false, outputsOf("png"), []string{"é", "e\u0301"}, []string{"é.png", "é-2.png"}},
		"nothing readable":     {false, outputsOf("png"), []string{"", "???", "\x00", " . "}, []string{"row-0.png", "row-1.png", "row-2.png", "row-3.png"}},
		"unseen":               {false, outputsOf("png"), []string{"gnp\u202Eexe.x", "a\u2028b", "tab\there", "\xff"}, []string{"gnp-exe.x.png", "a-b.png", "tab-here.png", "row-3.png"}},
		"options":              {false, outputsOf("png"), []string{"-rf", "~x", ".hidden"}, []string{"rf.png", "~x.png", "hidden.png"}},
		"ends":                 {false, outputsOf("png"), []string{"a.", "a ", "a. ."}, []string{"a.png", "a-2.png", "a-3.png"}},
		"the manifest":         {false, outputsOf("csv"), []string{"manifest"}, []string{"manifest-2.csv"}},
	} {
		if diff := cmp.Diff(c.want, named(c.folders, c.outputs, c.keys...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLongKeysAreCutBetweenLetters(t *testing.T) {
	outputs := []Output{{Name: strings.Repeat("ö", 500)}, {Name: "b"}}
	for _, o := range named(false, outputs, strings.Repeat("😀", 500), strings.Repeat("x", 512), strings.Repeat("x", 511)+"y") {
		if len(o) > 220 || !utf8.ValidString(o) {
			t.Errorf("%d bytes: %q", len(o), o)
		}
	}
	if all := named(false, outputs[1:], strings.Repeat("😀", 500), strings.Repeat("😀", 400)); len(slices.Compact(all)) != 2 {
		t.Errorf("two keys that begin alike have the name %q", all[0])
	}
}

func TestManyEqualNamesAreNumberedFast(t *testing.T) {
	n := NewNames(outputsOf("png"), false)
	const rows = 100_000 // probing one after another would take minutes
	last := ""
	for i := range int64(rows) {
		last = n.Of(Result{Index: i, Key: "a/"}, Picture{Output: "png", Ext: "png"})
	}
	if last != fmt.Sprintf("a--%d.png", rows) {
		t.Errorf("the last one is %q", last)
	}
}

func FuzzNamesAreSafe(f *testing.F) {
	for _, seed := range []string{"../../x", "con", strings.Repeat("😀", 200), "a\x00b", "aux.h", "..", "a. ", "é", "e\u0301", "C:\\x", "\u202Egpj", "ﬀ", "İ", "ß"} {
		f.Add(seed, "a", true)
		f.Add("b", seed, false)
	}
	f.Fuzz(func(t *testing.T, key, second string, folders bool) {
		outputs := []Output{{Name: "card"}, {Name: second}}
		names := named(folders, outputs, key, second, key, strings.ToUpper(key), key+"-2")
		seen := map[string]bool{}
		for _, name := range names {
			if name = strings.TrimSuffix(name, "."); !filepath.IsLocal(name) || strings.ContainsAny(name, "\\:*?\"<>|\x00") || len(name) > 240 || !utf8.ValidString(name) {
				t.Errorf("%q is no safe name", name)
			}
			if seen[strings.ToLower(name)] {
				t.Errorf("%q is there twice", name)
			}
			seen[strings.ToLower(name)] = true
		}
	})
}
