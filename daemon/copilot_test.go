package daemon

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A daemon that ends ends what the copilot works on, and says why.
func TestRunOfTheCopilotIsCancelledWhenTheDaemonEnds(t *testing.T) {
	asked := make(chan struct{}, 8)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else nobody sees that the other end has gone
		asked <- struct{}{}
		<-r.Context().Done() // it thinks for ever
	}))
	t.Cleanup(silent.Close)
	s := newSite(t, "copilot: { model: slow, models: [{ name: slow, kind: openai, url: \""+silent.URL+"/v1\", model: x }] }\n")
	ctx, end := context.WithCancel(t.Context())
	var d *Daemon
	_, ended := s.begin(ctx, Options{Renderer: &rendertest.Null{}, started: func(running *Daemon) { d = running }})
	run, err := d.copilot.Start(t.Context(), copilot.Order{Template: "card", Message: "Make it blue", Author: "Ada"})
	if err != nil || run.Model != "slow" {
		t.Fatalf("the run is %+v, %v", run, err)
	}
	<-asked
	if _, err := d.copilot.Start(t.Context(), copilot.Order{Template: "card", Message: "Make it red"}); err == nil || !strings.Contains(err.Error(), run.ID) {
		t.Errorf("a second run: %v", err)
	}
	if err := d.store.DeleteTemplate(t.Context(), "card", func() error { return nil }); err == nil {
		t.Error("a template was deleted under the copilot")
	}
	end()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}

	_, d = s.run(Options{Renderer: &rendertest.Null{}})
	run, err = d.store.CopilotRuns().Run(t.Context(), run.ID)
	if err != nil || run.Status != copilot.Cancelled || run.Problem == nil || run.Problem.Code != copilot.Interrupted {
		t.Errorf("after the restart it is %s, %+v, %v", run.Status, run.Problem, err)
	}
	if n, err := d.store.CopilotRuns().Counts(t.Context()); err != nil || len(n) != 1 || n[0].Status != copilot.Cancelled || n[0].Runs != 1 {
		t.Errorf("counted are %+v, %v", n, err)
	}
	if err := d.forgetRuns(t.Context(), time.Now().Add(29*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.CopilotRuns().Run(t.Context(), run.ID); err != nil {
		t.Errorf("forgotten too early: %v", err)
	}
	if err := d.forgetRuns(t.Context(), time.Now().Add(31*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.CopilotRuns().Run(t.Context(), run.ID); err == nil {
		t.Error("it is kept longer than copilot.keep")
	}
}

// The copilot tries its steps with what a binding makes of its rows, where there is
// one, else with the samples.
func TestCopilotTriesItsStepsWithTheRowsOfABinding(t *testing.T) {
	s := newSite(t, `
sources: { shop: { kind: static, key: sku, rows: [{ sku: A, name: Mug, price: 3 }, { sku: B, name: Cup, price: 4 }] } }
bindings: [{ name: cards, source: shop, template: card, map: { title: name, price: price } }]
`)
	s.write("templates/card.rows.json", `[{"title": "A sample"}]`)
	_, d := s.run(Options{Renderer: &rendertest.Null{}})
	titles := func(from string) (all []string) {
		t.Helper()
		rows, err := d.rowsForCopilot(t.Context(), "card", from)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			title, _ := r["title"].(string)
			all = append(all, title)
		}
		return all
	}
	eventually(t, "the rows of the source", func() bool { return len(titles("binding:cards")) == 2 })
	for from, want := range map[string][]string{"": {"Mug", "Cup"}, "binding:cards": {"Mug", "Cup"}, "samples": {"A sample"}} {
		if diff := cmp.Diff(want, titles(from)); diff != "" {
			t.Errorf("from %q (-want +got):\n%s", from, diff)
		}
	}
	if _, err := d.rowsForCopilot(t.Context(), "card", "binding:none"); err == nil {
		t.Error("rows of no binding were found")
	}
	if _, err := d.rowsForCopilot(t.Context(), "none", ""); err == nil {
		t.Error("rows for no template were found")
	}
}
