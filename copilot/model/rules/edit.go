package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template/edit"
)

type layer = edit.Layer

// edit does the edits to the layer that they are for.
func (t *talk) edit(e edits, item string) bool {
	l, ok := t.which(e.target, item)
	if !ok || l.ID == "" {
		return ok
	}
	did := 0
	for _, a := range e.list {
		done, ok := t.act(l, a, e.size, item)
		if !ok {
			return false
		}
		if done {
			did++
		}
	}
	if did == 0 {
		return true
	}
	taken, ok := t.finishStep(item, nil)
	if taken {
		t.told = append(t.told, lowerFirst(item))
	}
	return ok
}

// act does one edit. done says whether it was.
func (t *talk) act(l layer, a action, size, item string) (done, ok bool) {
	refused := func(why string) { t.apart = append(t.apart, fmt.Sprintf("%s: %s", item, why)) }
	style := func(property, value string) (bool, bool) {
		r, ok := t.one("set_style", sized(map[string]any{"id": l.ID, "property": property, "value": value}, size))
		if ok && r.failed {
			refused(r.why())
		}
		return ok && !r.failed, ok
	}
	switch a.what {
	case "style", "align":
		if a.what == "align" && l.Text == "" {
			return t.place(l, a.value, 0, size, refused)
		}
		if a.what == "align" {
			return style("text-align", a.value)
		}
		if size != "" {
			refused("that cannot differ between sizes: sizes change places, type size, visibility and crop")
			return false, true
		}
		return style(a.prop, a.value)
	case "color":
		return t.paint(l, a.value, size, refused, style)
	case "hide", "show":
		r, ok := t.one("set_hidden", sized(map[string]any{"id": l.ID, "hidden": a.what == "hide"}, size))
		if ok && r.failed {
			refused(r.why())
		}
		return ok && !r.failed, ok
	case "remove":
		return t.take(l, size, refused)
	case "text":
		return t.write(l, a.value, size, refused)
	case "move":
		return t.place(l, a.value, a.by, size, refused)
	default:
		return t.resize(l, a, size, refused)
	}
}

func sized(args map[string]any, size string) map[string]any {
	if size != "" {
		args["size"] = size
	}
	return args
}

// paint gives a layer a colour: its letters where it has any, else its ground.
func (t *talk) paint(l layer, value, size string, refused func(string), style func(string, string) (bool, bool)) (done, ok bool) {
	switch {
	case size != "":
		refused("a colour cannot differ between sizes")
		return false, true
	case l.Tag == "img":
		refused("it is an image, whose colours are its own")
		return false, true
	case l.Text != "" && l.Role != "background":
		return style("color", value)
	case l.Tag == "svg":
		return style("fill", value)
	}
	return style("background", value)
}

// take removes a layer; where a variable would not be used any more it is hidden.
func (t *talk) take(l layer, size string, refused func(string)) (done, ok bool) {
	hide := want{"set_hidden", sized(map[string]any{"id": l.ID, "hidden": true}, size)}
	if size == "" {
		r, ok := t.one("remove_layer", map[string]any{"id": l.ID})
		if !ok || !r.failed {
			return ok, ok
		}
		if strings.Contains(r.text, "locked") {
			refused(r.why())
			return false, true
		}
	}
	all, ok := t.do(hide)
	if !ok {
		return false, false
	}
	if all[0].failed {
		refused(all[0].why())
		return false, true
	}
	if size == "" {
		t.told = append(t.told, fmt.Sprintf("%s is hidden rather than removed, because it shows data of the rows that nothing else shows", label(l)))
	}
	return true, true
}

// write gives a layer another text. One that comes from the data is a question.
func (t *talk) write(l layer, text, size string, refused func(string)) (done, ok bool) {
	if size != "" {
		refused("a text cannot differ between sizes")
		return false, true
	}
	if len(l.Children) > 0 {
		refused("it holds other layers: name the one whose text it is")
		return false, true
	}
	if strings.Contains(l.Text, "{{") || l.Bindings["text"] != "" {
		answer, ok := t.ask(fmt.Sprintf("The text of %s comes from the data (%s). Is it to be “%s” in every picture?", label(l), shortened(l.Text, 80), shortened(text, 80)), []string{everyPicture, leaveIt})
		if !ok {
			return false, false
		}
		if plain(answer) != plain(everyPicture) {
			refused("left as it is, since its text comes from the data: give the rows another text instead")
			return false, true
		}
	}
	r, ok := t.one("set_text", map[string]any{"id": l.ID, "text": text})
	if ok && r.failed {
		refused(r.why())
	}
	return ok && !r.failed, ok
}

