package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/internal/openapi"
)

// A reference is the document as people read it.
type reference struct {
	Version  string
	Server   string
	About    string
	Chapters []chapter
	Hooks    []refOperation
	Types    []refType
	Schemes  []refScheme
}

type chapter struct {
	openapi.Tag
	Anchor     string
	Operations []refOperation
}

type refOperation struct {
	Anchor, Method, Path   string
	Summary, Detail, Scope string
	Params                 []refField
	Body                   *refBody
	Answers                []refAnswer
}

type refBody struct {
	About    string
	Optional bool
	Kinds    []refKind
	Examples []refExample
}

type refExample struct{ Title, Command string }

type refAnswer struct {
	Status, About string
	Kinds         []refKind
}

// A refKind is a body of one content type.
type refKind struct {
	Kind   string
	Type   refWord
	Fields []refField
}

type refType struct {
	Name, About string
	Words       []string
	Fields      []refField
}

type refField struct {
	Name, Where, About string
	Type               refWord
	Required           bool
	Also               []string // its other names
}

type refScheme struct{ Name, About string }

// A refWord says what a value is: "list of " and a link to the type Job.
type refWord struct{ Before, Link, After string }

// referencePage is the document as HTML, by the template among the pages.
func referencePage(d *openapi.Document, pages page) ([]byte, error) {
	form, err := template.New("reference").Funcs(template.FuncMap{"prose": prose, "path": breakable}).Parse(string(pages["reference.html"].data))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = form.Execute(&out, newReference(d))
	return out.Bytes(), err
}

func newReference(d *openapi.Document) reference {
	r := reference{Version: d.Info.Version, Server: d.Servers[0].URL, About: d.Info.Description}
	for _, t := range d.Tags {
		c := chapter{Tag: t, Anchor: strings.ToLower(strings.ReplaceAll(t.Name, " ", "-"))}
		for _, op := range d.Order {
			if op.Tags[0] == t.Name {
				c.Operations = append(c.Operations, r.operation(d, op))
			}
		}
		r.Chapters = append(r.Chapters, c)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Webhooks)) {
		hook := r.operation(d, d.Webhooks[name]["post"])
		r.Hooks = append(r.Hooks, hook)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		s := d.Components.Schemas[name]
		t := refType{Name: name, About: s.Description, Fields: fieldsOfSchema(d, s)}
		for _, w := range append(s.Enum, wordsOf(s)...) {
			t.Words = append(t.Words, fmt.Sprint(w))
		}
		r.Types = append(r.Types, t)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Security)) {
		r.Schemes = append(r.Schemes, refScheme{name, d.Components.Security[name].Description})
	}
	return r
}

// wordsOf are the words that are among others in s.
func wordsOf(s *jsonschema.Schema) (words []any) {
	for _, one := range s.AnyOf {
		words = append(words, one.Enum...)
	}
	return words
}

func (r *reference) operation(d *openapi.Document, op *openapi.Operation) refOperation {
	out := refOperation{
		Anchor: op.ID, Method: strings.ToUpper(op.Method), Path: op.Path, Summary: op.Summary, Detail: op.Description, Scope: scopeText(op.Security),
	}
	for _, p := range op.Parameters {
		if name, shared := strings.CutPrefix(p.Ref, "#/components/parameters/"); shared {
			p = d.Components.Parameters[name]
		}
		out.Params = append(out.Params, refField{Name: p.Name, Where: p.In, About: p.Description, Type: wordOf(p.Schema), Required: p.Required})
	}
	if op.Body != nil {
		out.Body = &refBody{About: op.Body.Description, Optional: !op.Body.Required, Kinds: kindsOf(d, op.Body.Content, true)}
		examples := op.Body.Content["application/json"].Examples
		for _, name := range slices.Sorted(maps.Keys(examples)) {
			out.Body.Examples = append(out.Body.Examples, refExample{examples[name].Summary, r.command(out, examples[name].Value)})
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if one := op.Responses[status]; one.Ref == "" { // problems are the same everywhere
			out.Answers = append(out.Answers, refAnswer{status, one.Description, kindsOf(d, one.Content, false)})
		}
	}
	return out
}

// command is a call that can be pasted into a shell.
func (r *reference) command(op refOperation, value any) string {
	var body bytes.Buffer
	raw, err := json.Marshal(value)
	if err == nil {
		err = json.Indent(&body, raw, "  ", "  ")
	}
	if err != nil {
		return ""
	}
	quoted := strings.ReplaceAll(body.String(), "'", `'\''`)
	method := ""
	if op.Method != http.MethodPost {
		method = "-X " + op.Method + " "
	}
	return fmt.Sprintf("curl %s%s%s \\\n  -H \"Authorization: Bearer $PICTIFYD_KEY\" \\\n  -H 'Content-Type: application/json' \\\n  -d '%s'", method, r.Server, op.Path, quoted)
}

func kindsOf(d *openapi.Document, content map[string]openapi.Content, expand bool) (kinds []refKind) {
	for _, kind := range slices.Sorted(maps.Keys(content)) {
		k := refKind{Kind: kind}
		if s := content[kind].Schema; s != nil {
			k.Type = wordOf(s)
			if expand || s.Properties != nil {
				k.Fields = fieldsOfSchema(d, s)
			}
		}
		kinds = append(kinds, k)
	}
	return kinds
}

// fieldsOfSchema are the fields of an object, or of the one that s refers to.
// A field that is another's other name stands with that one.
func fieldsOfSchema(d *openapi.Document, s *jsonschema.Schema) (fields []refField) {
	if name := openapi.Component(s); name != "" {
		s = d.Components.Schemas[name]
	}
	names := s.PropertyOrder
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(s.Properties))
	}
	also := map[string][]string{}
	for _, name := range names {
		p := s.Properties[name]
		if own, other := strings.CutPrefix(p.Description, otherName); other {
			own = strings.TrimSuffix(own, ".")
			also[own] = append(also[own], name)
			continue
		}
		fields = append(fields, refField{Name: name, About: p.Description, Type: wordOf(p), Required: slices.Contains(s.Required, name)})
	}
	for i := range fields {
		fields[i].Also = also[fields[i].Name]
	}
	return fields
}

