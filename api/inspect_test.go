package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestTableIsInspected(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	csv := call{method: "POST", path: "/tables/inspect?template=tpl_certificate", body: "Recipient Name;score\nAda;1\nGrace;2\n", header: map[string]string{"Content-Type": "text/csv"}}
	got := mustAnswer[tableView](t, csv.to(t, s), http.StatusOK)
	if got.Format != "csv" || got.Rows != 2 || len(got.Columns) != 2 || got.Columns[1].Type != "number" {
		t.Errorf("the table is %+v", got.Table)
	}
	if got.Mapping["recipient_name"] != `$env["Recipient Name"]` || len(got.Unmatched.Variables) != 0 || len(got.Unmatched.Columns) != 1 || len(got.Variables) != 1 {
		t.Errorf("the match is %+v of %+v", got.Match, got.Variables)
	}
	plain := mustAnswer[tableView](t, call{method: "POST", path: "/tables/inspect?format=ndjson", body: `{"a":1}` + "\n"}.to(t, s), http.StatusOK)
	if plain.Format != "ndjson" || plain.Rows != 1 || len(plain.Variables) != 0 {
		t.Errorf("without a template the table is %+v", plain)
	}
	if len(w.staged) != 0 || len(w.jobs) != 0 {
		t.Error("something of it is kept")
	}
}

func TestTableThatCantBeInspectedIsRefused(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for name, c := range map[string]struct {
		path, kind, body string
		status           int
	}{
		"another type":       {"", "image/png", "x", http.StatusUnsupportedMediaType},
		"another format":     {"?format=pdf", "", "x", http.StatusUnprocessableEntity},
		"no template":        {"?template=none", "text/csv", "a\n1\n", http.StatusNotFound},
		"a wrong delimiter":  {"?delimiter=abc", "text/csv", "a\n1\n", http.StatusUnprocessableEntity},
		"no rows":            {"", "text/csv", "a,b\n", http.StatusUnprocessableEntity},
		"no JSON":            {"", "application/json", "[{", 0},
		"no workbook":        {"?format=xlsx", "", "PK", 0},
		"another packing":    {"?format=csv", "", "a\n", 0},
		"a quote that stays": {"", "text/csv", "a,b\n\"1,2\n", 0},
	} {
		c2 := call{method: "POST", path: "/tables/inspect" + c.path, body: c.body, header: map[string]string{}}
		if c.kind != "" {
			c2.header["Content-Type"] = c.kind
		}
		if name == "another packing" {
			c2.header["Content-Encoding"] = "brotli"
		}
		out := c2.to(t, s)
		if out.Code < 400 || out.Code >= 500 || c.status != 0 && out.Code != c.status || !strings.Contains(out.Body.String(), `"code"`) {
			t.Errorf("%s: status %d: %s", name, out.Code, out.Body)
		}
	}
}

func TestBatchIsMapped(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	csv := call{method: "POST", path: `/templates/tpl_certificate/batch-render?mapping={"recipient_name":"name|upper"}`, body: "name\nAda\n", header: map[string]string{"Content-Type": "text/csv"}}
	if out := csv.to(t, s); out.Code != http.StatusAccepted || w.jobs[0].Mapping["recipient_name"] != "name|upper" {
		t.Fatalf("status %d, the job %+v: %s", out.Code, w.jobs, out.Body)
	}
	for _, mapping := range []string{`{"recipient_nam":"name"}`, `{"recipient_name":"name |"}`, `["name"]`, `{"recipient_name":7}`} {
		out := post("/templates/tpl_certificate/batch-render", `{"variables":[{"name":"Ada"}],"mapping":`+mapping+`}`).to(t, s)
		if out.Code != http.StatusUnprocessableEntity || !strings.Contains(out.Body.String(), "mapping") {
			t.Errorf("%s: status %d: %s", mapping, out.Code, out.Body)
		}
	}
	if len(w.jobs) != 1 {
		t.Errorf("%d jobs were accepted, want the one", len(w.jobs))
	}
}
