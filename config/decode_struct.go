package config

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// field is a key that a struct takes.
type field struct {
	name  string
	index []int
	tag   reflect.StructTag
	typ   reflect.Type
}

func (f field) secret() bool {
	return f.typ == secretType || f.typ == reflect.PointerTo(secretType) || f.typ == secretsType
}

// fields are the keys that a struct takes, with those of the structs that it
// embeds; an outer field hides an inner one of its name.
func fields(t reflect.Type) []field {
	var own, inner []field
	taken := map[string]bool{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-":
		case name == "" && f.Anonymous && f.Type.Kind() == reflect.Struct:
			for _, i := range fields(f.Type) {
				i.index = append([]int{f.Index[0]}, i.index...)
				inner = append(inner, i)
			}
		case name != "" && f.IsExported():
			own = append(own, field{name: name, index: f.Index, tag: f.Tag, typ: f.Type})
			taken[name] = true
		}
	}
	for _, f := range inner {
		if !taken[f.name] {
			taken[f.name] = true
			own = append(own, f)
		}
	}
	return own
}

// known are the fields of t by the keys that the document has for them.
func (d *decoder) known(t reflect.Type) []field {
	known := fields(t)
	for i := range known {
		known[i].name = d.doc.word(known[i].name)
	}
	return known
}

// structure decodes the keys of n into the fields of v.
func (d *decoder) structure(n Node, v reflect.Value) bool {
	if n.IsZero() {
		d.inner(n, v)
		return true
	}
	if n.Kind() != Mapping {
		return d.wants(n, v.Type(), "a mapping")
	}
	known := d.known(v.Type())
	d.unknown(n, known)
	for _, f := range known {
		into := v.FieldByIndex(f.index)
		c, given := n.Child(f.name)
		file, fromFile := n.secretFile(f, known)
		switch {
		case given && fromFile:
			d.both(n, f.name)
		case fromFile:
			d.secretFile(file, into)
		case given:
			d.value(c, into)
			d.bounds(c, into, f.tag)
		default:
			d.leftOut(n.absent(f.name), into)
		}
	}
	return true
}

// leftOut has the structs of a section that the file leaves out judge their defaults.
func (d *decoder) leftOut(n Node, v reflect.Value) {
	if v.Kind() == reflect.Struct {
		d.inner(n, v)
		d.validate(n, v)
	}
}

func (d *decoder) inner(n Node, v reflect.Value) {
	for _, f := range d.known(v.Type()) {
		d.leftOut(n.absent(f.name), v.FieldByIndex(f.index))
	}
}

// unknown reports every key that no field takes.
func (d *decoder) unknown(n Node, known []field) {
	var names, files []string
	for _, f := range known {
		names = append(names, f.name)
		if f.secret() && !d.doc.camel {
			files = append(files, f.name+fileSuffix)
		}
	}
	taken := slices.Concat(names, files)
	for _, e := range n.value().entries {
		if slices.Contains(taken, e.key) {
			continue
		}
		p := problem.New(problem.Invalid, "unknown key %q", e.key).WithSlug(slugUnknown).At(n.path).In(e.pos)
		near, ok := Nearest(e.key, taken)
		switch {
		case ok:
			p.WithHint("did you mean %q?", near)
			d.failed = append(d.failed, joinKey(n.path, near))
		case len(names) > 0:
			p.WithHint("known keys are %s", strings.Join(names, ", "))
		}
		d.problems = append(d.problems, p)
	}
}

// secretFile is the node of FIELD_file, unless that is a field of its own.
func (n Node) secretFile(f field, known []field) (Node, bool) {
	if !f.secret() || n.doc.camel {
		return Node{}, false
	}
	for _, other := range known {
		if other.name == f.name+fileSuffix {
			return Node{}, false
		}
	}
	return n.Child(f.name + fileSuffix)
}

func (d *decoder) both(n Node, name string) {
	file, _ := n.Child(name + fileSuffix)
	d.fail(file, slugFile, "%q is given as well", name).WithHint("keep one of them")
}

// secretFile reads the file that n names into v, a Secret, a pointer to one, or Secrets.
func (d *decoder) secretFile(n Node, v reflect.Value) {
	var path string
	before := len(d.problems)
	if d.value(n, reflect.ValueOf(&path).Elem()); len(d.problems) > before {
		return
	}
	text, err := d.doc.readSecret(path)
	if err != nil {
		p := d.fail(n, slugFile, "read file %q: %s", n.value().scalar.raw, err)
		if errors.Is(err, fs.ErrNotExist) {
			p.WithHint("paths start at the folder of the configuration")
		}
		return
	}
	secret := NewSecret(text)
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.ValueOf(&secret))
	case v.Type() == secretsType:
		v.Set(reflect.ValueOf(Secrets{secret}))
	default:
		v.Set(reflect.ValueOf(secret))
	}
}
