package palette

import (
	"strings"

	"github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A theme is the tokens of a document in one theme, in their order.
type theme struct {
	name   string
	order  []string
	values map[string]string
}

// themesOf are the themes of a document, that of none first.
func themesOf(source []byte) []theme {
	var themes []theme
	for _, t := range edit.LookAt(source, nil).Themes {
		th := theme{name: t.Theme, values: map[string]string{}}
		for _, token := range t.Tokens {
			if _, twice := th.values[token.Name]; !twice {
				th.order = append(th.order, token.Name)
			}
			th.values[token.Name] = token.Value
		}
		themes = append(themes, th)
	}
	return themes
}

// takenNames are the custom properties that a document has or reads anywhere.
func takenNames(doc *markup.Document) map[string]bool {
	taken := map[string]bool{}
	text := doc.Print()
	for {
		i := strings.Index(text, "--")
		if i < 0 {
			return taken
		}
		text = text[i+2:]
		end := 0
		for end < len(text) && isWord(text[end]) {
			end++
		}
		taken[text[:end]] = true
		text = text[end:]
	}
}

// fresh is name, or name with the first number that makes it new; it is taken
// from then on.
func fresh(taken map[string]bool, name string) string {
	made := name
	for i := 2; taken[made]; i++ {
		made = name + "-" + itoa(i)
	}
	taken[made] = true
	return made
}
