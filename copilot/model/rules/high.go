package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (u *understanding) undo(clause) bool {
	return u.add(nil, func(t *talk) bool {
		t.apart = append(t.apart, "Undo is yours: reject a step of a run to take it back, discard the run to take back all of it, or undo in the editor. Each brings back what was before, to the byte")
		return true
	})
}

func (u *understanding) dark(c clause) bool {
	name := "dark"
	for _, th := range u.Template.Themes {
		if w := wordsOf(th); slices.Contains(w, "dark") || slices.Contains(w, "night") {
			name = th
			break
		}
	}
	tokens, derive := "Give every colour that is written out a token", "Derive the dark theme"
	if slices.Contains(u.Template.Themes, name) {
		derive = fmt.Sprintf("Mend the dark theme that there is (%s)", name)
	}
	if c.has(hue) && !c.has(theme) { // a dark colour is none of our business
		return false
	}
	return u.add([]string{tokens, derive}, func(t *talk) bool {
		r, ok := t.one("tokenize_colors", map[string]any{})
		if !ok {
			return false
		}
		if r.failed {
			t.apart = append(t.apart, fmt.Sprintf("%s: %s", tokens, r.why()))
		}
		if _, ok := t.finishStep(tokens, nil); !ok {
			return false
		}
		r, ok = t.one("derive_dark_theme", map[string]any{"name": name})
		if !ok {
			return false
		}
		if r.failed {
			t.apart = append(t.apart, fmt.Sprintf("%s: %s", derive, r.why()))
			return true
		}
		taken, ok := t.finishStep(derive, &want{"derive_dark_theme", map[string]any{"name": name, "contrast": 5.5}})
		if !ok || !taken {
			return ok
		}
		variant, ok := t.one("create_variant", map[string]any{"name": variantName(name), "theme": name})
		if !ok {
			return false
		}
		said := fmt.Sprintf("the theme %q is there in all sizes", name)
		if !variant.failed {
			said += ", and is a variant that an experiment can compare"
		}
		t.told = append(t.told, said)
		return true
	})
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

func variantName(s string) string {
	s = strings.Trim(unfit.ReplaceAllString(s, "-"), "-_")
	if s == "" || s[0] < 'A' || s[0] > 'z' {
		s = "variant-" + s
	}
	return s[:min(len(s), 40)]
}

func (u *understanding) dimensions(c clause) bool {
	n := number.FindAllString(c.value(dimensions), 2)
	w, _ := strconv.Atoi(n[0])
	h, _ := strconv.Atoi(n[1])
	if w < 16 || h < 16 || w > 8000 || h > 8000 {
		u.add(nil, func(t *talk) bool {
			t.apart = append(t.apart, fmt.Sprintf("%d by %d is no size for a picture: each side has 16 to 8000 pixels", w, h))
			return true
		})
		return true
	}
	size := fmt.Sprintf("%d × %d", w, h)
	return u.size(fmt.Sprintf("Add a size of %s with a layout of its own", size), size,
		map[string]any{"preset": fmt.Sprintf("%dx%d", w, h)}, map[string]any{"name": fmt.Sprintf("s%dx%d", w, h), "w": w, "h": h})
}

func (u *understanding) preset(c clause) bool {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == c.value(preset) })
	if i < 0 {
		return false
	}
	f := formats[i]
	return u.size(fmt.Sprintf("Add the size %s (%d × %d) with a layout of its own", f.label, f.w, f.h), f.label,
		map[string]any{"preset": f.label}, map[string]any{"name": f.name, "w": f.w, "h": f.h})
}

// size adds a size; where the tool does not know the format by its name, or cannot
// lay it out so, instead says it in another way.
func (u *understanding) size(item, label string, args, instead map[string]any) bool {
	return u.add([]string{item}, func(t *talk) bool {
		r, ok := t.one("add_size", args)
		if !ok {
			return false
		}
		if r.failed {
			if again, ok := t.one("add_size", instead); !ok {
				return false
			} else if again.failed {
				t.apart = append(t.apart, fmt.Sprintf("%s: %s", item, again.why()))
				return true
			} else {
				r = again
			}
		}
		there := r.operations() == 0
		taken, ok := t.finishStep(item, &want{"relayout", nil})
		if !ok {
			return false
		}
		switch {
		case there:
			t.told = append(t.told, strings.Join(append([]string{fmt.Sprintf("%s: nothing had to be added", label)}, r.notes()...), "; "))
		case taken:
			t.told = append(t.told, fmt.Sprintf("the size %s was added; the other sizes are as they were", label))
		}
		return true
	})
}

// operations are how many a tool made that does much at once; -1 where it does not
// say.
func (r result) operations() int {
	m, _ := r.value().(map[string]any)
	if n, ok := m["operations"].(float64); ok {
		return int(n)
	}
	return -1
}

func (r result) notes() []string {
	m, _ := r.value().(map[string]any)
	list, _ := m["notes"].([]any)
	var notes []string
	for _, n := range list[:min(len(list), 2)] {
		if s, ok := n.(string); ok {
			notes = append(notes, s)
		}
	}
	return notes
}

