package config

// A Kind is the form of a node.
type Kind int

// The kinds. Aliases are followed, so that they have none of their own.
const (
	Null     Kind = iota // nothing was written
	Scalar               // a text, a number, true or false
	Mapping              // keys with values
	Sequence             // a list
)

// String names k for a sentence: "a mapping".
func (k Kind) String() string {
	switch k {
	case Scalar:
		return "a single value"
	case Mapping:
		return "a mapping"
	case Sequence:
		return "a list"
	default:
		return "nothing"
	}
}
