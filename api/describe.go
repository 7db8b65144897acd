package api

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/internal/openapi"
)

// operations say what the routes do, by their pattern. Each file describe_*.go
// has those of one subject; a test wants one for each route.
type operations map[string]operation

// An operation is what GET /openapi.json and GET /docs say about a route. What
// the route itself says (method, path, scope) is not repeated.
type operation struct {
	id      string // of the function in generated clients: listJobs
	tag     string // one of tags
	summary string // a few words, without a full stop
	detail  string // sentences; CommonMark

	ways    []way // that a wildcard of several segments stands for; id and summary are theirs
	query   []queryParam
	headers []string // names of sharedParams
	body    *requestBody
	answers answers

	scope  Scope // where the handler asks for itself; else the route's holds
	signed bool  // an address that carries a signature will do instead of a key
	public bool  // some need neither
	page   bool  // for people with a browser: not in the document
}

// A way is one of several paths that a route takes.
type way struct{ path, id, summary string }

// answers are those that are no problem, by status.
type answers map[int]reply

// A queryParam is a parameter of the query.
type queryParam struct {
	name, about string
	shape       shape
}

// A requestBody is what a request may bring, in one of several kinds.
type requestBody struct {
	about    string
	optional bool
	kinds    map[string]shape
	example  map[string]any // by title, of application/json
}

// A reply is an answer without its status.
type reply struct {
	about   string
	kinds   map[string]shape // nothing: an empty answer
	headers map[string]string
}

// A shape makes a schema. closed forbids fields that are not described.
type shape func(s *openapi.Schemas, closed bool) (*jsonschema.Schema, error)

// of is the shape of a Go type.
func of[T any]() shape {
	return func(s *openapi.Schemas, closed bool) (*jsonschema.Schema, error) {
		if closed {
			return s.Closed(reflect.TypeFor[T]())
		}
		return s.Of(reflect.TypeFor[T]())
	}
}

// A property is a field of an object that has no Go type.
type property struct {
	name  string
	about string
	shape shape
}

// object is the shape of an answer that is put together without a Go type. All
// its fields are always there.
func object(properties ...property) shape {
	return func(s *openapi.Schemas, closed bool) (*jsonschema.Schema, error) {
		all := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}}
		for _, p := range properties {
			schema, err := p.shape(s, closed)
			if err != nil {
				return nil, err
			}
			schema.Description = p.about
			all.Properties[p.name] = schema
			all.Required = append(all.Required, p.name)
			all.PropertyOrder = append(all.PropertyOrder, p.name)
		}
		return all, nil
	}
}

// only is an answer with one field: {"jobs": [...]}.
func only[T any](name string) shape { return object(property{name: name, shape: of[T]()}) }

func plain(schema jsonschema.Schema) shape {
	return func(*openapi.Schemas, bool) (*jsonschema.Schema, error) { return schema.CloneSchemas(), nil }
}

func oneOf(values ...string) shape {
	schema := jsonschema.Schema{Type: "string"}
	for _, v := range values {
		schema.Enum = append(schema.Enum, v)
	}
	return plain(schema)
}

func wholeFrom(low, high int) shape {
	least, most := float64(low), float64(high)
	return plain(jsonschema.Schema{Type: "integer", Minimum: &least, Maximum: &most})
}

func anyText() shape { return plain(jsonschema.Schema{Type: "string"}) }
func yesNo() shape   { return plain(jsonschema.Schema{Type: "boolean"}) }

// bytesOf is the shape of a file. OpenAPI 3.1 would have none at all, and then
// generated clients take anything for the other kinds as well.
func bytesOf() shape { return plain(jsonschema.Schema{Type: "string", Format: "binary"}) }

// each is the shape of a stream of JSON values: what one line, or the data of
// one event, is.
func each(kind string, one shape) shape {
	return func(s *openapi.Schemas, closed bool) (*jsonschema.Schema, error) {
		schema, err := one(s, closed)
		return &jsonschema.Schema{Type: "string", ContentMediaType: kind, ContentSchema: schema}, err
	}
}

// sends is an answer of JSON.
func sends(about string, f shape) reply {
	return reply{about: about, kinds: map[string]shape{"application/json": f}}
}

// streams is an answer of many JSON values, as NDJSON or as events.
func streams(about, kind string, one shape) reply {
	return reply{about: about, kinds: map[string]shape{kind: each(kind, one)}}
}

// files is an answer of bytes, in one of some kinds.
func files(about string, kinds ...string) reply {
	r := reply{about: about, kinds: map[string]shape{}}
	for _, kind := range kinds {
		r.kinds[kind] = bytesOf()
	}
	return r
}

// tagged is r with an ETag.
func (r reply) tagged(about string) reply { return r.with("ETag", about) }

func (r reply) with(header, about string) reply {
	r.headers = maps.Clone(r.headers)
	if r.headers == nil {
		r.headers = map[string]string{}
	}
	r.headers[header] = about
	return r
}

