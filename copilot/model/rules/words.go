package rules

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A word is one of a request, or several that mean one thing: a text in quotes, a
// colour, the name of a format.
type word struct {
	text string // with plain small letters
	raw  string // as it was written; of a quote, what stands in it
	can  map[class]string
}

func (w word) is(c class) bool {
	_, ok := w.can[c]
	return ok
}

var (
	piece = regexp.MustCompile(`(?i)^(?:` + strings.Join([]string{
		`(?P<dims>\d{2,5}\s*(?:px)?\s*(?:x|×|\*|by|mal|por|sur)\s*\d{2,5}(?:\s*px\b)?)`,
		`(?P<pixels>\d{1,4}(?:\.\d+)?\s*(?:px|pixels?|pt)\b)`,
		`(?P<percent>\d{1,3}(?:\.\d+)?\s*(?:%|percent\b))`,
		`(?P<color>(?:rgba?|hsla?|oklch|oklab|hwb)\([^()]*\)|#[0-9a-f]{3,8}\b)`,
		`(?P<word>[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*(?:[-'’:][\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*)*)`,
	}, "|") + `)`)
	quotes = map[rune]string{'"': `"`, '“': "”“", '”': "”", '„': "“”", '«': "»", '»': "«", '\'': "'’", '‘': "’'", '’': "’", '`': "`"}
	// elision is the article that French writes with its noun.
	elision = regexp.MustCompile(`^(?:l|d|s|j|c|n|qu)['’](.+)$`)
	folding = strings.NewReplacer("ß", "ss", "œ", "oe", "æ", "ae", "ø", "o", "’", "'")
)

// plain is s with small letters and without marks on them.
func plain(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(folding.Replace(strings.ToLower(s))) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// splitters part a request into clauses.
var splitters = fieldSet(`and then & plus afterwards afterward next also but however
	und dann danach sowie aber anschliessend y luego despues entonces pero e et puis ensuite mais`)

func fieldSet(list string) map[string]bool {
	all := map[string]bool{}
	for _, f := range strings.Fields(list) {
		all[f] = true
	}
	return all
}

const maxMessage = 4000

// clauses are the parts of a message. known are words that the template has, which
// nothing else is meant by.
func clauses(message string, known map[string]bool) [][]word {
	var all [][]word
	var now []word
	cut := func() {
		if len(now) > 0 {
			all = append(all, now)
		}
		now = nil
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "")
	}
	for rest, before := message, ' '; rest != ""; {
		w, n := readQuote(rest, before)
		var more []word
		switch {
		case n > 0:
			more = []word{w}
		default:
			more, n = readWords(rest, known)
		}
		switch {
		case n == 0: // a sign
			r := []rune(rest[:min(len(rest), 4)])[0]
			n = len(string(r))
			if !utf8Valid(rest) {
				n = 1
			}
			if strings.ContainsRune(",;.!?&\n:+•", r) {
				cut()
			}
		case len(more) == 1 && splitters[more[0].text] && !known[more[0].text]:
			cut()
		default:
			now = append(now, more...)
		}
		before = lastRune(rest[:n])
		rest = rest[n:]
	}
	cut()
	for i := range all {
		all[i] = joined(all[i], known)
	}
	return all
}

func utf8Valid(s string) bool { return []rune(s[:min(len(s), 4)])[0] != unicode.ReplacementChar }

func lastRune(s string) rune {
	r := []rune(s)
	if len(r) == 0 {
		return ' '
	}
	return r[len(r)-1]
}

// readQuote is the text in quotes that s begins with. An apostrophe inside of a word
// opens none.
func readQuote(s string, before rune) (word, int) {
	open := []rune(s[:min(len(s), 4)])[0]
	ends, ok := quotes[open]
	if !ok || unicode.IsLetter(before) || unicode.IsDigit(before) {
		return word{}, 0
	}
	head := len(string(open))
	if !strings.HasPrefix(s, string(open)) {
		return word{}, 0
	}
	for i, r := range s[head:] {
		if !strings.ContainsRune(ends, r) {
			continue
		}
		after := s[head+i+len(string(r)):]
		if open == '\'' || open == '‘' || open == '’' {
			if next := []rune(after + " ")[0]; unicode.IsLetter(next) || unicode.IsDigit(next) {
				continue
			}
		}
		if i == 0 {
			return word{}, 0
		}
		return word{raw: s[head : head+i], can: map[class]string{quote: s[head : head+i]}}, len(s) - len(after)
	}
	return word{}, 0
}

