package edit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheOutlineHasEveryLayer(t *testing.T) {
	got := Outline([]byte(card))
	want := []Layer{
		{ID: "card", Path: "/0/1/0", Tag: "section", Class: "p-page", Page: "card", Children: []Layer{
			{ID: "photo", Path: "/0/1/0/0", Tag: "img", Parent: "card", Page: "card", Bindings: map[string]string{"src": "photo"}, Style: map[string]string{"left": "640px", "top": "0"}, Box: &Box{Left: 640}},
			{ID: "title", Path: "/0/1/0/1", Tag: "h1", Role: "headline", Text: "{{ title }}", Parent: "card", Page: "card", Bindings: map[string]string{"text": "title"}, Style: map[string]string{"left": "64px", "top": "72px", "color": "var(--ink)"}, Box: &Box{Left: 64, Top: 72}},
			{ID: "price", Path: "/0/1/0/2", Tag: "div", Text: "{{ price | currency }}", Parent: "card", Page: "card", Bindings: map[string]string{"text": "price | currency"}, Style: map[string]string{"left": "64px", "top": "310px"}, Box: &Box{Left: 64, Top: 310}},
			{ID: "note", Path: "/0/1/0/3", Tag: "div", Text: "A bold word", Parent: "card", Page: "card", Opaque: true},
			{ID: "list", Path: "/0/1/0/4", Tag: "ul", Class: "p-stack", Parent: "card", Page: "card", Children: []Layer{
				{ID: "item", Path: "/0/1/0/4/0", Tag: "li", Text: "{{ f }}", Parent: "list", Page: "card", Bindings: map[string]string{"for": "f in features", "text": "f"}},
			}},
			{ID: "logo", Path: "/0/1/0/5", Tag: "div", Text: "Acme", Parent: "card", Page: "card", Locked: true},
		}},
		{ID: "back", Path: "/0/1/1", Tag: "section", Class: "p-page", Page: "back", Children: []Layer{
			{ID: "small", Path: "/0/1/1/0", Tag: "p", Text: "Terms", Parent: "back", Page: "back"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBoxesAreThoseThatTheStyleGivesInPixels(t *testing.T) {
	for style, want := range map[string]*Box{
		"left: 1.5px; top: 0; width: 10px; height: 20px": {1.5, 0, 10, 20},
		"left: 1px; top: 2px":                            {1, 2, 0, 0},
		"left: 1px; top: 2px; width: 50%":                nil,
		"left: 1; top: 2px":                              nil,
		"left: {{ a }}px; top: 2px":                      nil,
		"left: 1px":                                      nil,
	} {
		got := Outline([]byte(`<section class="p-page"><p style="` + style + `"></p></section>`))
		if diff := cmp.Diff(want, got[0].Children[0].Box); diff != "" {
			t.Errorf("%s (-want +got):\n%s", style, diff)
		}
	}
}

func TestConflictsAreNamesThatBothTouched(t *testing.T) {
	for _, c := range []struct{ a, b, want []string }{
		{[]string{"title"}, []string{"price"}, nil},
		{[]string{"title", "price"}, []string{"price", "x"}, []string{"price"}},
		{[]string{"theme:dark"}, []string{"theme:dark/token:bg"}, []string{"theme:dark/token:bg"}},
		{[]string{"theme:dark/token:bg"}, []string{"theme:dark", "token:bg"}, []string{"theme:dark"}},
		{[]string{"size:story/title"}, []string{"title"}, []string{"title"}},
		{[]string{"size:story"}, []string{"size:story/title", "size:storys"}, []string{"size:story/title"}},
		{[]string{"size:story/title"}, []string{"size:square/title", "size:story/price"}, nil},
		{[]string{"page:card"}, []string{"card"}, []string{"card"}},
	} {
		if diff := cmp.Diff(c.want, Conflicts(c.a, c.b)); diff != "" {
			t.Errorf("%q, %q (-want +got):\n%s", c.a, c.b, diff)
		}
	}
}

func TestOperationsOnDifferentNodesAreRebased(t *testing.T) {
	mine := must(t, card, `[{"op":"set_style","id":"title","property":"left","value":"1px"},{"op":"remove_node","id":"note"}]`)
	theirs := must(t, card, `[{"op":"set_text","id":"price","text":"9"},{"op":"set_token","name":"bg","value":"red"},{"op":"add_node","parent":"card","index":0,"node":{"tag":"p","id":"new"}}]`)
	if both := Conflicts(theirs.Touched, mine.Touched); both != nil {
		t.Fatalf("%q are not the same", both)
	}
	// What I did is undone in a document that has theirs as well.
	then := must(t, string(mine.Source), `[{"op":"set_text","id":"price","text":"9"},{"op":"set_token","name":"bg","value":"red"}]`)
	back, err := Apply(then.Source, mine.Inverse)
	if err != nil {
		t.Fatal(err)
	}
	want := must(t, card, `[{"op":"set_text","id":"price","text":"9"},{"op":"set_token","name":"bg","value":"red"}]`)
	if diff := cmp.Diff(string(want.Source), string(back.Source)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestUndoingTheFirstRuleOfASheetKeepsTheRulesOfOthers(t *testing.T) {
	src := must(t, card, `[{"op":"add_size","name":"square","w":1,"h":1}]`).Source
	mine := must(t, string(src), `[{"op":"set_size_override","size":"square","id":"title","property":"width","value":"1px"}]`)
	both := must(t, string(mine.Source), `[{"op":"set_size_override","size":"square","id":"price","property":"width","value":"2px"}]`)
	if diff := cmp.Diff([]string{"size:square/title"}, mine.Touched); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got, err := Apply(both.Source, mine.Inverse)
	if p := first(err); p.Kind() != Changed {
		t.Errorf("%v\n%s", err, got.Source)
	}
}

func TestEveryOperationIsDescribedAndDone(t *testing.T) {
	done := handlers()
	for _, k := range Kinds() {
		if done[k.Name] == nil || k.Summary == "" {
			t.Errorf("%s is described and not done", k.Name)
		}
		delete(done, k.Name)
		for _, f := range k.Fields {
			if f.Description == "" || f.Type == "" {
				t.Errorf("%s.%s is not described", k.Name, f.Name)
			}
		}
	}
	for name := range done {
		t.Errorf("%s is done and not described", name)
	}
}

func TestInversesSayWhatAPersonWouldSay(t *testing.T) {
	for ops, want := range map[string][]Op{
		`[{"op":"set_text","id":"price","text":"9"}]`:                                           {{Op: "set_text", ID: "price", Text: text("{{ price | currency }}")}},
		`[{"op":"set_style","id":"title","property":"left","value":"1px"}]`:                     {{Op: "set_style", ID: "title", Property: "left", Value: text("64px")}},
		`[{"op":"set_style","id":"title","property":"width","value":"1px"}]`:                    {{Op: "set_style", ID: "title", Property: "width"}},
		`[{"op":"set_token","name":"bg","value":null}]`:                                         {{Op: "set_token", Name: "bg", Value: text("#ffffff"), Before: "ink"}},
		`[{"op":"set_binding","id":"photo","target":"src","expr":"x"}]`:                         {{Op: "set_binding", ID: "photo", Target: "src", Expr: text("photo")}},
		`[{"op":"move_node","id":"photo","index":2}]`:                                           {{Op: "move_node", ID: "photo", Parent: "card", Index: number(0)}},
		`[{"op":"group","ids":["title","price"],"id":"g"}]`:                                     {{Op: "ungroup", ID: "g"}},
		`[{"op":"set_var","name":"price","var":null}]`:                                          {{Op: "set_var", Name: "price", Var: []byte(`{ "type": "number", "example": 129.5 }`)}},
		`[{"op":"set_size","name":"story","w":9}]`:                                              {{Op: "set_size", Name: "story", Width: 1080}},
		`[{"op":"set_id","id":"title","to":"t"}]`:                                               {{Op: "set_id", ID: "t", To: "title"}},
		`[{"op":"set_text","id":"price","text":"9"},{"op":"set_text","id":"small","text":"x"}]`: {{Op: "set_text", ID: "small", Text: text("Terms")}, {Op: "set_text", ID: "price", Text: text("{{ price | currency }}")}},
		`[{"op":"set_text","id":"small","text":"Terms"}]`:                                       nil,
	} {
		got := must(t, card, ops)
		if diff := cmp.Diff(want, got.Inverse); diff != "" {
			t.Errorf("%s (-want +got):\n%s", ops, diff)
		}
	}
}
