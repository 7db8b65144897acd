package api

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A completeRequest asks what may be written at a place of an expression.
type completeRequest struct {
	Expression string         `json:"expression"`
	At         *int           `json:"at,omitempty"`        // in letters, from 0; the end where nothing is said
	Template   string         `json:"template,omitempty"`  // whose variables it may use
	Draft      bool           `json:"draft,omitempty"`     // those of its draft
	Variables  map[string]any `json:"variables,omitempty"` // the values of a row
	Locals     map[string]any `json:"locals,omitempty"`    // values of names that loops give
	Locale     string         `json:"locale,omitempty"`
	Timezone   string         `json:"timezone,omitempty"`
	Currency   string         `json:"currency,omitempty"`
}

// completeExpression says what may be written at a place of an expression.
func (s *Server) completeExpression(w http.ResponseWriter, r *http.Request) error {
	var body completeRequest
	if err := decodeExact(w, r, maxExpressionBody, &body, `{"expression": "price * ", "at": 8, "template": "card"}`); err != nil {
		return err
	}
	const most = 8192 // of an expression, as expr has it
	if len(body.Expression) > most {
		return problem.New(problem.TooLarge, "the expression is longer than %d bytes", most).At("expression")
	}
	options := expr.Options{Types: map[string]*expr.Type{}, Locals: slices.Sorted(maps.Keys(body.Locals))}
	if body.Template != "" {
		form, err := s.formFor(r, body.Template, body.Draft)
		if err != nil {
			return err
		}
		options.Names = []string{}
		for _, v := range form.Vars() {
			options.Names = append(options.Names, v.Name)
			options.Types[v.Name] = typeOfVariable(v)
		}
		if body.Variables == nil {
			body.Variables = examplesOf(form.Vars())
		}
	}
	for name, value := range body.Variables {
		if options.Types[name] == nil {
			options.Types[name] = expr.TypeOf(value)
		}
	}
	for name, value := range body.Locals {
		options.Types[name] = expr.TypeOf(value)
	}
	zone, err := expressionRequest{Timezone: body.Timezone}.zone()
	if err != nil {
		return err
	}
	at := len([]rune(body.Expression))
	if body.At != nil {
		at = *body.At
	}
	env := expr.Env{Now: time.Now().UTC(), Locale: body.Locale, Zone: zone, Currency: body.Currency, Locals: body.Locals}
	return answer(w, http.StatusOK, expr.Complete(body.Expression, at, options, body.Variables, env))
}

// formFor is the newest version of a template, or its draft.
func (s *Server) formFor(r *http.Request, name string, draft bool) (bindings.Template, error) {
	if !draft {
		_, form, err := s.templateOf(r.Context(), name)
		return form, err
	}
	r = r.Clone(r.Context())
	r.SetPathValue("id", name)
	t, err := s.draftOf(r)
	if err != nil {
		return nil, err
	}
	return t.form, nil
}
