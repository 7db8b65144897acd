package api

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/internal/openapi"
)

// readDocument is the description of the API as a client reads it, with every
// object closed: a field that is answered and not described is a lie as well.
var readDocument = sync.OnceValues(func() (*openapi.Document, error) {
	made, _, err := newDocument("http://127.0.0.1:8080", "1.2.3")
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	data = bytes.ReplaceAll(data, []byte("#/components/schemas/"), []byte("#/$defs/"))
	d := new(openapi.Document)
	if err := json.Unmarshal(data, d); err != nil {
		return nil, err
	}
	for _, s := range d.Components.Schemas {
		closeObjects(s)
	}
	return d, nil
})

func closeObjects(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if s.Properties != nil && s.AdditionalProperties == nil {
		s.AdditionalProperties = &jsonschema.Schema{Not: &jsonschema.Schema{}}
	}
	for _, p := range s.Properties {
		closeObjects(p)
	}
	closeObjects(s.Items)
	closeObjects(s.ContentSchema)
	for _, one := range s.AnyOf {
		closeObjects(one)
	}
}

// resolved are the schemas that were used, ready to judge.
var resolved sync.Map // *jsonschema.Schema to *jsonschema.Resolved

func mustResolve(tb testing.TB, d *openapi.Document, s *jsonschema.Schema) *jsonschema.Resolved {
	tb.Helper()
	if ready, ok := resolved.Load(s); ok {
		return ready.(*jsonschema.Resolved)
	}
	root := s.CloneSchemas()
	closeObjects(root)
	root.Defs = map[string]*jsonschema.Schema{}
	for name, c := range d.Components.Schemas {
		root.Defs[name] = c.CloneSchemas()
	}
	ready, err := root.Resolve(nil)
	if err != nil {
		tb.Fatalf("resolve a schema of the document: %v", err)
	}
	resolved.Store(s, ready)
	return ready
}

// mustFit holds a JSON value against a schema of the document.
func mustFit(tb testing.TB, d *openapi.Document, what string, s *jsonschema.Schema, data []byte) {
	tb.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		tb.Fatalf("%s is not JSON: %v: %s", what, err, data)
	}
	if err := mustResolve(tb, d, s).Validate(value); err != nil {
		tb.Errorf("%s is not as GET /openapi.json says: %v\n%.400s", what, err, data)
	}
}

// describedAs finds what the document says about a request; nil where it says
// nothing, because there is no such route or it is a page.
func describedAs(tb testing.TB, s *Server, method, path string) (*openapi.Document, *openapi.Operation) {
	tb.Helper()
	d, err := readDocument()
	if err != nil {
		tb.Fatal(err)
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path, _, _ = strings.Cut(path, "?")
	_, pattern := s.mux.Handler(httptest.NewRequestWithContext(tb.Context(), method, canonicalPath(path), nil))
	for _, some := range described {
		op, ok := some[pattern]
		if !ok || op.page {
			continue
		}
		own := strings.TrimPrefix(pattern, method+" ")
		if len(op.ways) > 0 {
			own = op.ways[0].path
		}
		return d, d.Paths[own][strings.ToLower(method)]
	}
	return d, nil
}

// checkAnswer holds an answer against the document: its status, its content
// type, and every JSON value in it.
func checkAnswer(tb testing.TB, s *Server, c call, out *httptest.ResponseRecorder) {
	tb.Helper()
	d, op := describedAs(tb, s, c.method, c.path)
	kind, _, _ := mime.ParseMediaType(out.Header().Get("Content-Type"))
	what := c.method + " " + c.path + ": the answer " + strconv.Itoa(out.Code)
	if kind == "application/problem+json" {
		mustFit(tb, d, what, d.Components.Responses["Problem"].Content[kind].Schema, out.Body.Bytes())
		return
	}
	if op == nil { // a page, or a route that TestEveryRouteIsDescribedOnce misses
		return
	}
	response, ok := op.Responses[strconv.Itoa(out.Code)]
	if !ok {
		tb.Errorf("%s is none that GET /openapi.json has", what)
		return
	}
	if c.method == http.MethodHead || out.Body.Len() == 0 {
		return
	}
	content, ok := response.Content[kind]
	if !ok {
		tb.Errorf("%s is of the type %q, which GET /openapi.json does not have", what, kind)
		return
	}
	for _, value := range valuesOf(kind, out.Body.Bytes()) {
		schema := content.Schema
		if schema.ContentSchema != nil {
			schema = schema.ContentSchema
		}
		mustFit(tb, d, what, schema, value)
	}
}

// valuesOf are the JSON values in a body.
func valuesOf(kind string, data []byte) (values [][]byte) {
	switch kind {
	case "application/json":
		return [][]byte{data}
	case "application/x-ndjson":
		for line := range bytes.Lines(data) {
			values = append(values, line)
		}
	case "text/event-stream":
		for line := range bytes.Lines(data) {
			if value, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				values = append(values, value)
			}
		}
	}
	return values
}

// mustFitRequest holds the body of a request that was taken against the document.
func mustFitRequest(tb testing.TB, s *Server, c call) {
	tb.Helper()
	d, op := describedAs(tb, s, c.method, c.path)
	kind, _, _ := mime.ParseMediaType(c.header["Content-Type"])
	if op == nil || c.body == "" || kind != "application/json" {
		return
	}
	if op.Body == nil {
		tb.Errorf("%s %s takes a body, and GET /openapi.json has none", c.method, c.path)
		return
	}
	mustFit(tb, d, c.method+" "+c.path+": the request", op.Body.Content[kind].Schema, []byte(c.body))
}
