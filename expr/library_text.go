package expr

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A lengthLimit of a text that padding may ask for.
const lengthLimit = 10_000

var textFunctions = []function{
	{sig: "uppercase(text: text): text", summary: "all letters as capitals", aliases: []string{"upper"}, call: onText(capitals),
		examples: []Example{ex(`uppercase("Ada")`, "ADA"), ex(`"straße" | upper`, "STRASSE")}},
	{sig: "lowercase(text: text): text", summary: "no letter as a capital", aliases: []string{"lower"}, call: onText(strings.ToLower),
		examples: []Example{ex(`lowercase("ADA")`, "ada")}},
	{sig: "capitalize(text: text): text", summary: "the first letter as a capital", call: onText(capitalize),
		examples: []Example{ex(`capitalize("élan vital")`, "Élan vital")}},
	{sig: "titleCase(text: text): text", summary: "the first letter of each word as a capital", aliases: []string{"title"}, call: onText(titleCase),
		examples: []Example{ex(`"the great escape" | title`, "The Great Escape"), ex(`titleCase("don't stop")`, "Don't Stop")}},
	{sig: "trim(text: text): text", summary: "without spaces at both ends", call: onText(strings.TrimSpace),
		examples: []Example{ex(`trim("  x ")`, "x")}},
	{sig: "truncate(text: text, length: number, suffix?: text): text", summary: `at most length letters, the suffix ("...") among them`, call: truncate,
		examples: []Example{ex(`truncate("Hello world", 8)`, "Hello..."), ex(`"Hello world" | truncate(6, "…")`, "Hello…"), ex(`truncate("Hello", 5)`, "Hello")}},
	{sig: "replace(text: text, search: text, by: text): text", summary: "every occurrence replaced", call: replace,
		examples: []Example{ex(`replace("a-b-c", "-", " ")`, "a b c")}},
	{sig: "split(text: text, separator: text): list", summary: "the parts as a list", call: split,
		examples: []Example{ex(`split("a,b,c", ",") | last`, "c")}},
	{sig: "padStart(text: text, length: number, fill?: text): text", summary: "filled in front up to length letters", call: padStart,
		examples: []Example{ex(`padStart(7, 3, "0")`, "007")}},
	{sig: "padEnd(text: text, length: number, fill?: text): text", summary: "filled behind up to length letters", call: padEnd,
		examples: []Example{ex(`padEnd("x", 3, ".")`, "x..")}},
	{sig: "startsWith(text: text, part: text): boolean", summary: `whether the text begins with the part; also written text startsWith "…"`, call: startsWith,
		examples: []Example{ex(`startsWith("invoice-7", "invoice")`, "true"), ex(`"invoice-7" startsWith "note"`, "false")}},
	{sig: "endsWith(text: text, part: text): boolean", summary: `whether the text ends with the part; also written text endsWith "…"`, call: endsWith,
		examples: []Example{ex(`"photo.png" | endsWith(".png")`, "true")}},
	{sig: "matches(text: text, pattern: text): boolean", summary: `whether a regular expression finds something; also written text matches "…"`, call: matches,
		examples: []Example{ex(`matches("A-17", "^[A-Z]-[0-9]+$")`, "true")}},
	{sig: "repeat(text: text, times: number): text", summary: "the text several times", call: repeat,
		examples: []Example{ex(`repeat("★", 3)`, "★★★")}},
	{sig: "slugify(text: text): text", summary: "small letters, digits and dashes, as in an address", call: onText(slugify),
		examples: []Example{ex(`slugify("Crème brûlée: 2 Stück!")`, "creme-brulee-2-stuck")}},
	{sig: "initials(text: text, most?: number): text", summary: "the first letters of the words, at most two", call: initials,
		examples: []Example{ex(`initials("Ada King Lovelace")`, "AL"), ex(`initials("Ada King Lovelace", 3)`, "AKL")}},
	{sig: "words(text: text): list", summary: "the words as a list", call: words,
		examples: []Example{ex(`words("one  two three") | length`, "3")}},
	{sig: "urlEncode(text: text): text", summary: "fit to stand in an address", call: onText(url.QueryEscape),
		examples: []Example{ex(`urlEncode("a b&c")`, "a+b%26c")}},
	{sig: "text(value: any): text", summary: "the value as it prints", call: func(_ *run, args []any) (any, error) { return Text(args[0]), nil },
		examples: []Example{ex(`text([1, 2]) + "!"`, "1, 2!"), ex(`text(4) + text(9)`, "49")}},
}

