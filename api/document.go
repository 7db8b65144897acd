package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/internal/openapi"
)

// described are the operations by subject.
var described = []operations{
	batchOperations, jobOperations, nowOperations, imageOperations, showingOperations, templateOperations, draftOperations, trialOperations, expressionOperations,
	bindingOperations, resourceOperations, streamOperations, deliveryOperations, subscriptionOperations, experimentOperations, copilotOperations, hookOperations, deletionOperations, keyOperations, auditOperations, serverOperations,
}

// A webhook is a call that pictifyd makes.
type webhook struct {
	id, tag, summary, detail string
	shape                    shape
}

const documentAbout = "Rows change, pictures of them are rendered. Send rows to a template and get a URL for each, or bind a template to a source and let the images follow.\n\n" +
	"Errors are `application/problem+json` (RFC 9457): `code` is a stable word, `detail` says what is wrong, `hint` what to do, `errors` where, " +
	"`retryable` whether the same request may succeed later. Times are in UTC. Paths of the seed product's dialect (`/v1/…`, `/template/{id}/batch`, " +
	"`/templates/batch/{id}/results`) are read as the ones here."

// newDocument describes the routes of a server whose addresses begin with base.
func newDocument(base, version string) (*openapi.Document, *openapi.Schemas, error) {
	s, err := newSchemas()
	if err != nil {
		return nil, nil, fmt.Errorf("read the comments of types: %w", err)
	}
	d := &openapi.Document{
		OpenAPI: openapi.Version,
		Info: openapi.Info{
			Title: "pictifyd", Summary: "Pictures that follow their rows.", Description: documentAbout, Version: version,
			License: openapi.License{Name: "Apache 2.0", Identifier: "Apache-2.0"},
		},
		Servers: []openapi.Server{{URL: base}}, Tags: tags, Webhooks: map[string]openapi.Path{},
	}
	all := operations{}
	for _, some := range described {
		for pattern, op := range some {
			all[pattern] = op
		}
	}
	for _, rt := range routes() {
		op, ok := all[rt.pattern]
		if !ok {
			continue // a test wants one for each
		}
		if err := describe(d, s, rt, op); err != nil {
			return nil, nil, err
		}
	}
	for name, hook := range webhooks {
		schema, err := hook.shape(s, false)
		if err != nil {
			return nil, nil, fmt.Errorf("describe the webhook %s: %w", name, err)
		}
		d.Webhooks[name] = openapi.Path{"post": {
			Method: "post", Path: name, ID: hook.id, Tags: []string{hook.tag}, Summary: hook.summary, Description: hook.detail,
			Body:      &openapi.Body{Required: true, Content: map[string]openapi.Content{"application/json": {Schema: schema}}},
			Responses: map[string]*openapi.Response{"2XX": {Description: "It was taken. Anything else is tried again."}},
			Security:  &[]openapi.Requirement{},
		}}
	}
	return d, s, addComponents(d, s)
}

// addComponents adds what all operations share.
func addComponents(d *openapi.Document, s *openapi.Schemas) error {
	problem, err := of[document]()(s, false)
	if err != nil {
		return fmt.Errorf("describe problems: %w", err)
	}
	d.Components = openapi.Components{
		Schemas: s.All(), Parameters: sharedParams,
		Responses: map[string]*openapi.Response{"Problem": {
			Description: "What is wrong, where, why, and what to do.",
			Headers: map[string]openapi.Header{"Retry-After": {
				Description: "Seconds after which the request may be sent again, where that may help.", Schema: &jsonschema.Schema{Type: "integer"},
			}},
			Content: map[string]openapi.Content{"application/problem+json": {Schema: problem}},
		}},
		Security: map[string]openapi.Scheme{
			"key":       {Type: "http", Scheme: "bearer", Description: "A key of `server.keys`, with the scope that the operation names. Without any key configured the server answers its own machine only, and wants none."},
			"signature": {Type: "apiKey", In: "query", Name: "sig", Description: "Part of addresses that pictifyd gave: they need no key."},
		},
	}
	codes := problemCodes()
	codes.Description = "The stable word of a problem. There will be more."
	s.All()["Problem"].Properties["code"] = openapi.Ref("ProblemCode")
	s.All()["ProblemCode"] = codes
	return nil
}

// A paper is a generated file that is served.
type paper struct {
	kind string
	data []byte
	etag string
}

func newPaper(kind string, data []byte) paper {
	digest := sha256.Sum256(data)
	return paper{kind, data, `"` + hex.EncodeToString(digest[:16]) + `"`}
}

// papers are the description of the API, for programs and for people.
type papers struct{ document, reference paper }

func newPapers(base, version string, pages page) (p papers, err error) {
	d, _, err := newDocument(base, version)
	if err != nil {
		return p, err
	}
	data, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return p, fmt.Errorf("encode the description of the API: %w", err)
	}
	html, err := referencePage(d, pages)
	if err != nil {
		return p, fmt.Errorf("make the reference: %w", err)
	}
	return papers{newPaper("application/json", data), newPaper("text/html; charset=utf-8", html)}, nil
}

// sendDocument sends the description of the API.
func (s *Server) sendDocument(w http.ResponseWriter, r *http.Request) error {
	return s.sendPaper(w, r, func(p papers) paper { return p.document })
}

// sendReference sends the same for people.
func (s *Server) sendReference(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Security-Policy", pagePolicy)
	return s.sendPaper(w, r, func(p papers) paper { return p.reference })
}

func (s *Server) sendPaper(w http.ResponseWriter, r *http.Request, which func(papers) paper) error {
	all, err := s.papers()
	if err != nil {
		return err
	}
	return sendOne(w, r, which(all))
}

// sendOne sends a paper to who does not have it.
func sendOne(w http.ResponseWriter, r *http.Request, one paper) error {
	h := w.Header()
	h.Set("Content-Type", one.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", one.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(one.data))
	return nil
}
