package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// modificationsName is the value of a row that changes layers by their names,
// unless the template has a variable of that name.
const modificationsName = "modifications"

// A layer is an element with an id, or a p-name. Rows may change it by either.
type layer struct {
	id, name string
	image    bool
}

// noteLayer notes the layer that e is, and returns its index, -1 for none.
func (r *reader) noteLayer(e *element) int {
	id, _ := e.tag.Get(r.Src, "id")
	name, _ := directiveOf(e.node, "p-name")
	if id == "" && name == "" || strings.Contains(id, "{{") {
		return -1
	}
	i, ok := r.layerOf[e.node]
	if !ok {
		i = len(r.layers)
		r.layerOf[e.node] = i
		r.layers = append(r.layers, layer{id: id, name: name, image: e.tag.Name == "img"})
	}
	return i
}

func (r *reader) layerName(e *element) string {
	if e.d.layer < 0 {
		return ""
	}
	l := r.layers[e.d.layer]
	if l.id != "" {
		return l.id
	}
	return l.name
}

// A modification is what a row changes about one layer.
type modification struct {
	Text  *string `json:"text,omitempty"`
	Hide  bool    `json:"hide,omitempty"`
	Src   string  `json:"src,omitempty"` // resolved
	Style string  `json:"style,omitempty"`
}

// modifications are the changes that the row makes to layers by name, in the form
// [{"name": "title", "text": "…", "color": "#f00", "image_url": "…", "hide": true}].
// "" is none; else JSON from the index of a layer to its modification.
func (w *resolver) modifications(values map[string]any) string {
	raw, ok := values[modificationsName]
	if !ok || raw == nil || raw == "" || slices.ContainsFunc(w.t.manifest.vars, func(v Var) bool { return v.Name == modificationsName }) {
		return ""
	}
	entries, ok := structured(raw).([]any)
	if !ok {
		w.wrong(modificationsName, "modifications is %s, not a list", quote(raw)).
			hint(`write [{"name": "title", "text": "…"}]`)
		return ""
	}
	all := map[string]*modification{}
	for i, entry := range entries {
		w.modify(all, fmt.Sprintf("%s[%d]", modificationsName, i), entry)
	}
	maps.DeleteFunc(all, func(_ string, m *modification) bool { return *m == modification{} })
	if len(all) == 0 {
		return "" // the picture of a row that changes nothing
	}
	text, _ := json.Marshal(all) // of text alone
	return string(text)
}

func (w *resolver) wrong(path, format string, args ...any) remark {
	p := problem.New(problem.Invalid, format, args...).WithSlug(BadModification).At(path)
	w.problems = append(w.problems, p)
	return remark{p}
}

func (w *resolver) modify(all map[string]*modification, path string, entry any) {
	fields, ok := entry.(map[string]any)
	name, hasName := fields["name"].(string)
	if !ok || !hasName {
		w.wrong(path, "a modification needs the name of a layer")
		return
	}
	i := slices.IndexFunc(w.t.layers, func(l layer) bool { return l.id == name || l.name == name })
	if i < 0 {
		p := w.wrong(path+".name", "the template has no layer %s", quote(name))
		if near := nearest(name, w.t.layerNames()); near != "" {
			p.hint("did you mean %q?", near)
		}
		return
	}
	id := strconv.Itoa(i)
	if all[id] == nil {
		all[id] = &modification{}
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		w.change(all[id], w.t.layers[i], path+"."+key, key, fields[key])
	}
}

func (t *Template) layerNames() []string {
	var names []string
	for _, l := range t.layers {
		for _, name := range []string{l.id, l.name} {
			if name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

var modificationKeys = []string{"name", "text", "hide", "visible", "color", "background", "background_color", "image_url", "src"}

func (w *resolver) change(m *modification, l layer, path, key string, value any) {
	switch key {
	case "name":
	case "text":
		if l.image {
			w.wrong(path, "the layer %q is an image and has no text", l.id)
			return
		}
		text := expr.Text(value)
		m.Text = &text
	case "hide", "visible":
		hide, ok := expr.Bool(value)
		if !ok {
			w.wrong(path, "%s is %s, not true or false", key, quote(value))
		}
		m.Hide = hide == (key == "hide")
	case "color", "background", "background_color":
		color := expr.Text(value)
		if !isColor(color) {
			w.wrong(path, "%s is %s, not a color", key, quote(value)).hint("%s", typeHints[Color])
			return
		}
		m.paint(key, cssValue(strings.TrimSpace(color)))
	case "image_url", "src":
		w.changeImage(m, l, path, value)
	default:
		p := w.wrong(path, "a modification has no key %s", quote(key))
		if near := nearest(key, modificationKeys); near != "" {
			p.hint("did you mean %q?", near)
		}
	}
}

func (m *modification) paint(key, color string) {
	if key == "background_color" {
		key = "background"
	}
	m.Style += ";" + key + ":" + color
}

func (w *resolver) changeImage(m *modification, l layer, path string, value any) {
	if !l.image {
		w.wrong(path, "the layer %q is not an image", l.id)
		return
	}
	resolved, p := w.book.resolve(expr.Text(value), inFetch)
	if p != nil {
		w.wrong(path, "%s", p.Message).hint("%s", p.Hint)
		return
	}
	m.Src = resolved
}

// modified is what Resolve wrote; anything else is no modification.
func modified(text string) map[int]modification {
	if text == "" {
		return nil
	}
	var byID map[string]modification
	if json.Unmarshal([]byte(text), &byID) != nil {
		return nil
	}
	out := make(map[int]modification, len(byID))
	for id, m := range byID {
		if i, err := strconv.Atoi(id); err == nil {
			out[i] = m
		}
	}
	return out
}