// readWords are the words that s begins with: one, or the parts of one.
func readWords(s string, known map[string]bool) ([]word, int) {
	m := piece.FindStringSubmatch(s)
	if m == nil {
		return nil, 0
	}
	raw := m[0]
	for i, name := range piece.SubexpNames() {
		if name == "" || m[i] == "" {
			continue
		}
		w := word{text: plain(raw), raw: raw}
		switch name {
		case "dims":
			w.can = map[class]string{dimensions: raw}
		case "pixels":
			w.can = map[class]string{pixels: number.FindString(raw)}
		case "percent":
			w.can = map[class]string{percent: number.FindString(raw)}
		case "color":
			if literal.MatchString(w.text) {
				w.can = map[class]string{color: w.text}
			}
		default:
			return parts(w, known), len(raw)
		}
		return []word{w}, len(raw)
	}
	return nil, 0
}

var (
	number = regexp.MustCompile(`\d+(?:\.\d+)?`)
	digits = regexp.MustCompile(`^\d+$`)
)

// parts are a word, or the words that hyphens and apostrophes join.
func parts(w word, known map[string]bool) []word {
	if m := elision.FindStringSubmatch(w.text); m != nil && lexicon[w.text] == nil && !known[w.text] {
		w.text = m[1]
	}
	if digits.MatchString(w.text) && len(w.text) < 4 {
		w.can = map[class]string{count: w.text, ordinal: w.text}
		return []word{w}
	}
	if lexicon[w.text] != nil || known[w.text] || !strings.ContainsAny(w.text, "-") {
		return []word{w}
	}
	var all []word
	for p := range strings.SplitSeq(w.text, "-") {
		all = append(all, word{text: p, raw: p})
	}
	return all
}

// joined finds what several words mean together, then what each can mean alone.
func joined(clause []word, known map[string]bool) []word {
	texts := make([]string, len(clause))
	for i, w := range clause {
		texts[i] = w.text
	}
	var out []word
	for i := 0; i < len(clause); {
		w, n := clause[i], 1
		if w.can == nil {
			if f, k := formatAt(texts, i, known); k > 0 {
				w, n = word{text: strings.Join(texts[i:i+k], " "), raw: rawOf(clause[i : i+k]), can: map[class]string{preset: f}}, k
			} else if value, k := colorAt(texts, i); k > 0 && (k > 1 || !known[w.text]) {
				w, n = word{text: value, raw: rawOf(clause[i : i+k]), can: map[class]string{color: value}}, k
			}
			if n == 1 {
				w.can = meanings(w, known)
			}
		}
		out = append(out, w)
		i += n
	}
	return out
}

func rawOf(clause []word) string {
	all := make([]string, len(clause))
	for i, w := range clause {
		all[i] = w.raw
	}
	return strings.Join(all, " ")
}

// meanings are what a word can be; a word with a slip of the pen is what it was
// meant to be, unless the template has it as it is.
func meanings(w word, known map[string]bool) map[class]string {
	all := map[class]string{}
	maps.Copy(all, w.can)
	entry := lexicon[w.text]
	if entry == nil {
		entry = lexicon[w.text+"-"] // a beginning of compounds
	}
	if entry == nil && !known[w.text] && len(all) == 0 {
		entry = lexicon[nearest(w.text, vocabulary)]
	}
	maps.Copy(all, entry)
	return all
}

var vocabulary = slices.Sorted(maps.Keys(lexicon))

// phrases are the words of formats, each with the name of its format.
var phrases = func() (all []phrase) {
	for _, f := range formats {
		for p := range strings.SplitSeq(f.words, ";") {
			all = append(all, phrase{f.name, strings.Fields(p)})
		}
	}
	return all
}()

type phrase struct {
	format string
	words  []string
}

// formatAt is the format whose words texts[i:] begin with, and of how many words.
func formatAt(texts []string, i int, known map[string]bool) (name string, n int) {
	for _, p := range phrases {
		if len(p.words) <= n || i+len(p.words) > len(texts) {
			continue
		}
		same := true
		for j, w := range p.words {
			got := texts[i+j]
			same = same && (got == w || len(w) >= 5 && !known[got] && lexicon[got] == nil && slip(got, w))
		}
		if same {
			name, n = p.format, len(p.words)
		}
	}
	return name, n
}
