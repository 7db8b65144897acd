package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

func (s *site) plan(binding string) (*Plan, error) {
	s.tb.Helper()
	settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		s.tb.Fatal(err)
	}
	return PlanBinding(s.tb.Context(), settings, binding, PlanOptions{Log: quiet(s.tb), Sample: 5})
}

func (s *site) mustPlan(binding string) *Plan {
	s.tb.Helper()
	p, err := s.plan(binding)
	if err != nil {
		s.tb.Fatal(err)
	}
	return p
}

// pricedRows are rows of a shop: SKU, name and stock.
func pricedRows(rows ...[2]string) string {
	var all []string
	for _, r := range rows {
		all = append(all, fmt.Sprintf(`{"sku":%q,"name":%q,"price":1,"stock":3}`, r[0], r[1]))
	}
	return "[" + strings.Join(all, ",") + "]"
}

func planYAML(s *shop, more string) string {
	return fmt.Sprintf(`
sources: { shop: { kind: http, url: %q, key: sku, every: 1h } }
bindings:
  - { name: cards, source: shop, template: card, map: { title: name }, public: true%s }
`, s.server.URL, more)
}

func TestPlanWithoutAStoreIsAllNew(t *testing.T) {
	t.Parallel()
	s := newBareSite(t, planYAML(newShop(t, pricedRows([2]string{"A", "Mug"}, [2]string{"B", "Cup"})), ""))
	want := &Plan{Binding: "cards", Source: "shop", Rows: 2, Complete: true, New: 2, Renders: 2, First: true, OnDelete: "keep",
		Sample: []PlannedRow{{Key: "A", Name: "A", Becomes: "new"}, {Key: "B", Name: "B", Becomes: "new"}}}
	if diff := cmp.Diff(want, s.mustPlan("cards")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "data")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a plan made the data folder: %v", err)
	}
}

func TestPlanBesideARunningDaemonSaysWhatItWouldDo(t *testing.T) {
	t.Parallel()
	shop := newShop(t, pricedRows([2]string{"A", "Mug"}, [2]string{"B", "Cup"}, [2]string{"C", "Jug"}, [2]string{"D", "Pot"}))
	yaml := planYAML(shop, ", guard: { max_changed: 20%, max_deleted: 20%, floor: 0 }")
	s := newSite(t, yaml)
	r := s.reloadable()
	eventually(t, "the images", func() bool { return r.picture("/b/cards/D.png") != "" && r.picture("/b/cards/A.png") != "" })

	shop.set(pricedRows([2]string{"A", "Mug"}, [2]string{"B", "Beaker"}, [2]string{"E", "Pan"}, [2]string{"D", ""}))
	want := &Plan{
		Binding: "cards", Source: "shop", Rows: 4, Complete: true, New: 1, Changed: 1, Unchanged: 1, Gone: 1, Failing: 1,
		Renders: 2, OnDelete: "keep",
		Guard: &Held{Changes: 3, Removals: 1, Reason: "2 of 4 images would change (limit 20 %); 1 of 4 images would go (limit 20 %)"},
		Sample: []PlannedRow{
			{Key: "B", Name: "B", Becomes: "changed", Variables: []VariableChange{{"title", "Cup", "Beaker"}}},
			{Key: "E", Name: "E", Becomes: "new"},
			{Key: "D", Name: "D", Becomes: "failing"},
			{Key: "C", Name: "C", Becomes: "gone"},
		},
	}
	got := s.mustPlan("cards")
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(PlannedRow{}, "Error")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// What the daemon then does is what the plan said.
	r.mustSend(202, "POST", "/bindings/cards/refresh", "")
	var v struct {
		Binding struct {
			Held struct {
				Changes, Removals int
				Reason            string
			}
		}
	}
	eventually(t, "the guard", func() bool { r.get("/bindings/cards", &v); return v.Binding.Held.Reason != "" })
	if held := v.Binding.Held; (Held{held.Changes, held.Removals, held.Reason}) != *got.Guard {
		t.Errorf("the guard holds %+v, and the plan said %+v", held, *got.Guard)
	}
}

// Every state of the store is as it was after a plan, and the plan finds the
// bindings of callers.
func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	shop := newShop(t, pricedRows([2]string{"A", "Mug"}))
	s := newSite(t, "")
	r := s.reloadable()
	r.connect(shop, s.receiver.server.URL)
	eventually(t, "the image", func() bool { return r.picture("/b/cards/A.png") != "" })
	asked := shop.asks()
	settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if p := s.mustPlan("cards"); p.Unchanged != 1 || p.New+p.Changed > 0 {
		t.Errorf("the plan is %+v, want one unchanged", p)
	}
	if shop.asks() == asked {
		t.Error("the source was not asked")
	}
	read, err := store.OpenReadOnly(t.Context(), settings.Store, settings.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if err := read.WantPoll(t.Context(), "shop"); err == nil {
		t.Error("a store that is open for reading took a write")
	}
}

func TestPlanTellsTheTemplateFromTheRows(t *testing.T) {
	t.Parallel()
	shop := newShop(t, pricedRows([2]string{"A", "Mug"}, [2]string{"B", "Cup"}))
	s := newSite(t, planYAML(shop, ""))
	r := s.reloadable()
	eventually(t, "the images", func() bool { return r.picture("/b/cards/A.png") != "" && r.picture("/b/cards/B.png") != "" })
	// Only for the plan: its file has another where the daemon runs with.
	s.write("other.yaml", reloadHead+planYAML(shop, ", where: 'sku == \"A\"'"))
	s.write("third.yaml", reloadHead+strings.Replace(planYAML(shop, ""), "title: name", `title: 'name + "!"'`, 1))
	for file, want := range map[string]Plan{
		"other.yaml": {Unchanged: 1, Removed: 1},
		"third.yaml": {Changed: 2, Replanned: 2, Renders: 2},
	} {
		settings, err := Load(filepath.Join(s.dir, file))
		if err != nil {
			t.Fatal(err)
		}
		p, err := PlanBinding(t.Context(), settings, "cards", PlanOptions{Log: quiet(t)})
		if err != nil {
			t.Fatal(err)
		}
		got := Plan{Unchanged: p.Unchanged, Removed: p.Removed, Changed: p.Changed, Replanned: p.Replanned, Renders: p.Renders}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func TestPlanOfADuplicateSaysSo(t *testing.T) {
	t.Parallel()
	shop := newShop(t, pricedRows([2]string{"A", "Mug"}, [2]string{"A", "Cup"}, [2]string{"B", "Jug"}))
	p := newSite(t, planYAML(shop, "")).mustPlan("cards")
	if p.Complete || p.New != 1 || p.Quarantined != 2 || !strings.Contains(p.Reason, `the key "A"`) {
		t.Errorf("the plan is %+v", p)
	}
}

func TestPlanThatCannotBeMadeSaysWhy(t *testing.T) {
	t.Parallel()
	shop := newShop(t, "<html>")
	s := newSite(t, planYAML(shop, ""))
	for binding, want := range map[string]string{"card": `did you mean "cards"?`, "cards": "read source \"shop\""} {
		_, err := s.plan(binding)
		if err == nil || !strings.Contains(problem.All(err)[0].Error()+err.Error(), want) {
			t.Errorf("%s: %v, want %s in it", binding, err, want)
		}
	}
}