// takes is a body of JSON. An example may be left out.
func takes(f shape, example map[string]any) *requestBody {
	return &requestBody{kinds: map[string]shape{"application/json": f}, example: example}
}

// mayTake is a body of JSON that may be left out.
func mayTake(f shape, example map[string]any) *requestBody {
	b := takes(f, example)
	b.optional = true
	return b
}

// describe adds a route to the document d.
func describe(d *openapi.Document, s *openapi.Schemas, rt route, op operation) error {
	if op.page {
		return nil
	}
	method, path, _ := strings.Cut(rt.pattern, " ")
	ways := op.ways
	if len(ways) == 0 {
		ways = []way{{path, op.id, op.summary}}
	}
	for _, w := range ways {
		one, err := operationOf(s, rt, op, w.path)
		if err != nil {
			return fmt.Errorf("describe %s: %w", rt.pattern, err)
		}
		one.Method, one.Path, one.ID, one.Summary = strings.ToLower(method), w.path, w.id, w.summary
		d.Add(one)
	}
	return nil
}

func operationOf(s *openapi.Schemas, rt route, op operation, path string) (*openapi.Operation, error) {
	one := &openapi.Operation{
		Tags: []string{op.tag}, Description: op.detail,
		Parameters: pathParams(path), Responses: map[string]*openapi.Response{}, Security: securityOf(rt, op),
	}
	for _, p := range op.query {
		schema, err := p.shape(s, true)
		if err != nil {
			return nil, err
		}
		one.Parameters = append(one.Parameters, openapi.Parameter{Name: p.name, In: "query", Description: p.about, Schema: schema})
	}
	for _, name := range op.headers {
		one.Parameters = append(one.Parameters, openapi.Parameter{Ref: "#/components/parameters/" + name})
	}
	if op.body != nil {
		b, err := bodyOf(s, *op.body)
		if err != nil {
			return nil, err
		}
		one.Body = b
	}
	for status, r := range op.answers {
		response, err := responseOf(s, status, r)
		if err != nil {
			return nil, err
		}
		one.Responses[strconv.Itoa(status)] = response
	}
	for _, class := range []string{"4XX", "5XX"} {
		one.Responses[class] = &openapi.Response{Ref: "#/components/responses/Problem"}
	}
	return one, nil
}

func bodyOf(s *openapi.Schemas, b requestBody) (*openapi.Body, error) {
	content, err := contentOf(s, b.kinds, true)
	if err != nil {
		return nil, err
	}
	if json, ok := content["application/json"]; ok && len(b.example) > 0 {
		json.Examples = map[string]openapi.Example{}
		for i, title := range slices.Sorted(maps.Keys(b.example)) {
			json.Examples["example"+strconv.Itoa(i+1)] = openapi.Example{Summary: title, Value: b.example[title]}
		}
		content["application/json"] = json
	}
	return &openapi.Body{Description: b.about, Required: !b.optional, Content: content}, nil
}

func responseOf(s *openapi.Schemas, status int, r reply) (*openapi.Response, error) {
	content, err := contentOf(s, r.kinds, false)
	if err != nil {
		return nil, err
	}
	about := r.about
	if about == "" {
		about = http.StatusText(status)
	}
	out := &openapi.Response{Description: about, Content: content}
	for name, about := range r.headers {
		if out.Headers == nil {
			out.Headers = map[string]openapi.Header{}
		}
		out.Headers[name] = openapi.Header{Description: about, Schema: &jsonschema.Schema{Type: "string"}}
	}
	return out, nil
}

func contentOf(s *openapi.Schemas, kinds map[string]shape, closed bool) (map[string]openapi.Content, error) {
	var content map[string]openapi.Content
	for kind, f := range kinds {
		schema, err := f(s, closed)
		if err != nil {
			return nil, err
		}
		if content == nil {
			content = map[string]openapi.Content{}
		}
		content[kind] = openapi.Content{Schema: schema}
	}
	return content, nil
}

// pathParams are the variables of a path. What one means depends on the segment
// before it.
func pathParams(path string) (params []openapi.Parameter) {
	words := segments(path)
	for i, word := range words {
		if !strings.HasPrefix(word, "{") {
			continue
		}
		about, ok := pathWords[word]
		if i > 0 && !ok {
			about = pathWords[words[i-1]+"/"+word]
		}
		params = append(params, openapi.Parameter{
			Name: strings.Trim(word, "{}"), In: "path", Required: true, Description: about, Schema: &jsonschema.Schema{Type: "string"},
		})
	}
	return params
}

// securityOf says who may use a route: whoever has a key with its scope, and
// where the handler says so, whoever has a signed address, or everybody.
func securityOf(rt route, op operation) *[]openapi.Requirement {
	scope := rt.scope
	if op.scope != "" {
		scope = op.scope
	}
	any := []openapi.Requirement{}
	if scope != "" {
		any = append(any, openapi.Requirement{"key": {string(scope)}})
	}
	if op.signed {
		any = append(any, openapi.Requirement{"signature": {}})
	}
	if op.public {
		any = append(any, openapi.Requirement{})
	}
	return &any
}
