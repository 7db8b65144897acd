package rules

import (
	"slices"
)

// maxTasks is how many things a request may ask for: each is a step or two, and a
// conversation has so many turns.
const maxTasks = 5

// A task is one thing to do, a line of the plan or several.
type task struct {
	items []string
	// run does it: false as long as it waits for an answer.
	run func(t *talk) bool
}

// An understanding is what a message asks for.
type understanding struct {
	brief
	tasks  []task
	lost   []string // clauses that were not understood
	forbid bool     // one of them forbids something: nothing is done then
	over   []string // clauses that are too many

	before  string   // the recipe of the clause before
	edits   *edits   // of the clause before, where it changed a layer
	waiting []clause // clauses with the name of a layer, before the one that says what happens to it
}

// understand reads the message, clause by clause.
func understand(b brief) *understanding {
	u := &understanding{brief: b}
	for _, words := range clauses(b.Message, b.known()) {
		c := clause{words: words, raw: rawOf(words)}
		if c.idle() {
			continue
		}
		u.clause(c)
	}
	for _, c := range u.waiting {
		u.lost = append(u.lost, c.raw)
	}
	return u
}

// idle reports whether a clause says nothing: please.
func (c clause) idle() bool {
	return !slices.ContainsFunc(c.words, func(w word) bool { return !w.is(filler) && !w.is(it) })
}

func (u *understanding) clause(c clause) {
	if c.has(negation) && !c.has(undo) {
		u.lost, u.forbid = append(u.lost, c.raw), true
		return
	}
	if c.has(question) {
		u.lost = append(u.lost, c.raw)
		return
	}
	if len(u.tasks) >= maxTasks {
		u.over = append(u.over, c.raw)
		return
	}
	if u.elliptic(c) {
		return
	}
	for _, r := range recipes {
		if attempt := c; r.fits(&attempt) && r.make(u, attempt) {
			u.before = r.name
			return
		}
	}
	if names := c.onlyNames(); len(names) > 0 && len(u.find(names)) > 0 {
		c.rest = names
		u.waiting = append(u.waiting, c)
		return
	}
	u.lost = append(u.lost, c.raw)
}

// elliptic takes a clause that is short because of the one before: "and red", "and
// a square one".
func (u *understanding) elliptic(c clause) bool {
	sized := u.before == "size by name" || u.before == "size by numbers"
	only := func(k class) bool {
		return !slices.ContainsFunc(c.words, func(w word) bool { return !w.is(k) && !w.is(filler) && !w.is(it) })
	}
	switch {
	case sized && c.has(preset) && only(preset):
		return u.preset(c)
	case sized && c.has(dimensions) && only(dimensions):
		return u.dimensions(c)
	case u.before == "dark theme" && c.has(preset) && only(preset):
		return u.preset(c)
	}
	return false
}

// onlyNames are the words of a clause that says nothing but the name of a layer.
func (c clause) onlyNames() []string {
	var names []string
	for _, w := range c.words {
		switch {
		case w.is(filler) || w.is(verb) || w.is(change):
		case w.can[quote] != "" || w.text == "":
			return nil
		default:
			names = append(names, w.text)
		}
	}
	if len(names) > maxName {
		return nil
	}
	return names
}

func (u *understanding) add(items []string, run func(t *talk) bool) bool {
	u.tasks = append(u.tasks, task{items, run})
	u.edits = nil
	return true
}

// words are those of a clause that name a layer, the surer ones first. background
// is one where it is all that there is.
func (c clause) names() [][]string {
	var nouns []string
	for _, w := range c.words {
		plainWord := len(w.can) == 0
		noun := w.is(wording) || w.is(picture) || w.is(background) || w.is(side) || w.is(check) || w.is(sizeNoun) || w.is(theme)
		if w.text != "" && (plainWord || noun || slices.Contains(c.rest, w.text)) && !w.is(change) && !w.is(verb) {
			nouns = append(nouns, w.text)
		}
	}
	all := [][]string{nouns}
	if !slices.Equal(nouns, c.rest) {
		all = append(all, c.rest)
	}
	return slices.DeleteFunc(all, func(w []string) bool { return len(w) == 0 })
}

// layerWords are the words that name the layer of a clause: of those that could, the
// ones that do name one.
func (u *understanding) layerWords(c clause) []string {
	all := c.names()
	for _, words := range all {
		if len(u.find(words)) > 0 {
			return words
		}
	}
	if len(c.rest) > 0 {
		return c.rest
	}
	for _, words := range all {
		return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !slices.Contains([]string{"image", "picture", "background", "bg"}, w) })
	}
	return nil
}
