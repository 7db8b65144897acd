package draft

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/pictifyd/pictifyd/template"
)

// A Form is what a compiled template says of itself.
type Form interface {
	Vars() []template.Var
	Sizes() []template.Size
}

// A Comparison is what one version has that another has not.
type Comparison struct {
	From, To int64
	Text     string // the difference of the documents, as diff -u has it

	Variables Changes
	Sizes     Changes
	Assets    Changes
}

// Changes names what differs between two lists.
type Changes struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
}

// Compare is what turns the version a into b. Their forms may be nil, when they
// cannot be compiled any more: then nothing is said of variables and sizes.
func Compare(a, b template.Version, fa, fb Form) Comparison {
	c := Comparison{
		From: a.Number, To: b.Number, Text: Unified(label(a), label(b), string(a.Source), string(b.Source)),
		Assets: changes(assetsOf(a), assetsOf(b)),
	}
	var from, to [2][]named
	if fa != nil && fb != nil {
		from, to = partsOf(fa), partsOf(fb)
	}
	c.Variables, c.Sizes = changes(from[0], to[0]), changes(from[1], to[1])
	return c
}

func label(v template.Version) string { return fmt.Sprintf("%s version %d", v.Name, v.Number) }

// A named is one part of a template.
type named struct {
	name string
	is   any
}

func assetsOf(v template.Version) []named {
	var all []named
	for _, path := range slices.Sorted(maps.Keys(v.Assets)) {
		all = append(all, named{path, v.Assets[path]})
	}
	return all
}

// partsOf are the variables and the sizes.
func partsOf(f Form) (parts [2][]named) {
	for _, v := range f.Vars() {
		parts[0] = append(parts[0], named{v.Name, v})
	}
	for _, s := range f.Sizes() {
		parts[1] = append(parts[1], named{s.Name, s})
	}
	return parts
}

func changes(a, b []named) Changes {
	c := Changes{Added: []string{}, Removed: []string{}, Changed: []string{}}
	before := map[string]any{}
	for _, n := range a {
		before[n.name] = n.is
	}
	for _, n := range b {
		is, had := before[n.name]
		switch {
		case !had:
			c.Added = append(c.Added, n.name)
		case !reflect.DeepEqual(is, n.is):
			c.Changed = append(c.Changed, n.name)
		}
		delete(before, n.name)
	}
	for _, n := range a {
		if _, left := before[n.name]; left {
			c.Removed = append(c.Removed, n.name)
		}
	}
	return c
}
