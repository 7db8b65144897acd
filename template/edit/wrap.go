package edit

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// phrasing are the elements in which no block may stand, and inline those that
// stand in text.
var (
	phrasing = fields("p h1 h2 h3 h4 h5 h6 span a b i em strong small u s sub sup mark q time label button pre")
	inline   = fields("a b i em strong small u s sub sup mark q time span br img code svg wbr")
)

// wrapped puts what stands between the outer white space into an element that
// has no box of its own.
func (b *blockReader) wrapped(pieces []piece) []piece {
	from, to := 0, len(pieces)
	for from < to && blankPiece(pieces[from]) {
		from++
	}
	for to > from && blankPiece(pieces[to-1]) {
		to--
	}
	name := "div"
	if slices.Contains(phrasing, b.parent.Name) || !b.parent.Holder() && !slices.ContainsFunc(pieces[from:to], func(p piece) bool {
		return p.element() && !slices.Contains(inline, p.node.Name)
	}) {
		name = "span"
	}
	wrap := &markup.Node{Kind: markup.Element, Name: name, Raw: "<" + name + ` style="display: contents">`, End: "</" + name + ">"}
	for _, p := range pieces[from:to] {
		wrap.Insert(len(wrap.Children), p.nodes()...)
	}
	return slices.Concat(pieces[:from], []piece{{node: wrap}}, pieces[to:])
}

func blankPiece(p piece) bool { return p.block == "" && p.node.Blank() }

var (
	asNames = regexp.MustCompile(`^(.*\S)\s+as\s+\|?\s*([A-Za-z_]\w*)(?:\s*,?\s+|\s*,\s*)?([A-Za-z_]\w*)?\s*\|?$`)
	inList  = regexp.MustCompile(`^([A-Za-z_]\w*)(?:\s*,\s*([A-Za-z_]\w*))?\s+in\s+(\S.*)$`)
)

// loop makes a p-for of a block; what follows an else is shown for an empty
// list. nil if the block is none.
func (b *blockReader) loop(k *block) []piece {
	if len(k.branches) > 2 || len(k.branches) == 2 && k.branches[1].condition != "" {
		return nil
	}
	list, item, index := k.argument, "", ""
	if m := asNames.FindStringSubmatch(k.argument); m != nil {
		list, item, index = m[1], m[2], m[3]
	} else if m := inList.FindStringSubmatch(k.argument); m != nil {
		item, index, list = m[1], m[2], m[3]
	}
	body := k.branches[0].pieces
	units := b.units(body)
	if len(units) > 1 || len(units) == 1 && units[0] != nil && decided(units[0]) { // only one element can be repeated
		units = []*markup.Node{nil}
	}
	if len(units) == 0 {
		return nil
	}
	if units[0] == nil {
		body = b.wrapped(body)
	}
	target := onlyElement(body)
	if item == "" {
		item = freeName(target, "item")
	}
	if index == "" && usesIndex(target) {
		index = freeName(target, "index")
	}
	rewriteThis(target, item, index)
	value := item + " in " + list
	if index != "" {
		value = item + ", " + index + " in " + list
	}
	target.Set("p-for", value)
	b.im.say(k.marks[0].at, "%s is p-for on %s", k.marks[0].raw, described(target))
	if len(k.branches) == 2 {
		body = append(body, b.direct(k.branches[1].pieces, k.marks[1], "p-empty", "")...)
	}
	return body
}

func onlyElement(pieces []piece) *markup.Node {
	for _, p := range pieces {
		if p.element() {
			return p.node
		}
	}
	return nil
}

// freeName is a name for the item of a loop that no loop inside has.
func freeName(n *markup.Node, name string) string {
	taken := regexp.MustCompile(`\b` + name + `\b`)
	clash := false
	n.All(func(m *markup.Node) bool {
		if v, ok := m.Get("p-for"); ok && taken.MatchString(v) {
			clash = true
		}
		return !clash
	})
	if clash {
		return "outer" + strings.ToUpper(name[:1]) + name[1:]
	}
	return name
}

func usesIndex(n *markup.Node) bool {
	return strings.Contains(n.Print(), "@") && indexWord.MatchString(n.Print())
}

var (
	indexWord = regexp.MustCompile(`@(?:index|first)\b`)
	thisWord  = regexp.MustCompile(`(^|[^\w.$@"'])(?:this\b|\.(?:\s*$))`)
	upWord    = regexp.MustCompile(`\.\./`)
	directive = regexp.MustCompile(`^p-`)
)

// rewriteThis gives what blocks call this, @index and @first their names.
func rewriteThis(n *markup.Node, item, index string) {
	rename := func(src string) string {
		return outsideQuotes(src, func(s string) string {
			s = thisWord.ReplaceAllString(s, "${1}"+item)
			s = strings.ReplaceAll(strings.ReplaceAll(s, "@index", index), "@first", "("+index+" == 0)")
			return upWord.ReplaceAllString(s, "")
		})
	}
	n.All(func(m *markup.Node) bool {
		switch m.Kind {
		case markup.Text:
			m.Raw = inMarks(m.Raw, rename)
		case markup.Element:
			m.Raw = inMarks(m.Raw, rename)
			for _, a := range m.Tag().Attrs {
				if value, _ := m.Get(a.Name); directive.MatchString(a.Name) && !strings.Contains(value, "{{") && rename(value) != value {
					m.Set(a.Name, rename(value))
				}
			}
		}
		return true
	})
}

// inMarks maps the expressions of a text.
func inMarks(raw string, change func(string) string) string {
	marks, _ := markup.Marks([]byte(raw))
	var b strings.Builder
	from := 0
	for _, m := range marks {
		b.WriteString(raw[from:m.Text] + change(m.Src))
		from = m.Text + len(m.Src)
	}
	return b.String() + raw[from:]
}

// outsideQuotes maps what stands outside the quotes of an expression.
func outsideQuotes(s string, change func(string) string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		quote := s[i]
		if quote != '"' && quote != '\'' && quote != '`' {
			continue
		}
		b.WriteString(change(s[from:i]))
		end := i + 1
		for end < len(s) && s[end] != quote {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		from = min(end+1, len(s))
		b.WriteString(s[i:from])
		i = from - 1
	}
	return b.String() + change(s[from:])
}
