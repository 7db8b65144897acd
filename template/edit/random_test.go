package edit

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// A gen writes documents as people write them: any white space, quotes and
// order, comments in odd places, styles that no printer would make.
type gen struct {
	*rapid.T
	ids int
}

func (g *gen) pick(list ...string) string { return rapid.SampledFrom(list).Draw(g.T, "pick") }

func (g *gen) n(most int) int { return rapid.IntRange(0, most).Draw(g.T, "n") }

func (g *gen) space() string { return g.pick("", "\n", "\n  ", " ", "\n\n    ", "\r\n\t") }

func (g *gen) document() string {
	var b strings.Builder
	b.WriteString(g.pick("<!doctype html>\n<html>\n", "<!DOCTYPE html><html lang=en>", ""))
	b.WriteString("<head>" + g.space() + g.manifest() + g.space())
	if g.n(3) > 0 {
		b.WriteString(`<style id="p-tokens">` + g.tokens() + "</style>" + g.space())
	}
	if g.n(2) > 0 {
		b.WriteString("<style>" + g.pick("", "#n1 { color: red }", "\n#n1,#n2>b{left:1px;}\n@media print { #n3 { top: 0 } }", "/* #n1 { */ #n2{}") + "</style>\n")
	}
	if g.n(2) > 0 {
		b.WriteString(`<style id=p-size-story>` + g.pick("", "\n", "\n  #n1 { left: 1px; }\n", "#n1{left:1px}#n2{top:2px;font-size:3px}", "\n #n1, #n2 { left: 0 }\n #n3 { left : 4px ; }") + "</style>" + g.space())
	}
	b.WriteString("</head>" + g.space() + g.pick("<body>", "<body class=x>"))
	for range 1 + g.n(2) {
		b.WriteString(g.space() + g.holder("section", "p-page", 0))
	}
	b.WriteString(g.space() + "</body>" + g.pick("", "\n</html>\n", "\n"))
	return b.String()
}

func (g *gen) manifest() string {
	return `<script type=application/json id=p-template>` + g.pick(
		"\n{\n  \"name\": \"x\",\n  \"sizes\": {\n    \"default\": { \"w\": 10, \"h\": 10 },\n    \"story\": { \"w\": 5, \"h\": 9 }\n  },\n  \"vars\": {\n    \"a\": { \"type\": \"text\" }\n  }\n}\n",
		`{"sizes":{"default":{"w":1,"h":1},"story" : {"width":2, "h":3,"label":"é\u003c"}}, "vars":{}}`,
		`{ "vars" : { "a":{"type":"text","example":"\u0041 <b>"} ,"b": {} } }`, `{}`) + "</script>"
}

func (g *gen) tokens() string {
	return g.pick("", "\n", ":root{--a:1px}", "\n  :root { --a: red; --b: blue; }\n", "\n  :root {\n    --a: red;\n    --b: {{ c }};\n  }\n  :root[data-theme=\"dark\"] {\n    --a: #111;\n  }\n",
		"/* x */ :root { /* a */ --a : red ;--a:blue } :root[data-theme='dark']{}", "@import 'x';")
}

func (g *gen) tag(name, class string) string {
	attrs := []string{}
	if g.n(5) > 0 {
		g.ids++
		attrs = append(attrs, fmt.Sprintf(g.pick(`id="n%d"`, `id='n%d'`, `id=n%d`), g.ids))
	}
	if class != "" {
		attrs = append(attrs, g.pick(`class="`+class+`"`, `class='x `+class+`'`))
	}
	for range g.n(2) {
		attrs = append(attrs, g.pick(`p-role=body`, `p-name='A "B"'`, `title="{{ a > "b" ? '<' : 'x' }}"`, `data-x`, `style="left: 1px; top: 2px"`,
			`style='left:1px;;color:red;'`, `STYLE="font:&quot;A&quot;;left:{{ a }}px"`, `alt="R&amp;D"`, `p-if='a == "x"'`, `style=" "`))
	}
	if g.n(12) == 0 {
		attrs = append(attrs, g.pick("p-lock", `p-lock=""`))
	}
	out := "<" + name
	for _, a := range attrs {
		out += g.pick(" ", "\n    ", "  ") + a
	}
	return out + g.pick("", " ") + ">"
}

func (g *gen) holder(name, class string, depth int) string {
	var b strings.Builder
	b.WriteString(g.tag(name, class))
	for range g.n(4) {
		b.WriteString(g.space() + g.child(depth+1))
	}
	return b.String() + g.space() + "</" + g.pick(name, strings.ToUpper(name)) + ">"
}

func (g *gen) child(depth int) string {
	switch kind := g.n(9); {
	case kind == 0 && depth < 4:
		return g.holder("div", "p-group", depth)
	case kind == 1 && depth < 4:
		return g.holder("ul", "p-stack", depth)
	case kind == 2:
		return "<!-- " + g.pick("", "<p>", "{{ x }}") + " -->"
	case kind == 3:
		return g.tag("img", "")
	case kind == 4:
		return g.tag("div", "") + "a <b>" + g.pick("b", "{{ c }}") + "</b> " + g.tag("i", "") + "x</i></div>"
	case kind == 5:
		return g.pick("loose text", "{{ a }}")
	case kind == 6:
		return g.tag("svg", "") + `<path d="M0 0"/></svg>`
	}
	name := g.pick("p", "div", "h1")
	return g.tag(name, "") + g.pick("", "text", " {{ a }} ", "R&amp;D &lt; x", "a\n  b", `{{ "</p>" }}`) + "</" + name + g.pick(">", " >")
}

