package copilot

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/modeltest"
	"github.com/pictifyd/pictifyd/copilot/model/rules"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/edit"
)

// The phrases that the copilot is told of everywhere, each with what a model that
// calls the tools well would do.
var phrases = map[string]struct {
	message string
	script  []modeltest.Turn
}{
	"dark": {"Make a dark-mode variant", []modeltest.Turn{
		plan("Give the colours tokens", "Derive a dark theme"),
		modeltest.Call("tokenize_colors", nil), finishStep(),
		modeltest.Call("derive_dark_theme", nil), finishStep(),
		modeltest.Call("create_variant", args{"name": "dark", "theme": "dark"}), finish(),
	}},
	"story": {"resize this for Instagram Story", []modeltest.Turn{
		plan("Add the size"), modeltest.Call("add_size", args{"preset": "Instagram Story"}), finishStep(), finish(),
	}},
	"backgrounds": {"generate five backgrounds", []modeltest.Turn{
		plan("Make five backgrounds"), modeltest.Call("generate_backgrounds", args{"count": 5}), finishStep(), finish(),
	}},
}

// Every phrase on every starter, without what the starter already has of it, and on
// templates that no rule was made for: each result passes every check, and all of it
// can be taken back to the byte. A whole campaign has every phrase by the rules and by
// a scripted model on all of them; a short one has one phrase by one of both on each
// fourth starter and on each of the others.
func TestPhrasesOnEveryTemplate(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws hundreds of pictures
		return
	}
	room := looktest.Open(t)
	for i, name := range append(looktest.Starters(), looktest.Fixtures()...) {
		d, rows := templateOf(t, room, name)
		for n, phrase := range slices.Sorted(maps.Keys(phrases)) {
			p := phrases[phrase]
			for who, provider := range map[string]model.Provider{"rules": rules.New("rules"), "scripted": scripted(p.script...)} {
				if !campaign.Whole() && ((who == "rules") != (i%2 == 0) || (i+n)%len(phrases) != 0 || i%5 != 0 && i < len(looktest.Starters())) {
					continue
				}
				t.Run(name+"/"+phrase+"/"+who, func(t *testing.T) {
					tryPhrase(t, room, without(t, d, phrase), rows, phrase, p.message, provider, i)
				})
			}
		}
	}
}

func templateOf(t *testing.T, room *looktest.Room, name string) (look.Doc, []map[string]any) {
	if slices.Contains(looktest.Fixtures(), name) {
		return room.Fixture(t, name)
	}
	return room.Starter(t, name)
}

// without is d without what the phrase asks for.
func without(t *testing.T, d look.Doc, phrase string) look.Doc {
	t.Helper()
	var ops []edit.Op
	has := viewsOf(d)
	switch {
	case phrase == "dark" && slices.Contains(has.Themes, "dark"):
		ops = []edit.Op{{Op: "remove_theme", Name: "dark"}}
	case phrase == "story" && slices.Contains(has.Sizes, "story"):
		ops = []edit.Op{{Op: "remove_size", Name: "story"}}
	default:
		return d
	}
	r, err := edit.Apply(d.Source, ops)
	if err != nil {
		t.Fatal(err)
	}
	return d.With(r.Source)
}

func tryPhrase(t *testing.T, room *looktest.Room, d look.Doc, rows []map[string]any, phrase, message string, p model.Provider, i int) {
	w := newWorldOf(t, room, d, rows, p, func(o *Options) { o.Budget.Seconds = 0 }) // a busy machine takes its time
	r, err := w.Start(t.Context(), Order{Template: d.Name, Message: message})
	if err != nil {
		t.Fatal(err)
	}
	r = w.ended(r.ID)
	if r.Status != Review {
		t.Fatalf("the run ended as %s: %+v; %v; %+v", r.Status, r.Problem, w.refusals(r.ID), w.found(r.ID))
	}
	for _, f := range r.Findings {
		if f.Level == "error" {
			t.Errorf("the run ends with %+v", f)
		}
	}
	form, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		t.Fatal(err)
	}
	hard := check.Hardest(form, rows, hardRows)
	picked := []string{""}
	allowed, o := everything, check.Options{Rows: hard}
	switch phrase {
	case "dark":
		allowed, o.Themes = check.Allowed{Themes: []string{"dark"}}, []string{"dark"}
		if len(r.Variants) != 1 || r.Variants[0].Theme != "dark" {
			t.Errorf("variants: %+v", r.Variants)
		}
	case "story":
		allowed, o.Sizes = check.Allowed{Sizes: []string{"story"}, Pictures: true}, []string{"story"}
	case "backgrounds":
		if len(r.Candidates) != 5 {
			t.Fatalf("%d candidates: %s", len(r.Candidates), r.Summary)
		}
		picked = []string{r.Candidates[i%5].Name}
		if i == 0 && campaign.Whole() {
			picked = nil
			for _, c := range r.Candidates {
				picked = append(picked, c.Name)
			}
		}
	}
	for _, name := range picked {
		if name != "" {
			if r, err = w.Pick(t.Context(), r.ID, name); err != nil {
				t.Fatalf("pick %s: %v", name, err)
			}
		}
		after := d.With([]byte(w.sourceOf(d.Name)))
		judge(t, room, d, after, hard, o, allowed)
		portray(t, room, d, after, rows, phrase, name)
	}
	if _, err := w.Discard(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if got := w.sourceOf(d.Name); got != string(d.Source) {
		t.Error("when all steps are undone, the document is another one")
	}
}

// judge holds what became of a document against every check, with the rows that the
// template could show before.
func judge(t *testing.T, room *looktest.Room, before, after look.Doc, rows []check.Row, o check.Options, allowed check.Allowed) {
	t.Helper()
	if string(before.Source) == string(after.Source) {
		t.Error("nothing was changed")
	}
	broken, err := check.Change(t.Context(), room, before, after, rows[:min(len(rows), 3)], allowed)
	if err != nil {
		t.Fatal(err)
	}
	found, err := check.Document(t.Context(), room, after, o)
	if err != nil {
		t.Fatal(err)
	}
	var was []check.Finding // what the template cannot show itself of these rows is no fault of the change
	for _, f := range findings(append(broken, found...)) {
		if f.Level != check.Error {
			continue
		}
		if was == nil {
			if was, err = check.Document(t.Context(), room, before, known(before, o)); err != nil {
				t.Fatal(err)
			}
		}
		if wasSo(before, was, f) {
			t.Logf("it was so before: %s: %s (row %s)", f.Code, f.Message, f.Row)
			continue
		}
		t.Errorf("%s: %s (layer %s, size %s, theme %s, row %s)", f.Code, f.Message, f.Layer, f.Size, f.Theme, f.Row)
	}
}

// portray keeps pictures of before and after for people, where they are wanted.
func portray(t *testing.T, room *looktest.Room, before, after look.Doc, rows []map[string]any, phrase, picked string) {
	folder := os.Getenv("PICTIFYD_PICTURES")
	if folder == "" {
		return
	}
	v := look.View{Row: rows[0]}
	was := v
	switch phrase {
	case "dark":
		v.Theme = "dark"
	case "story":
		v.Size = "story"
	}
	for when, shot := range map[string]struct {
		d look.Doc
		v look.View
	}{"before": {before, was}, "after": {after, v}} {
		s, err := room.Shoot(t.Context(), shot.d, shot.v)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Trim(fmt.Sprintf("%s-%s-%s", phrase, before.Name, picked), "-")
		if err := os.WriteFile(filepath.Join(folder, name+"-"+when+".png"), s.PNG, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