// sizesFor are the sizes that an edit is for.
func (t *talk) sizesFor(size string) []string {
	if size != "" {
		return []string{size}
	}
	var names []string
	for _, s := range t.Template.Sizes {
		names = append(names, s.Name)
	}
	if len(names) == 0 {
		return []string{""}
	}
	return names[:min(len(names), 4)]
}

// resize makes a layer bigger or smaller: a text by its letters, anything else by its
// box.
func (t *talk) resize(l layer, a action, size string, refused func(string)) (done, ok bool) {
	sizes := t.sizesFor(size)
	looks := []want{{"get_layer", map[string]any{"id": l.ID}}}
	for _, s := range sizes {
		for _, row := range []int{0, 5} { // the hardest one, and one that is not
			looks = append(looks, want{"render_preview", sized(map[string]any{"row": row, "scale": 0.2}, s)})
		}
	}
	all, ok := t.do(looks...)
	if !ok {
		return false, false
	}
	var wants []want
	fits := attr(all[0], "p-fit")
	for i, s := range sizes {
		m := measure(l.ID, all[1+2*i], all[2+2*i])
		scope := s
		if i == 0 && size == "" {
			scope = ""
		}
		switch {
		case l.Text == "" && m.width > 0 && a.what == "scale":
			wants = append(wants, want{"set_box", sized(map[string]any{"id": l.ID, "box": map[string]any{"width": round(m.width * a.by), "height": round(m.height * a.by)}}, scope)})
		case l.Text == "":
		case m.font > 0 || a.what == "px":
			font := a.by
			if a.what == "scale" {
				font = m.font * a.by
			}
			font = min(max(font, 6), 800)
			if fits == "fit" && i == 0 {
				wants = append(wants, want{"set_attr", map[string]any{"id": l.ID, "name": "p-max", "value": fmt.Sprint(int(font))}})
			} else if fits != "fit" {
				wants = append(wants, want{"set_style", sized(map[string]any{"id": l.ID, "property": "font-size", "value": px(font)}, scope)})
			}
		}
	}
	if len(wants) == 0 {
		refused("nothing says how large it is now, so that there is nothing to go by: set its size in the editor")
		return false, true
	}
	results, ok := t.do(wants...)
	if !ok {
		return false, false
	}
	for _, r := range results {
		if r.failed {
			refused(r.why())
			continue
		}
		done = true
	}
	if done && l.Text != "" && a.by > 1 && fits != "" {
		return t.widen(l, all, sizes, size, a, refused)
	}
	return done, true
}

// widen gives a text that fills its box more room where larger letters alone made
// nothing larger.
func (t *talk) widen(l layer, before []result, sizes []string, size string, a action, refused func(string)) (done, ok bool) {
	r, ok := t.one("render_preview", sized(map[string]any{"row": 5, "scale": 0.2}, sizes[0]))
	if !ok {
		return false, false
	}
	was, is := measure(l.ID, before[2]), measure(l.ID, r)
	if is.font == 0 || was.font == 0 || is.font > was.font*1.03 {
		return true, true
	}
	if was.height == 0 || t.turns > maxTurns-4 {
		refused("its letters fill their box already; make the box higher in the editor")
		return true, true
	}
	var wants []want
	for i, s := range sizes {
		m := measure(l.ID, before[1+2*i], before[2+2*i])
		if m.height == 0 {
			continue
		}
		scope := s
		if i == 0 && size == "" {
			scope = ""
		}
		by := a.by
		if a.what == "px" {
			by = 1.25
		}
		wants = append(wants, want{"set_box", sized(map[string]any{"id": l.ID, "box": map[string]any{"height": round(m.height * by)}}, scope)})
	}
	results, ok := t.do(wants...)
	if ok && !slices.ContainsFunc(results, func(r result) bool { return !r.failed }) {
		refused("its letters fill their box already: " + results[0].why())
	}
	return true, ok
}
