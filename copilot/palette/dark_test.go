package palette_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/copilot/palette"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
)

// withoutTheme is a document without its dark theme.
func withoutTheme(t *testing.T, d look.Doc) look.Doc {
	t.Helper()
	tmpl, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(tmpl.Themes(), "dark") {
		return d
	}
	r, err := edit.Apply(d.Source, []edit.Op{{Op: "remove_theme", Name: "dark"}})
	if err != nil {
		t.Fatal(err)
	}
	return d.With(r.Source)
}

// documents are all starters without their dark theme, and the fixtures.
func documents(t *testing.T, room *looktest.Room) map[string]func() (look.Doc, []map[string]any) {
	all := map[string]func() (look.Doc, []map[string]any){}
	for _, name := range looktest.Starters() {
		all[name] = func() (look.Doc, []map[string]any) {
			d, rows := room.Starter(t, name)
			return withoutTheme(t, d), rows
		}
	}
	for _, name := range looktest.Fixtures() {
		all[name] = func() (look.Doc, []map[string]any) { return room.Fixture(t, name) }
	}
	return all
}

func TestDarkThemeCanBeReadAndThePlainPictureStays(t *testing.T) {
	room := looktest.Open(t)
	for name, open := range documents(t, room) {
		if only := os.Getenv("PALETTE_ONLY"); only != "" && !slices.Contains(strings.Split(only, ","), name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d, rows := open()
			c, err := palette.Dark(t.Context(), room, d, palette.DarkOptions{Rows: rows[1:2]})
			if err != nil {
				t.Fatal(err)
			}
			got := change(t, d, c)
			t.Logf("%s", strings.Join(c.Notes, "\n"))
			if f := os.Getenv("PALETTE_DUMP"); f != "" {
				_ = os.WriteFile(f+"/"+name+".before.html", d.Source, 0o600)
				_ = os.WriteFile(f+"/"+name+".after.html", got.Source, 0o600)
			}
			samePictures(t, room, d, got, views(t, d, rows[1]))
			for _, v := range views(t, got, rows[0]) {
				before := "light"
				if v.Theme != "" {
					before = v.Theme
				}
				keep(t, fmt.Sprintf("%s-%s-%s-row0.png", before, name, v.Size), shoot(t, room, got, v).PNG)
			}
			for _, v := range views(t, got, rows[1]) {
				if v.Theme != "dark" {
					continue
				}
				keep(t, fmt.Sprintf("dark-%s-%s-row1.png", name, v.Size), shoot(t, room, got, v).PNG)
				spans, err := check.Contrast(t.Context(), room, got, v)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range spans {
					if !s.Passes() {
						t.Errorf("%s %s: %+v", name, v.Size, s)
					}
				}
			}
		})
	}
}
