package api

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/expr"
)

func TestExpressionsAreCompleted(t *testing.T) {
	s := mustServer(t, open(), tried(t))
	for _, c := range []struct{ body, first string }{
		{`{"expression": "pr", "template": "tpl_certificate"}`, "price"},
		{`{"expression": "pr", "template": "tpl_certificate", "draft": true}`, "price"},
		{`{"expression": "ti + 1", "at": 2, "template": "tpl_certificate"}`, "title"},
		{`{"expression": "title | upp", "template": "tpl_certificate", "variables": {"title": "mug"}}`, "uppercase"},
		{`{"expression": "f.", "locals": {"f": {"label": "Warm"}}}`, "label"},
		{`{"expression": "na", "variables": {"name": "Ada"}}`, "name"},
		{`{"expression": "title | currency", "at": 99}`, "currency"},
	} {
		v := mustAnswer[expr.Completion](t, post("/expressions/complete", c.body).to(t, s), 200)
		if len(v.Items) == 0 || v.Items[0].Label != c.first {
			t.Errorf("%s: %+v, want %s first", c.body, v, c.first)
		}
	}
	for body, status := range map[string]int{
		``: 400, `{"expression": 1}`: 400, `{"expression": "a", "template": "none"}`: 404, `{"expression": "a", "timezone": "Moon"}`: 422,
		`{"expression": "` + strings.Repeat("a", 9000) + `"}`: 413,
	} {
		if out := post("/expressions/complete", body).to(t, s); out.Code != status {
			t.Errorf("%.60s: %d %s, want %d", body, out.Code, out.Body, status)
		}
	}
}
