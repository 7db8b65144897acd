package template

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// cssMode says what a piece of CSS is.
type cssMode int

const (
	sheet        cssMode = iota // the text of <style>
	declarations                // the value of style=""
	oneValue                    // the value of an SVG presentation attribute
)

// hole stands for an expression in CSS that is being read. No file contains it.
const hole = '\x00'

// A cssText is CSS with its expressions replaced by holes.
type cssText struct {
	text  string
	at    []int // the byte offset in the file of each byte
	marks []markup.Mark
}

// A cssReader finds the places of expressions and addresses in CSS and writes it
// to the document. It follows the tokens of CSS; it need not understand rules.
type cssReader struct {
	r     *reader
	in    cssText
	mode  cssMode
	i     int
	depth int // of blocks
	paren int
	own   []bool // of each block: what stands in it is no style of elements
	stmt  int    // where the statement began that i is in
	ends  int    // the next { } or ; where one was looked for
	out   strings.Builder
}

var (
	beginsValue = regexp.MustCompile(`^\s*[-_a-zA-Z0-9]+\s*:`)
	important   = regexp.MustCompile(`(?i)!\s*important`)
	cssComments = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

func (c *cssReader) report(i int, p *problem.Error) {
	at := 0
	if len(c.in.at) > 0 {
		at = c.in.at[min(i, len(c.in.at)-1)]
	}
	c.r.report(at, p)
}

func (c *cssReader) unsafe(i int, format string, args ...any) {
	c.report(i, problem.New(problem.Invalid, "safety: "+format, args...).WithSlug(Unsafe))
}

func (c *cssReader) read() {
	for c.i < len(c.in.text) {
		c.token()
	}
	c.flush()
}

func (c *cssReader) flush() {
	text := c.out.String()
	c.out.Reset()
	if c.mode != sheet {
		text = escapeHTML(text)
	}
	c.r.emit(text)
}

// mark takes the next expression.
func (c *cssReader) mark() markup.Mark {
	m := c.in.marks[0]
	c.in.marks = c.in.marks[1:]
	return m
}

func (c *cssReader) token() {
	text, rest := c.in.text, c.in.text[c.i:]
	switch ch := rest[0]; {
	case strings.HasPrefix(rest, "/*"):
		c.comment()
	case ch == '"' || ch == '\'':
		c.quoted(ch)
	case ch == hole:
		c.value()
	case ch == '@':
		c.atRule()
	case startsName(rest):
		c.name()
	case ch == '#' && c.mode == sheet && c.selectsRepeated():
	default:
		c.structure(ch)
		c.out.WriteByte(text[c.i])
		c.i++
	}
}

// selectsRepeated writes #id in a selector so that it finds the elements that a
// loop makes of one, whose ids are id--0, id--1 and so on. The weight stays that
// of an id.
func (c *cssReader) selectsRepeated() bool {
	n, name := readName(c.in.text[c.i+1:])
	if n == 0 || !c.r.repeated[name] || !c.inSelector() {
		return false
	}
	raw := c.in.text[c.i : c.i+1+n]
	c.out.WriteString(":is(" + raw + `,[id^="` + cssEscape(name, cssStringSafe) + `--"])`)
	c.i += 1 + n
	return true
}

// inSelector reports whether the text from i on, inside which no string or
// comment has begun, comes to a { before its statement ends. The place of what
// ends it is kept: a long list of selectors would be searched for each of them.
func (c *cssReader) inSelector() bool {
	if c.i >= c.ends {
		c.ends = len(c.in.text)
		if n := strings.IndexAny(c.in.text[c.i:], "{};"); n >= 0 {
			c.ends = c.i + n
		}
	}
	return c.ends < len(c.in.text) && c.in.text[c.ends] == '{'
}

func (c *cssReader) structure(ch byte) {
	switch ch {
	case '(':
		c.paren++
	case ')':
		c.paren = max(c.paren-1, 0)
	case '{':
		c.open()
	case '}':
		if c.depth == 0 && c.mode != sheet {
			c.unsafe(c.i, "a } without a { in a style attribute")
		}
		c.insist()
		c.close()
	case ';':
		if c.paren == 0 {
			c.insist()
			c.stmt = c.i + 1
		}
	}
}

// openRule are the at-rules that hold ordinary rules.
var openRule = regexp.MustCompile(`(?i)^@(?:media|supports|container|layer|scope|starting-style)\b`)

func (c *cssReader) open() {
	prelude := strings.TrimSpace(cssComments.ReplaceAllString(c.in.text[c.stmt:c.i], ""))
	own := strings.HasPrefix(prelude, "@") && !openRule.MatchString(prelude)
	if n := len(c.own); n > 0 {
		own = own || c.own[n-1]
	}
	c.own = append(c.own, own)
	c.depth, c.paren, c.stmt = c.depth+1, 0, c.i+1
}

func (c *cssReader) close() {
	if n := len(c.own); n > 0 {
		c.own = c.own[:n-1]
	}
	c.depth, c.paren, c.stmt = max(c.depth-1, 0), 0, c.i+1
}

// insist makes a declaration of a size win over the style attribute of its layer,
// which is where layers have their places.
func (c *cssReader) insist() {
	if c.mode != sheet || c.r.size == "" || len(c.own) == 0 || c.own[len(c.own)-1] {
		return
	}
	statement := cssComments.ReplaceAllString(c.in.text[c.stmt:c.i], "")
	if !beginsValue.MatchString(statement) || important.MatchString(statement) {
		return
	}
	if !isSpace(statement[len(statement)-1]) {
		c.out.WriteByte(' ')
	}
	c.out.WriteString("!important")
}

// comment leaves an empty one, which still parts two words.
func (c *cssReader) comment() {
	end := strings.Index(c.in.text[c.i+2:], "*/")
	stop := len(c.in.text)
	if end >= 0 {
		stop = c.i + 2 + end + 2
	}
	for range strings.Count(c.in.text[c.i:stop], string(hole)) {
		c.r.ignore(c.mark())
	}
	c.out.WriteString("/**/")
	c.i = stop
}

func (c *cssReader) quoted(quote byte) {
	start := c.i
	c.out.WriteByte(quote)
	for c.i++; c.i < len(c.in.text); c.i++ {
		switch ch := c.in.text[c.i]; ch {
		case quote:
			c.out.WriteByte(quote)
			c.i++
			return
		case '\n', '\f', '\r':
			c.report(start, problem.New(problem.Invalid, "the text in quotes does not end on its line"))
			return
		case hole:
			c.slot(inCSSString)
		case '\\':
			c.out.WriteByte(ch)
			if c.i++; c.i < len(c.in.text) && c.in.text[c.i] != hole {
				c.out.WriteByte(c.in.text[c.i])
			} else {
				c.i--
			}
		default:
			c.out.WriteByte(ch)
		}
	}
	c.report(start, problem.New(problem.Invalid, "the text in quotes does not end"))
}

// slot puts the expression at i into the document; the caller moves on.
func (c *cssReader) slot(p place) {
	m := c.mark()
	if c.i > 0 && c.in.text[c.i-1] == '\\' {
		c.unsafe(c.i, "an expression behind a backslash")
	}
	if c.i+1 < len(c.in.text) && c.in.text[c.i+1] == '(' {
		c.unsafe(c.i, "an expression cannot name a CSS function")
	}
	if c.mode == sheet && opensEndTag([]byte(c.in.text[max(0, c.i-endTagTail):c.i])) {
		c.unsafe(c.i, "an expression behind %q could end the element", "<")
	}
	c.flush()
	c.r.value(p, m, c.mode != sheet)
}

func (c *cssReader) value() {
	defer func() { c.i++ }()
	inBlock := c.mode == declarations || c.depth > 0
	statement := cssComments.ReplaceAllString(c.in.text[c.stmt:c.i], "")
	if c.mode != oneValue && !(inBlock && beginsValue.MatchString(statement)) {
		c.r.ignore(c.mark())
		c.unsafe(c.i, "in CSS an expression can only stand in the value of a property")
		return
	}
	c.slot(inCSS)
}

// atRule refuses the rules that load what is not in the template.
func (c *cssReader) atRule() {
	_, name := readName(c.in.text[c.i+1:])
	switch strings.ToLower(name) {
	case "import", "namespace":
		c.unsafe(c.i, "@%s in CSS", strings.ToLower(name))
	}
	c.out.WriteByte('@')
	c.i++
}

// name is a word, or a function with its arguments before it.
func (c *cssReader) name() {
	n, name := readName(c.in.text[c.i:])
	start := c.i
	c.i += n
	if c.i >= len(c.in.text) || c.in.text[c.i] != '(' {
		c.out.WriteString(c.in.text[start:c.i])
		return
	}
	switch strings.ToLower(name) {
	case "url":
		c.i++
		c.url(start)
	case "image-set", "-webkit-image-set", "src", "image", "expression":
		c.unsafe(start, "%s() in CSS", strings.ToLower(name))
		c.out.WriteString(c.in.text[start:c.i])
	default:
		c.out.WriteString(c.in.text[start:c.i])
	}
}

// url reads url(…) from behind its parenthesis. However it was quoted, it is
// written without quotes: a resolved address has nothing that would need them.
func (c *cssReader) url(start int) {
	for c.i < len(c.in.text) && isSpace(c.in.text[c.i]) {
		c.i++
	}
	var quote byte
	if c.i < len(c.in.text) && (c.in.text[c.i] == '"' || c.in.text[c.i] == '\'') {
		quote = c.in.text[c.i]
		c.i++
	}
	parts, ok := c.urlParts(quote)
	for c.i < len(c.in.text) && isSpace(c.in.text[c.i]) {
		c.i++
	}
	if !ok || c.i >= len(c.in.text) || c.in.text[c.i] != ')' {
		c.report(start, problem.New(problem.Invalid, "url( is not closed"))
		c.i = len(c.in.text)
		return
	}
	c.i++
	c.out.WriteString("url(")
	c.flush()
	at := start
	if len(c.in.at) > 0 {
		at = c.in.at[start]
	}
	c.r.address(inCSSURL, parts, at, c.mode != sheet)
	c.out.WriteString(")")
}

// urlParts reads up to the closing quote, or to the parenthesis where there is none.
func (c *cssReader) urlParts(quote byte) (parts []rawPart, ok bool) {
	var b strings.Builder
	add := func() {
		if b.Len() > 0 {
			parts = append(parts, rawPart{text: b.String()})
			b.Reset()
		}
	}
	for ; c.i < len(c.in.text); c.i++ {
		switch ch := c.in.text[c.i]; {
		case ch == quote && quote != 0:
			c.i++
			add()
			return parts, true
		case quote == 0 && (ch == ')' || isSpace(ch)):
			add()
			return parts, true
		case ch == '\n':
			return nil, false
		case ch == hole:
			add()
			m := c.mark()
			parts = append(parts, rawPart{mark: &m})
		case ch == '\\':
			n, r := readEscape(c.in.text[c.i:])
			b.WriteRune(r)
			c.i += n - 1
		default:
			b.WriteByte(ch)
		}
	}
	return nil, false
}

func startsName(s string) bool {
	c := s[0]
	return c == '\\' && len(s) > 1 && s[1] != '\n' && s[1] != hole || c >= 0x80 || c == '-' || c == '_' ||
		c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// readName reads a CSS identifier, of which escapes may be any part, and says
// how many bytes it has and what it means.
func readName(s string) (n int, name string) {
	var b strings.Builder
	for n < len(s) {
		if c := s[n]; !startsName(s[n:]) && (c < '0' || c > '9') {
			break
		}
		if s[n] == '\\' {
			size, r := readEscape(s[n:])
			b.WriteRune(r)
			n += size
			continue
		}
		b.WriteByte(s[n])
		n++
	}
	return n, b.String()
}

var hexEscape = regexp.MustCompile(`^\\([0-9a-fA-F]{1,6})(?:\r\n|[ \t\r\n\f])?`)

func readEscape(s string) (n int, r rune) {
	if m := hexEscape.FindStringSubmatch(s); m != nil {
		v, _ := strconv.ParseInt(m[1], 16, 32)
		return len(m[0]), rune(v)
	}
	if len(s) < 2 {
		return len(s), utf8.RuneError
	}
	r, size := utf8.DecodeRuneInString(s[1:])
	return 1 + size, r
}

var endTagStart = regexp.MustCompile(`<\x00*(/[a-zA-Z\x00]*)?$`)

// endTagTail is how much text may matter before an expression: no name of an
// element with such text is as long.
const endTagTail = 64

// opensEndTag reports whether text ends so that an empty value could complete an
// end tag with what follows.
func opensEndTag(text []byte) bool {
	return endTagStart.Match(text[max(0, len(text)-endTagTail):])
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }
