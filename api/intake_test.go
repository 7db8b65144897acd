package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/xuri/excelize/v2"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

const xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// sent is a batch of another type than JSON.
func sent(query, kind, body string) call {
	return post(batchPath+query, body).with("Content-Type", kind)
}

func gzipped(tb testing.TB, text string) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// farSeeing is text as zstd that may refer back 128 MB.
func farSeeing(tb testing.TB, text string) string {
	tb.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithWindowSize(128<<20))
	if err != nil {
		tb.Fatal(err)
	}
	_, _ = io.WriteString(z, text)
	if err := z.Flush(); err != nil { // so that its size is not known when its head is written
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func zstandard(tb testing.TB, text string) string {
	tb.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

// workbook is an XLSX of one sheet.
func workbook(tb testing.TB, rows ...[]any) string {
	tb.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			tb.Fatal(err)
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func TestRowsComeInAnyForm(t *testing.T) {
	const csv = "certificate_id,recipient_name\nC-1,Ada\nC-2,Grace\n"
	want := []string{`{"certificate_id":"C-1","recipient_name":"Ada"}`, `{"certificate_id":"C-2","recipient_name":"Grace"}`}
	const query = "?format=jpeg&quality=0.8&rowKey=certificate_id&metadata=%7B%22a%22%3A1%7D&webhookUrl=https%3A%2F%2Fa.example%2Fdone&priority=low&maxErrors=3&templateVersion=2"
	for name, c := range map[string]struct{ kind, encoding, body string }{
		"CSV":          {"text/csv; charset=utf-8", "", csv},
		"CSV, gzip":    {"text/csv", "gzip", gzipped(t, csv)},
		"CSV, zstd":    {"text/csv", "zstd", zstandard(t, csv)},
		"TSV":          {"text/tab-separated-values", "", strings.ReplaceAll(csv, ",", "\t")},
		"NDJSON":       {"application/x-ndjson", "", strings.Join(want, "\n")},
		"NDJSON, zstd": {"application/x-ndjson", "zstd", zstandard(t, strings.Join(want, "\n"))},
		"XLSX":         {xlsxType, "", workbook(t, []any{"certificate_id", "recipient_name"}, []any{"C-1", "Ada"}, []any{"C-2", "Grace"})},
		"JSON":         {"application/json", "", `{"variableSets":[` + strings.Join(want, ",") + `]}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			got := mustAnswer[batch.Accepted](t, sent(query, c.kind, c.body).with("Content-Encoding", c.encoding).to(t, mustServer(t, open(), w)), 202)
			job, err := w.Job(t.Context(), got.JobID)
			if err != nil || job.Total != 2 || got.TotalItems != 2 {
				t.Fatalf("%+v, %v", job, err)
			}
			for i, row := range w.rows[got.JobID] {
				if string(row.Values) != want[i] || row.Index != int64(i) {
					t.Errorf("row %d is %s, want %s", i, row.Values, want[i])
				}
			}
			if job.Priority != batch.Low || job.MaxErrors != 3 || job.Version != 2 || job.RowKey != "certificate_id" || string(job.Metadata) != `{"a":1}` ||
				job.WebhookURL != "https://a.example/done" || len(job.Outputs) != 1 || job.Outputs[0].Format != "jpeg" || job.Outputs[0].Quality != 80 {
				t.Errorf("job is %+v", job)
			}
		})
	}
}

func TestWrongBodiesLeaveNothing(t *testing.T) {
	rows := strings.Repeat("Ada,1\n", 1200)
	lines := strings.Repeat(`{"recipient_name":"Ada"}`+"\n", 1200)
	book := workbook(t, []any{"recipient_name"}, []any{"Ada"})
	whole := zstandard(t, lines)
	for name, c := range map[string]struct {
		call   call
		status int
		slug   string
		within string
	}{
		"unknown option":            {sent("?rowkey=id", "text/csv", "a\n1\n"), 422, "unknown_field", `"rowKey"`},
		"option of the wrong type":  {sent("?maxErrors=many", "text/csv", "a\n1\n"), 422, "wrong_type", "maxErrors"},
		"option twice":              {sent("?format=png&fileExtension=png", "text/csv", "a\n1\n"), 422, "given_twice", "format"},
		"option in both":            {post(batchPath+"?format=png", `{"format":"png","variables":[{}]}`), 422, "given_twice", "format"},
		"unknown priority":          {sent("?priority=urgent", "text/csv", "a\n1\n"), 422, "invalid", "priority"},
		"unknown version":           {sent("?templateVersion=99", "text/csv", "recipient_name,b\n"+rows), 404, "template_not_found", "templateVersion"},
		"header twice":              {sent("", "text/csv", "a,b,a\n1,2,3\n"), 422, "bad_table", `columns 1 and 3`},
		"column without a name":     {sent("", "text/csv", "a,,b\n1,2,3\n"), 422, "bad_table", "column 2"},
		"no header":                 {sent("", "text/csv", ""), 422, "bad_table", "no header"},
		"header alone":              {sent("", "text/csv", "a,b\n"), 422, "invalid", "no rows"},
		"quote left open":           {sent("", "text/csv", "recipient_name,b\n"+rows+"\"Ada,1\n"), 422, "bad_table", "line 1202"},
		"not UTF-8":                 {sent("", "text/csv", "recipient_name,b\n"+rows+"Ad\xe9,1\n"), 422, "bad_table", "UTF-8"},
		"half of UTF-16":            {sent("", "text/csv", "\xff\xfea\x00\n\x001"), 422, "bad_table", "UTF-16"},
		"cell of 20 MB":             {sent("", "text/csv", "a\n\""+strings.Repeat("x", 20<<20)), 413, "row_too_large", "16 MB"},
		"NDJSON cut in a line":      {sent("", "application/x-ndjson", lines+`{"recipient_name":"Gr`), 400, "body_cut_short", "1200 rows"},
		"NDJSON without a line":     {sent("", "application/x-ndjson", "\n\n"), 422, "invalid", "no rows"},
		"zstd cut":                  {sent("", "application/x-ndjson", whole[:len(whole)-9]).with("Content-Encoding", "zstd"), 400, "body_cut_short", ""},
		"not zstd":                  {sent("", "application/x-ndjson", lines).with("Content-Encoding", "zstd"), 400, "malformed_body", "zstd"},
		"a window of 128 MB":        {sent("", "text/csv", farSeeing(t, rows)).with("Content-Encoding", "zstd"), 413, "body_too_large", "32 MB"},
		"XLSX cut":                  {sent("", xlsxType, book[:len(book)/2]), 422, "bad_workbook", ""},
		"no XLSX":                   {sent("", xlsxType, "recipient_name,b\n"+rows), 422, "bad_workbook", ""},
		"unknown sheet":             {sent("?sheet=Shet1", xlsxType, book), 422, "unknown_sheet", `did you mean "Sheet1"?`},
		"a value of 20 MB":          {post(batchPath, `{"metadata":"`+strings.Repeat("x", 20<<20)+`","variables":[{}]}`), 413, "row_too_large", "16 MB"},
		"a value of 20 MB, in gzip": {post(batchPath, gzipped(t, `{"variables":[{"a":"`+strings.Repeat("x", 20<<20)+`"}]}`)).with("Content-Encoding", "gzip"), 413, "row_too_large", "16 MB"},
		"JSON of depth 100,000":     {post(batchPath, `{"variables":[{"a":`+strings.Repeat("[", 100_000)), 422, "bad_json", "depth"},
		"rows and a source":         {post(batchPath, `{"source":"shop","variables":[{}]}`), 422, "given_twice", "source"},
		"two places":                {post(batchPath, `{"source":"shop","binding":"cards"}`), 422, "given_twice", "source"},
		"no address":                {post(batchPath, `{"sourceUrl":"/rows.csv"}`), 422, "invalid", "sourceUrl"},
		"too many rows of CSV":      {sent("", "text/csv", "a\n"+strings.Repeat("1\n", batch.MaxRows+1)), 413, "too_many_rows", "sourceUrl"},
		"too many rows of NDJSON":   {sent("", "application/x-ndjson", strings.Repeat("{}\n", batch.MaxRows+1)), 413, "too_many_rows", "100000"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			d := mustProblem(t, c.call.to(t, mustServer(t, open(), w)), c.status, c.slug)
			if all := fmt.Sprintf("%s %s %+v", d.Detail, d.Hint, d.Errors); !strings.Contains(all, c.within) {
				t.Errorf("got %s, want %q named", all, c.within)
			}
			w.mustHaveNothing(t)
		})
	}
}

func TestBombsEndAtTheLimit(t *testing.T) {
	bomb := "recipient_name\n" + strings.Repeat("Ada Lovelace of London\n", 100_000)
	for encoding, body := range map[string]string{"gzip": gzipped(t, bomb), "zstd": zstandard(t, bomb)} {
		t.Run(encoding, func(t *testing.T) {
			w := newWorld()
			s := mustServer(t, open(), w)
			s.limits.Body = 1 << 20
			c := sent("", "text/csv", body).with("Content-Encoding", encoding)
			mustProblem(t, c.to(t, s), 413, "body_too_large")
			w.mustHaveNothing(t)
			w.jobs = []batch.Job{{ID: "j", IdempotencyKey: "friday", Template: testTemplate}}
			mustProblem(t, c.with("Idempotency-Key", "friday").to(t, s), 413, "body_too_large")
		})
	}
}

func TestRowsWrongInThemselvesFailAlone(t *testing.T) {
	const good = `{"recipient_name":"Ada"}`
	for name, c := range map[string]struct{ kind, body, code, within string }{
		"NDJSON with a bad line":    {"application/x-ndjson", good + "\n{\"recipient_name\":\n" + good + "\n", "bad_row", "line 2"},
		"NDJSON with a list":        {"application/x-ndjson", good + "\n[1]\n" + good, "bad_row", "a list"},
		"NDJSON not UTF-8":          {"application/x-ndjson", good + "\n{\"recipient_name\":\"\xff\"}\n" + good, "bad_row", "UTF-8"},
		"NDJSON with a row of 2 MB": {"application/x-ndjson", good + "\n{\"a\":\"" + strings.Repeat("x", 2<<20) + "\"}\n" + good, "too_large", "line 2"},
		"NDJSON of depth 100,000":   {"application/x-ndjson", good + "\n{\"a\":" + strings.Repeat("[", 100_000) + "\n" + good, "bad_row", "depth"},
		"CSV with a cell too few":   {"text/csv", "recipient_name,age\nAda,1\nAda\nAda,2\n", "bad_row", "line 3 has 1 cells"},
		"CSV with a row of 2 MB":    {"text/csv", "recipient_name,age\nAda,1\n" + strings.Repeat("x", 2<<20) + ",1\nAda,2\n", "too_large", "at most 1048576"},
		"XLSX with a cell too many": {xlsxType, workbook(t, []any{"recipient_name"}, []any{"Ada"}, []any{"Ada", "x"}, []any{"Ada"}), "bad_row", "row 3 has 2 cells"},
		"JSON with a row of 2 MB":   {"application/json", `{"variables":[` + good + `,{"a":"` + strings.Repeat("x", 2<<20) + `"},` + good + `]}`, "too_large", "at most 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			got := mustAnswer[batch.Accepted](t, sent("", c.kind, c.body).to(t, mustServer(t, open(), w)), 202)
			rows := w.rows[got.JobID]
			if len(rows) != 3 || rows[0].Error != nil || rows[2].Error != nil || rows[1].Error == nil {
				t.Fatalf("rows %+v", rows)
			}
			if e := rows[1].Error; e.Code != c.code || !strings.Contains(e.Message, c.within) {
				t.Errorf("row 1 fails with %+v, want %s and %q", e, c.code, c.within)
			}
		})
	}
}

func TestQueryIsPartOfTheRequest(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	c := sent("?format=png", "text/csv", "recipient_name\nAda\n").with("Idempotency-Key", "friday")
	first := mustAnswer[batch.Accepted](t, c.to(t, s), 202)
	if again := mustAnswer[batch.Accepted](t, c.to(t, s), 202); again != first {
		t.Errorf("again %+v, want %+v", again, first)
	}
	c.path = batchPath + "?format=jpeg"
	mustProblem(t, c.to(t, s), 409, "idempotency_conflict")
}

func TestRowsComeFromAnAddress(t *testing.T) {
	const rows = `[{"recipient_name":"Ada"},{"recipient_name":"Grace"}]`
	served := http.NewServeMux()
	serve := func(path, kind, encoding, body string) {
		served.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			if encoding != "" {
				w.Header().Set("Content-Encoding", encoding)
			}
			_, _ = io.WriteString(w, body)
		})
	}
	serve("/csv", "text/csv", "", "recipient_name;age\nAda;1\nGrace;2\n")
	serve("/zstd", "text/csv", "zstd", zstandard(t, "recipient_name\nAda\nGrace\n"))
	serve("/named.csv", "text/plain", "", "recipient_name\nAda\nGrace\n")
	serve("/list", "application/json", "", rows)
	serve("/nested", "application/json", "", `{"data":{"page":1,"items":`+rows+`},"more":[[{}]]}`)
	serve("/batch", "application/json", "", `{"variables":`+rows+`}`)
	serve("/html", "text/html", "", "<!doctype html>")
	serve("/none", "application/json", "", `[]`)
	serve("/cut", "application/json", "", rows[:len(rows)-5])
	serve("/deep", "application/json", "", strings.Repeat(`{"variables":`, 1_000_000))
	served.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "recipient_name\nAda\n")
	})
	site := httptest.NewServer(served)
	defer site.Close()
	for path, options := range map[string]string{
		"/csv": "", "/zstd": "", "/named.csv": "", "/list": "", "/batch": "", "/nested": `,"sourceRows":"$.data.items"`,
	} {
		t.Run(path, func(t *testing.T) {
			w := newWorld()
			got := mustAnswer[batch.Accepted](t, post(batchPath, `{"sourceUrl":"`+site.URL+path+`"`+options+`}`).to(t, mustServer(t, open(), w)), 202)
			if got.TotalItems != 2 || len(w.rows[got.JobID]) != 2 || !strings.Contains(string(w.rows[got.JobID][1].Values), "Grace") {
				t.Errorf("%+v with %+v", got, w.rows[got.JobID])
			}
		})
	}
	for path, c := range map[string]struct {
		status int
		slug   string
	}{
		"/html": {422, "source_failed"}, "/none": {422, "no_rows"}, "/cut": {502, "source_failed"}, "/broken": {502, "source_failed"},
		"/nested": {422, "rows_not_found"}, "/missing": {422, "source_failed"}, "/deep": {422, "rows_not_found"},
	} {
		t.Run("refused "+path, func(t *testing.T) {
			w := newWorld()
			d := mustProblem(t, post(batchPath, `{"sourceUrl":"`+site.URL+path+`?token=hush"}`).to(t, mustServer(t, open(), w)), c.status, c.slug)
			if len(d.Errors) != 1 || d.Errors[0].Field != "sourceUrl" || strings.Contains(d.Detail, "hush") {
				t.Errorf("got %+v", d)
			}
			w.mustHaveNothing(t)
		})
	}
}

