package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEverySessionIsUndoneToTheFirstByte edits as people do, by gestures, by typing
// in the source and by uploads, and takes all back as the editor does: by sending
// inverses, in the opposite order. What the browser has after each answer is what
// the daemon has.
func TestEverySessionIsUndoneToTheFirstByte(t *testing.T) {
	kinds := map[string]int{}
	for seed := range uint64(12) {
		s := newAtelier(t, open(), poster)
		r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // a test that can be repeated
		var inverses [][]json.RawMessage
		text := poster
		for n := range 10 {
			c, kind := s.anyEdit(r, text, n)
			out := c.with("If-Match", fmt.Sprintf(`"%d"`, s.rev)).to(t, s.Server)
			if out.Code != 200 {
				if out.Code != 422 && out.Code != 409 && out.Code != 415 && out.Code != 404 {
					t.Fatalf("seed %d: %s %s: %d %s", seed, c.method, c.body, out.Code, out.Body)
				}
				continue
			}
			v := mustAnswer[struct {
				Revision int64
				Inverse  []json.RawMessage
				Source   *sourceSplice
			}](t, out, 200)
			s.rev = v.Revision
			if len(v.Inverse) > 0 {
				kinds[kind]++
				inverses = append(inverses, v.Inverse)
			}
			if text = spliced(text, v.Source); text != s.tree().Source {
				t.Fatalf("seed %d: after %s the browser has %s", seed, c.body, cmp.Diff(s.tree().Source, text))
			}
		}
		var redo [][]json.RawMessage
		for _, inverse := range slices.Backward(inverses) {
			redo = append(redo, s.patch(string(mustJSON(t, inverse))).Inverse)
		}
		if got := s.tree(); got.Source != poster || len(got.Assets) != 0 {
			t.Fatalf("seed %d: undone it is %s %v", seed, cmp.Diff(poster, got.Source), got.Assets)
		}
		for _, inverse := range slices.Backward(redo) {
			s.patch(string(mustJSON(t, inverse)))
		}
		if got := s.tree().Source; got != text {
			t.Fatalf("seed %d: done again it is %s", seed, cmp.Diff(text, got))
		}
	}
	if len(kinds) < 12 {
		t.Errorf("only these were done: %v", slices.Sorted(maps.Keys(kinds)))
	}
}

// anyEdit is one of what people do; it may be refused.
func (s *atelier) anyEdit(r *rand.Rand, text string, n int) (call, string) {
	nodes := s.tree().Nodes
	id := nodes[r.IntN(len(nodes))].Address
	other := nodes[r.IntN(len(nodes))].Address
	fresh := fmt.Sprintf("new%d", n)
	size := []string{"", "story"}[r.IntN(2)]
	edits := []map[string]any{
		{"op": "set_box", "id": id, "size": size, "box": map[string]any{"left": r.IntN(500), "top": nil, "rotate": r.Float64() * 90}},
		{"op": "set_text", "id": id, "text": "a < b é😀 {{ title }}"},
		{"op": "set_style", "id": id, "property": "background", "value": "linear-gradient(#fff, var(--ink))"},
		{"op": "set_attr", "id": id, "name": "p-fit", "value": "shrink"},
		{"op": "set_binding", "id": id, "target": "style:color", "expr": "price > 1 ? 'red' : 'blue'"},
		{"op": "set_id", "id": id, "to": fresh},
		{"op": "set_hidden", "id": id, "hidden": true, "size": size},
		{"op": "move_node", "id": id, "parent": other, "index": 0},
		{"op": "duplicate_node", "id": id, "to_id": fresh},
		{"op": "group", "ids": []string{id}, "id": fresh},
		{"op": "wrap_stack", "ids": []string{id}, "id": fresh, "direction": "row"},
		{"op": "ungroup", "id": id},
		{"op": "remove_node", "id": id},
		{"op": "paste", "parent": "page", "html": `<p id="title">pasted</p>`, "overrides": map[string]any{"story": map[string]any{"title": map[string]any{"top": "7px"}}}},
		{"op": "add_page", "id": fresh},
		{"op": "duplicate_page", "id": "page", "to_id": fresh},
		{"op": "set_token", "name": "ink", "value": "teal", "theme": []string{"", "dark"}[r.IntN(2)]},
		{"op": "set_var", "name": fresh, "var": map[string]any{"type": "text", "example": "x"}},
		{"op": "rename_var", "name": "title", "to": fresh},
		{"op": "add_size", "name": fresh, "w": 100, "h": 50, "from": "story"},
		{"op": "remove_override", "id": "title", "size": "story"},
	}
	switch r.IntN(4) {
	case 0:
		changes := []string{"price * 2", "price * 3", "left: 10px", "left : 11px", "\n</section>", "\n  <!-- x -->\n  <b id=\"" + fresh + "\">typed</b>\n</section>", "<body>", "<body  class=x>", "é😀", "ü", ">b<", ">😀😀<"}
		i := r.IntN(len(changes)/2) * 2
		body := mustJSON(s.t, map[string]any{"html": strings.Replace(text, changes[i], changes[i+1], 1)})
		return call{method: http.MethodPut, path: "/templates/poster/draft/source", body: string(body)}, "source"
	case 1:
		if r.IntN(2) == 0 {
			return call{method: http.MethodPut, path: fmt.Sprintf("/templates/poster/draft/assets/f%d.png", r.IntN(2)), body: string(pictureOf(s.t, 1+n))}, "file"
		}
	}
	op := edits[r.IntN(len(edits))]
	return call{method: http.MethodPatch, path: "/templates/poster/draft", body: string(mustJSON(s.t, map[string]any{"ops": []any{op}, "author": "Ada", "view": map[string]any{}}))}, op["op"].(string)
}
