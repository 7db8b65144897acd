package daemon

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// newExperiment is one of two cards, that is running.
func newExperiment(slug string) experiment.Experiment {
	text := func(s string) map[string]json.RawMessage {
		return map[string]json.RawMessage{"title": json.RawMessage(s)}
	}
	return experiment.Experiment{
		ID: "exp_" + strings.ReplaceAll(slug, "-", ""), Status: experiment.Running, Origin: "api", Weights: []int{5000, 5000},
		StartedAt: time.Now(), Since: time.Now(),
		Definition: experiment.Definition{
			Name: "Two cards", Slug: slug, Type: experiment.ABTest, Coverage: experiment.Whole,
			Goal: experiment.Goal{Type: experiment.GoalClick, DestinationURL: "https://shop.example/cards?from=mail"},
			Variants: []experiment.Variant{
				{ID: "plain", Template: "card", Variables: text(`"Plain"`), Weight: 5000, Control: true},
				{ID: "bold", Template: "card", Variables: text(`"Bold"`), Weight: 5000},
			},
		},
	}
}

// exhibits prepares an experiment, keeps it and shows it.
func (d *Daemon) exhibits(tb testing.TB, e experiment.Experiment) experiment.Experiment {
	tb.Helper()
	ctx := context.Background()
	if err := d.exhibit.prepare(ctx, e); err != nil {
		tb.Fatal(err)
	}
	kept, err := d.store.SaveExperiment(ctx, e)
	if err == nil {
		err = d.reloadExperiments(ctx)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return kept
}

func TestVariantsAreDrawnBeforeTheStart(t *testing.T) {
	d := newSite(t, "").open()
	e := d.exhibits(t, newExperiment("two-cards"))
	s, err := d.exhibit.of("two-cards")
	if err != nil {
		t.Fatal(err)
	}
	plain, bold, fallback := s.pictures["plain"], s.pictures["bold"], s.pictures[""]
	if plain.Hash == "" || bold.Hash == "" || plain.Hash == bold.Hash || fallback.Hash != plain.Hash {
		t.Errorf("pictures %+v, want two that differ, and the control's as the fallback", s.pictures)
	}
	// What a new version of the template would show changes nothing of what runs.
	if again, err := d.exhibit.of(e.ID); err != nil || again != s {
		t.Errorf("by its id: %v, %v", again, err)
	}
}

// The bytes stay although no image of a row shows them.
func TestVariantsAreNotSwept(t *testing.T) {
	d := newSite(t, "").open()
	d.exhibits(t, newExperiment("two-cards"))
	s, err := d.exhibit.of("two-cards")
	if err != nil {
		t.Fatal(err)
	}
	sweep, err := d.store.BeginSweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Repeat("0", 64)
	marked, err := sweep.Mark(t.Context(), []string{s.pictures["plain"].Hash, s.pictures["bold"].Hash, other}, time.Now())
	if err != nil || !slices.Equal(marked, []string{other}) {
		t.Errorf("the sweep marked %v, %v; want only what nobody shows", marked, err)
	}
}

func TestStartIsRefusedWithVariantAndVariable(t *testing.T) {
	d := newSite(t, "").open()
	for name, c := range map[string]struct {
		change func(e *experiment.Experiment)
		path   string
		slug   string
		says   string
	}{
		"a required variable is missing": {func(e *experiment.Experiment) { e.Variants[1].Variables = nil }, "variants[1].variables.title", "missing_variable", `variant "bold"`},
		"a variable of the wrong type": {func(e *experiment.Experiment) {
			e.Variants[0].Variables["price"] = json.RawMessage(`"cheap"`)
		}, "variants[0].variables.price", "wrong_type", `variant "plain"`},
		"an unknown variable": {func(e *experiment.Experiment) { e.Variants[1].Variables["titel"] = json.RawMessage(`1`) }, "variants[1].variables.titel", "unknown_variable", "titel"},
		"an unknown size":     {func(e *experiment.Experiment) { e.Variants[1].Size = "story" }, "variants[1].size", "unknown_size", "story"},
		"an unknown theme":    {func(e *experiment.Experiment) { e.Variants[1].Theme = "dark" }, "variants[1].theme", "unknown_theme", "dark"},
		"no such template":    {func(e *experiment.Experiment) { e.Variants[0].Template = "cart" }, "variants[0].templateUid", "template_not_found", "cart"},
		"of rows, too":        {func(e *experiment.Experiment) { e.Rows, e.Variants[0].Template = true, "cart" }, "variants[0].templateUid", "template_not_found", "cart"},
		"a fallback that is not there": {func(e *experiment.Experiment) { e.FallbackImageURL = "http://127.0.0.1:1/x.png" }, "fallbackImageUrl",
			"asset_fetch_failed", "fallback"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExperiment("two-cards")
			c.change(&e)
			list := problem.All(d.exhibit.prepare(t.Context(), e))
			if len(list) != 1 || list[0].Path != c.path || list[0].Slug != c.slug || !strings.Contains(list[0].Message, c.says) {
				t.Errorf("got %+v, want one problem %s at %s about %q", list, c.slug, c.path, c.says)
			}
		})
	}
}

func TestRowsAreNotDrawnBeforeTheStart(t *testing.T) {
	d := newSite(t, "").open()
	e := newExperiment("two-cards")
	e.Rows, e.Variants[1].Variables = true, nil
	d.exhibits(t, e)
	s, err := d.exhibit.of("two-cards")
	if err != nil {
		t.Fatal(err)
	}
	if p := s.pictures[""]; len(s.pictures) != 1 || p.Hash == "" || p.Ext != "png" {
		t.Errorf("pictures %+v, want the fallback alone", s.pictures)
	}
}

func TestFallbackIsFetchedAndKept(t *testing.T) {
	image := plainPNG(7, 5)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(image)
	}))
	d := newSite(t, "").open()
	e := newExperiment("two-cards")
	e.FallbackImageURL = server.URL + "/sold-out.png"
	d.exhibits(t, e)
	server.Close()
	s, err := d.exhibit.of("two-cards")
	if err != nil {
		t.Fatal(err)
	}
	file, size, err := d.blobs.Open(t.Context(), s.pictures[""].Hash)
	if err != nil || size != int64(len(image)) {
		t.Fatalf("the fallback has %d bytes, %v; want the %d that were fetched", size, err, len(image))
	}
	file.Close()
}

// The signature is of the experiment and the unit, and the unit is a segment of the
// path whatever is in it.
func TestUnitURLsAreSigned(t *testing.T) {
	d := newSite(t, "").open()
	e, other := newExperiment("two-cards"), newExperiment("three-cards")
	e.Output.Format = "jpeg"
	of := d.unitURLs(e, "a/b ü?.x")
	if want := d.urls.base + "/s/two-cards/a%2Fb%20%C3%BC%3F.x.jpg?sig="; !strings.HasPrefix(of.Image, want) || len(of.Image) != len(want)+22 {
		t.Errorf("image %s, want %s and 22 characters", of.Image, want)
	}
	signature := of.Image[len(of.Image)-22:]
	keys := d.exhibit.keys
	if !keys.signed(e.ID, "a/b ü?.x", signature) || keys.signed(e.ID, "a/b", signature) || keys.signed(other.ID, "a/b ü?.x", signature) || keys.signed(e.ID, "a/b ü?.x", "") {
		t.Error("a signature is of one unit of one experiment")
	}
	if key := d.writeKey(e); !keys.mayWrite(e.ID, key) || keys.mayWrite(other.ID, key) || keys.mayWrite(e.ID, "") {
		t.Error("a write key is of one experiment")
	}
}
