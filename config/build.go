package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// builder turns a syntax tree into values: aliases followed, merges done,
// variables put in.
type builder struct {
	doc      *document
	problems problem.List
	anchors  map[string]*value
	left     int // of maxValues
}

func (b *builder) add(pos problem.Position, path, slug, message string) *problem.Error {
	p := (&problem.Error{Code: problem.Invalid, Message: message}).WithSlug(slug).At(path).In(pos)
	b.problems = append(b.problems, p)
	return p
}

func (b *builder) at(t *token.Token) problem.Position {
	return problem.Position{File: b.doc.file, Line: max(1, t.Position.Line), Column: max(1, t.Position.Column)}
}

// position is where a node begins; the parser puts mappings at their first colon.
func (b *builder) position(n ast.Node) problem.Position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return b.position(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return b.position(n.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return b.at(t)
	}
	return b.start()
}

// take charges size values to the budget.
func (b *builder) take(size int, pos problem.Position, path string) bool {
	if b.left < 0 {
		return false // said before
	}
	if b.left -= size; b.left < 0 {
		b.tooMany(pos, path)
	}
	return b.left >= 0
}

func (b *builder) tooMany(pos problem.Position, path string) {
	b.add(pos, path, slugSyntax, fmt.Sprintf("the file holds more than %d values, with its aliases followed", maxValues)).
		Code = problem.TooLarge
}

func (b *builder) value(path string, n ast.Node) *value {
	pos := b.position(n)
	v := &value{kind: Null, pos: pos, size: 1}
	if alias, ok := n.(*ast.AliasNode); ok {
		return b.alias(path, alias)
	}
	if !b.take(1, pos, path) {
		return v
	}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.AnchorNode:
		v = b.value(path, n.Value)
		b.anchors[n.Name.GetToken().Value] = v
	case *ast.MappingNode:
		b.mapping(path, v, n.Values)
	case *ast.MappingValueNode:
		b.mapping(path, v, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		b.sequence(path, v, n)
	case *ast.LiteralNode:
		b.scalar(v, n.Value.Value, false)
	case *ast.StringNode:
		t := n.GetToken().Type
		b.scalar(v, n.Value, t != token.SingleQuoteType && t != token.DoubleQuoteType)
	case ast.ScalarNode:
		b.scalar(v, n.GetToken().Value, true)
	default:
		b.add(pos, path, slugSyntax, "this form of YAML is not supported")
	}
	return v
}

func (b *builder) scalar(v *value, raw string, plain bool) {
	v.kind = Scalar
	v.scalar = scalar{raw: raw, plain: plain}
	v.scalar.expand(b.doc)
}

func (b *builder) sequence(path string, v *value, n *ast.SequenceNode) {
	v.kind = Sequence
	for i, item := range n.Values {
		built := b.value(joinIndex(path, i), item)
		v.items = append(v.items, built)
		v.size += built.size
	}
}

func (b *builder) alias(path string, n *ast.AliasNode) *value {
	pos, name := b.position(n), n.Value.GetToken().Value
	v, ok := b.anchors[name]
	if !ok {
		b.add(pos, path, slugSyntax, "this alias comes before its anchor, or has none").
			WithHint("a text that begins with * is written in quotes")
		return &value{kind: Null, pos: pos, size: 1}
	}
	if !b.take(v.size, pos, path) {
		return &value{kind: Null, pos: pos, size: 1}
	}
	return v
}

func (b *builder) mapping(path string, v *value, pairs []*ast.MappingValueNode) {
	v.kind = Mapping
	seen := map[string]problem.Position{}
	var merged []*value
	for _, pair := range pairs {
		pos := b.position(pair.Key)
		if pair.Key.IsMergeKey() {
			merged = append(merged, b.merges(path, pair.Value)...)
			continue
		}
		key, ok := b.key(path, pair.Key)
		if !ok {
			continue
		}
		built := b.value(joinKey(path, key), pair.Value)
		if first, twice := seen[key]; twice {
			b.add(pos, path, slugDuplicate, fmt.Sprintf("duplicate key %q", key)).
				WithHint("it is already in line %d", first.Line)
			continue
		}
		seen[key] = pos
		if t := pair.Value.GetToken(); t != nil && t.Type == token.ImplicitNullType {
			built.pos = pos
		}
		v.entries = append(v.entries, entry{key: key, pos: pos, v: built})
		v.size += built.size
	}
	v.merge(merged, seen)
}

// key is the text of a key; only scalars serve.
func (b *builder) key(path string, n ast.Node) (string, bool) {
	pos := b.position(n)
	switch k := n.(type) {
	case *ast.MappingKeyNode:
		n = k.Value
	case *ast.AnchorNode:
		n = k.Value
	}
	if _, null := n.(*ast.NullNode); !null {
		if s, ok := n.(ast.ScalarNode); ok && s.GetToken().Value != "" {
			return s.GetToken().Value, true
		}
	}
	b.add(pos, path, slugSyntax, "a key must be a text that is not empty")
	return "", false
}

// merges are the mappings that a "<<" names.
func (b *builder) merges(path string, n ast.Node) []*value {
	v := b.value(path, n)
	bases := []*value{v}
	if v.kind == Sequence {
		bases = v.items
	}
	for _, base := range bases {
		if base.kind != Mapping {
			b.add(b.position(n), path, slugSyntax, `"<<" wants a mapping, or a list of them`)
			return nil
		}
	}
	return bases
}

// merge adds the entries of bases that v has not; earlier bases win.
func (v *value) merge(bases []*value, seen map[string]problem.Position) {
	for _, base := range bases {
		for _, e := range base.entries {
			if _, own := seen[e.key]; own {
				continue
			}
			seen[e.key] = e.pos
			v.entries = append(v.entries, e)
			v.size += e.v.size
		}
	}
}
