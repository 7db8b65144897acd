package template

import (
	"slices"

	"github.com/pictifyd/pictifyd/expr"
)

var kinds = map[Type]expr.Kind{
	Text: expr.KindText, Number: expr.KindNumber, Boolean: expr.KindBoolean, Image: expr.KindText, URL: expr.KindText,
	Color: expr.KindText, Date: expr.KindDate, Array: expr.KindList, Object: expr.KindObject, Any: expr.KindAny,
}

// types are what expressions may rely on. samples add what examples and rows say
// about the insides of lists and objects.
func (m *manifest) types(samples map[string]*expr.Type) map[string]*expr.Type {
	if !m.declared {
		return nil
	}
	types := make(map[string]*expr.Type, len(m.vars))
	for _, v := range m.vars {
		if !v.typed {
			continue // what rows send is taken as text, but may be a number
		}
		t := &expr.Type{Kind: kinds[v.Type]}
		if item, ok := kinds[Type(v.Items)]; ok && v.Type == Array {
			t.Items = &expr.Type{Kind: item}
		}
		if s := samples[v.Name]; s != nil && s.Kind == t.Kind && (v.Type == Array || v.Type == Object) {
			t = s
		}
		types[v.Name] = t
	}
	return types
}

// nests reports whether a variable has insides, of which samples tell more than
// the manifest.
func (m *manifest) nests() bool {
	return slices.ContainsFunc(m.vars, func(v Var) bool { return v.typed && (v.Type == Array || v.Type == Object) })
}

// sampleTypes are what the examples of vars and the rows say about their types.
func sampleTypes(vars []Var, rows []map[string]any, book addressBook) map[string]*expr.Type {
	types := map[string]*expr.Type{}
	note := func(v *Var, value any) {
		if value == nil {
			return
		}
		typed, p := coerce(v, value, book)
		if p != nil {
			return
		}
		if t := expr.TypeOf(typed); types[v.Name] == nil {
			types[v.Name] = t
		} else {
			types[v.Name] = types[v.Name].Merge(t)
		}
	}
	for i := range vars {
		v := &vars[i]
		note(v, v.Example)
		note(v, v.Default)
		for _, row := range rows {
			note(v, row[v.Name])
		}
		types[v.Name] = softened(types[v.Name])
	}
	return types
}

// softened is t with the text inside it as anything: what is a word in the
// samples may be a number in another row.
func softened(t *expr.Type) *expr.Type {
	if t == nil {
		return nil
	}
	soft := &expr.Type{Kind: t.Kind, Items: softened(t.Items)}
	if t.Kind == expr.KindText || t.Kind == expr.KindDate {
		soft.Kind = expr.KindAny
	}
	if t.Fields != nil {
		soft.Fields = make(map[string]*expr.Type, len(t.Fields))
		for name, field := range t.Fields {
			soft.Fields[name] = softened(field)
		}
	}
	return soft
}
