package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An action is one thing that happens to a layer.
type action struct {
	what  string // scale, px, style, move, align, hide, show, remove, text
	words string // for people
	prop  string // of style
	value string
	by    float64 // of scale; pixels of move, 0 for all the way
}

// edits are what a request does to one layer.
type edits struct {
	target []string // words that name the layer; none: the one spoken of
	size   string   // only in this one
	list   []action
}

// edit reads what happens to a layer. Clauses that were waiting for it with names of
// theirs get the same.
func (u *understanding) edit(c clause) bool {
	e := edits{size: u.scope(&c)}
	if e.list = actions(c); len(e.list) == 0 {
		return false
	}
	e.target = u.layerWords(c)
	if len(e.target) == 0 && c.has(wording) && !c.has(quote) && !c.has(it) && e.list[0].what != "text" {
		return false // the texts, all of them
	}
	if token, ok := u.token(c, e); ok {
		return u.setToken(token, c.value(color))
	}
	taken := slices.ContainsFunc(e.list, func(a action) bool { return slices.Contains([]string{"hide", "show", "remove"}, a.what) })
	if taken { // what a layer that goes looks like is a part of its name
		e.list = slices.DeleteFunc(e.list, func(a action) bool { return !slices.Contains([]string{"hide", "show", "remove"}, a.what) })
		e.list = e.list[:1]
		if e.target = u.fullName(c); len(e.target) == 0 && !c.has(it) {
			return false
		}
	}
	if len(e.target) == 0 && u.edits != nil { // and red
		u.edits.list = append(u.edits.list, e.list...)
		u.tasks[len(u.tasks)-1] = u.edits.task()
		return true
	}
	if len(e.target) == 0 && !c.has(it) && len(u.Selection) == 0 && len(u.tasks) == 0 && u.before == "" && !c.says(verb, change, hide, remove, move) && len(u.waiting) == 0 {
		// "red" alone may be anything
		if !c.has(weight) && !c.has(center) && !c.has(grow) && !c.has(shrink) {
			return false
		}
	}
	for _, w := range u.waiting {
		same := edits{target: w.rest, size: e.size, list: slices.Clone(e.list)}
		u.tasks = append(u.tasks, same.task())
	}
	u.waiting = nil
	u.tasks = append(u.tasks, e.task())
	u.edits = &e
	return true
}

func (c clause) says(any ...class) bool { return slices.ContainsFunc(any, c.has) }

// fullName are all the words of a clause that may be in the name of a layer, colours
// and the like too.
func (u *understanding) fullName(c clause) []string {
	var words []string
	for _, w := range c.words {
		if w.text == "" || w.is(filler) || w.is(it) || w.is(hide) || w.is(show) || w.is(remove) || w.is(verb) && len(w.can) == 1 {
			continue
		}
		words = append(words, wordsOf(w.text)...)
	}
	return words[:min(len(words), maxName+2)]
}

// scope takes the words that say in which size alone, as in "only in the story".
func (u *understanding) scope(c *clause) string {
	for i, w := range c.words {
		if i == 0 || i+1 >= len(c.words) && !w.is(preset) {
			continue
		}
		for _, s := range u.Template.Sizes {
			named := w.text != "" && (w.text == plain(s.Name) || w.text == plain(s.Label)) || w.is(preset) && u.isFormat(s, w.can[preset])
			if !named || !slices.Contains([]string{"in", "on", "for", "the"}, c.words[i-1].text) {
				continue
			}
			if !c.has(only) && !slices.ContainsFunc(c.words[max(0, i-2):i], func(w word) bool { return w.text == "in" || w.text == "on" || w.text == "for" }) {
				continue
			}
			c.words = slices.Delete(slices.Clone(c.words), i, i+1)
			c.rest = slices.DeleteFunc(slices.Clone(c.rest), func(r string) bool { return r == w.text })
			return s.Name
		}
	}
	return ""
}

// actions are what the words of a clause have happen.
func actions(c clause) []action {
	var list []action
	moves := c.has(move)
	for i, w := range c.words {
		switch {
		case w.can[quote] != "":
			list = append(list, action{what: "text", words: fmt.Sprintf("says “%s”", shortened(w.raw, 40)), value: w.raw})
		case w.is(hide):
			list = append(list, action{what: "hide", words: "hidden"})
		case w.is(remove):
			list = append(list, action{what: "remove", words: "removed"})
		case w.is(show) && !w.is(generate):
			list = append(list, action{what: "show", words: "shown"})
		case w.is(show) && i == 0 && len(c.words) > 1:
			list = append(list, action{what: "show", words: "shown"})
		case w.is(pixels) && moves, w.is(percent) && moves: // of the way
		case w.is(pixels):
			list = append(list, action{what: "px", words: w.can[pixels] + " px", by: figure(w.can[pixels])})
		case w.is(grow):
			list = append(list, action{what: "scale", words: "bigger", by: c.factor()})
		case w.is(shrink):
			list = append(list, action{what: "scale", words: "smaller", by: 1 / c.factor()})
		case w.can[weight] != "":
			list = append(list, action{what: "style", words: map[string]string{"700": "bold", "400": "regular"}[w.can[weight]], prop: "font-weight", value: w.can[weight]})
		case w.is(slant):
			list = append(list, action{what: "style", words: "italic", prop: "font-style", value: w.can[slant]})
		case w.is(line):
			list = append(list, action{what: "style", words: w.can[line], prop: "text-decoration", value: w.can[line]})
		case w.is(letters):
			list = append(list, action{what: "style", words: w.can[letters], prop: "text-transform", value: w.can[letters]})
		case w.is(color):
			list = append(list, action{what: "color", words: w.can[color], value: w.can[color]})
		case w.is(center):
			list = append(list, action{what: "align", words: "centred", value: "center"})
		case w.is(side) && (moves || !c.has(align)) && !(w.is(shrink) || w.is(grow)):
			if moves {
				list = append(list, action{what: "move", words: "moved: " + w.can[side], value: w.can[side], by: figure(c.value(pixels))})
			}
		case w.is(side):
			list = append(list, action{what: "align", words: "aligned " + w.can[side], value: w.can[side]})
		}
	}
	if moves {
		for i := range list {
			if list[i].what == "align" {
				list[i].what, list[i].words = "move", "moved to the middle"
			}
		}
	}
	return list
}