func TestRowsComeFromASourceOrABinding(t *testing.T) {
	w := newWorld()
	w.stored["shop"] = []bindings.StoredRow{{Key: "a%2F1", Values: []byte(`{"recipient_name":"Ada"}`)}, {Key: "b", Values: []byte(`{"recipient_name":"Grace"}`)}}
	for _, body := range []string{`{"source":"shop"}`, `{"binding":"cards"}`} {
		got := mustAnswer[batch.Accepted](t, post(batchPath, body).to(t, mustServer(t, open(), w)), 202)
		rows := w.rows[got.JobID]
		if got.TotalItems != 2 || len(rows) != 2 || rows[0].Key != "a%2F1" || rows[1].Key != "b" || rows[1].Index != 1 {
			t.Errorf("%s: rows %+v", body, rows)
		}
	}
}

func TestRowsFromElsewhereAreForKeysThatMaySeeThem(t *testing.T) {
	w := newWorld()
	w.templates["other"] = w.templates[testTemplate]
	w.stored["shop"] = []bindings.StoredRow{{Key: "a", Values: []byte(`{"recipient_name":"Ada"}`)}}
	s := mustServer(t, locked(
		Key{Name: "renders", Key: secret("key-that-may-only-render"), Scopes: []Scope{RendersWrite}},
		Key{Name: "other", Key: secret("key-for-another-template"), Templates: []string{"other"}},
		Key{Name: "full", Key: secret(fullKey)},
	), w)
	for name, c := range map[string]struct {
		key, path, body string
		status          int
		slug            string
	}{
		"no scope, source":       {"key-that-may-only-render", batchPath, `{"source":"shop"}`, 403, "scope_missing"},
		"no scope, binding":      {"key-that-may-only-render", batchPath, `{"binding":"cards"}`, 403, "scope_missing"},
		"another's binding":      {"key-for-another-template", "/templates/other/batch-render", `{"binding":"cards"}`, 404, "binding_not_found"},
		"source of another's":    {"key-for-another-template", "/templates/other/batch-render", `{"source":"shop"}`, 404, "source_not_found"},
		"unknown source":         {fullKey, batchPath, `{"source":"shp"}`, 404, "source_not_found"},
		"unknown binding":        {fullKey, batchPath, `{"binding":"crds"}`, 404, "binding_not_found"},
		"a source without a row": {fullKey, batchPath, `{"source":"crm"}`, 422, "no_rows"},
	} {
		t.Run(name, func(t *testing.T) {
			w.stored["crm"] = []bindings.StoredRow{}
			mustProblem(t, post(c.path, c.body).bearer(c.key).to(t, s), c.status, c.slug)
			w.mustHaveNothing(t)
		})
	}
}

