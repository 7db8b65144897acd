package api

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/expr"
)

func TestExpressionsAreValidated(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for _, tt := range []struct {
		body string
		want validAnswer
	}{
		{`{"expression":"price * 0.9 | currency"}`, validAnswer{Valid: true, Type: "text"}},
		{`{"expression":"{{ price * 2 }}","variables":{"price":"49"}}`, validAnswer{Valid: true, Type: "number"}},
		{`{"expression":"price","variables":["price"]}`, validAnswer{Valid: true, Type: "any"}},
		{`{"expression":"{{ prcie * 2 }}","variables":["price"]}`, validAnswer{Errors: []expressionError{{
			Message: `unknown variable "prcie"`, Code: "unknown_variable", Line: 1, Column: 4, EndLine: 1, EndColumn: 9, Offset: 3, Hint: `did you mean "price"?`,
		}}}},
		{`{"expression":"1 +\n  upper(","variables":{}}`, validAnswer{Errors: []expressionError{{
			Message: `the bracket "(" is not closed`, Code: "bad_expression", Line: 2, Column: 8, EndLine: 2, EndColumn: 9, Offset: 11, Expected: ")",
		}}}},
		{`{"expression":"title * 2","variables":{"title":"Oak"}}`, validAnswer{Errors: []expressionError{{
			Message: "title is text, but a number is needed", Code: "wrong_type", Line: 1, Column: 1, EndLine: 1, EndColumn: 6, Expected: "a number",
		}}}},
		{`{"expression":"recipient_name | upper","template":"tpl_certificate"}`, validAnswer{Valid: true, Type: "text"}},
		{`{"expression":"recipient_nam","template":"tpl_certificate"}`, validAnswer{Errors: []expressionError{{
			Message: `unknown variable "recipient_nam"`, Code: "unknown_variable", Line: 1, Column: 1, EndLine: 1, EndColumn: 14, Hint: `did you mean "recipient_name"?`,
		}}}},
		{`{"expression":"-recipient_name","template":"tpl_certificate"}`, validAnswer{Errors: []expressionError{{
			Message: "recipient_name is text, but a number is needed", Code: "wrong_type", Line: 1, Column: 2, EndLine: 1, EndColumn: 16, Offset: 1, Expected: "a number",
		}}}},
	} {
		got := mustAnswer[validAnswer](t, post("/expressions/validate", tt.body).to(t, s), 200)
		var sent expressionRequest
		if err := json.Unmarshal([]byte(tt.body), &sent); err != nil {
			t.Fatal(err)
		}
		tt.want.Expression = *sent.Expression
		tt.want.Errors = append([]expressionError{}, tt.want.Errors...)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, diff)
		}
	}
}

