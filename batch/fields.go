package batch

import "maps"

// Fields are the names that the body of a batch may use, each with the name of
// the field that it means.
func Fields() map[string]string { return maps.Clone(canonicalField) }

// OutputFields is the same for an element of outputs.
func OutputFields() map[string]string { return maps.Clone(canonicalOutputField) }

// OrderFields is the same for an order of a kind, without the fields that are
// known only to say why they are not taken.
func OrderFields(kind OrderKind) map[string]string {
	fields := maps.Clone(orderFields[kind])
	for name := range pageField {
		delete(fields, name)
	}
	return fields
}