// otherName begins the description of a field that means the same as another.
const otherName = "Another name of "

var anything = refWord{Before: "anything"}

// wordOf says what a value of s is.
func wordOf(s *jsonschema.Schema) refWord {
	switch {
	case s.Ref != "":
		return refWord{Link: openapi.Component(s)}
	case s.ContentSchema != nil:
		w := wordOf(s.ContentSchema)
		w.Before = "each " + w.Before
		return w
	case len(s.AnyOf) == 2 && s.AnyOf[1].Type == "null":
		w := wordOf(s.AnyOf[0])
		w.After += " or null"
		return w
	case len(s.AnyOf) > 0:
		var parts []string
		for _, one := range s.AnyOf {
			w := wordOf(one)
			parts = append(parts, w.Before+w.Link+w.After)
		}
		return refWord{Before: strings.Join(parts, " or ")}
	case s.Items != nil:
		w := wordOf(s.Items)
		w.Before = "list of " + w.Before
		if w.Link == "" && !strings.Contains(w.Before[len("list of "):], " ") {
			w.Before += "s"
		}
		return w
	case s.Type == "object" && s.Properties == nil && s.AdditionalProperties != nil:
		w := wordOf(s.AdditionalProperties)
		if w == anything {
			return refWord{Before: "object"}
		}
		w.Before = "object of " + w.Before
		return w
	case len(s.Enum) > 0:
		return refWord{Before: strings.Trim(fmt.Sprint(s.Enum), "[]")}
	}
	if s.Format == "binary" {
		return refWord{Before: "bytes"}
	}
	text := cmp.Or(s.Format, s.Type, strings.Join(slices.DeleteFunc(slices.Clone(s.Types), func(t string) bool { return t == "null" }), " or "), anything.Before)
	if slices.Contains(s.Types, "null") {
		text += " or null"
	}
	if s.Minimum != nil && s.Maximum != nil {
		text += fmt.Sprintf(", %v to %v", *s.Minimum, *s.Maximum)
	}
	return refWord{Before: text}
}

// scopeText says who may use an operation.
func scopeText(all *[]openapi.Requirement) string {
	var ways []string
	for _, one := range *all {
		for name, scopes := range one {
			ways = append(ways, strings.Join(append([]string{name}, scopes...), " "))
		}
		if len(one) == 0 {
			ways = append(ways, "none")
		}
	}
	return strings.Join(ways, " or ")
}

// prose is the CommonMark that descriptions use, paragraphs and code, as HTML.
func prose(text string) template.HTML {
	var b strings.Builder
	for _, paragraph := range strings.Split(text, "\n\n") {
		if paragraph == "" {
			continue
		}
		b.WriteString("<p>")
		for i, part := range strings.Split(paragraph, "`") {
			escaped := template.HTMLEscapeString(part)
			if i%2 == 1 {
				escaped = "<code>" + escaped + "</code>"
			}
			b.WriteString(escaped)
		}
		b.WriteString("</p>")
	}
	return template.HTML(b.String()) // escaped above
}

// breakable is a path that may be broken behind each of its parts, with its
// variables marked.
func breakable(path string) template.HTML {
	escaped := template.HTMLEscapeString(path)
	return template.HTML(strings.NewReplacer("/", "/<wbr>", "{", "<var>{", "}", "}</var>").Replace(escaped)) // escaped before
}
