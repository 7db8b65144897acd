package daemon

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/drafttest"
	"github.com/pictifyd/pictifyd/template/edit"
)

// gestures are what two people may do at once.
var gestures = []string{
	`{"op":"set_text","id":"title","text":"Hi {{ title }}"}`,
	`{"op":"set_style","id":"title","property":"color","value":"#333"}`,
	`{"op":"set_style","id":"price","property":"left","value":"40px"}`,
	`{"op":"set_attr","id":"photo","name":"p-name","value":"Photo"}`,
	`{"op":"set_binding","id":"price","target":"if","expr":"price > 0"}`,
	`{"op":"set_token","name":"accent","value":"#f00"}`,
	`{"op":"set_var","name":"stock","var":{"type":"number","default":1}}`,
	`{"op":"add_size","name":"story","w":200,"h":400}`,
	`{"op":"remove_node","id":"photo"}`,
	`{"op":"move_node","id":"price","index":0}`,
	`{"op":"duplicate_node","id":"title","to_id":"subtitle"}`,
	`{"op":"set_id","id":"photo","to":"picture"}`,
	`{"op":"add_page","id":"back"}`,
}

// newCardDesk is a desk with the engine of this daemon, on which the template
// card has one version.
func newCardDesk() *draft.Desk {
	l := &drafttest.Ledger{}
	l.Add(template.Version{Name: "card", Source: []byte(cardTemplate)})
	return &draft.Desk{Ledger: l, ApplyFunc: applyOps, ConflictsFunc: edit.Conflicts, CheckFunc: checkDraft}
}

func gesture(author, op string) draft.Edit {
	return draft.Edit{Name: "card", Revision: 1, Author: author, Ops: []json.RawMessage{json.RawMessage(op)}}
}

// counted reports whether one operation says by number where a layer goes, and
// the other changes how many layers are counted. Taken back one by one they may
// leave another order, or be refused.
func counted(first, second string) bool {
	both := first + second
	return strings.Contains(both, "move_node") && (strings.Contains(both, "remove_node") || strings.Contains(both, "duplicate_node"))
}

// Of two edits of one revision the second is refused as a conflict, or stands
// beside the first; and then each can be taken back without the other.
func TestTwoEditsOfOneRevisionStandTogetherOrConflict(t *testing.T) {
	together := 0
	for _, first := range gestures {
		for _, second := range gestures {
			k := newCardDesk()
			if _, err := k.Edit(t.Context(), gesture("Ada", first)); err != nil {
				t.Fatalf("%s: %v", first, err)
			}
			_, err := k.Edit(t.Context(), gesture("Bob", second))
			var conflict *draft.ConflictError
			if errors.As(err, &conflict) {
				continue
			}
			if err != nil {
				t.Errorf("%s\nover %s\nis neither refused nor applied: %v", second, first, err)
				continue
			}
			together++
			if counted(first, second) {
				continue
			}
			for _, author := range []string{"Ada", "Bob"} {
				if _, err := k.Undo(t.Context(), "card", author); err != nil {
					t.Errorf("%s\nover %s\n%s's undo: %v", second, first, author, err)
				}
			}
			if d, err := k.Ledger.Draft(t.Context(), "card"); err != nil || string(d.Source) != cardTemplate {
				t.Errorf("%s\nover %s\nboth taken back leave\n%s, %v", second, first, d.Source, err)
			}
		}
	}
	if all := len(gestures) * len(gestures); together < all/2 {
		t.Errorf("only %d of %d stand together", together, all)
	}
}
