// Package drafttest has an engine and a ledger in memory for tests of drafts.
package drafttest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// Op is the one operation of the engine: set_text of an element that holds
// nothing but text.
type Op struct {
	Op   string `json:"op"`
	ID   string `json:"id"`
	Text string `json:"text"`
}

// SetText is the operation as JSON.
func SetText(id, text string) json.RawMessage {
	op, err := json.Marshal(Op{"set_text", id, text})
	if err != nil {
		panic(err)
	}
	return op
}

// Apply is the engine.
func Apply(src []byte, ops []json.RawMessage) (draft.Result, error) {
	r := draft.Result{Source: src}
	for i, raw := range ops {
		var op Op
		if err := json.Unmarshal(raw, &op); err != nil || op.Op != "set_text" {
			return draft.Result{}, problem.New(problem.Invalid, "there is no operation %q", op.Op).At(fmt.Sprintf("ops[%d].op", i))
		}
		begin, end, ok := textOf(string(r.Source), op.ID)
		if !ok {
			return draft.Result{}, problem.New(problem.Invalid, "there is no element %q", op.ID).At(fmt.Sprintf("ops[%d].id", i))
		}
		was := string(r.Source[begin:end])
		r.Source = slices.Concat(r.Source[:begin], []byte(op.Text), r.Source[end:])
		r.Inverse = slices.Insert(r.Inverse, 0, SetText(op.ID, was))
		if !slices.Contains(r.Touched, op.ID) {
			r.Touched = append(r.Touched, op.ID)
		}
	}
	return r, nil
}

// textOf is where the text of an element stands.
func textOf(src, id string) (begin, end int, ok bool) {
	at := strings.Index(src, ` id="`+id+`"`)
	if at < 0 {
		return 0, 0, false
	}
	open := strings.IndexByte(src[at:], '>')
	if open < 0 {
		return 0, 0, false
	}
	begin = at + open + 1
	text := strings.IndexByte(src[begin:], '<')
	return begin, begin + text, text >= 0
}

// Conflicts are the names that both lists have.
func Conflicts(a, b []string) []string {
	var both []string
	for _, name := range a {
		if slices.Contains(b, name) {
			both = append(both, name)
		}
	}
	return both
}
