package httpsink

import (
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// A form is a request with its expressions not filled in yet.
type form struct {
	method  string
	address address
	headers []header
	content content // nil without a body
	success statuses
	expect  *expr.Program // nil without one
}

// A header is one of a request; an empty value leaves it out.
type header struct {
	name string
	text *expr.Interpolation
}

// newForms compiles the request of each event, and says what of them can't be one.
func newForms(c *Config) (map[string]*form, problem.List) {
	var list problem.List
	forms := map[string]*form{}
	for _, event := range c.events() {
		own, on := c.On[event]
		w := &writer{config: c, event: event, list: &list, own: own}
		if on {
			w.path = onPath(event) + "."
		}
		forms[event] = w.form(merged(c.Request, own))
	}
	return forms, unique(list)
}

// unique drops what several events say about the same line.
func unique(list problem.List) problem.List {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(p *problem.Error) bool {
		known := seen[p.Path+" "+p.Message]
		seen[p.Path+" "+p.Message] = true
		return known
	})
}

// merged is what is written for one event on top of what is for all.
func merged(all, own Request) Request {
	if own.Method != "" || own.URL != "" {
		all = Request{Method: all.Method, URL: all.URL, Headers: all.Headers}
	}
	if own.hasBody() {
		all.JSON, all.Form, all.Multipart, all.Body, all.Image, all.ContentType = nil, nil, nil, "", false, ""
	}
	m := all
	m.Headers = map[string]config.Secret{}
	for _, headers := range []map[string]config.Secret{all.Headers, own.Headers} {
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			m.Headers[http.CanonicalHeaderKey(name)] = headers[name]
		}
	}
	set := func(to *string, text string) {
		if text != "" {
			*to = text
		}
	}
	set(&m.Method, own.Method)
	set(&m.URL, own.URL)
	set(&m.Expect, own.Expect)
	set(&m.ContentType, own.ContentType)
	if own.Success != nil {
		m.Success = own.Success
	}
	if own.hasBody() {
		m.JSON, m.Form, m.Multipart, m.Body, m.Image = own.JSON, own.Form, own.Multipart, own.Body, own.Image
	}
	return m
}

// bodies names the bodies that r has.
func (r Request) bodies() (names []string) {
	for _, body := range []struct {
		name string
		set  bool
	}{
		{"json", r.JSON != nil}, {"form", r.Form != nil}, {"multipart", r.Multipart != nil}, {"body", r.Body != ""}, {"image", r.Image},
	} {
		if body.set {
			names = append(names, body.name)
		}
	}
	return names
}

func (r Request) hasBody() bool { return len(r.bodies()) > 0 }

// A writer compiles a request and collects what is wrong with it.
type writer struct {
	config *Config
	event  string
	list   *problem.List
	own    Request // as it is written for the event
	path   string  // where that is
}

func (w *writer) bad(path string, p *problem.Error) { *w.list = append(*w.list, p.At(path)) }

func (w *writer) add(path, format string, args ...any) *problem.Error {
	p := problem.New(problem.Invalid, format, args...)
	w.bad(path, p)
	return p
}

// at is where a key stands that is written for the event, or else for all.
func (w *writer) at(key string, own bool) string {
	if own {
		return w.path + key
	}
	return key
}

var methodForm = regexp.MustCompile(`^[A-Z][A-Z-]{1,30}$`)

func (w *writer) form(r Request) *form {
	f := &form{method: r.Method}
	if f.method == "" {
		f.method = http.MethodPost
	}
	method := w.at("method", w.own.Method != "")
	switch {
	case !methodForm.MatchString(f.method) || f.method == http.MethodConnect || f.method == http.MethodTrace:
		w.add(method, "%q is not a method", r.Method).WithHint("as in POST, PUT, PATCH, DELETE, PURGE")
	case (f.method == http.MethodGet || f.method == http.MethodHead) && r.hasBody():
		w.add(method, "a %s has no body", f.method).WithHint("use another method, or leave the body out")
	}
	f.address = w.address(w.at("url", w.own.URL != ""), r.URL)
	f.headers = w.headers(r)
	f.content = w.content(r)
	f.success, f.expect = w.answer(r)
	return f
}

// managed are the headers that the request itself depends on.
var managed = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Trailer", "Upgrade", "Te"}

func (w *writer) headers(r Request) (headers []header) {
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		path := w.at("headers."+name, hasHeader(w.own.Headers, name))
		value := r.Headers[name].Reveal()
		switch {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			w.add(path, "is not a header").WithHint("see whether a line end was read with it")
		case slices.Contains(managed, name):
			w.add(path, "is set by pictifyd itself").WithHint("leave it out")
		case name == "Content-Type":
			w.add(path, "the type of the body is content_type").WithHint("write it there")
		case name == "Authorization" && (!w.config.Bearer.IsZero() || w.config.Basic != nil):
			w.add(path, "bearer or basic sets it too").WithHint("keep one of them")
		default:
			headers = append(headers, header{name, w.text(path, value)})
		}
	}
	return headers
}

func hasHeader(headers map[string]config.Secret, name string) bool {
	for written := range headers {
		if http.CanonicalHeaderKey(written) == name {
			return true
		}
	}
	return false
}

// answerNames are what the expression over an answer may read.
var answerNames = []string{"status", "body"}

func (w *writer) answer(r Request) (statuses, *expr.Program) {
	texts := r.Success
	if len(texts) == 0 {
		texts = config.Strings{"2xx"}
		if w.event == sink.ImageRemoved {
			texts = append(texts, "404", "410")
		}
	}
	success, err := parseStatuses(texts)
	if err != nil {
		w.bad(w.at("success", w.own.Success != nil), err)
	}
	if r.Expect == "" {
		return success, nil
	}
	return success, w.program(w.at("expect", w.own.Expect != ""), r.Expect, answerNames)
}

func (w *writer) text(path, text string) *expr.Interpolation {
	in, err := expr.ParseInterpolation(text, expr.Options{Names: fields.Names()})
	if err != nil {
		w.bad(path, problemOf(err))
		return &expr.Interpolation{}
	}
	return in
}

func (w *writer) program(path, text string, names []string) *expr.Program {
	program, err := expr.Compile(text, expr.Options{Names: names})
	if err == nil {
		return program
	}
	p := problemOf(err)
	p.Pos = problem.Position{} // it counts from the expression's own start
	if p.Hint == "" {
		p.Hint = "it is an expression: write a text in quotes of its own, as in '\"cards\"'"
	}
	w.bad(path, p)
	return nil
}

func problemOf(err error) *problem.Error {
	var p *problem.Error
	if errors.As(err, &p) {
		return p
	}
	return problem.New(problem.Invalid, "%w", err)
}
