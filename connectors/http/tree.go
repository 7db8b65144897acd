package httppoll

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
)

// A tree is a JSON value whose texts may have expressions.
type tree struct {
	text   *expr.Interpolation
	list   []*tree
	object map[string]*tree
	other  any // a number, a boolean or null
}

func (w *formWriter) tree(path string, value any) *tree {
	switch v := value.(type) {
	case string:
		return &tree{text: w.text(path, v)}
	case []any:
		t := &tree{list: []*tree{}}
		for i, item := range v {
			t.list = append(t.list, w.tree(path+"["+strconv.Itoa(i)+"]", item))
		}
		return t
	case map[string]any:
		t := &tree{object: map[string]*tree{}}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			t.object[name] = w.tree(path+"."+name, v[name])
		}
		return t
	default:
		return &tree{other: v}
	}
}

// texts appends those of t to all.
func (t *tree) texts(all []*expr.Interpolation) []*expr.Interpolation {
	if t.text != nil {
		all = append(all, t.text)
	}
	for _, item := range t.list {
		all = item.texts(all)
	}
	for _, item := range t.object {
		all = item.texts(all)
	}
	return all
}

// fill is the value, as encoding/json writes it.
func (t *tree) fill(path string, w *filler) any {
	switch {
	case t.text != nil && t.text.Static():
		return t.text.Sketch("")
	case t.text != nil:
		return w.text(path, t.text, asItIs)
	case t.list != nil:
		list := make([]any, len(t.list))
		for i, item := range t.list {
			list[i] = item.fill(path+"["+strconv.Itoa(i)+"]", w)
		}
		return list
	case t.object != nil:
		object := make(map[string]any, len(t.object))
		for name, item := range t.object {
			object[name] = item.fill(path+"."+name, w)
		}
		return object
	}
	return t.other
}

// settable reports whether path, names with dots between them, has no value but
// objects on its way.
func settable(object map[string]any, path string) bool {
	name, rest, more := strings.Cut(path, ".")
	if !more {
		return true
	}
	inner, ok := object[name].(map[string]any)
	return (ok || object[name] == nil) && settable(inner, rest)
}

// with is value, an object, with another value at path. value stays as it is.
func with(value any, path string, to any) any {
	object, _ := value.(map[string]any)
	copied := maps.Clone(object)
	if copied == nil {
		copied = map[string]any{}
	}
	name, rest, more := strings.Cut(path, ".")
	if more {
		to = with(copied[name], rest, to)
	}
	copied[name] = to
	return copied
}

// jsonOf writes a tree that was filled in.
func jsonOf(value any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}
