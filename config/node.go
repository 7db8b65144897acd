package config

import (
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Node is a part of a configuration file: a section that was captured to be
// decoded later, by the room that knows its meaning. The zero Node stands for
// nothing.
type Node struct {
	doc  *document
	path string
	v    *value
}

// An Unmarshaler decodes itself from a node, where a field takes several forms.
// A problem that it returns without a position is placed at the node, its path
// is relative to it.
type Unmarshaler interface {
	UnmarshalNode(n Node) error
}

// Path is where the node stands: "bindings[2].outputs". The root's is empty.
func (n Node) Path() string { return n.path }

// document is what all nodes of one file share.
type document struct {
	file string
}

// value is a node of the tree without its path, because aliases share values.
type value struct {
	pos problem.Position
}
