package config

// Strings is one text or a list of them: "sku" and [shop, sku] both fit.
type Strings []string

// UnmarshalNode accepts both forms.
func (s *Strings) UnmarshalNode(n Node) error {
	switch n.Kind() {
	case Sequence:
		var list []string
		err := n.Decode(&list)
		*s = list
		return err
	case Scalar:
		var one string
		err := n.Decode(&one)
		*s = Strings{one}
		return err
	default:
		return mismatch("wants a text or a list of texts, not " + n.Kind().String())
	}
}
