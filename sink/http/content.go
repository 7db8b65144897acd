package httpsink

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// A content is the body of a request, not filled in yet.
type content interface {
	fill(w *filler) body
}

// A body is one that can be sent, again and again.
type body struct {
	contentType string
	length      int64
	open        func() (io.ReadCloser, error)
}

func bodyOf(contentType string, text []byte) body {
	return body{contentType, int64(len(text)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }}
}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
	textType = "text/plain; charset=utf-8"
)

// content compiles the body of r.
func (w *writer) content(r Request) content {
	bodies := r.bodies()
	own := w.own.hasBody()
	if len(bodies) > 1 {
		w.add(w.at(bodies[1], own), "%s is there too", bodies[0]).WithHint("keep one of them")
		return nil
	}
	contentType := w.at("content_type", w.own.ContentType != "")
	if len(bodies) == 0 {
		if r.ContentType != "" {
			w.add(contentType, "there is no body").WithHint("leave it out")
		}
		return nil
	}
	if r.ContentType != "" && (r.Form != nil || r.Multipart != nil) {
		w.add(contentType, "%s has its own", bodies[0]).WithHint("leave it out")
	}
	path := w.at(bodies[0], own)
	if w.event != sink.RenderCompleted && r.hasPicture() {
		w.add(path, "%s comes without a picture", w.event).
			WithHint("give it a request of its own: on: { %s: { method: DELETE, url: … } }", w.event)
	}
	switch bodies[0] {
	case "json":
		return &jsonBody{w.tree(path, r.JSON), orElse(r.ContentType, jsonType)}
	case "form":
		return &formBody{w.fields(path, r.Form)}
	case "multipart":
		return w.multipart(path, r.Multipart)
	case "body":
		t := orElse(r.ContentType, typeOf(r.Body))
		return &textBody{w.text(path, r.Body), t, encoderOf(t)}
	}
	return &imageBody{r.ContentType}
}

// hasPicture reports whether the bytes of a picture are sent.
func (r Request) hasPicture() bool {
	return r.Image || slices.ContainsFunc(slices.Collect(maps.Values(r.Multipart)), func(p Part) bool { return p.Image })
}

func orElse(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// A tree is a JSON value of which each text is an expression.
type tree struct {
	program *expr.Program
	list    []*tree
	object  map[string]*tree
	other   any // a number, a boolean or null
}

func (w *writer) tree(path string, value any) *tree {
	switch v := value.(type) {
	case string:
		return &tree{program: w.program(path, v, fields.Names())}
	case []any:
		t := &tree{list: []*tree{}}
		for i, item := range v {
			t.list = append(t.list, w.tree(path+"["+strconv.Itoa(i)+"]", item))
		}
		return t
	case map[string]any:
		t := &tree{object: map[string]*tree{}}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			t.object[name] = w.tree(path+"."+name, v[name])
		}
		return t
	}
	return &tree{other: value}
}

func (t *tree) fill(path string, w *filler) any {
	switch {
	case t.program != nil:
		return w.value(path, t.program)
	case t.list != nil:
		list := make([]any, len(t.list))
		for i, item := range t.list {
			list[i] = item.fill(path+"["+strconv.Itoa(i)+"]", w)
		}
		return list
	case t.object != nil:
		object := make(map[string]any, len(t.object))
		for name, item := range t.object {
			object[name] = item.fill(path+"."+name, w)
		}
		return object
	}
	return t.other
}

type jsonBody struct {
	tree        *tree
	contentType string
}

func (b *jsonBody) fill(w *filler) body {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(b.tree.fill("json", w)); err != nil {
		w.fail(invalid("json", "is no JSON once its expressions are filled in: %w", err))
	}
	return bodyOf(b.contentType, bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}

// A field is one of a form. A value that is null leaves it out, a list is one for
// each of its items.
type field struct {
	name string
	tree *tree
}

func (w *writer) fields(path string, values map[string]any) (all []field) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, object := values[name].(map[string]any); object {
			w.add(path+"."+name, "is an object, which a form can't carry").WithHint("write json, or a field for each of its values")
			continue
		}
		all = append(all, field{name, w.tree(path+"."+name, values[name])})
	}
	return all
}

func (f field) texts(path string, w *filler) []string {
	switch v := f.tree.fill(path+"."+f.name, w).(type) {
	case nil:
		return nil
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = expr.Text(item)
		}
		return texts
	default:
		return []string{expr.Text(v)}
	}
}

type formBody struct{ fields []field }

func (b *formBody) fill(w *filler) body {
	values := url.Values{}
	for _, f := range b.fields {
		values[f.name] = f.texts("form", w)
	}
	return bodyOf(formType, []byte(values.Encode()))
}

type textBody struct {
	text        *expr.Interpolation
	contentType string
	encode      func(string) string
}

func (b *textBody) fill(w *filler) body {
	return bodyOf(b.contentType, []byte(w.text("body", b.text, b.encode)))
}

// typeOf is the type of a body that does not say it.
func typeOf(text string) string {
	switch begin := strings.TrimSpace(text); {
	case strings.HasPrefix(begin, "{") && !strings.HasPrefix(begin, "{{"), strings.HasPrefix(begin, "["):
		return jsonType
	case strings.HasPrefix(begin, "<"):
		return "application/xml"
	}
	return textType
}

// encoderOf makes a value one text in a body of that type: in JSON it stands
// between quotes that are written out.
func encoderOf(contentType string) func(string) string {
	media, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch media = strings.TrimSpace(media); {
	case media == formType:
		return url.QueryEscape
	case strings.HasSuffix(media, "json"):
		return func(text string) string {
			quoted, _ := json.Marshal(text) // texts always encode
			return string(quoted[1 : len(quoted)-1])
		}
	case strings.HasSuffix(media, "xml") || media == "text/html":
		return html.EscapeString
	}
	return asItIs
}

func asItIs(text string) string { return text }
