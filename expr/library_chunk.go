package expr

// fewest is how many items a last list that is shorter than others gets, if it can:
// totals below a single line look lost.
const fewest = 3

// chunk is what pages of a long list are made with: the first page has a heading
// besides its items, and the last has totals.
func chunk(_ *run, args []any) (any, error) {
	items, err := listArg("chunk", args, 0)
	if err != nil {
		return nil, err
	}
	size, first, last, err := rooms(args)
	if err != nil {
		return nil, err
	}
	keep := 0
	if last < size {
		keep = min(fewest, last)
	}
	out := []any{}
	for room := first; len(items) > 0; room = size {
		n := len(items)
		if n > room-(size-last) { // so this is not the last list
			n = max(1, min(room, n-keep))
		}
		out = append(out, items[:n:n])
		items = items[n:]
	}
	return out, nil
}

// rooms are how many items the lists of chunk hold.
func rooms(args []any) (size, first, last int, err error) {
	if size, err = countArg(args, 1, 0, maxList, "the size of chunk"); err != nil {
		return
	}
	if size == 0 {
		err = fail("the size of chunk is 0, so that no list could hold an item").Expecting("a number from 1")
		return
	}
	if first, err = countArg(args, 2, size, size, "the first of chunk"); err != nil {
		return
	}
	if last, err = countArg(args, 3, size, size, "the last of chunk"); err == nil && first+last <= size {
		err = fail("chunk leaves no room in a list that is the first and the last: %d and %d of %d", first, last, size).
			WithHint("first and last together are more than size")
	}
	return
}
