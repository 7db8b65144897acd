package config

import "strings"

// Nearest is the known word that a person most likely meant, if one is near:
// the same but for case, dashes and underscores, or a few letters away. It
// serves "did you mean".
func Nearest(word string, known []string) (string, bool) {
	folded := fold(word)
	if folded == "" || len(folded) > 64 {
		return "", false
	}
	best, bestDistance := "", max(1, len([]rune(folded))/3)+1
	for _, k := range known {
		if d := distance([]rune(folded), []rune(fold(k))); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best, best != ""
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

func fold(word string) string { return separators.Replace(strings.ToLower(word)) }

// distance counts the letters to insert, remove, replace, or swap with their
// neighbour that lead from a to b.
func distance(a, b []rune) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
