package markup

import "strings"

// A nameSet has names of elements, one a bit: the way up from each tag is asked
// about every element that is open.
type nameSet uint64

// nameBits are the names that sets know.
var nameBits = map[string]nameSet{}

// setOf is the set of the names in list. It knows 64 in all.
func setOf(list string) (set nameSet) {
	for name := range strings.FieldsSeq(list) {
		bit, known := nameBits[name]
		if !known {
			bit = 1 << len(nameBits)
			nameBits[name] = bit
		}
		set |= bit
	}
	return set
}

// walls are the elements across which no end tag of anything smaller reaches.
var walls = setOf("html body table td th tr tbody thead tfoot caption template button select svg math foreignobject section")

// closedBy says which open elements a start tag ends without an end tag of
// their own, as the HTML standard's tree construction has it, and at which
// elements the search for them stops.
var closedBy = func() map[string]implied {
	all := map[string]implied{
		"li": {setOf("li"), setOf("ul ol menu table template body")}, "dt": {setOf("dt dd"), setOf("dl table template body")}, "dd": {setOf("dt dd"), setOf("dl table template body")},
		"option": {setOf("option"), setOf("select datalist optgroup body")}, "optgroup": {setOf("option optgroup"), setOf("select body")},
		"tr": {setOf("tr td th colgroup caption"), setOf("table template tbody thead tfoot body")},
		"td": {setOf("td th"), setOf("tr table template body")}, "th": {setOf("td th"), setOf("tr table template body")},
		"body": {setOf("head"), setOf("html")},
	}
	section := implied{setOf("tr td th tbody thead tfoot colgroup caption"), setOf("table template body")}
	for _, name := range []string{"tbody", "thead", "tfoot"} {
		all[name] = section
	}
	paragraph := implied{setOf("p"), setOf("button table td th caption template body svg math foreignobject section")}
	for name := range strings.FieldsSeq(`address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form
		h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search section table ul`) {
		all[name] = paragraph
	}
	return all
}()

// inHead are the elements that may stand in <head>; any other ends it.
var inHead = words("base basefont bgsound link meta title noscript noframes style script template head")

type implied struct{ ends, stopAt nameSet }

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
	for n := b.top; n.Kind != Root && rule.stopAt&n.bit == 0; n = n.Parent {
		if rule.ends&n.bit != 0 {
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
