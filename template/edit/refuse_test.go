package edit

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestWhatCannotBeDoneIsRefusedAtItsField(t *testing.T) {
	for ops, want := range map[string]string{
		`{}`:                                    `ops: the operations must be a JSON array`,
		`[{"op":"set_txt"}]`:                    `ops[0].op: there is no operation "set_txt" (did you mean "set_text"?)`,
		`[{"id":"x"}]`:                          `ops[0].op: op must name the operation`,
		`[{"op":"set_text"}]`:                   `ops[0].id: set_text needs id`,
		`[{"op":"set_text","id":1,"text":"x"}]`: `ops[0].id: a number cannot stand here`,
		`[{"op":"set_style","id":"title","prop":"x","property":"left","value":"1px"}]`:                                                   `ops[0].prop: set_style has no field "prop"`,
		`[{"op":"set_style","id":"","property":"left","value":"0"}]`:                                                                     `ops[0].id: id is empty`,
		`[{"op":"set_style","id":"title","property":"left"}]`:                                                                            `ops[0].value: set_style needs value`,
		`[{"op":"add_node","parent":"card","node":{"tag":"p","styles":{}}}]`:                                                             `ops[0].node.styles: a node has no field "styles" (did you mean "style"?)`,
		`[{"op":"set_text","id":"titel","text":"x"}]`:                                                                                    `ops[0].id: there is no layer "titel" (did you mean "title"?)`,
		`[{"op":"set_text","id":"title","text":"x"},{"op":"set_text","id":"note","text":"x"}]`:                                           `ops[1].text: "note" has elements inside`,
		`[{"op":"set_text","id":"list","text":"x"}]`:                                                                                     `ops[0].id: "list" holds layers`,
		`[{"op":"set_text","id":"photo","text":"x"}]`:                                                                                    `ops[0].id: a <img> has no text`,
		`[{"op":"set_text","id":"title","text":"{{ open"},{"op":"set_text","id":"price","text":"}}"}]`:                                   `ops[0]: what is put in would change the structure`,
		`[{"op":"set_text","id":"note","html":"<script>1</script>"}]`:                                                                    `ops[0].html: safety: <script>`,
		`[{"op":"set_text","id":"note","html":"<b onclick=x>1</b>"}]`:                                                                    `ops[0].html: safety: onclick`,
		`[{"op":"set_text","id":"note","html":"</div><p>"}]`:                                                                             `ops[0].html: the end tag </div>`,
		`[{"op":"set_text","id":"note","html":"<a href=' java\tscript:x'>1</a>"}]`:                                                       `ops[0].html: safety: href`,
		`[{"op":"set_text","id":"logo","text":"x"}]`:                                                                                     `ops[0].id: "logo" is locked`,
		`[{"op":"remove_node","id":"logo"}]`:                                                                                             `ops[0].id: "logo" is locked`,
		`[{"op":"remove_page","id":"card"}]`:                                                                                             `ops[0].id: "logo" is locked`,
		`[{"op":"set_attr","id":"card","name":"p-lock","value":""},{"op":"set_text","id":"title","text":""}]`:                            `ops[1].id: "card" is locked`,
		`[{"op":"set_style","id":"title","property":"lef","value":"1px"}]`:                                                               `ops[0].property: the property "lef" is not for layers (did you mean "left"?)`,
		`[{"op":"set_style","id":"title","property":"z-index","value":"1"}]`:                                                             `ops[0].property: the property "z-index" is not for layers`,
		`[{"op":"set_style","id":"title","property":"left","value":"1px; top: 2px"}]`:                                                    `ops[0].value: "1px; top: 2px" is not one CSS value`,
		`[{"op":"set_style","id":"title","property":"left","value":"calc(1px"}]`:                                                         `ops[0].value: "calc(1px" is not one CSS value`,
		`[{"op":"set_style","id":"title","property":"left","value":"1px } *{x:y"}]`:                                                      `ops[0].value: "1px } *{x:y" is not one CSS value`,
		`[{"op":"set_style","id":"title","property":"left","value":"{{ open"}]`:                                                          `ops[0].value: "{{ open" is not one CSS value`,
		`[{"op":"set_size_override","size":"story","id":"title","property":"left","value":"</style>"}]`:                                  `ops[0].value: "</style>" is not one CSS value`,
		`[{"op":"set_size_override","size":"story","id":"title","property":"color","value":"red"}]`:                                      `ops[0].property: the property "color" cannot differ between sizes`,
		`[{"op":"set_size_override","size":"stori","id":"title","property":"left","value":"0"}]`:                                         `ops[0].size: there is no size "stori" (did you mean "story"?)`,
		`[{"op":"set_attr","id":"title","name":"onclick","value":"x"}]`:                                                                  `ops[0].name: safety: onclick`,
		`[{"op":"set_attr","id":"title","name":"style","value":"x"}]`:                                                                    `ops[0].name: set_attr does not change styles (use set_style`,
		`[{"op":"set_attr","id":"title","name":"id","value":"x"}]`:                                                                       `ops[0].name: set_attr does not change ids`,
		`[{"op":"set_attr","id":"title","name":"a b","value":"x"}]`:                                                                      `ops[0].name: "a b" cannot be the name`,
		`[{"op":"set_attr","id":"title","name":"alt","value":"{{ a"},{"op":"set_attr","id":"title","name":"p-name","value":"}}"}]`:       `ops[0]: what is put in would change the structure`,
		`[{"op":"set_attr","id":"title","name":"class","value":"p-page"}]`:                                                               `ops[0].value: what is a page stays one`,
		`[{"op":"set_attr","id":"list","name":"class","value":null}]`:                                                                    `ops[0].value: "list" holds layers`,
		`[{"op":"set_binding","id":"title","target":"colour","expr":"x"}]`:                                                               `ops[0].target: "colour" cannot be bound`,
		`[{"op":"set_binding","id":"title","target":"attr:onclick","expr":"x"}]`:                                                         `ops[0].target: safety: onclick`,
		`[{"op":"set_binding","id":"title","target":"src","expr":"x"}]`:                                                                  `ops[0].target: a <h1> has no source`,
		`[{"op":"set_binding","id":"title","target":"if","expr":"a }} b"}]`:                                                              `ops[0].expr: "a }} b" is not one expression`,
		`[{"op":"set_binding","id":"title","target":"if","expr":" "}]`:                                                                   `ops[0].expr: there is no expression`,
		`[{"op":"set_id","id":"title","to":"price"}]`:                                                                                    `ops[0].to: the id "price" is in use ("price-2" is free)`,
		`[{"op":"set_id","id":"title","to":"p-tokens"}]`:                                                                                 `ops[0].to: "p-tokens" cannot be an id`,
		`[{"op":"add_node","parent":"note","node":{"tag":"p","id":"x"}}]`:                                                                `ops[0].parent: "note" holds no layers`,
		`[{"op":"add_node","parent":"card","node":{"tag":"p"}}]`:                                                                         `ops[0].node.id: a layer needs an id ("p-2" is free)`,
		`[{"op":"add_node","parent":"card","node":{"tag":"script","id":"x"}}]`:                                                           `ops[0].node.tag: a layer cannot be a <script>`,
		`[{"op":"add_node","parent":"card","index":9,"node":{"tag":"p","id":"x"}}]`:                                                      `ops[0].index: there is no place 9`,
		`[{"op":"add_node","parent":"card","html":"<p id=a></p><p></p>"}]`:                                                               `ops[0].html: the HTML is not one element`,
		`[{"op":"add_node","parent":"card","html":"<p id=title></p>"}]`:                                                                  `ops[0].id: the id "title" is in use`,
		`[{"op":"move_node","id":"list","parent":"list"}]`:                                                                               `ops[0].parent: "list" cannot stand inside itself`,
		`[{"op":"group","ids":["title","item"],"id":"g"}]`:                                                                               `ops[0].ids: "item" is not in the same parent as "title"`,
		`[{"op":"ungroup","id":"list"}]`:                                                                                                 `ops[0].id: "list" is no group`,
		`[{"op":"set_token","name":"bg","value":"red","theme":"darc"}]`:                                                                  `ops[0].theme: there is no theme "darc" (did you mean "dark"?)`,
		`[{"op":"set_token","name":"b g","value":"red"}]`:                                                                                `ops[0].name: "b g" cannot be the name of a token`,
		`[{"op":"set_var","name":"x","var":"text"}]`:                                                                                     `ops[0].var: a variable must be an object`,
		`[{"op":"add_size","name":"story","w":1,"h":1}]`:                                                                                 `ops[0].name: there is a size "story" already`,
		`[{"op":"add_size","name":"big","w":1,"h":10001}]`:                                                                               `ops[0].h: h must be from 1 to 10000`,
		`[{"op":"remove_size","name":"default"}]`:                                                                                        `ops[0].name: the size "default" is the one`,
		`[{"op":"remove_page","id":"back"},{"op":"set_attr","id":"logo","name":"p-lock","value":null},{"op":"remove_page","id":"card"}]`: `ops[2].id: "card" is the only page`,
		`[{"op":"ensure_id","path":"/0/1/0/0","id":"x"}]`:                                                                                `ops[0].path: the element at /0/1/0/0 has the id "photo"`,
		`[{"op":"set_tag","id":"title","tag":"<p id=title>"}]`:                                                                           `ops[0].tag: the tag is one of <p>`,
		`[{"op":"set_tag","id":"logo","tag":"<div id=logo class=x>"}]`:                                                                   `ops[0].id: "logo" is locked`,
		`[{"op":"patch_text","id":"title","old":"{","new":"x"}]`:                                                                         `ops[0].id: "title" is neither the manifest`,
		`[{"op":"patch_text","id":"p-tokens","old":"ffff","new":"x"}]`:                                                                   `ops[0].old: "ffff" does not stand in "p-tokens" exactly once`,
		`[{"op":"patch_text","id":"p-tokens","old":"#ffffff","new":"</style><p>"}]`:                                                      `ops[0]: what is put in would change the structure`,
		`[{"op":"patch_text","id":"p-template","old":"Card","new":"\""}]`:                                                                `ops[0].new: the manifest would be no JSON`,
	} {
		list, err := Decode([]byte(ops))
		if err == nil {
			_, err = Apply([]byte(card), list)
		}
		if err == nil {
			t.Errorf("%s was done", ops)
		} else if !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\n got %s\nwant %s", ops, err, want)
		}
	}
}

func TestLocksAreAProblemOfTheirOwn(t *testing.T) {
	_, err := Apply([]byte(card), []Op{{Op: "set_text", ID: "logo", Text: text("x")}})
	if p := first(err); p.Code != problem.Conflict || p.Kind() != Locked {
		t.Errorf("%s: %s", p.Code, p.Kind())
	}
}

func TestWhatIsInsideALayerIsNoLayer(t *testing.T) {
	src := strings.Replace(card, "<b>", `<b id="bold">`, 1)
	_, err := Apply([]byte(src), []Op{{Op: "set_style", ID: "bold", Property: "left", Value: text("1px")}})
	if p := first(err); p.Kind() != Opaque || !strings.Contains(p.Hint, `"note"`) {
		t.Errorf("%v", err)
	}
	if got, err := Apply([]byte(src), []Op{{Op: "set_text", ID: "bold", Text: text("light")}}); err != nil {
		t.Error(err)
	} else {
		mustUndo(t, src, got)
	}
}
