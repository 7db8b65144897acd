package tracing

import (
	"cmp"
	"slices"
	"strings"
)

// minHidden is the length from which on a word can be a secret: shorter ones are parts of
// too many words.
const minHidden = 6

// hiding cuts the values of headers, and their words, out of what a collector says: some repeat the request.
func hiding(headers map[string]string) *strings.Replacer {
	var secrets []string
	for _, value := range headers {
		for _, text := range append(strings.Fields(value), value) {
			if len(text) > minHidden {
				secrets = append(secrets, text)
			}
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // so that none leaves a rest
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "***")
	}
	return strings.NewReplacer(pairs...)
}
