package relayout_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/copilot/relayout"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
)

// wanted are the sizes that every template is given.
var wanted = []relayout.Options{
	{Name: "story", Label: "Story", W: 1080, H: 1920},
	{Name: "og", Label: "Link preview", W: 1200, H: 630},
	{Name: "square", Label: "Post", W: 1080, H: 1080},
}

// without is d without the size of the name, and without those of its sides.
func without(tb testing.TB, d look.Doc, o relayout.Options) look.Doc {
	tb.Helper()
	t, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range t.Sizes()[1:] {
		if s.Name != o.Name && (s.Width != o.W || s.Height != o.H) {
			continue
		}
		r, err := edit.Apply(d.Source, []edit.Op{{Op: "remove_size", Name: s.Name}})
		if err != nil {
			tb.Fatal(err)
		}
		d = d.With(r.Source)
	}
	return d
}

// keep writes a picture to the folder of PICTIFYD_PICTURES, if it is set.
func keep(tb testing.TB, name string, data []byte) {
	tb.Helper()
	folder := os.Getenv("PICTIFYD_PICTURES")
	if folder == "" {
		return
	}
	path := filepath.Join(folder, "relayout", name+".png")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func TestSizesOfAllTemplates(t *testing.T) {
	room := looktest.Open(t)
	for _, name := range slices.Concat(looktest.Starters(), looktest.Fixtures()) {
		if only := os.Getenv("ONLY"); only != "" && only != name {
			continue
		}
		d, rows := look.Doc{}, []map[string]any(nil)
		if slices.Contains(looktest.Fixtures(), name) {
			d, rows = room.Fixture(t, name)
		} else {
			d, rows = room.Starter(t, name)
		}
		for _, o := range wanted {
			t.Run(name+"/"+o.Name, func(t *testing.T) { addSize(t, room, without(t, d, o), o, rows) })
		}
	}
}

func addSize(t *testing.T, room *looktest.Room, d look.Doc, o relayout.Options, rows []map[string]any) {
	o.Rows = rows[:min(4, len(rows))]
	tpl, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		t.Fatal(err)
	}
	if s := tpl.Sizes()[0]; s.Width == o.W && s.Height == o.H {
		t.Skip("it is the size that all others begin with")
	}
	start := time.Now()
	change, err := relayout.AddSize(t.Context(), room, d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v: %q", time.Since(start), change.Notes)
	after, err := change.Apply(d)
	if err != nil {
		t.Fatal(err)
	}
	r, err := edit.Apply(d.Source, change.Ops)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := edit.Apply(after.Source, r.Inverse); err != nil || !bytes.Equal(back.Source, d.Source) {
		t.Errorf("taken back, the document is another: %v", err)
	}
	for page := 1; page <= 6; page++ {
		for i, row := range o.Rows {
			shot, err := room.Shoot(t.Context(), after, look.View{Size: o.Name, Row: row, Page: page})
			if err != nil {
				break
			}
			keep(t, d.Name+"-"+o.Name+"-p"+string(rune('0'+page))+"-"+string(rune('0'+i)), shot.PNG)
		}
	}
	if os.Getenv("SHEETS") != "" {
		_ = os.WriteFile(filepath.Join(os.Getenv("PICTIFYD_PICTURES"), d.Name+"-"+o.Name+".html"), after.Source, 0o600)
	}
}