func TestDryRunChecksEveryRowAndKeepsNothing(t *testing.T) {
	w := newWorld()
	w.form = certificateForm()
	w.unreachable = map[string]bool{"https://gone.example/a.png": true}
	rows := []string{
		`{"id":"1","recipient_name":"Ada"}`, `{"id":"2","recipient_name":"Ada"}`, `{"id":"2","recipient_name":"Bob"}`, `{"id":"4"}`,
		`{"id":"5","recipient_name":"` + strings.Repeat("long ", 6) + `"}`, `{"id":"6","recipient_name":"` + strings.Repeat("longer ", 9) + `"}`,
		`{"id":"7","recipient_name":"Cy","age":"old"}`, `7`, `{"id":"9","recipient_name":"Eve","photo":"https://gone.example/a.png"}`,
		`{"id":"10","recipient_name":"Dan","photo":"https://there.example/b.png"}`, `{"id":"11","recipient_name":"Flo","photo":"https://gone.example/a.png"}`,
	}
	for name, body := range map[string]string{
		"ahead":  `{"dryRun":true,"rowKey":"id","variables":[` + strings.Join(rows, ",") + `]}`,
		"behind": `{"variables":[` + strings.Join(rows, ",") + `],"rowKey":"id","dryRun":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			got := mustAnswer[batch.DryRun](t, post(batchPath, body).to(t, mustServer(t, open(), w)), 200)
			codes := map[int64]string{}
			for _, e := range got.Errors {
				codes[e.Index] = e.Code
			}
			want := map[int64]string{2: "duplicate_key", 3: "missing_variable", 5: "too_long", 6: "wrong_type", 7: "bad_row", 8: "asset_fetch_failed", 10: "asset_fetch_failed"}
			if fmt.Sprint(codes) != fmt.Sprint(want) {
				t.Errorf("errors %v, want %v", codes, want)
			}
			if !got.DryRun || got.TotalItems != 11 || got.Valid != 4 || got.Invalid != 7 || got.Estimate.Deduped != 1 || got.Truncated {
				t.Errorf("got %+v", got)
			}
			if got.Files != (batch.RemoteFiles{Checked: 2, Missing: 1}) {
				t.Errorf("files %+v", got.Files)
			}
			var sample []int64
			for _, r := range got.Sample {
				sample = append(sample, r.Index)
				if !r.Success || r.URL == "" {
					t.Errorf("sample %+v", r)
				}
			}
			if fmt.Sprint(sample) != "[0 1 4 9]" {
				t.Errorf("sample %v, want the first ones and the longest", sample)
			}
			w.mustHaveNothing(t)
		})
	}
}

func TestDryRunTellsTheFirstThousandErrors(t *testing.T) {
	w := newWorld()
	got := mustAnswer[batch.DryRun](t, sent("?dryRun=true", "text/csv", "recipient_name,age\n"+strings.Repeat("Ada,old\n", 5000)).to(t, mustServer(t, open(), w)), 200)
	if len(got.Errors) != 1000 || !got.Truncated || got.Invalid != 5000 || got.Errors[999].Index != 999 || len(got.Sample) != 0 {
		t.Errorf("%d errors, %+v", len(got.Errors), got.Estimate)
	}
}

func TestDryRunEstimatesByTheBatchBefore(t *testing.T) {
	w := newWorld()
	w.acceptedJob("before", 600)
	w.jobs[0].Outputs = []batch.Output{{}}
	w.rendered = map[string]bool{}
	got := mustAnswer[batch.DryRun](t, sent("?dryRun=true", "text/csv", "recipient_name\nAda\nGrace\n").to(t, mustServer(t, open(), w)), 200)
	if got.Estimate.Rate != 60 || got.Estimate.Basis != "before" || got.Estimate.Deduped != 0 {
		t.Errorf("estimate %+v, want that of 600 rows in 10 seconds", got.Estimate)
	}
}
