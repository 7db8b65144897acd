package expr

import "strings"

// Nearest is the name among known that a person may have meant by name, or ""
// when none is near.
func Nearest(name string, known []string) string {
	letters := len([]rune(name))
	best, bestDistance := "", min(1+max(1, letters/3), letters) // a name of which no letter is left is another
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return k
		}
		if n := len([]rune(k)); max(n-letters, letters-n) >= bestDistance {
			continue // as many letters are to be inserted or removed at least
		}
		if d := distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(k))); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their
// neighbour to make b of a.
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
