package palette_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/copilot/palette"
	"github.com/pictifyd/pictifyd/internal/campaign"
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
	for i, name := range looktest.Starters() {
		if !campaign.Takes(i, 9) { // the copilot's phrases go through all of them
			continue
		}
		all[name] = func() (look.Doc, []map[string]any) {
			d, rows := room.Starter(t, name)
			return withoutTheme(t, d), rows
		}
	}
	for i, name := range looktest.Fixtures() {
		if !campaign.Takes(i, 3) {
			continue
		}
		all[name] = func() (look.Doc, []map[string]any) { return room.Fixture(t, name) }
	}
	return all
}

func TestDarkThemeCanBeReadAndThePlainPictureStays(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for name, open := range documents(t, room) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, rows := open()
			c, err := palette.Dark(t.Context(), room, d, palette.DarkOptions{Rows: rows[1:2]})
			if err != nil {
				t.Fatal(err)
			}
			got := change(t, d, c)
			t.Logf("%s", strings.Join(c.Notes, "\n"))
			hard := []check.Row{{Name: "hard", Values: rows[1]}}
			findings, err := check.Change(t.Context(), room, d, got, hard, check.Allowed{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				t.Errorf("%+v", f)
			}
			if os.Getenv("PICTIFYD_PICTURES") != "" {
				for _, v := range views(t, got, rows[0]) {
					keep(t, fmt.Sprintf("%s-%s-%s-row0.png", cmp.Or(v.Theme, "light"), name, v.Size), shoot(t, room, got, v).PNG)
				}
			}
			spans, err := check.Contrast(t.Context(), room, got, look.View{Theme: "dark", Row: rows[1]})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range spans {
				if !s.Passes() {
					t.Errorf("%+v", s)
				}
			}
			for _, note := range c.Notes {
				if strings.Contains(note, "should have") {
					t.Error(note)
				}
			}
		})
	}
}

func TestThemesOfStartersStayAsTheyAre(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for i, name := range looktest.Starters() {
		if !campaign.Takes(i, 5) {
			continue
		}
		d, rows := room.Starter(t, name)
		tmpl, err := template.Parse(d.Name, d.Source, d.Assets)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(tmpl.Themes(), "dark") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := palette.Dark(t.Context(), room, d, palette.DarkOptions{Rows: rows[:1]})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Ops) > 0 {
				t.Errorf("%+v\n%s", c.Ops, strings.Join(c.Notes, "\n"))
			}
		})
	}
}

func TestWhatCannotBeReadInAThemeIsMendedAndNothingElse(t *testing.T) {
	room := looktest.Open(t)
	d, rows := room.Starter(t, "og-card")
	dim := "#4a4740"
	broken, err := edit.Apply(d.Source, []edit.Op{{Op: "set_token", Name: "soft", Value: &dim, Theme: "dark"}})
	if err != nil {
		t.Fatal(err)
	}
	d = d.With(broken.Source)
	c, err := palette.Dark(t.Context(), room, d, palette.DarkOptions{Rows: rows[:1]})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Ops) != 1 || c.Ops[0].Op != "set_token" || c.Ops[0].Name != "soft" || c.Ops[0].Theme != "dark" {
		t.Fatalf("%+v\n%s", c.Ops, strings.Join(c.Notes, "\n"))
	}
	got := change(t, d, c)
	spans, err := check.Contrast(t.Context(), room, got, look.View{Theme: "dark", Row: rows[0]})
	if err != nil || len(spans) == 0 || !spans[0].Passes() {
		t.Errorf("%+v, %v", spans, err)
	}
}
