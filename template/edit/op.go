package edit

import (
	"encoding/json"
	"slices"
)

// An Op is one operation. Op says which, and Kinds which of the other fields
// that one has; all others stay empty.
type Op struct {
	Op string `json:"op"`

	ID       string   `json:"id,omitempty"`
	IDs      []string `json:"ids,omitempty"`
	Path     string   `json:"path,omitempty"` // of a node without an id, as the outline has it
	To       string   `json:"to,omitempty"`
	ToID     string   `json:"to_id,omitempty"`
	Name     string   `json:"name,omitempty"`
	Property string   `json:"property,omitempty"`
	Value    *string  `json:"value,omitempty"` // nil takes away
	Text     *string  `json:"text,omitempty"`
	HTML     *string  `json:"html,omitempty"`
	Target   string   `json:"target,omitempty"`
	Expr     *string  `json:"expr,omitempty"` // nil takes away

	Parent string `json:"parent,omitempty"` // an id or a path; "" is the body
	Index  *int   `json:"index,omitempty"`  // among the elements of the parent
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	Node   *Node  `json:"node,omitempty"`

	Size   string          `json:"size,omitempty"`
	Theme  string          `json:"theme,omitempty"`
	Var    json.RawMessage `json:"var,omitempty"` // null takes away
	Width  int             `json:"w,omitempty"`
	Height int             `json:"h,omitempty"`
	Label  *string         `json:"label,omitempty"`
	From   string          `json:"from,omitempty"`

	Hidden    *bool                                   `json:"hidden,omitempty"`
	Box       map[string]*float64                     `json:"box,omitempty"` // nil takes away
	Direction string                                  `json:"direction,omitempty"`
	Overrides map[string]map[string]map[string]string `json:"overrides,omitempty"` // by size, id, property

	// What only inverses have: exact bytes and places.
	Tag   string  `json:"tag,omitempty"`
	At    int     `json:"at,omitempty"` // bytes behind the element before
	Lead  *string `json:"lead,omitempty"`
	Trail string  `json:"trail,omitempty"`
	Old   string  `json:"old,omitempty"`
	New   string  `json:"new,omitempty"`
}

// A Node describes an element to add.
type Node struct {
	Tag      string            `json:"tag"`
	ID       string            `json:"id,omitempty"`
	Class    string            `json:"class,omitempty"`
	Attrs    map[string]string `json:"attrs,omitempty"`
	Style    map[string]string `json:"style,omitempty"`
	Text     string            `json:"text,omitempty"`
	Children []Node            `json:"children,omitempty"`
}

// MarshalJSON writes null where an operation needs to say that something goes,
// so that what is decoded again is the same operation.
func (o Op) MarshalJSON() ([]byte, error) {
	type plain Op
	raw, err := json.Marshal(plain(o))
	if err != nil {
		return nil, err
	}
	kind, _ := kindOf(o.Op)
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	for _, f := range kind.Fields {
		if _, there := members[f.Name]; !there && f.Nullable && f.Required {
			raw = slices.Concat(raw[:len(raw)-1], []byte(`,"`+f.Name+`":null}`))
		}
	}
	return raw, nil
}

// A Result is what operations made of a document.
type Result struct {
	Source  []byte
	Inverse []Op     // in the order in which they are to be applied
	Touched []string // what was changed: see Conflicts
}

func text(s string) *string { return &s }
func number(n int) *int     { return &n }
