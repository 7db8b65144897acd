package httppoll

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/urlpath"
)

// What expressions read beside the key columns.
const (
	keyName = "key" // the value of the one key column
	runName = "run" // connectors.RunValues
	rowName = "row" // of ForEach
)

// A form is a request with its expressions not filled in yet.
type form struct {
	method      string
	base        *expr.Interpolation // the address up to its query
	search      *expr.Interpolation // its query
	query       []field
	headers     []field
	body        *expr.Interpolation // nil without one
	encodeBody  func(string) string
	tree        *tree // in place of body
	contentType string
}

// A field is a header or a parameter.
type field struct {
	name string
	text *expr.Interpolation
}

// newForm compiles the request of c, and says what of it can't be one.
func newForm(c *Config) (*form, problem.List) {
	w := &formWriter{options: expr.Options{
		Names: append([]string{runName}, c.keyNames()...),
		Types: map[string]*expr.Type{runName: expr.TypeOf(connectors.RunValues(time.Now()))},
	}}
	if c.ForEach != "" {
		w.options.Names = []string{runName, rowName}
	}
	f := &form{method: c.method()}
	w.address(f, c.URL)
	f.query, f.headers = w.fields("query.", c.Query), w.fields("headers.", c.Headers)
	switch {
	case c.JSON != nil:
		f.tree, f.contentType = w.tree("json", c.JSON), "application/json"
	case !c.Body.IsZero():
		text := c.Body.Reveal()
		f.body, f.contentType = w.text("body", text), c.ContentType
		if f.contentType == "" {
			f.contentType = typeOf(text)
		}
		f.encodeBody = encoderOf(f.contentType)
	}
	return f, w.list
}

