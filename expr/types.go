package expr

import (
	"encoding/json"
	"maps"
	"time"
)

// A Kind is what sort of value something is.
type Kind string

// The kinds. Text that looks like a number counts as a number, because rows
// carry numbers as text.
const (
	KindAny     Kind = "any"
	KindText    Kind = "text"
	KindNumber  Kind = "number"
	KindBoolean Kind = "boolean"
	KindDate    Kind = "date" // text that tells a moment
	KindList    Kind = "list"
	KindObject  Kind = "object"

	// KindExpression is the kind of an argument that is computed for each item of a list.
	KindExpression Kind = "expression"
)

// A Type is what is known of a value before there is one. A nil *Type knows
// nothing. It is not changed once it is made.
type Type struct {
	Kind   Kind             `json:"kind"`
	Fields map[string]*Type `json:"fields,omitempty"` // of an object; nil: not known which it has
	Items  *Type            `json:"items,omitempty"`  // of a list, what all its items are

	literal *string // the text itself, where it stands in the expression
	made    bool    // text that was made of others: it may turn out to be a number
}

// madeText is the type of text that an expression makes.
func madeText() *Type { return &Type{Kind: KindText, made: true} }

func (t *Type) kind() Kind {
	if t == nil || t.Kind == "" {
		return KindAny
	}
	return t.Kind
}

// TypeOf is what a sample value shows; nil for nothing and for empty text.
func TypeOf(value any) *Type {
	switch v := value.(type) {
	case bool:
		return &Type{Kind: KindBoolean}
	case string:
		return typeOfText(v)
	case json.Number, int, float64:
		return &Type{Kind: KindNumber}
	case []any:
		t := &Type{Kind: KindList}
		for _, item := range v {
			t.Items = t.Items.Merge(TypeOf(item))
		}
		return t
	case map[string]any:
		t := &Type{Kind: KindObject, Fields: map[string]*Type{}}
		for name, field := range v {
			t.Fields[name] = TypeOf(field)
		}
		return t
	}
	return nil
}

func typeOfText(s string) *Type {
	if s == "" {
		return nil
	}
	if _, ok := Number(s); ok {
		return &Type{Kind: KindNumber}
	}
	if _, ok := Time(s, time.UTC); ok {
		return &Type{Kind: KindDate}
	}
	return &Type{Kind: KindText}
}

// Merge is what is known of a value that is like t in one row and like other in
// another. Fields that only one of them has are known.
func (t *Type) Merge(other *Type) *Type {
	switch {
	case t == nil:
		return other
	case other == nil:
		return t
	case t.kind() != other.kind():
		return &Type{Kind: eitherKind(t.kind(), other.kind()), made: t.made || other.made}
	}
	merged := &Type{Kind: t.Kind, made: t.made || other.made, Items: t.Items.Merge(other.Items)}
	if t.Fields != nil && other.Fields != nil {
		merged.Fields = maps.Clone(t.Fields)
		for name, field := range other.Fields {
			merged.Fields[name] = merged.Fields[name].Merge(field)
		}
	}
	return merged
}

func eitherKind(a, b Kind) Kind {
	if (a == KindText || a == KindDate) && (b == KindText || b == KindDate) {
		return KindText
	}
	return KindAny
}

// phrase is the kind as a message says it.
func (k Kind) phrase() string {
	switch k {
	case KindText:
		return "text"
	case KindObject:
		return "an object"
	case KindAny:
		return "any value"
	case KindExpression:
		return "an expression"
	}
	return "a " + string(k)
}

// canBe reports whether a value of t can be what an argument of kind k needs.
func (t *Type) canBe(k Kind) bool {
	has := t.kind()
	if has == KindAny || has == k {
		return true
	}
	switch k {
	case KindNumber:
		return t.made || t.literal != nil && isNumberText(*t.literal)
	case KindDate:
		if t.literal == nil {
			return has == KindText
		}
		_, ok := Time(*t.literal, time.UTC)
		return ok || *t.literal == ""
	case KindList, KindObject:
		return false
	}
	return true
}
