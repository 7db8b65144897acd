package template

import (
	"regexp"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The blocks that people know from other languages, in the words of this one:
// if, unless, elseif, else, each, end.
var blockWords = []struct {
	word   string
	syntax *regexp.Regexp // group 1 is the rest
}{
	{"if", regexp.MustCompile(`(?s)^#?if\s+(.+)$`)},
	{"unless", regexp.MustCompile(`(?s)^#?unless\s+(.+)$`)},
	{"elseif", regexp.MustCompile(`(?s)^#?(?:else\s*if|elif)\s+(.+)$`)},
	{"else", regexp.MustCompile(`^(?:#?else|\^)()$`)},
	{"each", regexp.MustCompile(`(?s)^(?:#each|each|#for|for)\s+(.+)$`)},
	{"end", regexp.MustCompile(`^(?:end|endif|endfor|endeach|/\s*(?:if|unless|each|for))()$`)},
}

// blockEnds are the ends that say what they end; {{ end }} ends everything.
var blockEnds = []struct {
	word   string
	syntax *regexp.Regexp
}{
	{"if", regexp.MustCompile(`^(?:endif|/\s*if)$`)},
	{"unless", regexp.MustCompile(`^/\s*unless$`)},
	{"each", regexp.MustCompile(`^(?:endfor|endeach|/\s*(?:each|for))$`)},
}

// endsAnother reports whether the end src says that it ends a block of another
// word.
func endsAnother(src, word string) bool {
	src = strings.TrimSpace(src)
	for _, e := range blockEnds {
		if e.syntax.MatchString(src) {
			return e.word != word
		}
	}
	return false
}

// blockWord is the word of a block that the text of an expression is, and what
// follows it; "" for an ordinary expression.
func blockWord(src string) (word, rest string) {
	src = strings.TrimSpace(src)
	for _, b := range blockWords {
		if m := b.syntax.FindStringSubmatch(src); m != nil {
			return b.word, strings.TrimSpace(m[1])
		}
	}
	return "", ""
}

// A loopSyntax is "item, index in list".
type loopSyntax struct {
	item, index, list string
	listAt            int // where list begins
}

var (
	loopIn = regexp.MustCompile(`(?s)^\s*\(?\s*([\pL_][\pL\pN_]*)\s*(?:,\s*([\pL_][\pL\pN_]*)\s*)?\)?\s+(?:in|of)\s+(.+)$`)
	loopAs = regexp.MustCompile(`(?s)^\s*(.+?)\s+as\s+\|?\s*([\pL_][\pL\pN_]*)\s*(?:[, ]\s*([\pL_][\pL\pN_]*)\s*)?\|?\s*$`)
)

// parseLoop reads what a loop runs over. In a block also "list as item, index",
// and a list alone, whose item is then called this.
func parseLoop(text string, block bool) (loopSyntax, *problem.Error) {
	if m := loopIn.FindStringSubmatchIndex(text); m != nil {
		return loopSyntax{group(text, m, 1), group(text, m, 2), strings.TrimSpace(group(text, m, 3)), m[6]}, nil
	}
	if m := loopAs.FindStringSubmatchIndex(text); m != nil && block {
		return loopSyntax{group(text, m, 2), group(text, m, 3), group(text, m, 1), m[2]}, nil
	}
	if block {
		return loopSyntax{item: "this", index: "index", list: text}, nil
	}
	return loopSyntax{}, errLoop(text)
}

func group(text string, m []int, i int) string {
	if m[2*i] < 0 {
		return ""
	}
	return text[m[2*i]:m[2*i+1]]
}