func figure(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64) // of what a pattern has found
	return f
}

// factor is by how much bigger or smaller is.
func (c clause) factor() float64 {
	for _, w := range c.words {
		switch w.text {
		case "twice", "double":
			return 2
		}
	}
	switch {
	case c.value(percent) != "":
		return min(1+figure(c.value(percent))/100, 4)
	case c.has(much):
		return 1.5
	case c.has(little):
		return 1.1
	}
	return 1.25
}

func shortened(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// A token of the template whose value is to be another color.
func (u *understanding) token(c clause, e edits) (string, bool) {
	if len(e.list) != 1 || e.list[0].what != "color" || len(e.target) == 0 {
		return "", false
	}
	words := slices.DeleteFunc(slices.Clone(e.target), func(w string) bool { return w == "color" || w == "colour" || w == "token" })
	tokens := u.tokens()
	exact := ""
	for _, name := range sorted(tokens) {
		if slices.Equal(wordsOf(name), words) {
			exact = name
		}
	}
	if layers := u.find(words); len(layers) > 0 && likeness(layers[0], words) >= 90 && !c.has(hue) {
		return "", false
	}
	if exact != "" {
		return exact, true
	}
	if len(words) == 1 && slices.Contains([]string{"accent", "brand", "primary", "highlight"}, words[0]) && len(u.find(words)) == 0 {
		for _, near := range []string{"accent", "brand", "primary", "main", "highlight", "color"} {
			for _, name := range sorted(tokens) {
				if slices.Contains(wordsOf(name), near) {
					return name, true
				}
			}
		}
		return words[0], true
	}
	return "", false
}

func sorted(m map[string]string) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// setToken gives a token another value. One whose value comes from the data is a
// question: it would be the same for every row.
func (u *understanding) setToken(name, value string) bool {
	tokens := u.tokens()
	item := fmt.Sprintf("Set the colour %s to %s", name, value)
	return u.add([]string{item}, func(t *talk) bool {
		name := name
		old, there := tokens[name]
		if !there {
			names := sorted(tokens)
			if len(names) == 0 {
				t.apart = append(t.apart, item+": the template has no design tokens; ask for a layer's colour, or turn its colours into tokens with a dark theme")
				return true
			}
			answer, ok := t.ask(fmt.Sprintf("The template has no colour “%s”. Which one do you mean?", name), names[:min(len(names), 6)])
			if !ok {
				return false
			}
			if old, there = tokens[answer]; !there {
				t.apart = append(t.apart, item+": no colour of the template was named")
				return true
			}
			name = answer
		}
		if strings.Contains(old, "{{") {
			answer, ok := t.ask(fmt.Sprintf("The colour %s comes from the data (%s). Is it to be %s in every picture?", name, shortened(old, 60), value), []string{everyPicture, leaveIt})
			if !ok {
				return false
			}
			if plain(answer) != plain(everyPicture) {
				t.apart = append(t.apart, item+": left as it is, since it comes from the data. Give the rows another value instead")
				return true
			}
		}
		r, ok := t.one("set_token", map[string]any{"name": name, "value": value})
		if !ok {
			return false
		}
		if r.failed {
			t.apart = append(t.apart, fmt.Sprintf("%s: %s", item, r.why()))
			return true
		}
		taken, ok := t.finishStep(item, nil)
		if taken {
			t.told = append(t.told, fmt.Sprintf("the colour %s is %s", name, value))
		}
		return ok
	})
}

const (
	everyPicture = "Yes, in every picture"
	leaveIt      = "No, leave it to the data"
)

// task is the line of the plan for the edits, and how they are done.
func (e *edits) task() task {
	var words []string
	for _, a := range e.list {
		words = append(words, a.words)
	}
	name := strings.Join(e.target, " ")
	if name == "" {
		name = "selected layer"
	}
	item := fmt.Sprintf("%s: %s", strings.ToUpper(name[:1])+name[1:], strings.Join(words, ", "))
	if name[0] >= 0x80 {
		item = fmt.Sprintf("%s: %s", name, strings.Join(words, ", "))
	}
	if e.size != "" {
		item += " (only in " + e.size + ")"
	}
	item = shortened(item, 180)
	return task{[]string{item}, func(t *talk) bool { return t.edit(*e, item) }}
}
