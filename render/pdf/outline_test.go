package pdf

import (
	"bytes"
	"fmt"
	"testing"
)

func TestPartsHaveBookmarksInTheirOrder(t *testing.T) {
	whole := chromes(t) // of three pages
	var out bytes.Buffer
	marks := []string{"C-1 (first)", "Łukasz 🎓", "", "C-4"}
	if err := Merge(&out, Info{}, func(yield func(Part, error) bool) {
		for _, m := range marks {
			if !yield(Part{Data: whole, Mark: m}, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	f := mustOpen(t, out.Bytes())
	if len(f.Pages()) != 12 {
		t.Fatalf("%d pages, want 12", len(f.Pages()))
	}
	root, err := f.dictOf(f.trailer["Root"])
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.dictOf(root["Outlines"])
	if err != nil || all["Count"] != integer(3) {
		t.Fatalf("outlines are %v, %v", all, err)
	}
	kids, err := f.dictOf(root["Pages"])
	if err != nil {
		t.Fatal(err)
	}
	pages, err := f.arrayOf(kids["Kids"])
	if err != nil {
		t.Fatal(err)
	}
	next, seen := all["First"], []string{}
	for next != nil {
		item, err := f.dictOf(next)
		if err != nil {
			t.Fatal(err)
		}
		place := 3 * []int{0, 1, 3}[len(seen)]
		if dest, err := f.arrayOf(item["Dest"]); err != nil || dest[0] != pages[place] {
			t.Errorf("bookmark %d leads to %v, want page %d, %v", len(seen), dest, place, pages[place])
		}
		title, _ := item["Title"].(text)
		seen = append(seen, string(title))
		if next = item["Next"]; next == nil && all["Last"] == nil {
			t.Error("the list of bookmarks has no last one")
		}
	}
	want := []string{marks[0], string(textString(marks[1])), marks[3]}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("bookmarks %q, want %q", seen, want)
	}
}

func TestAFileWithoutMarksHasNoOutline(t *testing.T) {
	if merged := mustMerge(t, Info{}, chromes(t)); bytes.Contains(merged, []byte("/Outlines")) {
		t.Error("a file without bookmarks has an outline")
	}
}