func (g *gen) id() string { return fmt.Sprintf("n%d", 1+g.n(g.ids+1)) }

func (g *gen) index() *int {
	if g.n(2) == 0 {
		return nil
	}
	return number(g.n(4))
}

func (g *gen) value(list ...string) *string {
	if g.n(3) == 0 {
		return nil
	}
	return text(g.pick(list...))
}

// op is any operation; most can be done.
func (g *gen) op() Op {
	id, fresh := g.id(), g.pick("new", "other", "n1")
	theme := g.pick("", "", "dark", "sepia")
	node := &Node{Tag: g.pick("div", "img", "p"), ID: fresh, Attrs: map[string]string{"p-role": "body"}, Style: map[string]string{"left": "1px"}}
	property := g.pick("left", "font", "font-size", "top", "width")
	switch op := g.pick(kindNames()...); op {
	case "set_text":
		if g.n(3) == 0 {
			return Op{Op: op, ID: id, HTML: text(g.pick("x <b>y</b>", "", "<p>", "&amp; {{ a }}"))}
		}
		return Op{Op: op, ID: id, Text: text(g.pick("", "R&D", "a < b", "{{ a && b }}", "&lt;", "a\n", "{{"))}
	case "set_style":
		return Op{Op: op, ID: id, Property: property, Value: g.value("1px", "{{ a }}px", `700 1px "A B"`, "var(--a)")}
	case "set_attr":
		return Op{Op: op, ID: id, Name: g.pick("alt", "p-role", "p-lock", "title", "p-name"), Value: g.value("", "x", `"`, "'", `"'&amp;`, "{{ a ? \"b\" : 'c' }}")}
	case "set_binding":
		return Op{Op: op, ID: id, Target: g.pick("text", "if", "for", "style:color", "attr:alt", "class:x", "src"), Expr: g.value("a", `a == "b"`, "f in list", "{{ a }}", "a && b")}
	case "set_id":
		return Op{Op: op, ID: id, To: fresh}
	case "ensure_id":
		return Op{Op: op, Path: fmt.Sprintf("/0/1/0/%d", g.n(3)), ID: fresh}
	case "add_node":
		return Op{Op: op, Parent: id, Index: g.index(), Node: node}
	case "move_node":
		return Op{Op: op, ID: id, Parent: g.pick("", g.id()), Index: g.index()}
	case "duplicate_node":
		if g.n(1) == 0 {
			return Op{Op: op, ID: id, ToID: fresh, Parent: g.id(), Index: g.index()}
		}
		return Op{Op: op, ID: id, ToID: fresh}
	case "duplicate_page":
		return Op{Op: op, ID: id, ToID: fresh}
	case "paste":
		return Op{Op: op, Parent: id, Index: g.index(), HTML: text(g.pick(`<p id="n1">a</p>`, `<div id="n2" class="p-group" p-lock><i id="n3">x</i></div> <p>y</p>`, `<b id=z>{{ a }}</b>`)),
			Overrides: map[string]map[string]map[string]string{"story": {g.pick("n1", "n2"): {"left": "3px"}}}}
	case "set_box":
		left, width := float64(g.n(900))/7, float64(g.n(500))
		return Op{Op: op, ID: id, Size: g.pick("", "story"), Box: map[string]*float64{"left": &left, g.pick("width", "height", "rotate"): &width, "top": nil}}
	case "set_hidden":
		hidden := g.n(1) == 0
		return Op{Op: op, ID: id, Size: g.pick("", "", "story"), Hidden: &hidden}
	case "patch_source":
		return Op{Op: op, Old: g.pick("<body", "</section>", "n1", "</style>", "left: 1px"), New: g.pick("", "x", "<b>", "<body class=y", "</style>\n")}
	case "remove_override":
		return Op{Op: op, ID: id, Size: "story"}
	case "wrap_stack":
		return Op{Op: op, ID: fresh, IDs: []string{id, g.id()}[:1+g.n(1)], Direction: g.pick("row", "column", "grid"), Value: g.value("8px")}
	case "group":
		return Op{Op: op, ID: fresh, IDs: []string{id, g.id()}[:1+g.n(1)]}
	case "set_token":
		return Op{Op: op, Name: g.pick("a", "b", "c"), Theme: theme, Value: g.value("red", "{{ x }}", "rgb(1, 2, 3)")}
	case "add_theme", "remove_theme":
		return Op{Op: op, Name: g.pick("dark", "sepia")}
	case "set_var":
		return Op{Op: op, Name: g.pick("a", "b", "c"), Var: []byte(g.pick("", `{"type":"text"}`, `{"type":"array","example":["<", "é"]}`))}
	case "rename_var":
		return Op{Op: op, Name: g.pick("a", "b"), To: g.pick("b", "fresh", "x y")}
	case "add_size":
		return Op{Op: op, Name: g.pick("story", "wide"), Width: 10, Height: 20, From: g.pick("", "story")}
	case "set_size":
		return Op{Op: op, Name: g.pick("story", "default"), Width: g.n(50), Label: g.value("", "x")}
	case "remove_size":
		return Op{Op: op, Name: g.pick("story", "wide")}
	case "set_size_override":
		return Op{Op: op, Size: "story", ID: id, Property: property, Value: g.value("1px", "{{ a }}")}
	case "add_page":
		return Op{Op: op, ID: fresh, After: g.pick("", id)}
	case "move_page":
		return Op{Op: op, ID: id, Index: number(g.n(2))}
	default:
		return Op{Op: op, ID: id}
	}
}
