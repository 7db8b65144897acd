package mcp

import (
	"context"
	"encoding/json"
	"net/http"
)

var draftTools = []Tool{
	tool(Tool{
		Name: "list_operations", Title: "List edit operations", Effect: Reads,
		Description: "The operations of edit_template: what each does, and its fields.",
		Scopes:      []string{"templates:read"}, Routes: []string{"GET /operations"},
	}, plain((*Server).listOperations)),
	tool(Tool{
		Name: "edit_template", Title: "Edit a template's draft", Effect: Destroys,
		Description: words("Changes the draft of a template by operations, all of them or none, as one step that undo_edit takes back. Nothing is published.",
			`An operation is an object with op and its fields: {"op": "set_text", "id": "title", "text": "Hello"}; list_operations has all.`,
			"With dry_run nothing changes, and the answer says what would have. Edits of others in between are kept; where they touch the same, the call is refused with both."),
		Scopes: []string{"templates:write"}, Routes: []string{"PATCH /templates/{id}/draft"},
	}, plain((*Server).editTemplate)),
	tool(Tool{
		Name: "undo_edit", Title: "Undo the last edit", Effect: Destroys,
		Description: "Takes back the author's last step of the draft that still stands. Steps of others stay. Called again it takes back the step before.",
		Scopes:      []string{"templates:write"}, Routes: []string{"POST /templates/{id}/draft/undo"},
	}, plain((*Server).undoEdit)),
	tool(Tool{
		Name: "discard_draft", Title: "Discard a draft", Effect: Destroys,
		Description: "Makes the draft the newest version again: everybody's unpublished edits are gone, and cannot be undone. Ask the user first.",
		Scopes:      []string{"templates:write"}, Routes: []string{"DELETE /templates/{id}/draft"},
	}, plain((*Server).discardDraft)),
	tool(Tool{
		Name: "forecast_publish", Title: "Forecast publishing", Effect: Reads,
		Description: "What publishing the draft would do: how many images of which bindings would be drawn anew, which rows would fail.",
		Scopes:      []string{"templates:read"}, Routes: []string{"GET /templates/{id}/publish"},
	}, plain((*Server).forecastPublish)),
	tool(Tool{
		Name: "publish_template", Title: "Publish a draft", Effect: Destroys, open: true,
		Description: words("Makes the draft the newest version. Bindings draw their images anew and tell their sinks: this is seen outside. Call it only when the user has asked for it.",
			"With dry_run nothing changes, and the answer is the forecast."),
		Scopes: []string{"templates:write"}, Routes: []string{"POST /templates/{id}/publish"},
	}, plain((*Server).publishTemplate)),
}

type listOperationsIn struct {
	Operation string `json:"operation,omitempty" jsonschema:"only this one"`
}

type operation struct {
	Name    string           `json:"name"`
	Summary string           `json:"summary"`
	Fields  []operationField `json:"fields"`
}

type operationField struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Required    bool     `json:"required,omitempty"`
	Nullable    bool     `json:"nullable,omitempty"`
	Enum        []string `json:"enum,omitempty"`
}

type operationList struct {
	Operations []operation `json:"operations"`
}

func (s *Server) listOperations(ctx context.Context, in listOperationsIn) (out operationList, err error) {
	err = s.ask(ctx, read("operations").with("op", in.Operation), &out)
	return out, err
}

type editTemplateIn struct {
	Template   string           `json:"template" jsonschema:"its name"`
	Revision   int64            `json:"revision" jsonschema:"of the draft, as get_template or the last edit said"`
	Operations []map[string]any `json:"operations" jsonschema:"from 1 to 1000 operations"`
	DryRun     bool             `json:"dry_run,omitempty" jsonschema:"change nothing, only say what would"`
	Author     string           `json:"author,omitempty" jsonschema:"whose step it is said to be; without it the name of the key"`
	replay
}

// A step is a step of a draft that was taken, or would be.
type step struct {
	Revision int64     `json:"revision" jsonschema:"of the draft now: the next edit wants it"`
	DryRun   bool      `json:"dryRun,omitempty" jsonschema:"nothing was changed"`
	Rebased  bool      `json:"rebased" jsonschema:"others edited the draft in between"`
	Touched  []string  `json:"touched" jsonschema:"layers and other parts that changed"`
	Open     bool      `json:"open" jsonschema:"false: the draft is the newest version"`
	Problems []finding `json:"problems" jsonschema:"what is wrong with the draft now"`
}

// A stepDone is a step as the API tells it.
type stepDone struct {
	Revision int64    `json:"revision"`
	Rebased  bool     `json:"rebased"`
	Touched  []string `json:"touched"`
	Draft    struct {
		Open     bool      `json:"open"`
		Problems []finding `json:"problems"`
	} `json:"draft"`
}