func onText(f func(string) string) operation {
	return func(_ *run, args []any) (any, error) { return f(Text(args[0])), nil }
}

func capitalize(s string) string {
	for i, r := range s {
		return s[:i] + string(unicode.ToTitle(r)) + s[i+len(string(r)):]
	}
	return s
}

func titleCase(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		first := !inWord
		inWord = unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || inWord && (r == '\'' || r == '’')
		if first && inWord {
			return unicode.ToTitle(r)
		}
		return r
	}, s)
}

func truncate(_ *run, args []any) (any, error) {
	s := []rune(Text(args[0]))
	n, err := countArg(args, 1, 0, lengthLimit, "the length")
	if err != nil || len(s) <= n {
		return string(s), err
	}
	suffix := []rune(textArg(args, 2, "..."))
	if len(suffix) >= n {
		return string(suffix[:n]), nil
	}
	return strings.TrimRight(string(s[:n-len(suffix)]), " ") + string(suffix), nil
}

func replace(_ *run, args []any) (any, error) {
	s, search, by := Text(args[0]), Text(args[1]), Text(args[2])
	if search == "" {
		return s, nil
	}
	if len(s)+strings.Count(s, search)*(len(by)-len(search)) > maxText {
		return nil, fail("the replaced text has more than the %d bytes allowed", maxText)
	}
	return strings.ReplaceAll(s, search, by), nil
}

func split(_ *run, args []any) (any, error) {
	s := Text(args[0])
	if s == "" {
		return []any{}, nil
	}
	return listOf(strings.SplitN(s, Text(args[1]), maxList+1)), nil
}

func listOf(parts []string) []any {
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out
}

func words(_ *run, args []any) (any, error) { return listOf(strings.Fields(Text(args[0]))), nil }

func repeat(_ *run, args []any) (any, error) {
	s := Text(args[0])
	n, err := countArg(args, 1, 1, lengthLimit, "the number of times")
	if err != nil {
		return nil, err
	}
	if len(s)*n > maxText {
		return nil, fail("the repeated text has more than the %d bytes allowed", maxText)
	}
	return strings.Repeat(s, n), nil
}

func padding(args []any) (s, fill string, err error) {
	s = Text(args[0])
	n, err := countArg(args, 1, 0, lengthLimit, "the length")
	pad := []rune(textArg(args, 2, " "))
	missing := n - len([]rune(s))
	if err != nil || missing <= 0 || len(pad) == 0 {
		return s, "", err
	}
	out := make([]rune, missing)
	for i := range out {
		out[i] = pad[i%len(pad)]
	}
	return s, string(out), nil
}

func padStart(_ *run, args []any) (any, error) {
	s, fill, err := padding(args)
	return fill + s, err
}

func padEnd(_ *run, args []any) (any, error) {
	s, fill, err := padding(args)
	return s + fill, err
}

// unmarked are letters that no decomposition takes apart.
var unmarked = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ł", "l", "þ", "th", "ð", "d", "ı", "i", "'", "", "’", "")

func slugify(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(unmarked.Replace(strings.ToLower(s))) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case !unicode.IsMark(r):
			gap = true
		case b.Len() > 0 && !gap && r > '\u036f': // vowel signs of other scripts are no accents
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

func initials(_ *run, args []any) (any, error) {
	most, err := countArg(args, 1, 2, 10, "the number of letters")
	if err != nil {
		return nil, err
	}
	var letters []rune
	for _, word := range strings.Fields(Text(args[0])) {
		if i := strings.IndexFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }); i >= 0 {
			letters = append(letters, unicode.ToUpper([]rune(word[i:])[0]))
		}
	}
	if n := len(letters); n > most && most > 0 { // the family name counts more than the middle ones
		letters = append(letters[:most-1], letters[n-1])
	}
	return string(letters[:min(most, len(letters))]), nil
}

// capitals has two for the ß, which has none of its own in most fonts.
func capitals(s string) string { return strings.ReplaceAll(strings.ToUpper(s), "ß", "SS") }
