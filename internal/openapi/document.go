package openapi

import "github.com/google/jsonschema-go/jsonschema"

// Version is the version of the specification that documents are of.
const Version = "3.1.1"

// A Document describes an API.
type Document struct {
	OpenAPI    string          `json:"openapi"`
	Info       Info            `json:"info"`
	Servers    []Server        `json:"servers,omitempty"`
	Security   []Requirement   `json:"security,omitempty"`
	Tags       []Tag           `json:"tags,omitempty"`
	Paths      map[string]Path `json:"paths"`
	Webhooks   map[string]Path `json:"webhooks,omitempty"`
	Components Components      `json:"components"`

	Order []*Operation `json:"-"` // of paths, as they were added
}

// Add adds an operation.
func (d *Document) Add(op *Operation) {
	if d.Paths == nil {
		d.Paths = map[string]Path{}
	}
	if d.Paths[op.Path] == nil {
		d.Paths[op.Path] = Path{}
	}
	d.Paths[op.Path][op.Method] = op
	d.Order = append(d.Order, op)
}

// An Info says what the API is.
type Info struct {
	Title       string  `json:"title"`
	Summary     string  `json:"summary,omitempty"`
	Description string  `json:"description,omitempty"`
	Version     string  `json:"version"`
	License     License `json:"license"`
}

// A License is the one of the API's description.
type License struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier,omitempty"` // as SPDX spells it
}

// A Server is where the API answers.
type Server struct {
	URL string `json:"url"`
}

// A Tag is a chapter of operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// A Path is the operations of one path, by method in small letters.
type Path map[string]*Operation

// An Operation is one method of one path.
type Operation struct {
	Method string `json:"-"` // in small letters
	Path   string `json:"-"`

	ID          string               `json:"operationId"`
	Tags        []string             `json:"tags,omitempty"`
	Summary     string               `json:"summary,omitempty"`
	Description string               `json:"description,omitempty"`
	Parameters  []Parameter          `json:"parameters,omitempty"`
	Body        *Body                `json:"requestBody,omitempty"`
	Responses   map[string]*Response `json:"responses"`
	Security    *[]Requirement       `json:"security,omitempty"` // empty: nothing is asked for
}

// A Requirement names the security schemes that must be met together, each with
// the scopes that it needs.
type Requirement map[string][]string

// A Parameter is a value in a path, a query or a header.
type Parameter struct {
	Ref         string             `json:"$ref,omitempty"`
	Name        string             `json:"name,omitempty"`
	In          string             `json:"in,omitempty"`
	Description string             `json:"description,omitempty"`
	Required    bool               `json:"required,omitempty"`
	Schema      *jsonschema.Schema `json:"schema,omitempty"`
}

// A Body is what a request brings, by its content type.
type Body struct {
	Description string             `json:"description,omitempty"`
	Required    bool               `json:"required,omitempty"`
	Content     map[string]Content `json:"content"`
}

// Content is a body of one content type.
type Content struct {
	Schema   *jsonschema.Schema `json:"schema,omitempty"`
	Examples map[string]Example `json:"examples,omitempty"`
}

// An Example is a whole body.
type Example struct {
	Summary string `json:"summary,omitempty"`
	Value   any    `json:"value"`
}

// A Response is an answer of one status.
type Response struct {
	Ref         string             `json:"$ref,omitempty"`
	Description string             `json:"description,omitempty"`
	Headers     map[string]Header  `json:"headers,omitempty"`
	Content     map[string]Content `json:"content,omitempty"`
}

// A Header is one header of an answer.
type Header struct {
	Description string             `json:"description,omitempty"`
	Schema      *jsonschema.Schema `json:"schema"`
}

// A Scheme is a way to show who asks.
type Scheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme,omitempty"`
	In          string `json:"in,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// Components are what other parts refer to.
type Components struct {
	Schemas    map[string]*jsonschema.Schema `json:"schemas,omitempty"`
	Responses  map[string]*Response          `json:"responses,omitempty"`
	Parameters map[string]Parameter          `json:"parameters,omitempty"`
	Security   map[string]Scheme             `json:"securitySchemes,omitempty"`
}
