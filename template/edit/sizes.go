package edit

import (
	"encoding/json"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

const (
	maxSide     = 10_000
	defaultSize = "default"
)

// A size is a member of sizes in the manifest.
type size struct {
	W     int    `json:"w"`
	H     int    `json:"h"`
	Label string `json:"label,omitempty"`
}

func (s size) text() string {
	raw, _ := json.Marshal(s) // numbers and a text always encode
	out, _ := markup.InlineJSON(raw)
	return out
}

// sizes reads the size of the name; there need not be a manifest for "default".
func (e *editor) hasSize(name, field string) *problem.Error {
	var names []string
	if n := e.doc.Find(manifestID); n != nil {
		names = keys(n.Inner(), "sizes")
	}
	if contains(names, name) {
		return nil
	}
	return unknown(problem.New(problem.NotFound, "there is no size %q", name).WithSlug("size_not_found").At(field), name, names)
}

func checkSide(n int, field string) *problem.Error {
	if n < 1 || n > maxSide {
		return problem.New(problem.Invalid, "%s must be from 1 to %d", field, maxSide).At(field)
	}
	return nil
}

func (e *editor) addSize(op Op) ([]way, *problem.Error) {
	if !tokenName.MatchString(op.Name) {
		return nil, problem.New(problem.Invalid, "%q cannot be the name of a size: letters, digits, - and _", op.Name).At("name")
	}
	for field, side := range map[string]int{"w": op.Width, "h": op.Height} {
		if p := checkSide(side, field); p != nil {
			return nil, p
		}
	}
	n, text, p := e.manifest()
	if p != nil {
		return nil, p.At("name")
	}
	if value, _ := entry(text, "sizes", op.Name); value != "" {
		return nil, problem.New(problem.Conflict, "there is a size %q already", op.Name).At("name")
	}
	s := size{W: op.Width, H: op.Height}
	if op.Label != nil {
		s.Label = *op.Label
	}
	e.touch("size:" + op.Name)
	changed, p := setEntry(text, "sizes", op.Name, s.text(), op.Before)
	if p != nil {
		return nil, p.At("name")
	}
	if p := e.edit(n, changed); p != nil || op.From == "" {
		return []way{{{Op: "remove_size", Name: op.Name}}}, p
	}
	return []way{{{Op: "remove_size", Name: op.Name}}}, e.copySize(op.From, op.Name)
}

// copySize gives a new size the overrides of another.
func (e *editor) copySize(from, to string) *problem.Error {
	if p := e.hasSize(from, "from"); p != nil {
		return p
	}
	source := e.doc.Find(sizePrefix + from)
	if source == nil {
		return nil
	}
	css := source.Inner()
	n, p := e.sheet(sizePrefix + to)
	if p != nil {
		return p.At("name")
	}
	return e.edit(n, css)
}

func (e *editor) setSize(op Op) ([]way, *problem.Error) {
	if p := e.hasSize(op.Name, "name"); p != nil {
		return nil, p
	}
	n, text, p := e.manifest()
	if p != nil {
		return nil, p.At("name")
	}
	e.touch("size:" + op.Name)
	old, _ := entry(text, "sizes", op.Name)
	if _, ok := members(old); !ok {
		return nil, problem.New(problem.Invalid, "the size %q is not an object", op.Name).At("name")
	}
	value := old
	for _, side := range []struct {
		field, long string
		n           int
	}{{"w", "width", op.Width}, {"h", "height", op.Height}} {
		if side.n == 0 {
			continue
		}
		if p := checkSide(side.n, side.field); p != nil {
			return nil, p
		}
		value = setMember(setMember(value, side.long, "", "", ""), side.field, size{W: side.n}.side(), "", "")
	}
	if op.Label != nil {
		label := ""
		if *op.Label != "" {
			label = quoted(*op.Label)
		}
		value = setMember(value, "label", label, "", "")
	}
	changed, p := setEntry(text, "sizes", op.Name, value, "")
	if p != nil {
		return nil, p.At("name")
	}
	return []way{{undoSize(op, old)}}, e.edit(n, changed)
}

func (s size) side() string {
	raw, _ := json.Marshal(s.W)
	return string(raw)
}

// undoSize sets what op set to what it was.
func undoSize(op Op, old string) Op {
	var s size
	undo := Op{Op: "set_size", Name: op.Name}
	if json.Unmarshal([]byte(old), &s) != nil {
		return undo
	}
	if op.Width != 0 {
		undo.Width = s.W
	}
	if op.Height != 0 {
		undo.Height = s.H
	}
	if op.Label != nil {
		undo.Label = &s.Label
	}
	return undo
}

func (e *editor) removeSize(op Op) ([]way, *problem.Error) {
	if p := e.hasSize(op.Name, "name"); p != nil {
		return nil, p
	}
	n, text, p := e.manifest()
	if p != nil {
		return nil, p.At("name")
	}
	if op.Name == defaultSize || len(keys(text, "sizes")) == 1 {
		return nil, problem.New(problem.Unsupported, "the size %q is the one that all others begin with", op.Name).At("name")
	}
	e.touch("size:" + op.Name)
	changed, p := setEntry(text, "sizes", op.Name, "", "")
	if p != nil {
		return nil, p.At("name")
	}
	if p := e.edit(n, changed); p != nil {
		return nil, p
	}
	if sheet := e.doc.Find(sizePrefix + op.Name); sheet != nil {
		lead := lineBefore(sheet)
		return nil, e.apply(Op{Op: "remove_node", ID: sizePrefix + op.Name, Lead: &lead})
	}
	return nil, nil
}

func (e *editor) setSizeOverride(op Op) ([]way, *problem.Error) {
	if p := e.hasSize(op.Size, "size"); p != nil {
		return nil, p
	}
	if _, p := e.layer(op.ID, "id"); p != nil {
		return nil, p
	}
	if p := checkDecl(op, overridable); p != nil {
		return nil, p
	}
	if !idName.MatchString(op.ID) {
		return nil, problem.New(problem.Unsupported, "the id %q cannot stand in CSS as it is", op.ID).At("id").WithHint("give it another by set_id")
	}
	id := sizePrefix + op.Size
	if op.Value == nil && e.doc.Find(id) == nil {
		return nil, nil
	}
	n, p := e.sheet(id)
	if p != nil {
		return nil, p.At("size")
	}
	e.touch("size:" + op.Size + "/" + op.ID)
	css, selector := n.Inner(), "#"+op.ID
	old, after := getDecl(css, selector, op.Property)
	changed, p := setDecl(css, selector, " ", op, false)
	if p != nil {
		return nil, p.At("size")
	}
	if changed == css {
		return nil, nil
	}
	undo := Op{Op: "set_size_override", Size: op.Size, ID: op.ID, Property: op.Property, Value: old, Before: after}
	return []way{{undo.bare()}, {undo}}, e.edit(n, changed)
}
