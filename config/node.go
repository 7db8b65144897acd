package config

import (
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Node is a part of a configuration file: a section that was captured to be
// decoded later, by the room that knows its meaning. The zero Node stands for
// nothing. Nodes may be used by several goroutines.
type Node struct {
	doc  *document
	path string
	v    *value
}

// value is a node of the tree without its path, because aliases share values.
type value struct {
	kind    Kind
	pos     problem.Position
	scalar  scalar
	entries []entry
	items   []*value
	size    int // of the tree below, itself included, with aliases followed
}

// scalar is the text of a single value.
type scalar struct {
	text     string // with its variables put in
	raw      string // as it stands in the file
	plain    bool   // neither quoted nor a block, so that 1 and true are not texts
	expanded bool   // text came from the environment: never show it
	faults   []fault
}

// entry is one key of a mapping.
type entry struct {
	key string
	pos problem.Position
	v   *value
}

var null = &value{kind: Null}

// value is never nil.
func (n Node) value() *value {
	if n.v == nil {
		return null
	}
	return n.v
}

// IsZero reports whether nothing is written there: no such key, or an empty one.
func (n Node) IsZero() bool { return n.value().kind == Null }

// Kind is the form of the node.
func (n Node) Kind() Kind { return n.value().kind }

// Path is where the node stands: "bindings[2].outputs". The root's is empty.
func (n Node) Path() string { return n.path }

// Pos is where the node begins in its file.
func (n Node) Pos() problem.Position { return n.value().pos }

// Keys are the keys of a mapping in the order of the file.
func (n Node) Keys() []string {
	entries := n.value().entries
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.key
	}
	return keys
}

// Child is the value of a key, and whether the key is there.
func (n Node) Child(key string) (Node, bool) {
	for _, e := range n.value().entries {
		if e.key == key {
			return n.child(e), true
		}
	}
	return Node{}, false
}

// Items are the elements of a list.
func (n Node) Items() []Node {
	values := n.value().items
	items := make([]Node, len(values))
	for i, v := range values {
		items[i] = Node{doc: n.doc, path: joinIndex(n.path, i), v: v}
	}
	return items
}

// Scalar is the text of a key's single value, with its variables put in. It is
// false where there is none, also because a variable is not set; Decode says why.
func (n Node) Scalar(key string) (string, bool) {
	c, _ := n.Child(key)
	v := c.value()
	if v.kind != Scalar || len(v.scalar.faults) > 0 {
		return "", false
	}
	return v.scalar.text, true
}

// Equal reports whether both hold the same content, by their digests.
func (n Node) Equal(other Node) bool { return n.Digest() == other.Digest() }

func (n Node) child(e entry) Node {
	return Node{doc: n.doc, path: joinKey(n.path, e.key), v: e.v}
}

// absent stands for a key of n that was not written; problems of it are placed at n.
func (n Node) absent(key string) Node {
	return Node{doc: n.doc, path: joinKey(n.path, key), v: &value{kind: Null, pos: n.Pos()}}
}

// inWords is a path, which rooms write in the words of YAML, in those of the
// document. A key that is there stays as it is: it may be a caller's own.
func (n Node) inWords(path string) string {
	if n.doc == nil || !n.doc.camel {
		return path
	}
	told, doc := "", n.doc
	for _, s := range splitPath(path) {
		if s.key == "" {
			told = joinIndex(told, s.index)
		} else {
			if _, there := n.Child(s.key); !there {
				s.key = doc.word(s.key)
			}
			told = joinKey(told, s.key)
		}
		n, _ = n.step(s)
	}
	return told
}

// nearest is the deepest node that exists on the way to path.
func (n Node) nearest(path string) Node {
	for _, step := range splitPath(path) {
		next, ok := n.step(step)
		if !ok {
			break
		}
		n = next
	}
	return n
}

func (n Node) step(s step) (Node, bool) {
	if s.key == "" {
		items := n.value().items
		if s.index >= len(items) {
			return Node{}, false
		}
		return Node{doc: n.doc, path: joinIndex(n.path, s.index), v: items[s.index]}, true
	}
	if c, ok := n.Child(s.key); ok {
		return c, true
	}
	return n.Child(s.key + fileSuffix)
}

// Problem is what is wrong at path, which is relative to n, for checks that
// only others can make: its path is absolute, and its position is that of the
// nearest node that exists.
func Problem(n Node, path string, code problem.Code, format string, args ...any) *problem.Error {
	p := problem.New(code, format, args...)
	p.Path = path
	return n.place(p)
}
