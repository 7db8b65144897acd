package edit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxOps bounds one request; a person's gesture has a few, a copilot's step dozens.
const maxOps = 1000

// Decode reads a JSON array of operations. Fields that an operation does not
// have are refused, and those that it needs must be there. The error is a
// problem.List with the path of each mistake: ops[2].id.
func Decode(raw []byte) ([]Op, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, problem.List{problem.New(problem.Invalid, "the operations must be a JSON array: %w", err).At("ops")}
	}
	if len(list) > maxOps {
		return nil, problem.List{problem.New(problem.TooLarge, "there are %d operations, more than the %d allowed", len(list), maxOps).At("ops")}
	}
	ops := make([]Op, len(list))
	var problems problem.List
	for i, raw := range list {
		path := fmt.Sprintf("ops[%d]", i)
		for _, p := range decodeOp(raw, &ops[i]) {
			problems = append(problems, p.At(strings.TrimSuffix(path+"."+p.Path, ".")))
		}
	}
	return ops, problems.Err()
}

func decodeOp(raw []byte, op *Op) problem.List {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return problem.List{problem.New(problem.Invalid, "an operation must be an object with the key op")}
	}
	var name string
	if err := json.Unmarshal(members["op"], &name); err != nil {
		return problem.List{problem.New(problem.Invalid, "op must name the operation").At("op").WithHint("the operations are %s", strings.Join(kindNames(), ", "))}
	}
	kind, ok := kindOf(name)
	if !ok {
		return problem.List{unknown(problem.New(problem.Invalid, "there is no operation %q", name).At("op"), name, kindNames())}
	}
	if problems := kind.check(members); len(problems) > 0 {
		return problems
	}
	if raw, ok := members["node"]; ok {
		if p := checkNode(raw, "node"); p != nil {
			return problem.List{p}
		}
	}
	if err := json.Unmarshal(raw, op); err != nil {
		return problem.List{mistyped(err)}
	}
	return nil
}

// check holds the members against the fields of the operation.
func (k Kind) check(members map[string]json.RawMessage) problem.List {
	var problems problem.List
	names := []string{"op"}
	for _, f := range k.Fields {
		names = append(names, f.Name)
		raw, there := members[f.Name]
		null := there && string(bytes.TrimSpace(raw)) == "null"
		if f.Required && !there {
			problems = append(problems, problem.New(problem.Invalid, "%s needs %s: %s", k.Name, f.Name, f.Description).At(f.Name))
		} else if null && !f.Nullable {
			problems = append(problems, problem.New(problem.Invalid, "%s cannot be null", f.Name).At(f.Name))
		} else if f.Required && !f.Nullable && empty(raw, f) {
			problems = append(problems, problem.New(problem.Invalid, "%s is empty: %s", f.Name, f.Description).At(f.Name))
		}
	}
	var extra []string
	for name := range members {
		if !slices.Contains(names, name) {
			extra = append(extra, name)
		}
	}
	slices.Sort(extra)
	for _, name := range extra {
		problems = append(problems, unknown(problem.New(problem.Invalid, "%s has no field %q", k.Name, name).At(name), name, names))
	}
	return problems
}

// empty reports whether the value of a field says nothing.
func empty(raw json.RawMessage, f Field) bool {
	switch string(bytes.TrimSpace(raw)) {
	case `""`, "[]":
		return true
	case "0":
		return f.Type == "integer" && f.Name != "index"
	}
	return false
}

// checkNode refuses fields that a description of a node does not have.
func checkNode(raw []byte, path string) *problem.Error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return problem.New(problem.Invalid, "a node must be an object").At(path)
	}
	known := []string{"tag", "id", "class", "attrs", "style", "text", "children"}
	for _, name := range sortedKeys(members) {
		if !slices.Contains(known, name) {
			return unknown(problem.New(problem.Invalid, "a node has no field %q", name).At(path+"."+name), name, known)
		}
	}
	var children []json.RawMessage
	if inner, ok := members["children"]; ok {
		if err := json.Unmarshal(inner, &children); err != nil {
			return problem.New(problem.Invalid, "children must be an array").At(path + ".children")
		}
	}
	for i, child := range children {
		if p := checkNode(child, fmt.Sprintf("%s.children[%d]", path, i)); p != nil {
			return p
		}
	}
	return nil
}

func mistyped(err error) *problem.Error {
	p := problem.New(problem.Invalid, "%w", err)
	if wrong, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // as the decoder returns it
		p = problem.New(problem.Invalid, "a %s cannot stand here", wrong.Value).At(wrong.Field)
	}
	return p
}

// unknown adds the name that was meant, or all there are.
func unknown(p *problem.Error, name string, known []string) *problem.Error {
	if near := expr.Nearest(name, known); near != "" {
		return p.WithHint("did you mean %q?", near)
	}
	if len(known) == 0 || len(known) > 60 {
		return p
	}
	return p.WithHint("there are %s", strings.Join(known, ", "))
}
