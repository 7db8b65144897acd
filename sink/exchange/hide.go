package exchange

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// minHidden is the length from which on a text can be a secret: shorter ones are
// part of too many words.
const minHidden = 8

// A hider cuts secrets out of what a receiver says: some repeat the request.
type hider struct{ texts []string }

func newHider(secrets []string) hider {
	var h hider
	for _, secret := range secrets {
		for _, text := range append(strings.Fields(secret), secret) {
			if len(text) < minHidden {
				continue
			}
			quoted, _ := json.Marshal(text) // texts always encode
			h.texts = append(h.texts, text, string(quoted[1:len(quoted)-1]), url.QueryEscape(text), url.PathEscape(text))
		}
	}
	slices.SortFunc(h.texts, func(a, b string) int { return len(b) - len(a) }) // so that none leaves a rest
	h.texts = slices.Compact(h.texts)
	return h
}

func (h hider) in(text string) string {
	for _, secret := range h.texts {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}
