package expr

import (
	"strings"
	"unicode"
)

// A lengthLimit of a text that padding may ask for.
const lengthLimit = 10_000

var textFunctions = map[string]function{
	"uppercase":  {usage: "uppercase(text)", summary: "all letters as capitals", min: 1, max: 1, call: onText(strings.ToUpper)},
	"lowercase":  {usage: "lowercase(text)", summary: "no letter as a capital", min: 1, max: 1, call: onText(strings.ToLower)},
	"capitalize": {usage: "capitalize(text)", summary: "the first letter as a capital", min: 1, max: 1, call: onText(capitalize)},
	"titleCase":  {usage: "titleCase(text)", summary: "the first letter of each word as a capital", min: 1, max: 1, call: onText(titleCase)},
	"trim":       {usage: "trim(text)", summary: "without spaces at both ends", min: 1, max: 1, call: onText(strings.TrimSpace)},
	"truncate":   {usage: `truncate(text, length, suffix)`, summary: `at most length letters, the suffix ("...") among them`, min: 2, max: 3, call: truncate},
	"replace":    {usage: "replace(text, search, by)", summary: "every occurrence replaced", min: 3, max: 3, call: replace},
	"split":      {usage: "split(text, separator)", summary: "the parts as a list", min: 2, max: 2, call: split},
	"padStart":   {usage: "padStart(text, length, fill)", summary: "filled in front up to length letters", min: 2, max: 3, call: padStart},
	"padEnd":     {usage: "padEnd(text, length, fill)", summary: "filled behind up to length letters", min: 2, max: 3, call: padEnd},
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
	parts := strings.SplitN(s, Text(args[1]), maxList+1)
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
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
