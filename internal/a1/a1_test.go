package a1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Range{
		"Products!A:H":          {Sheet: "Products", Left: 1, Right: 8},
		"Products!A2:H10":       {Sheet: "Products", Left: 1, Top: 2, Right: 8, Down: 10},
		"Products!$A$2:$H":      {Sheet: "Products", Left: 1, Top: 2, Right: 8},
		"'Price list'!B7":       {Sheet: "Price list", Left: 2, Top: 7, Right: 2, Down: 7},
		"'It''s!'!AA1:ab2":      {Sheet: "It's!", Left: 27, Top: 1, Right: 28, Down: 2},
		"'Q1'":                  {Sheet: "Q1"},
		"Products":              {Sheet: "Products"},
		"Sheet1":                {Sheet: "Sheet1"},
		"Lagerbestände":         {Sheet: "Lagerbestände"},
		"Q1":                    {Left: 17, Top: 1, Right: 17, Down: 1},
		"C3:A1":                 {Left: 1, Top: 1, Right: 3, Down: 3},
		"2:5":                   {Top: 2, Down: 5},
		"A!B!C1:D2":             {Sheet: "A!B", Left: 3, Top: 1, Right: 4, Down: 2},
		" Products!A:H ":        {Sheet: "Products", Left: 1, Right: 8},
		"Products!ZZZ1:ZZZ1000": {Sheet: "Products", Left: MaxColumn, Top: 1, Right: MaxColumn, Down: 1000},
	} {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "  ", "Products!", "Products!A0", "Products!A:5", "Products!A1:B2:C3", "Products!A-1", "'open!A1", "'a'b!A1", "Products!AAAA1", "Products!A99999999999"} {
		if got, err := Parse(text); err == nil && text != "Products!" || err == nil && got.Sheet == "" {
			t.Errorf("Parse(%q) is %+v, want an error", text, got)
		}
	}
}

func TestStringIsReadBack(t *testing.T) {
	for _, r := range []Range{
		{Sheet: "Products", Left: 1, Right: 8},
		{Sheet: "Products", Left: 1, Top: 2, Right: 8},
		{Sheet: "Price list's", Left: 2, Top: 7, Right: 2, Down: 7},
		{Sheet: "Q1"}, {Sheet: "ä", Top: 2, Down: 5}, {Left: 1, Top: 1, Right: 3, Down: 3},
	} {
		got, err := Parse(r.String())
		if err != nil || got != r {
			t.Errorf("%+v is %q, which is read as %+v, %v", r, r, got, err)
		}
	}
}

func TestColumnsHaveTheirNames(t *testing.T) {
	for n, name := range map[int]string{1: "A", 26: "Z", 27: "AA", 52: "AZ", 702: "ZZ", 703: "AAA", MaxColumn: "ZZZ"} {
		if got := Column(n); got != name {
			t.Errorf("Column(%d) is %q, want %q", n, got, name)
		}
		if got, ok := ColumnNumber(name); !ok || got != n {
			t.Errorf("ColumnNumber(%q) is %d, %v, want %d", name, got, ok, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"Products!A2:H", "'It''s'!A1", "2:5", "Sheet1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(r.String()); err != nil || again != r {
			t.Errorf("%q is %+v, written as %q, read as %+v, %v", text, r, r, again, err)
		}
	})
}
