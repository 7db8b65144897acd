package expr

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

var listFunctions = []function{
	{sig: "length(value: any): number", summary: "how many items, keys or letters", aliases: []string{"len"}, call: length,
		examples: []Example{ex(`length([1, 2, 3])`, "3"), ex(`"é€" | length`, "2")}},
	{sig: "first(list: any): any", summary: "the first item or letter", call: edge(0),
		examples: []Example{ex(`first(["a", "b"])`, "a"), ex(`first("xyz")`, "x")}},
	{sig: "last(list: any): any", summary: "the last item or letter", call: edge(-1),
		examples: []Example{ex(`last(["a", "b"])`, "b")}},
	{sig: "join(list: any, separator?: text): text", summary: `the items as one text, with ", " between them`, call: joinItems,
		examples: []Example{ex(`join(["a", "b"])`, "a, b"), ex(`["a", "b"] | join("-")`, "a-b")}},
	{sig: "list(items: any, word?: text, locale?: text): text", summary: `the items as a sentence has them, with "and" or "or"`, cost: formatCost, call: sentence,
		examples: []Example{
			ex(`list(["A", "B", "C"])`, "A, B, and C"), ex(`list(["A", "B"], "or")`, "A or B"), ex(`["A", "B", "C"] | list("and", "de")`, "A, B und C"),
		}},
	{sig: "slice(list: any, start: number, end?: number): any", summary: "the part from start up to, not including, end", call: slice,
		examples: []Example{ex(`slice([1, 2, 3], 0, 2)`, "1, 2"), ex(`slice("Hello", -3)`, "llo")}},
	{sig: "contains(list: any, value: any): boolean", summary: `whether a list has the item, or a text the part; also written list contains value`, aliases: []string{"includes"}, call: contains,
		examples: []Example{ex(`contains([1, 2], 2)`, "true"), ex(`"Ada" | contains("d")`, "true")}},
	{sig: "indexOf(list: any, value: any): number", summary: "the position of an item or part from 0, -1 for none", call: position,
		examples: []Example{ex(`indexOf(["a", "b"], "b")`, "1"), ex(`indexOf("héllo", "l")`, "2")}},
	{sig: "reverse(list: any): any", summary: "the last item or letter first", call: reverse,
		examples: []Example{ex(`reverse([1, 2, 3])`, "3, 2, 1")}},
	{sig: "sort(list: list): list", summary: "the items in order, numbers by their value", cost: formatCost, call: sortItems,
		examples: []Example{ex(`sort([10, 9, "1"])`, "1, 9, 10")}},
	{sig: "unique(list: list): list", summary: "each item once", call: unique,
		examples: []Example{ex(`unique(["a", "b", "a"])`, "a, b")}},
	{sig: "concat(first: list, …more: list): list", summary: "the items of several lists as one", call: concat,
		examples: []Example{ex(`concat([1], [2, 3])`, "1, 2, 3")}},
	{sig: "chunk(list: list, size: number, first?: number, last?: number): list", summary: "the items in lists of at most size each; first and last are how many the first and the last have room for, where a heading or totals take some of it; a last one with less room gets three at least, where it can", call: chunk,
		examples: []Example{
			ex(`chunk([1, 2, 3, 4, 5], 2) | map(join(#, "-")) | join(" ")`, "1-2 3-4 5"), ex(`chunk(1..9, 4, 3, 2) | map(length(#))`, "3, 4, 2"),
		}},
	{sig: "keys(object: object): list", summary: "the names of an object's fields, in order of the alphabet", call: keys,
		examples: []Example{ex(`keys({b: 1, a: 2})`, "a, b")}},
	{sig: "values(object: object): list", summary: "what an object's fields hold, in the order of keys", call: fieldValues,
		examples: []Example{ex(`values({b: 1, a: 2})`, "2, 1")}},
}

func length(_ *run, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return 0, nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	}
	return utf8.RuneCountInString(Text(args[0])), nil
}

