package expr

// people are the values of the loops' examples.
const people = `{"people": [{"name": "Ada", "age": 36, "city": "London"}, {"name": "Bob", "age": 9, "city": "Paris"}, {"name": "Cy", "age": 41, "city": "London"}]}`

// loopFunctions are the engine's loops. In what they do with each item, # is the
// item and .name its field. The rewriter makes them, so they have no body here.
var loopFunctions = []function{
	{sig: "filter(list: list, condition: expression): list", summary: "the items for which the condition holds; # is the item, .name its field",
		examples: []Example{with(people, `filter(people, .age > 18) | map(.name)`, "Ada, Cy"), ex(`filter([1, 2, 3], # > 1)`, "2, 3")}},
	{sig: "map(list: list, result: expression): list", summary: "what comes of each item",
		examples: []Example{with(people, `map(people, upper(.name)) | join(" ")`, "ADA BOB CY"), ex(`map(1..3, # * 2)`, "2, 4, 6")}},
	{sig: "sum(list: list, number?: expression): number", summary: "all numbers of a list added", call: sum,
		examples: []Example{ex(`sum([1, "2", 0.5])`, "3.5"), with(people, `sum(people, .age)`, "86")}},
	{sig: "count(list: list, condition?: expression): number", summary: "how many items there are, or for how many the condition holds",
		examples: []Example{with(people, `count(people, .city == "London")`, "2")}},
	{sig: "sortBy(list: list, key: expression, order?: text): list", summary: `the items in order of a key; order is "asc" or "desc"`,
		examples: []Example{with(people, `sortBy(people, .age, "desc") | map(.name)`, "Cy, Ada, Bob")}},
	{sig: "groupBy(list: list, key: expression): list", summary: "the items that have the same key together, as a list of {key, items}", call: group,
		examples: []Example{with(people, `groupBy(people, .city) | map(.key + ": " + join(map(.items, .name)))`, "London: Ada, Cy, Paris: Bob")}},
	{sig: "reduce(list: list, next: expression, start?: any): any", summary: "one value made of all items; #acc is what there is so far",
		examples: []Example{ex(`reduce([1, 2, 3], #acc + #, 10)`, "16")}},
	{sig: "all(list: list, condition: expression): boolean", summary: "whether the condition holds for every item",
		examples: []Example{ex(`all([2, 4], # > 1)`, "true")}},
	{sig: "any(list: list, condition: expression): boolean", summary: "whether the condition holds for some item",
		examples: []Example{ex(`any([2, 4], # > 3)`, "true")}},
	{sig: "none(list: list, condition: expression): boolean", summary: "whether the condition holds for no item",
		examples: []Example{ex(`none([2, 4], # > 3)`, "false")}},
	{sig: "one(list: list, condition: expression): boolean", summary: "whether the condition holds for exactly one item",
		examples: []Example{ex(`one([2, 4], # > 3)`, "true")}},
	{sig: "find(list: list, condition: expression): any", summary: "the first item for which the condition holds",
		examples: []Example{with(people, `find(people, .age < 18).name`, "Bob")}},
	{sig: "findLast(list: list, condition: expression): any", summary: "the last item for which the condition holds",
		examples: []Example{with(people, `findLast(people, .age > 18).name`, "Cy")}},
	{sig: "findIndex(list: list, condition: expression): number", summary: "the position of the first item for which the condition holds",
		examples: []Example{ex(`findIndex([5, 6], # > 5)`, "1")}},
	{sig: "findLastIndex(list: list, condition: expression): number", summary: "the position of the last item for which the condition holds",
		examples: []Example{ex(`findLastIndex([5, 6], # > 4)`, "1")}},
}

// group is groupBy over a list and the keys of its items.
func group(_ *run, args []any) (any, error) {
	items, err := listArg("groupBy", args, 0)
	if err != nil {
		return nil, err
	}
	all, err := listArg("groupBy", args, 1)
	if err != nil {
		return nil, err
	}
	out, places := []any{}, map[string]map[string]any{}
	for i, item := range items {
		name := Text(all[i])
		g, ok := places[name]
		if !ok {
			g = map[string]any{"key": all[i], "items": []any{}}
			places[name] = g
			out = append(out, g)
		}
		members, _ := g["items"].([]any)
		g["items"] = append(members, item)
	}
	return out, nil
}
