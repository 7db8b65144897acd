package markup

import "strings"

// walls are the elements across which no end tag of anything smaller reaches.
var walls = words("html body table td th tr tbody thead tfoot caption template button select svg math foreignobject section")

// closedBy says which open elements a start tag ends without an end tag of
// their own, as the HTML standard's tree construction has it, and at which
// elements the search for them stops.
var closedBy = func() map[string]implied {
	all := map[string]implied{
		"li": {words("li"), words("ul ol menu table template body")}, "dt": {words("dt dd"), words("dl table template body")}, "dd": {words("dt dd"), words("dl table template body")},
		"option": {words("option"), words("select datalist optgroup body")}, "optgroup": {words("option optgroup"), words("select body")},
		"tr": {words("tr td th colgroup caption"), words("table template tbody thead tfoot body")},
		"td": {words("td th"), words("tr table template body")}, "th": {words("td th"), words("tr table template body")},
		"body": {words("head"), words("html")},
	}
	section := implied{words("tr td th tbody thead tfoot colgroup caption"), words("table template body")}
	for _, name := range []string{"tbody", "thead", "tfoot"} {
		all[name] = section
	}
	paragraph := implied{words("p"), words("button table td th caption template body svg math foreignobject section")}
	for name := range words(`address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form
		h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search section table ul`) {
		all[name] = paragraph
	}
	return all
}()

// inHead are the elements that may stand in <head>; any other ends it.
var inHead = words("base basefont bgsound link meta title noscript noframes style script template head")

type implied struct{ ends, stopAt map[string]bool }

// imply ends the elements that a start tag of the name ends.
func (b *builder) imply(name string, at int) {
	if b.top.Name == "head" && !inHead[name] {
		b.pop(at)
	}
	rule, ok := closedBy[name]
	if !ok {
		return
	}
	var last *Node
	for n := b.top; n.Kind != Root && !rule.stopAt[n.Name]; n = n.Parent {
		if rule.ends[n.Name] {
			last = n
		}
	}
	for last != nil && b.top != last.Parent {
		b.pop(at)
	}
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}