func edge(i int) operation {
	return func(_ *run, args []any) (any, error) {
		switch v := args[0].(type) {
		case nil, bool, map[string]any:
			return nil, nil
		case []any:
			if len(v) == 0 {
				return nil, nil
			}
			return v[(len(v)+i)%len(v)], nil
		}
		text := Text(args[0])
		_, first := utf8.DecodeRuneInString(text)
		if i < 0 {
			_, last := utf8.DecodeLastRuneInString(text)
			return text[len(text)-last:], nil
		}
		return text[:first], nil
	}
}

func joinItems(_ *run, args []any) (any, error) {
	items, ok := args[0].([]any)
	if !ok {
		return Text(args[0]), nil
	}
	separator := textArg(args, 1, ", ")
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(Text(item))
		if b.Len() > maxText {
			return nil, fail("the joined text has more than the %d bytes allowed", maxText)
		}
	}
	return b.String(), nil
}

func sentence(r *run, args []any) (any, error) {
	l, err := r.locale(args, 2)
	if err != nil {
		return nil, err
	}
	items, ok := args[0].([]any)
	if !ok {
		return Text(args[0]), nil
	}
	var texts []string
	size := 0
	for _, item := range items {
		if text := Text(item); text != "" {
			texts = append(texts, text)
			size += len(text)
		}
	}
	if size > maxText {
		return nil, fail("the joined text has more than the %d bytes allowed", maxText)
	}
	switch word := strings.ToLower(textArg(args, 1, "and")); word {
	case "and":
		return l.joined(texts, l.And), nil
	case "or":
		return l.joined(texts, l.Or), nil
	default:
		return nil, fail("list joins with \"and\" or \"or\", not with %s", quote(word)).WithHint("to put something else between the items use join")
	}
}

func position(r *run, args []any) (any, error) {
	if items, ok := args[0].([]any); ok {
		for i, item := range items {
			same, err := r.equal(item, args[1])
			if same || err != nil {
				return i, err
			}
		}
		return -1, nil
	}
	s := Text(args[0])
	i := strings.Index(s, Text(args[1]))
	if i < 0 {
		return -1, nil
	}
	return len([]rune(s[:i])), nil
}

func reverse(_ *run, args []any) (any, error) {
	if items, ok := args[0].([]any); ok {
		items = slices.Clone(items)
		slices.Reverse(items)
		return items, nil
	}
	letters := []rune(Text(args[0]))
	slices.Reverse(letters)
	return string(letters), nil
}

func sortItems(_ *run, args []any) (any, error) {
	items, err := listArg("sort", args, 0)
	if err != nil {
		return nil, err
	}
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b any) int {
		x, okX := NumberText(a)
		y, okY := NumberText(b)
		switch {
		case okX && okY:
			return compareNumbers(x, y)
		case okX:
			return -1
		case okY:
			return 1
		}
		return strings.Compare(Text(a), Text(b))
	})
	return items, nil
}

// unique takes items for the same that print the same.
func unique(r *run, args []any) (any, error) {
	items, err := listArg("unique", args, 0)
	if err != nil {
		return nil, err
	}
	out, seen := []any{}, map[string]bool{}
	for _, item := range items {
		text := Text(item)
		if err := r.spend(1 + len(text)/16); err != nil {
			return nil, err
		}
		if !seen[text] {
			seen[text] = true
			out = append(out, item)
		}
	}
	return out, nil
}

func concat(_ *run, args []any) (any, error) {
	out := []any{}
	for i := range args {
		items, err := listArg("concat", args, i)
		if err != nil {
			return nil, err
		}
		if out = append(out, items...); len(out) > maxList {
			return nil, fail("the expression makes a list of more than the %d items allowed", maxList)
		}
	}
	return out, nil
}

func keys(_ *run, args []any) (any, error) {
	m, err := objectArg("keys", args)
	return listOf(slices.Sorted(maps.Keys(m))), err
}

func fieldValues(_ *run, args []any) (any, error) {
	m, err := objectArg("values", args)
	out := []any{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[key])
	}
	return out, err
}

func objectArg(name string, args []any) (map[string]any, error) {
	m, ok := args[0].(map[string]any)
	if !ok && args[0] != nil {
		return nil, fail("%s needs an object, but the value is %s", name, quote(args[0])).Expecting("an object")
	}
	return m, nil
}
