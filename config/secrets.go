package config

// Secrets is one secret or a list of them: while a secret is being changed, the
// new one and the old one are both good. As with a Secret, one may be given as
// KEY_file.
type Secrets []Secret

// UnmarshalNode accepts both forms.
func (s *Secrets) UnmarshalNode(n Node) error {
	switch n.Kind() {
	case Sequence:
		var list []Secret
		err := n.Decode(&list)
		*s = list
		return err
	case Scalar:
		var one Secret
		err := n.Decode(&one)
		*s = Secrets{one}
		return err
	default:
		return mismatch("wants a secret or a list of secrets, not " + n.Kind().String())
	}
}

// Reveal is the texts themselves, in their order, without those that have none.
func (s Secrets) Reveal() []string {
	var texts []string
	for _, one := range s {
		if !one.IsZero() {
			texts = append(texts, one.Reveal())
		}
	}
	return texts
}

// IsZero reports whether there is no text among them.
func (s Secrets) IsZero() bool { return len(s.Reveal()) == 0 }
