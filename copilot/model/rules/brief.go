package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/template/edit"
)

// A brief is what the first message of a conversation says. Message alone is what
// the person wants; the rest is data.
type brief struct {
	Message  string `json:"message"`
	Template struct {
		Name      string          `json:"name"`
		Sizes     []size          `json:"sizes"`
		Themes    []string        `json:"themes"`
		Variables json.RawMessage `json:"variables"`
		Tokens    json.RawMessage `json:"tokens"`
		Outline   []edit.Layer    `json:"outline"`
	} `json:"template"`
	Selection []string `json:"selection"`
	Size      string   `json:"size"`
	Theme     string   `json:"theme"`
}

type size struct {
	Name  string `json:"name"`
	W     int    `json:"w"`
	H     int    `json:"h"`
	Label string `json:"label"`
}

// read is the brief of a conversation. What is no JSON of a brief is nothing: the
// message of a person has to be named as such.
func read(messages []model.Message) brief {
	var b brief
	for _, m := range messages {
		if m.Role != model.User {
			continue
		}
		if json.Unmarshal([]byte(m.Text), &b) == nil {
			return b
		}
		// One member of another shape must not hide the others.
		var loose struct {
			Message  string                     `json:"message"`
			Template map[string]json.RawMessage `json:"template"`
		}
		b = brief{}
		if json.Unmarshal([]byte(m.Text), &loose) != nil {
			return b
		}
		b.Message = loose.Message
		t := &b.Template
		for name, into := range map[string]any{"sizes": &t.Sizes, "themes": &t.Themes, "outline": &t.Outline} {
			_ = json.Unmarshal(loose.Template[name], into) // what cannot be read stays empty
		}
		t.Tokens = loose.Template["tokens"]
		return b
	}
	return b
}

// tokens are the design tokens without a theme.
func (b brief) tokens() map[string]string {
	all := map[string]string{}
	var plain map[string]string
	var themed map[string]map[string]string
	var listed []edit.ThemeTokens
	var list []edit.Token
	switch {
	case json.Unmarshal(b.Template.Tokens, &plain) == nil:
		for name, value := range plain {
			all[strings.TrimPrefix(name, "--")] = value
		}
	case json.Unmarshal(b.Template.Tokens, &themed) == nil:
		for name, value := range themed[""] {
			all[strings.TrimPrefix(name, "--")] = value
		}
	case json.Unmarshal(b.Template.Tokens, &listed) == nil && slices.ContainsFunc(listed, func(t edit.ThemeTokens) bool { return len(t.Tokens) > 0 }):
		for _, t := range listed {
			if t.Theme == "" {
				list = append(list, t.Tokens...)
			}
		}
	case json.Unmarshal(b.Template.Tokens, &list) == nil:
	}
	for _, t := range list {
		all[strings.TrimPrefix(t.Name, "--")] = t.Value
	}
	return all
}

// layers are all layers of the outline, the pages before what stands in them.
func (b brief) layers() []edit.Layer {
	var all []edit.Layer
	var down func(list []edit.Layer)
	down = func(list []edit.Layer) {
		for _, l := range list {
			all = append(all, l)
			down(l.Children)
		}
	}
	down(b.Template.Outline)
	return all
}

func (b brief) page(l edit.Layer) bool {
	return slices.ContainsFunc(b.Template.Outline, func(p edit.Layer) bool { return p.ID == l.ID && p.Path == l.Path })
}

// known are the words that name something of the template.
func (b brief) known() map[string]bool {
	all := map[string]bool{}
	add := func(s string) {
		if s = plain(s); s != "" {
			all[s] = true
		}
		for _, w := range wordsOf(s) {
			if lexicon[w] == nil && !splitters[w] {
				all[w] = true
			}
		}
	}
	for _, l := range b.layers() {
		if lexicon[plain(l.ID)] == nil {
			add(l.ID)
		}
		for _, w := range wordsOf(l.Name) {
			add(w)
		}
	}
	for name := range b.tokens() {
		if lexicon[plain(name)] == nil {
			add(name)
		}
	}
	return all
}

// wordsOf are the words in a name, however it joins them: heroImage, hero-image.
func wordsOf(name string) []string {
	var b strings.Builder
	low := false
	for _, r := range name {
		switch {
		case r >= 'A' && r <= 'Z' && low:
			b.WriteByte(' ')
			b.WriteRune(r)
		case strings.ContainsRune("-_./:,()", r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
		low = r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return strings.Fields(plain(b.String()))
}