func (u *understanding) relayout(c clause) bool {
	name := ""
	for _, s := range u.Template.Sizes {
		words := wordsOf(s.Name)
		if len(c.rest) > 0 && (slices.Equal(words, c.rest) || slices.Equal(wordsOf(s.Label), c.rest)) || c.has(preset) && u.isFormat(s, c.value(preset)) {
			name = s.Name
		}
	}
	if name == "" && len(c.rest) == 0 && !c.has(preset) {
		if name = u.Size; name == "" && len(u.Template.Sizes) > 0 {
			name = u.Template.Sizes[0].Name
		}
	}
	if name == "" {
		return false
	}
	item := fmt.Sprintf("Lay out the size %s anew", name)
	return u.add([]string{item}, func(t *talk) bool {
		r, ok := t.one("relayout", map[string]any{"size": name})
		if !ok {
			return false
		}
		if r.failed {
			if r, ok = t.one("relayout", map[string]any{"size": name, "strategy": "scale"}); !ok {
				return false
			}
		}
		if r.failed {
			t.apart = append(t.apart, fmt.Sprintf("%s: %s", item, r.why()))
			return true
		}
		taken, ok := t.finishStep(item, nil)
		if taken {
			t.told = append(t.told, fmt.Sprintf("the size %s has a new layout", name))
		}
		return ok
	})
}

// isFormat reports whether a size of the template is what a format is.
func (u *understanding) isFormat(s size, name string) bool {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	return i >= 0 && (s.Name == name || s.W == formats[i].w && s.H == formats[i].h)
}

func (u *understanding) backgrounds(c clause) bool {
	n := 5
	if v, err := strconv.Atoi(c.value(count)); err == nil {
		n = v
	}
	if n < 1 || n > 12 {
		n = min(max(n, 1), 12)
	}
	args := map[string]any{"count": n}
	what := ""
	for _, w := range c.words {
		if k, ok := w.can[kind]; ok && k != "" {
			if what != "" && what != k {
				return false
			}
			what = k
		}
	}
	item := fmt.Sprintf("Generate %d backgrounds from the template's colours", n)
	if what != "" {
		args["kind"] = what
		item = fmt.Sprintf("Generate %d %s backgrounds from the template's colours", n, what)
	}
	if n == 1 {
		item = strings.Replace(item, "backgrounds", "background", 1)
	}
	return u.add([]string{item}, func(t *talk) bool {
		r, ok := t.one("generate_backgrounds", args)
		if !ok {
			return false
		}
		if r.failed && what != "" { // mixed ones
			if r, ok = t.one("generate_backgrounds", map[string]any{"count": n}); !ok {
				return false
			}
		}
		if r.failed {
			t.apart = append(t.apart, fmt.Sprintf("%s: %s", item, r.why()))
			return true
		}
		t.options = r.candidates()
		if _, ok := t.finishStep(item, nil); !ok {
			return false
		}
		t.told = append(t.told, fmt.Sprintf("%d backgrounds are there to pick one of; the template is as it was until you do", len(t.options)))
		return true
	})
}

// candidates are the names in the answer of generate_backgrounds.
func (r result) candidates() []string {
	m, _ := r.value().(map[string]any)
	list, _ := m["candidates"].([]any)
	var names []string
	for _, c := range list {
		c, _ := c.(map[string]any)
		for key, v := range c {
			if s, ok := v.(string); ok && strings.EqualFold(key, "name") {
				names = append(names, s)
			}
		}
	}
	return names
}

// pick takes a background by its number: of those that were made in this run, or of
// those that are made now, which are the same as before for the same template.
func (u *understanding) pick(c clause) bool {
	n, err := strconv.Atoi(c.value(ordinal))
	if err != nil || !c.has(background) && u.before != "backgrounds" {
		return false
	}
	what := fmt.Sprintf("Use background %d", n)
	if n < 0 {
		what = "Use the last background"
	}
	return u.add([]string{what}, func(t *talk) bool {
		if t.options == nil {
			r, ok := t.one("generate_backgrounds", map[string]any{"count": min(max(n, 5), 12)})
			if !ok {
				return false
			}
			if r.failed {
				t.apart = append(t.apart, fmt.Sprintf("%s: %s", what, r.why()))
				return true
			}
			t.options = r.candidates()
		}
		i := n - 1
		if n < 0 {
			i = len(t.options) - 1
		}
		if i < 0 || i >= len(t.options) {
			t.apart = append(t.apart, fmt.Sprintf("%s: there are %d", what, len(t.options)))
			return true
		}
		r, ok := t.one("pick_background", map[string]any{"name": t.options[i]})
		if !ok {
			return false
		}
		if r.failed {
			t.apart = append(t.apart, fmt.Sprintf("%s: %s", what, r.why()))
			return true
		}
		taken, ok := t.finishStep(what, nil)
		if taken {
			t.told = append(t.told, strings.Join(append([]string{fmt.Sprintf("background %d is in its place", i+1)}, r.notes()...), ": "))
		}
		return ok
	})
}

func (u *understanding) check(clause) bool {
	return u.add([]string{"Check contrast, fit and places with the hardest rows"}, func(t *talk) bool {
		r, ok := t.one("check", map[string]any{})
		if !ok {
			return false
		}
		if r.failed {
			t.apart = append(t.apart, "The check: "+r.why())
			return true
		}
		t.heed(r)
		_, ok = t.finishStep("Check the template", nil)
		t.told = append(t.told, "the template was measured in all sizes and themes")
		return ok
	})
}
