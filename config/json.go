package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// ParseJSON reads a JSON document that came over the API as a section of a
// configuration. Its keys are those of YAML in camelCase, and so are the paths
// of its problems. Nothing of this machine is reached: ${NAME} is a text like
// another, and there are no ..._file keys. Texts and numbers are told apart by
// their quotes. The error is a problem.List.
func ParseJSON(src []byte, o Options) (Node, error) {
	return parseJSON(src, &document{options: Options{SecretFunc: o.SecretFunc}, camel: true})
}

// ParseKept reads what Node.JSON made of a section of a file. Its keys are those of
// the file; the variables are put in already, and stay as they were then.
func ParseKept(src []byte, o Options) (Node, error) {
	return parseJSON(src, &document{options: Options{Dir: o.Dir, ReadFile: o.ReadFile}})
}

func parseJSON(src []byte, doc *document) (Node, error) {
	p := &jsonParser{doc: doc, src: src, dec: json.NewDecoder(bytes.NewReader(src)), left: maxValues}
	p.dec.UseNumber()
	if !utf8.Valid(src) {
		return Node{}, problem.List{p.problem("the body is not UTF-8", nil)}
	}
	root, err := p.value(0)
	if err == nil {
		if _, more := p.dec.Token(); !errors.Is(more, io.EOF) {
			err = p.problem("there is more after the end of the document", nil)
		}
	}
	if err != nil {
		return Node{}, problem.List{err}
	}
	return Node{doc: doc, v: root}, nil
}

// camelCase is the word of JSON for a word of YAML: delete_grace is deleteGrace.
func camelCase(word string) string {
	first, rest, _ := strings.Cut(word, "_")
	var b strings.Builder
	b.WriteString(first)
	for part := range strings.SplitSeq(rest, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// word is the key by which the document calls a setting.
func (d *document) word(yaml string) string {
	if d != nil && d.camel {
		return camelCase(yaml)
	}
	return yaml
}

// jsonParser builds values from the tokens of a document.
type jsonParser struct {
	doc  *document
	src  []byte
	dec  *json.Decoder
	left int // of maxValues
}

func (p *jsonParser) problem(message string, cause error) *problem.Error {
	e := problem.New(problem.Invalid, "%s", message).WithSlug(slugSyntax).In(p.position(p.dec.InputOffset()))
	e.Err = cause
	return e
}

// position is the line and column of an offset, in characters.
func (p *jsonParser) position(offset int64) problem.Position {
	before := p.src[:min(max(offset, 0), int64(len(p.src)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return problem.Position{Line: line, Column: column}
}

// begin is where the next token begins.
func (p *jsonParser) begin() problem.Position {
	at := p.dec.InputOffset()
	for at < int64(len(p.src)) && strings.IndexByte(" \t\r\n,:", p.src[at]) >= 0 {
		at++
	}
	return p.position(at)
}

func (p *jsonParser) token() (json.Token, *problem.Error) {
	t, err := p.dec.Token()
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, p.problem("the body ends before its JSON does", err)
	default:
		return nil, p.problem("this is not JSON", err)
	}
}

func (p *jsonParser) value(depth int) (*value, *problem.Error) {
	v := &value{pos: p.begin(), size: 1}
	if p.left--; p.left < 0 || depth > maxDepth {
		e := p.problem(fmt.Sprintf("the body holds more than %d values, or nests deeper than %d", maxValues, maxDepth), nil)
		e.Code = problem.TooLarge
		return nil, e
	}
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return v, p.object(v, depth)
		}
		return v, p.array(v, depth)
	case string:
		v.kind, v.scalar = Scalar, scalar{raw: t, text: t}
	case json.Number:
		v.kind, v.scalar = Scalar, scalar{raw: t.String(), text: t.String(), plain: true}
	case bool:
		text := strconv.FormatBool(t)
		v.kind, v.scalar = Scalar, scalar{raw: text, text: text, plain: true}
	}
	return v, nil
}

func (p *jsonParser) array(v *value, depth int) *problem.Error {
	v.kind = Sequence
	for p.dec.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.items = append(v.items, item)
		v.size += item.size
	}
	_, err := p.token()
	return err
}

func (p *jsonParser) object(v *value, depth int) *problem.Error {
	v.kind = Mapping
	seen := map[string]bool{}
	for p.dec.More() {
		pos := p.begin()
		t, err := p.token()
		if err != nil {
			return err
		}
		key, _ := t.(string) // the decoder takes nothing else there
		if seen[key] {
			return problem.New(problem.Invalid, "the key %q is there twice", key).WithSlug(slugDuplicate).In(pos)
		}
		seen[key] = true
		item, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		v.entries = append(v.entries, entry{key: key, pos: pos, v: item})
		v.size += item.size
	}
	_, err := p.token()
	return err
}

// JSON is the node as a document, its keys in their order. What replace gives for
// the path of a text stands there in its place.
func (n Node) JSON(replace map[string]string) []byte {
	return n.appendJSON(nil, replace)
}

func (n Node) appendJSON(b []byte, replace map[string]string) []byte {
	v := n.value()
	switch v.kind {
	case Mapping:
		b = append(b, '{')
		for i, e := range v.entries {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, e.key), ':')
			b = n.child(e).appendJSON(b, replace)
		}
		return append(b, '}')
	case Sequence:
		b = append(b, '[')
		for i, item := range n.Items() {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b, replace)
		}
		return append(b, ']')
	case Scalar:
		if text, ok := replace[n.path]; ok {
			return appendText(b, text)
		}
		if v.scalar.plain && json.Valid([]byte(v.scalar.text)) { // a word of YAML is a text
			return append(b, v.scalar.text...)
		}
		return appendText(b, v.scalar.text)
	default:
		return append(b, "null"...)
	}
}

func appendText(b []byte, text string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // texts always encode
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// Without is n but for some of its keys.
func (n Node) Without(keys ...string) Node {
	v := *n.value()
	v.entries = nil
	for _, e := range n.value().entries {
		if !slices.Contains(keys, e.key) {
			v.entries = append(v.entries, e)
		}
	}
	n.v = &v
	return n
}

// With is n with one more key, a text that stands where n does.
func (n Node) With(key, text string) Node {
	v := *n.value()
	v.kind, v.size = Mapping, v.size+1
	added := &value{kind: Scalar, pos: v.pos, size: 1, scalar: scalar{raw: text, text: text}}
	v.entries = append(slices.Clone(v.entries), entry{key: key, pos: v.pos, v: added})
	n.v = &v
	return n
}

// envReference is what would be a variable in YAML.
var envReference = regexp.MustCompile(`\$\{[A-Za-z_.][^}]*\}`)

// Variables are the texts of n that would name variables of the environment if
// they stood in YAML, each a problem: here nothing would take their place.
func (n Node) Variables() problem.List {
	var list problem.List
	for _, e := range n.value().entries {
		list = append(list, n.child(e).Variables()...)
	}
	for _, item := range n.Items() {
		list = append(list, item.Variables()...)
	}
	if found := envReference.FindString(n.value().scalar.text); found != "" {
		list = append(list, Problem(n, "", problem.Invalid, "%s is not put in here: the environment is the operator's", found).WithSlug(slugVariable).
			WithHint("send the value itself, or for a secret secret://NAME"))
	}
	return list
}
