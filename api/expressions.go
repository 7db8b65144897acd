package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

const maxExpressionBody = 1 << 20

// An expressionRequest is the body of every route about expressions.
type expressionRequest struct {
	Expression *string         `json:"expression"`
	Template   string          `json:"template,omitempty"`  // whose variables it may use
	Variables  json.RawMessage `json:"variables,omitempty"` // sample values, or names alone
	Locale     string          `json:"locale,omitempty"`
	Timezone   string          `json:"timezone,omitempty"`
	Currency   string          `json:"currency,omitempty"`
}

// An expressionError is one mistake in an expression. Lines and columns count
// from 1, in letters; offset counts from 0.
type expressionError struct {
	Message   string `json:"message"`
	Code      string `json:"code"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	EndColumn int    `json:"endColumn"`
	Offset    int    `json:"offset"`
	Expected  string `json:"expected,omitempty"`
	Hint      string `json:"hint,omitempty"`
}

// A validAnswer says whether an expression can work, and what in it can't.
type validAnswer struct {
	Valid      bool              `json:"valid"`
	Expression string            `json:"expression"`
	Type       expr.Kind         `json:"type,omitempty"`
	Errors     []expressionError `json:"errors"`
}

// A testAnswer is what an expression gives.
type testAnswer struct {
	Success    bool             `json:"success"`
	Result     any              `json:"result"`
	ResultType string           `json:"resultType"`
	Text       string           `json:"text"` // as it prints
	Error      *expressionError `json:"error,omitempty"`
}

// validateExpression says whether an expression can work, and what in it can't.
func (s *Server) validateExpression(w http.ResponseWriter, r *http.Request) error {
	body, err := readExpression(w, r)
	if err != nil {
		return err
	}
	options, err := s.expressionOptions(r.Context(), body)
	if err != nil {
		return err
	}
	out := validAnswer{Expression: *body.Expression, Errors: []expressionError{}}
	if program, err := expr.Compile(bare(*body.Expression), options); err != nil {
		out.Errors = append(out.Errors, explained(err, *body.Expression))
	} else {
		out.Valid, out.Type = true, program.Type().Kind
	}
	return answer(w, http.StatusOK, out)
}

// testExpression computes an expression over sample values.
func (s *Server) testExpression(w http.ResponseWriter, r *http.Request) error {
	body, err := readExpression(w, r)
	if err != nil {
		return err
	}
	values, names, err := body.variables()
	if err != nil {
		return err
	}
	env := expr.Env{Now: time.Now().UTC(), Locale: body.Locale, Currency: body.Currency}
	if env.Zone, err = body.zone(); err != nil {
		return err
	}
	var result any
	program, err := expr.Compile(bare(*body.Expression), expr.Options{Names: names})
	if err == nil {
		result, err = program.Eval(values, env)
	}
	if err != nil {
		e := explained(err, *body.Expression)
		return answer(w, http.StatusOK, testAnswer{ResultType: "error", Error: &e})
	}
	return answer(w, http.StatusOK, testAnswer{Success: true, Result: result, ResultType: jsonType(result), Text: expr.Text(result)})
}

// listFunctions describes what expressions may call.
func (s *Server) listFunctions(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, http.StatusOK, map[string]any{"functions": expr.Functions()})
}

// expressionDependencies says what an expression's result depends on.
func (s *Server) expressionDependencies(w http.ResponseWriter, r *http.Request) error {
	body, err := readExpression(w, r)
	if err != nil {
		return err
	}
	program, err := expr.Compile(bare(*body.Expression), expr.Options{})
	if err != nil {
		for _, p := range problem.All(err) {
			p.Path = "expression"
		}
		return err
	}
	return answer(w, http.StatusOK, map[string]any{
		"expression": *body.Expression, "variables": list(program.Names()), "functions": list(program.Functions()),
		"readsClock": program.ReadsClock(), "readsAll": program.UsesAll(),
	})
}

func readExpression(w http.ResponseWriter, r *http.Request) (body expressionRequest, err error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxExpressionBody))
	if err != nil {
		return body, smallBodyError(err)
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return body, problem.New(problem.Invalid, "the body is not JSON of the form {\"expression\": \"…\"}: %w", err).WithSlug(slugMalformed)
	}
	if body.Expression == nil {
		return body, problem.New(problem.Invalid, "expression is missing").WithSlug("required").At("expression").
			WithHint(`send {"expression": "price * 0.9 | currency"}`)
	}
	return body, nil
}

// bare is an expression without the braces that it may be given in. Spaces take
// their place, so that columns are those of the text that was sent.
func bare(text string) string {
	inner := strings.TrimSpace(text)
	if !strings.HasPrefix(inner, "{{") || !strings.HasSuffix(inner, "}}") || len(inner) < 4 {
		return text
	}
	text = strings.Replace(text, "{{", "  ", 1)
	end := strings.LastIndex(text, "}}")
	return text[:end] + "  " + text[end+2:]
}

// expressionOptions are the names and types that the body tells, or its template.
func (s *Server) expressionOptions(ctx context.Context, body expressionRequest) (expr.Options, error) {
	if body.Template != "" {
		_, form, err := s.templateOf(ctx, body.Template)
		if err != nil {
			return expr.Options{}, err
		}
		options := expr.Options{Names: []string{}, Types: map[string]*expr.Type{}}
		for _, v := range form.Vars() {
			options.Names = append(options.Names, v.Name)
			options.Types[v.Name] = typeOfVariable(v)
		}
		return options, nil
	}
	values, names, err := body.variables()
	if err != nil {
		return expr.Options{}, err
	}
	options := expr.Options{Names: names}
	if len(values) > 0 {
		options.Types = map[string]*expr.Type{}
		for name, value := range values {
			options.Types[name] = expr.TypeOf(value)
		}
	}
	return options, nil
}

// typeOfVariable is what a manifest says, and what its example shows.
func typeOfVariable(v template.Var) *expr.Type {
	switch v.Type {
	case template.Number:
		return &expr.Type{Kind: expr.KindNumber}
	case template.Boolean:
		return &expr.Type{Kind: expr.KindBoolean}
	case template.Date:
		return &expr.Type{Kind: expr.KindDate}
	case template.Text, template.Image, template.URL, template.Color:
		return &expr.Type{Kind: expr.KindText}
	case template.Array:
		if t := expr.TypeOf(v.Example); t != nil && t.Kind == expr.KindList {
			return t
		}
		return &expr.Type{Kind: expr.KindList}
	case template.Object:
		if t := expr.TypeOf(v.Example); t != nil && t.Kind == expr.KindObject {
			return t
		}
		return &expr.Type{Kind: expr.KindObject}
	}
	return nil
}

// variables are the values that a body gives and their names; names are nil
// where it gives none, and then any name will do.
func (b expressionRequest) variables() (values map[string]any, names []string, err error) {
	if len(b.Variables) == 0 || string(b.Variables) == "null" {
		return nil, nil, nil
	}
	if json.Unmarshal(b.Variables, &names) == nil {
		return nil, append([]string{}, names...), nil
	}
	dec := json.NewDecoder(bytes.NewReader(b.Variables))
	dec.UseNumber()
	if err := dec.Decode(&values); err != nil {
		return nil, nil, problem.New(problem.Invalid, "variables must be an object of values or a list of names").
			WithSlug("invalid_type").At("variables").WithHint(`send {"variables": {"price": 49}}`)
	}
	return values, append([]string{}, slices.Sorted(maps.Keys(values))...), nil
}

func (b expressionRequest) zone() (*time.Location, error) {
	zone, err := time.LoadLocation(b.Timezone)
	if err != nil || b.Timezone == "Local" {
		return nil, problem.New(problem.Invalid, "the time zone %q is not known", b.Timezone).
			WithSlug("invalid_format").At("timezone").WithHint("zones look like Europe/Berlin or UTC")
	}
	return zone, nil
}

// explained is the first problem of err, in text.
func explained(err error, text string) expressionError {
	p := problem.All(err)[0]
	return expressionError{
		Message: p.Message, Code: p.Kind(), Expected: p.Expected, Hint: p.Hint, Offset: offsetOf(text, p.Pos),
		Line: p.Pos.Line, Column: p.Pos.Column, EndLine: p.Pos.EndLine, EndColumn: p.Pos.EndColumn,
	}
}

// offsetOf is how many letters of text come before pos.
func offsetOf(text string, pos problem.Position) int {
	offset := max(pos.Column, 1) - 1
	lines := strings.SplitAfter(text, "\n")
	for _, line := range lines[:min(max(pos.Line, 1)-1, len(lines))] {
		offset += len([]rune(line))
	}
	return offset
}

// jsonType is what JSON calls a value.
func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "number"
}