// typeOf is the type of a body that does not say it.
func typeOf(text string) string {
	if begin := strings.TrimSpace(text); strings.HasPrefix(begin, "{") || strings.HasPrefix(begin, "[") {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

// encoderOf makes a value one text in a body of that type: in JSON it stands
// between quotes that are written out.
func encoderOf(contentType string) func(string) string {
	switch media, _, _ := strings.Cut(strings.ToLower(contentType), ";"); {
	case strings.TrimSpace(media) == "application/x-www-form-urlencoded":
		return url.QueryEscape
	case strings.HasSuffix(strings.TrimSpace(media), "json"):
		return func(text string) string {
			quoted, _ := json.Marshal(text) // texts always encode
			return string(quoted[1 : len(quoted)-1])
		}
	}
	return asItIs
}

func asItIs(text string) string { return text }

// A formWriter compiles texts and collects what is wrong with them.
type formWriter struct {
	options expr.Options
	list    problem.List
}

func (w *formWriter) bad(path string, p *problem.Error) { w.list = append(w.list, p.At(path)) }

func (w *formWriter) text(path, text string) *expr.Interpolation {
	in, err := expr.ParseInterpolation(text, w.options)
	if err != nil {
		var p *problem.Error
		errors.As(err, &p)
		w.bad(path, p)
		return &expr.Interpolation{}
	}
	if in.ReadsClock() {
		w.bad(path, problem.New(problem.Invalid, "reads the clock: rows of another time would look gone").
			WithHint("use run, as in {{ run.month }}: it is of the time that the source is read for"))
	}
	return in
}

// address compiles text in two parts, as a value is encoded otherwise in each.
func (w *formWriter) address(f *form, text string) {
	f.base, f.search = &expr.Interpolation{}, &expr.Interpolation{}
	if text == "" {
		w.bad("url", problem.New(problem.Invalid, "an http source needs a url"))
		return
	}
	base, search := cutQuery(text)
	origin, _, templated := strings.Cut(base, "{{")
	if u, err := url.Parse(sketch(text)); err != nil || !isHTTP(u) || u.Host == "" {
		// The address may hold a secret, so that it is not repeated here.
		w.bad("url", problem.New(problem.Invalid, "is not an http or https address").WithHint(`as in "https://shop.example/products"`))
		return
	} else if templated && len(strings.SplitN(origin, "/", 4)) < 4 {
		w.bad("url", problem.New(problem.Invalid, "an expression stands in its host").WithHint("write the host out: only what follows it may hang on a row"))
		return
	}
	f.base, f.search = w.text("url", base), w.text("url", search)
}

func (w *formWriter) fields(path string, values map[string]config.Secret) []field {
	var fields []field
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fields = append(fields, field{name, w.text(path+name, values[name].Reveal())})
	}
	return fields
}

// cutQuery cuts an address at the first question mark outside of expressions.
func cutQuery(text string) (base, query string) {
	text, _, _ = strings.Cut(text, "#") // a fragment is never sent
	inside := false
	for i := range len(text) {
		switch rest := text[i:]; {
		case strings.HasPrefix(rest, "{{"):
			inside = true
		case strings.HasPrefix(rest, "}}"):
			inside = false
		case !inside && rest[0] == '?':
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// sketch is an address with something in the place of its expressions.
func sketch(text string) string {
	in, err := expr.ParseInterpolation(text, expr.Options{})
	if err != nil {
		return text
	}
	return in.Sketch("x")
}

// all are the texts of the form.
func (f *form) all() []*expr.Interpolation {
	all := []*expr.Interpolation{f.base, f.search}
	for _, field := range slices.Concat(f.query, f.headers) {
		all = append(all, field.text)
	}
	if f.body != nil {
		all = append(all, f.body)
	}
	if f.tree != nil {
		all = f.tree.texts(all)
	}
	return all
}

// reads reports whether an expression reads one of the names.
func (f *form) reads(names ...string) bool {
	return slices.ContainsFunc(f.all(), func(in *expr.Interpolation) bool { return in.Reads(names...) })
}

// fill is the request for these values.
func (f *form) fill(values map[string]any, env expr.Env) (*request, error) {
	w := &filler{values: values, env: env}
	base, search := w.text("url", f.base, url.PathEscape), w.text("url", f.search, url.QueryEscape)
	r := &request{method: f.method, headers: http.Header{}, contentType: f.contentType}
	query := url.Values{}
	for _, q := range f.query {
		query.Set(q.name, w.text("query."+q.name, q.text, asItIs))
	}
	for _, h := range f.headers {
		r.headers.Set(h.name, w.header(h))
	}
	if f.body != nil {
		r.body = []byte(w.text("body", f.body, f.encodeBody))
	}
	if f.tree != nil {
		r.tree = f.tree.fill("json", w)
	}
	if w.err != nil {
		return nil, w.err
	}
	var err error
	if r.url, err = addressOf(base, search, query, f.base.Static()); err != nil {
		return nil, err
	}
	return r, nil
}

// A filler fills texts in, up to the first that can't be.
type filler struct {
	values map[string]any
	env    expr.Env
	err    error
}

func (w *filler) text(path string, in *expr.Interpolation, encode func(string) string) string {
	text, err := in.Fill(w.values, w.env, encode)
	if err != nil && w.err == nil {
		var p *problem.Error
		errors.As(err, &p)
		w.err = p.At(path)
	}
	return text
}

func (w *filler) header(h field) string {
	value := w.text("headers."+h.name, h.text, asItIs)
	if w.err == nil && !httpguts.ValidHeaderFieldValue(value) {
		w.err = problem.New(problem.Invalid, "is not a header once its expressions are filled in").At("headers." + h.name)
	}
	return value
}

// addressOf is an address of its parts. What was filled in cannot lead out of
// its segment: not as it stands, and not for a server that decodes it once more.
func addressOf(base, search string, query url.Values, static bool) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, problem.New(problem.Invalid, "is not an address once its expressions are filled in").At("url")
	}
	if !static && urlpath.Climbs(u.EscapedPath()) {
		return nil, problem.New(problem.Invalid, "a value with . or .. for a part of the path would lead to another address").
			At("url").WithSlug("address_refused")
	}
	u.RawQuery = search
	if len(query) > 0 {
		u.RawQuery = strings.TrimPrefix(search+"&"+query.Encode(), "&")
	}
	return u, nil
}