func (d stepDone) view() step {
	return step{Revision: d.Revision, Rebased: d.Rebased, Touched: d.Touched, Open: d.Draft.Open, Problems: d.Draft.Problems}
}

func (s *Server) editTemplate(ctx context.Context, in editTemplateIn) (step, error) {
	o := order{
		method: http.MethodPatch, path: []string{"templates", in.Template, "draft"}, ifMatch: in.Revision, key: in.IdempotencyKey,
		body: map[string]any{"ops": in.Operations, "author": in.Author, "dryRun": in.DryRun},
	}
	var done stepDone
	err := s.ask(ctx, o, &done)
	v := done.view()
	v.DryRun = in.DryRun
	return v, err
}

type undoEditIn struct {
	Template string `json:"template" jsonschema:"its name"`
	Author   string `json:"author,omitempty" jsonschema:"whose step is taken back; without it the key's own"`
}

func (s *Server) undoEdit(ctx context.Context, in undoEditIn) (step, error) {
	var done stepDone
	err := s.ask(ctx, send(map[string]any{"author": in.Author}, "templates", in.Template, "draft", "undo"), &done)
	return done.view(), err
}

type discardDraftIn struct {
	Template string `json:"template" jsonschema:"its name"`
	Revision int64  `json:"revision" jsonschema:"of the draft that is discarded: one that has moved on is left as it is"`
}

func (s *Server) discardDraft(ctx context.Context, in discardDraftIn) (step, error) {
	var done struct {
		Draft struct {
			Revision int64     `json:"revision"`
			Open     bool      `json:"open"`
			Problems []finding `json:"problems"`
		} `json:"draft"`
	}
	err := s.ask(ctx, order{method: http.MethodDelete, path: []string{"templates", in.Template, "draft"}, ifMatch: in.Revision}, &done)
	return step{Revision: done.Draft.Revision, Open: done.Draft.Open, Problems: done.Draft.Problems, Touched: []string{}}, err
}

type forecastIn struct {
	Template string `json:"template" jsonschema:"its name"`
}

type forecast struct {
	Revision    int64             `json:"revision"`
	Base        int64             `json:"base"`
	Images      int               `json:"images" jsonschema:"that would be rendered"`
	Reused      int               `json:"reused" jsonschema:"that would become pictures which are made already"`
	Unchanged   int               `json:"unchanged"`
	Held        int               `json:"held" jsonschema:"whose change the guard would hold for a person"`
	FailingRows int               `json:"failingRows"`
	Bindings    []bindingForecast `json:"bindings"`
}

type bindingForecast struct {
	Name        string    `json:"name"`
	Images      int       `json:"images"`
	Reused      int       `json:"reused"`
	Unchanged   int       `json:"unchanged"`
	Held        int       `json:"held"`
	Removed     int       `json:"removed"`
	FailingRows int       `json:"failingRows"`
	Failures    []failure `json:"failures" jsonschema:"the first of them"`
	Error       string    `json:"error,omitempty" jsonschema:"why the binding could not work any more"`
}

// A failure is a row that has no picture.
type failure struct {
	Key   string `json:"key"`
	Name  string `json:"name,omitempty"`
	Code  string `json:"code"`
	Error string `json:"error"`
	Field string `json:"field,omitempty"`
}

func (s *Server) forecastPublish(ctx context.Context, in forecastIn) (out forecast, err error) {
	err = s.ask(ctx, read("templates", in.Template, "publish"), &out)
	return out, err
}

type publishIn struct {
	Template string `json:"template" jsonschema:"its name"`
	Revision int64  `json:"revision" jsonschema:"of the draft that is published: one that has moved on is left as it is"`
	DryRun   bool   `json:"dry_run,omitempty" jsonschema:"change nothing, only forecast"`
	Over     string `json:"over,omitempty" jsonschema:"where something stands in the way: its digest as the refusal named it, once the user agrees to replace it"`
	Author   string `json:"author,omitempty" jsonschema:"who the version is said to be by; without it the name of the key"`
	replay
}

type publishOut struct {
	DryRun    bool       `json:"dryRun,omitempty" jsonschema:"nothing was changed"`
	Forecast  *forecast  `json:"forecast,omitempty" jsonschema:"of a dry run"`
	Published *published `json:"published,omitempty"`
}

func (s *Server) publishTemplate(ctx context.Context, in publishIn) (publishOut, error) {
	o := send(map[string]any{"author": in.Author, "over": in.Over, "dryRun": in.DryRun}, "templates", in.Template, "publish")
	o.ifMatch, o.key = in.Revision, in.IdempotencyKey
	var raw json.RawMessage
	if err := s.ask(ctx, o, &raw); err != nil {
		return publishOut{}, err
	}
	out := publishOut{DryRun: in.DryRun}
	if in.DryRun {
		return out, json.Unmarshal(raw, &out.Forecast)
	}
	return out, json.Unmarshal(raw, &out.Published)
}
