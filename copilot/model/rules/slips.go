package rules

// nearest is the word that w is with a slip of the pen; "" where there is none, or
// where it could be several.
func nearest(w string, among []string) string {
	found, best := "", 3
	for _, c := range among {
		if !slip(w, c) {
			continue
		}
		d := distance(w, c)
		switch {
		case d < best:
			found, best = c, d
		case d == best && !alike(found, c):
			found = ""
		}
	}
	return found
}

// alike reports whether two words mean the same.
func alike(a, b string) bool {
	one, two := lexicon[a], lexicon[b]
	if one == nil || two == nil || len(one) != len(two) {
		return false
	}
	for c, v := range one {
		if w, ok := two[c]; !ok || w != v {
			return false
		}
	}
	return true
}

// common are words that are near to one of ours and mean something else.
var common = fieldSet(`site test mark more than then them form from fort sort short tile file life live love lift list last lost
	best rest west bald bolt cold hold fold sold gold told hike hire hint side ride wide tide hope shot shop stow snow slow grew crow
	brown crown stripe strike price prize piece place plane plant part park bark lark stark hard card cars case cash mine mice nice
	date data rate late gate mask task desk disk dusk note node mood food post host cost coat boat goat photo phone rating sight
	weight height light might night fight white while write small smell spell shell shall chart charm share shame shape space
	word words world work fork font front fun fund found sound round bound mound letter better butter matter latter`)

// slip reports whether w is c but for a letter or two: none in short words, a pair
// that changed places or one letter in longer ones, two in long ones. The first
// letter is hardly ever wrong.
func slip(w, c string) bool {
	if w == c || common[w] || len(w) < 4 || len(c) < 4 || w[0] != c[0] {
		return false
	}
	d := distance(w, c)
	switch n := min(len(w), len(c)); {
	case n >= 8:
		return d <= 2
	case n >= 5:
		return d <= 1
	}
	return d == 1 && (len(w) != len(c) || swapped(w, c))
}

// swapped reports whether two words differ by a pair of letters only.
func swapped(a, b string) bool {
	for i := range len(a) - 1 {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
}

// maxWord is how long a word may be to be looked for.
const maxWord = 40

// distance counts letters that are wrong, missing, too many, or changed places with
// the next (optimal string alignment).
func distance(a, b string) int {
	if abs(len(a)-len(b)) > 2 || len(a) > maxWord || len(b) > maxWord {
		return 3
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == b[j-1] {
				wrong = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func abs(n int) int { return max(n, -n) }
