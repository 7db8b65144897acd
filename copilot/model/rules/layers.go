package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template/edit"
)

// roles are what people call a layer of a role.
var roles = map[string]string{
	"title": "headline", "headline": "headline", "heading": "headline", "header": "headline", "titel": "headline", "titulo": "headline", "titre": "headline",
	"body": "body", "paragraph": "body", "logo": "logo", "logotype": "logo", "badge": "badge", "sticker": "badge", "ribbon": "badge",
	"button": "cta", "cta": "cta", "image": "image", "photo": "image", "picture": "image", "photograph": "image",
	"background": "background", "backdrop": "background", "bg": "background",
}

// tags are what people call an element by what it is.
var tags = map[string]string{"image": "img", "photo": "img", "picture": "img", "title": "h1", "headline": "h1", "heading": "h1", "icon": "svg"}

// find are the layers that words name, the best ones.
func (b brief) find(words []string) []edit.Layer {
	if len(words) == 0 {
		return nil
	}
	best, found := 0, []edit.Layer(nil)
	for _, l := range b.layers() {
		if l.ID == "" {
			continue
		}
		switch score := likeness(l, words); {
		case score > best:
			best, found = score, []edit.Layer{l}
		case score == best && score > 0:
			found = append(found, l)
		}
	}
	if len(found) > 1 {
		chosen := slices.DeleteFunc(slices.Clone(found), func(l edit.Layer) bool { return !slices.Contains(b.Selection, l.ID) })
		if len(chosen) == 1 {
			return chosen
		}
	}
	return found
}

// likeness says how surely words name the layer; 0 is not at all.
func likeness(l edit.Layer, words []string) int {
	id, name, text := wordsOf(l.ID), wordsOf(l.Name), wordsOf(l.Bindings["text"])
	if src := l.Bindings["src"]; src != "" {
		text = append(text, wordsOf(src)...)
	}
	switch {
	case slices.Equal(id, words) || plain(l.ID) == strings.Join(words, "-") || plain(l.ID) == strings.Join(words, ""):
		return 100
	case slices.Equal(name, words):
		return 95
	case slices.Equal(text, words):
		return 90
	case len(words) == 1 && l.Role != "" && (roles[words[0]] == l.Role || words[0] == l.Role):
		if tags[words[0]] == l.Tag {
			return 75
		}
		return 70
	case within(words, slices.Concat(id, name)):
		return 60
	case within(words, slices.Concat(id, name, text)):
		return 50
	case len(words) == 1 && tags[words[0]] == l.Tag && l.Tag != "":
		return 40
	}
	// "the rating text", "the price layer"
	if n := len(words); n > 1 && slices.Contains([]string{"layer", "element", "text", "label", "line", "image", "picture", "box", "field"}, words[n-1]) {
		return max(likeness(l, words[:n-1])-5, 0)
	}
	return 0
}

func within(words, all []string) bool {
	for _, w := range words {
		if !slices.Contains(all, w) && !(len(w) > 3 && strings.HasSuffix(w, "s") && slices.Contains(all, w[:len(w)-1])) {
			return false
		}
	}
	return true
}

// mended are words with slips of the pen as names of the template have them.
func (b brief) mended(words []string) []string {
	var names []string
	for _, l := range b.layers() {
		names = append(names, wordsOf(l.ID)...)
		names = append(names, wordsOf(l.Name)...)
		names = append(names, wordsOf(l.Bindings["text"])...)
		if l.Role != "" {
			names = append(names, l.Role)
		}
	}
	for r := range roles {
		names = append(names, r)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	out := slices.Clone(words)
	for i, w := range out {
		if slices.Contains(names, w) {
			continue
		}
		if near := nearest(w, names); near != "" {
			out[i] = near
		}
	}
	return out
}

// label is a layer for people.
func label(l edit.Layer) string {
	if l.Name != "" && l.Name != l.ID {
		return fmt.Sprintf("%s (%s)", l.Name, l.ID)
	}
	return l.ID
}

// choices are layers that could be meant where nothing says which.
func (b brief) choices(like []edit.Layer) []edit.Layer {
	list := like
	if len(list) == 0 {
		for _, l := range b.layers() {
			if l.ID != "" && !b.page(l) && len(l.Children) == 0 && (l.Role != "" && l.Role != "background" || l.Text != "" || l.Tag == "img") {
				list = append(list, l)
			}
		}
		slices.SortStableFunc(list, func(a, c edit.Layer) int { return weigh(a) - weigh(c) })
	}
	return list[:min(len(list), 6)]
}

func weigh(l edit.Layer) int {
	if i := slices.Index([]string{"headline", "logo", "badge", "cta", "image", "body"}, l.Role); i >= 0 {
		return i
	}
	return 9
}

// which finds the one layer that words mean, and asks where it could be several or
// none. It is false as long as there is no answer; the layer's id is empty where
// the answer names none.
func (t *talk) which(words []string, doing string) (edit.Layer, bool) {
	if len(words) == 0 {
		if l, ok := t.spoken(); ok {
			return l, true
		}
	}
	found := t.find(words)
	if len(found) == 0 {
		found = t.find(t.mended(words))
	}
	if len(found) == 1 {
		t.last = found[0].ID
		return found[0], true
	}
	list := t.choices(found)
	if len(list) == 0 {
		t.apart = append(t.apart, fmt.Sprintf("%s: the template has no layer with an id that this could be", doing))
		return edit.Layer{}, true
	}
	question := fmt.Sprintf("Which layer do you mean by “%s”?", strings.Join(words, " "))
	if len(words) == 0 {
		question = fmt.Sprintf("Which layer is it: %s?", lowerFirst(doing))
	}
	names := make([]string, len(list))
	for i, l := range list {
		names[i] = shortened(label(l), 100)
	}
	answer, ok := t.ask(question, names)
	if !ok {
		return edit.Layer{}, false
	}
	for i, l := range list {
		if answer == "" {
			break
		}
		if plain(answer) == plain(names[i]) || plain(answer) == plain(l.ID) || plain(answer) == plain(l.Name) {
			t.last = l.ID
			return l, true
		}
	}
	if said := t.find(wordsOf(answer)); len(said) == 1 {
		t.last = said[0].ID
		return said[0], true
	}
	t.apart = append(t.apart, fmt.Sprintf("%s: no layer was named", doing))
	return edit.Layer{}, true
}

// spoken is the layer that "it" means: the one of before, or the one selected.
func (t *talk) spoken() (edit.Layer, bool) {
	id := t.last
	if id == "" && len(t.Selection) == 1 {
		id = t.Selection[0]
	}
	for _, l := range t.layers() {
		if l.ID == id && id != "" {
			return l, true
		}
	}
	return edit.Layer{}, false
}

// ask has a person choose; the answer is "" where there was none.
func (t *talk) ask(question string, choices []string) (string, bool) {
	r, ok := t.one("ask_user", map[string]any{"question": shortened(question, 490), "choices": choices})
	if !ok || r.failed {
		return "", ok
	}
	switch v := r.value().(type) {
	case map[string]any:
		s, _ := v["answer"].(string)
		return s, true
	case string:
		return v, true
	}
	return strings.TrimSpace(r.text), true
}

func lowerFirst(s string) string {
	for i, r := range s {
		return strings.ToLower(string(r)) + s[i+len(string(r)):]
	}
	return s
}
