package store

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// causeOf is the same for all deliveries of a sink that died of the same error:
// of the same kind, with the same answer, and with the same words but for what
// differs from one row to the next.
func causeOf(name string, r sink.Receipt, err error) string {
	kind, message := "", err.Error()
	var p *problem.Error
	if errors.As(err, &p) {
		kind, message = p.Kind(), p.Message
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{countedAs(name), kind, strconv.Itoa(r.Status), sameWords(message)}, "\x00")))
	return "cause_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:10]))
}

// What sameWords puts in the place of what differs.
const (
	aText = "…" // a quoted one
	anID  = "#" // a number, an id, a hash, an address
)

// sameWordsLimit is how many characters of a message tell errors apart: what
// stands behind them is what the receiver had to say about this one.
const sameWordsLimit = 200

var (
	word      = regexp.MustCompile(`[A-Za-z0-9_.:/@+=%~?&$*\p{N}-]+`)
	link      = regexp.MustCompile(`^([a-z][a-z0-9+.-]*)://([^/?#]*)`)
	email     = regexp.MustCompile(`^[^@/]+@[^@/]+\.[^@/]+$`)
	hexOnly   = regexp.MustCompile(`^[0-9a-fA-F]{8,}$`)
	several   = regexp.MustCompile(`#(?:(?: |, ?|; ?| and | or )#)+`)
	manyTexts = regexp.MustCompile(`…(?:(?: |, ?|; ?|: ?| and | or )…)+`)
)

// sameWords is a message without what differs between two of the same kind:
// texts in quotes, numbers, ids, hashes, times, addresses of machines, what stands
// behind the host of an URL, and how many of them there are in a list.
func sameWords(message string) string {
	message = unquoted(strings.ToValidUTF8(message, "\uFFFD"))
	message = strings.Join(strings.Fields(strings.ReplaceAll(message, "->", " ")), " ") // as Go tells of a connection
	message = word.ReplaceAllStringFunc(message, sameWord)
	message = several.ReplaceAllLiteralString(message, anID)
	message = manyTexts.ReplaceAllLiteralString(message, aText)
	n := 0
	for i := range message {
		if n == sameWordsLimit {
			return message[:i]
		}
		n++
	}
	return message
}

// sameWord is one word of a message: itself, or anID.
func sameWord(s string) string {
	core := strings.TrimRight(s, ".:?=") // of the sentence
	end := s[len(core):]
	switch at := link.FindStringSubmatch(core); {
	case at != nil:
		host := at[2][strings.LastIndexByte(at[2], '@')+1:]
		if strings.ContainsFunc(host, unicode.IsNumber) {
			host = anID
		}
		if strings.ContainsFunc(at[1], unicode.IsNumber) {
			at[1] = anID
		}
		return at[1] + "://" + host + end
	case strings.ContainsFunc(core, unicode.IsNumber), email.MatchString(core), hexOnly.MatchString(core), looksDrawn(core):
		return anID + end
	}
	return s
}

// looksDrawn reports whether a word is none: nobody writes so long a one, nor
// mixes capitals into it like this.
func looksDrawn(s string) bool {
	if strings.ContainsAny(s, "/.:") { // a path, a name of Go
		return false
	}
	letters, turns, upper := 0, 0, false
	for i, r := range s {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) {
			continue
		}
		letters++
		if is := unicode.IsUpper(r); is != upper {
			upper = is
			if i > 0 {
				turns++
			}
		}
	}
	_, tail, prefixed := strings.Cut(s, "_")
	return prefixed && len(tail) >= 16 && !strings.ContainsAny(tail, "_-") || letters >= 12 && turns > letters/3
}

// closing are the quotes that end what the quotes before them begin.
var closing = map[rune]rune{'"': '"', '\'': '\'', '`': '`', '“': '”', '„': '“', '«': '»', '‘': '’'}

// unquoted is s with what stands in quotes left out. What a double quote begins
// and nothing ends was cut off: it goes to the end.
func unquoted(s string) string {
	var out strings.Builder
	before := ' '
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		end, quotes := closing[r]
		if quotes && (r != '\'' && r != '‘' || !isWord(before)) {
			if n := quotedLength(s, size, end); n > 0 {
				out.WriteString(aText)
				s, before = s[n:], ' '
				continue
			}
		}
		out.WriteRune(r)
		s, before = s[size:], r
	}
	return out.String()
}

// quotedLength is how long the quoted text is that s begins with; 0 where its
// first character is none that quotes.
func quotedLength(s string, from int, end rune) int {
	escaped := false
	for i, r := range s[from:] {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && end == '"':
			escaped = true
		case r == end:
			after, _ := utf8.DecodeRuneInString(s[from+i+utf8.RuneLen(r):])
			if end != '\'' && end != '’' || !isWord(after) { // not don't
				return from + i + utf8.RuneLen(r)
			}
		}
	}
	if end == '"' {
		return len(s)
	}
	return 0
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