func TestExpressionsAreTriedOut(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for body, want := range map[string]testAnswer{
		`{"expression":"price * 0.9 | currency","variables":{"price":49}}`: {Success: true, Result: "$44.10", ResultType: "string", Text: "$44.10"},
		`{"expression":"{{ price * 0.9 | currency }}","variables":{"price":49},"locale":"de-DE","currency":"EUR"}`: {
			Success: true, Result: "44,10\u00a0€", ResultType: "string", Text: "44,10\u00a0€",
		},
		`{"expression":"price * 2","variables":{"price":"1.5"}}`: {Success: true, Result: 3.0, ResultType: "number", Text: "3"},
		`{"expression":"[1, true]"}`:                             {Success: true, Result: []any{1.0, true}, ResultType: "array", Text: "1, true"},
		`{"expression":"nil"}`:                                   {Success: true, ResultType: "null"},
		`{"expression":"1 > 2"}`:                                 {Success: true, Result: false, ResultType: "boolean", Text: "false"},
		`{"expression":"{a: 1}"}`:                                {Success: true, Result: map[string]any{"a": 1.0}, ResultType: "object", Text: `{"a":1}`},
		`{"expression":"time(\"2026-03-05T23:00:00Z\", \"HH:mm\")","timezone":"Asia/Tokyo"}`: {Success: true, Result: "08:00", ResultType: "string", Text: "08:00"},
		`{"expression":"{{2 * name}}","variables":{"name":"Ada"}}`: {ResultType: "error", Error: &expressionError{
			Message: `name is "Ada", not a number`, Code: "bad_expression", Line: 1, Column: 7, EndLine: 1, EndColumn: 11, Offset: 6, Expected: "a number",
		}},
		`{"expression":"number(1)","locale":"tlh"}`: {ResultType: "error", Error: &expressionError{
			Message: `the locale "tlh" is not known`, Code: "bad_expression", Line: 1, Column: 1, EndLine: 1, EndColumn: 7,
			Expected: "a locale", Hint: "locales look like en-US, de or pt-BR",
		}},
	} {
		got := mustAnswer[testAnswer](t, post("/expressions/test", body).to(t, s), 200)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestDependenciesOfAnExpressionAreNamed(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	type deps struct {
		Variables, Functions []string
		ReadsClock, ReadsAll bool
	}
	for src, want := range map[string]deps{
		"{{ price * rate | currency | upper }}": {Variables: []string{"price", "rate"}, Functions: []string{"currency", "uppercase"}},
		"1":                                     {Variables: []string{}, Functions: []string{}},
		"relativeTime(when)":                    {Variables: []string{"when"}, Functions: []string{"relativeTime"}, ReadsClock: true},
		"relativeTime(when, base)":              {Variables: []string{"base", "when"}, Functions: []string{"relativeTime"}},
		"$env[name]":                            {Variables: []string{"name"}, Functions: []string{}, ReadsAll: true},
	} {
		body, err := json.Marshal(map[string]string{"expression": src})
		if err != nil {
			t.Fatal(err)
		}
		got := mustAnswer[deps](t, post("/expressions/dependencies", string(body)).to(t, s), 200)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", src, diff)
		}
	}
	d := mustProblem(t, post("/expressions/dependencies", `{"expression":"1 +"}`).to(t, s), 422, "bad_expression")
	if len(d.Errors) != 1 || d.Errors[0].Field != "expression" {
		t.Errorf("errors %+v", d.Errors)
	}
}

func TestFunctionsAreListed(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	got := mustAnswer[struct{ Functions []expr.Function }](t, get("/templates/expression/functions").to(t, s), 200)
	i := slices.IndexFunc(got.Functions, func(f expr.Function) bool { return f.Name == "truncate" })
	if len(got.Functions) < 60 || i < 0 || len(got.Functions[i].Params) != 3 || len(got.Functions[i].Examples) == 0 {
		t.Errorf("%d functions, truncate at %d", len(got.Functions), i)
	}
}

func TestRequestsAboutExpressionsThatCannotBeRead(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for _, tt := range []struct {
		path, body string
		status     int
		slug       string
	}{
		{"/expressions/validate", `{`, 400, "malformed_body"},
		{"/expressions/validate", `{}`, 422, "required"},
		{"/expressions/validate", `{"expression":5}`, 400, "malformed_body"},
		{"/expressions/validate", `{"expression":"1","variables":5}`, 422, "invalid_type"},
		{"/expressions/validate", `{"expression":"1","template":"none"}`, 404, "template_not_found"},
		{"/expressions/test", `{"expression":"1","timezone":"Mars/Olympus"}`, 422, "invalid_format"},
		{"/expressions/test", `{"expression":"1","timezone":"Local"}`, 422, "invalid_format"},
		{"/expressions/test", `{"expression":"` + strings.Repeat("x", maxExpressionBody) + `"}`, 413, "too_large"},
	} {
		mustProblem(t, post(tt.path, tt.body).to(t, s), tt.status, tt.slug)
	}
}

func TestExpressionThatIsTooLongIsOneThatIsNotValid(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	got := mustAnswer[validAnswer](t, post("/expressions/validate", `{"expression":"`+strings.Repeat("x", 9000)+`"}`).to(t, s), 200)
	if got.Valid || len(got.Errors) != 1 || !strings.Contains(got.Errors[0].Message, "9000 bytes") {
		t.Errorf("got %+v", got)
	}
}
