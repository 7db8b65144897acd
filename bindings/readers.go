package bindings

import (
	"slices"

	"github.com/pictifyd/pictifyd/expr"
)

// A Reader is a place of a binding that reads a column.
type Reader struct {
	Path     string // in the configuration: where, map.price, lookups.shop.key
	Variable string // of the template, that takes the column of its name
	Any      bool   // the expression may read any column
}

// Readers are the places that read a column of the binding's own rows. What is read
// of joined rows is not looked at.
func (b *Binding) Readers(column string) (all []Reader) {
	hidden := slices.ContainsFunc(b.lookups, func(l lookup) bool { return l.name == column })
	look := func(path string, p *expr.Program, hidden bool) {
		switch {
		case p == nil:
		case p.UsesAll():
			all = append(all, Reader{Path: path, Any: true})
		case slices.Contains(p.Names(), column) && !hidden:
			all = append(all, Reader{Path: path})
		}
	}
	look("where", b.where, hidden)
	for _, l := range b.lookups {
		for i, part := range l.key { // there, its own name is the column of the row
			look(keyPath(l.name, b.cfg.Lookups[l.name], i), part, hidden && l.name != column)
		}
	}
	if b.cfg.Experiment.Unit == column && !hidden {
		all = append(all, Reader{Path: "experiment.unit"})
	}
	for _, v := range b.variables {
		switch {
		case v.from != nil:
			look("map."+v.name, v.from, hidden)
		case v.name == column && !hidden:
			all = append(all, Reader{Path: "template", Variable: v.name})
		}
	}
	return all
}
