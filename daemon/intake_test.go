package daemon

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

const batchPath = "/templates/card/batch-render"

// shopRows are two rows that the binding of mappedYAML draws, one that it does
// not, and one that it can't map.
const (
	mappedYAML = `
sources: { shop: { kind: file, path: rows.csv, key: sku } }
bindings: [ { name: cards, source: shop, template: card, where: stock > 0, map: { title: name | uppercase, price: price * 2 } } ]
`
	shopRows = "sku,name,price,stock\nA/1,Mug,1.50,7\nB,Jug,2,1\nC,Gone,3,0\nD,Odd,many,3\n"
)

// send posts a batch and decodes the answer.
func send[T any](tb testing.TB, url, kind, body string, status int) (answer T) {
	tb.Helper()
	res, err := http.Post(url, kind, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	if res.StatusCode != status {
		tb.Fatalf("%s: %s, want %d", res.Status, text, status)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		tb.Fatalf("decode %s: %v", text, err)
	}
	return answer
}

func TestBatchDrawsTheRowsOfASourceAndOfABinding(t *testing.T) {
	s := newSite(t, mappedYAML)
	s.write("rows.csv", shopRows)
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := process{tb: t, url: url}
	eventually(t, "the rows are read", func() bool { return p.ready("cards") == 2 })
	for body, want := range map[string]string{
		`{"binding":"cards"}`: "A%2F1=MUG B=JUG D!bad_expression",
		`{"source":"shop"}`:   "A%2F1! B! C! D!",
	} {
		accepted := send[batch.Accepted](t, url+batchPath, "application/json", body, 202)
		eventually(t, "the job ends", func() bool {
			v := p.job(accepted.JobID)
			return v.CompletedItems+v.FailedItems == v.TotalItems
		})
		v := p.job(accepted.JobID)
		rows, err := d.store.Sent(t.Context(), accepted.JobID, -1, 10)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, r := range rows {
			var values struct {
				Title string
				Price json.Number
			}
			if r.Error == nil {
				if err := json.Unmarshal(r.Values, &struct{ Title *string }{&values.Title}); err != nil {
					t.Fatal(err)
				}
			}
			switch {
			case r.Error != nil:
				all = append(all, r.Key+"!"+r.Error.Code)
			case values.Title == "":
				all = append(all, r.Key+"!")
			default:
				all = append(all, r.Key+"="+values.Title)
			}
		}
		if got := strings.Join(all, " "); got != want {
			t.Errorf("%s: rows %s, want %s", body, got, want)
		}
		for _, r := range v.Results {
			if r.Key != "A%2F1" && r.Key != "B" {
				t.Errorf("%s: %+v succeeded", body, r)
			}
		}
	}
	// What the binding drew is there: the batch makes nothing of its own.
	if v := send[batch.DryRun](t, url+batchPath, "application/json", `{"binding":"cards","dryRun":true}`, 200); v.Estimate.Deduped != 2 || v.Invalid != 1 {
		t.Errorf("dry run is %+v", v)
	}
}

func TestDryRunDrawsASampleAndKeepsNothing(t *testing.T) {
	s := newSite(t, "")
	pictures := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/there.gif" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x00;"))
	})
	d := s.open()
	server, err := d.server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(server)
	defer site.Close()
	rows := fmt.Sprintf("title,photo\nMug,%[1]s/there.gif\nJug,%[1]s/gone.gif\nA long name that is longer than all,%[1]s/there.gif\n", pictures.server.URL)
	got := send[batch.DryRun](t, site.URL+batchPath+"?dryRun=true", "text/csv", rows, 200)
	if got.TotalItems != 3 || got.Valid != 2 || got.Files != (batch.RemoteFiles{Checked: 2, Missing: 1}) || len(got.Errors) != 1 ||
		got.Errors[0].Index != 1 || got.Errors[0].Code != "asset_fetch_failed" || got.Errors[0].Field != "variables.photo" {
		t.Errorf("dry run is %+v", got)
	}
	if len(got.Sample) != 2 || got.Sample[1].Index != 2 || got.Estimate.Basis != "sample" || got.Estimate.Rate <= 0 {
		t.Fatalf("sample is %+v, estimate %+v", got.Sample, got.Estimate)
	}
	path := got.Sample[1].URL[strings.Index(got.Sample[1].URL, "/images/"):]
	res, err := http.Get(site.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", path, res.Status)
	}
	if jobs, err := d.store.Jobs(t.Context(), 1); len(jobs) != 0 || err != nil {
		t.Errorf("jobs are %+v, %v", jobs, err)
	}
	mustHaveNoRows(t, d)
}

func TestDryRunFindsTheTextThatDoesNotFit(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	s.write("templates/card.html", strings.Replace(cardTemplate, `<h1 id="title" style="`,
		`<h1 id="title" p-fit="none" style="width: 300px; height: 60px; overflow: hidden; `, 1))
	long := strings.Repeat("a good deal of text ", 12)
	p := s.start(childChrome + "=1")
	rows := "title,price\n" + strings.Repeat("Short,1\n", 40) + long + ",1\nShort,2\n"
	got := send[batch.DryRun](t, p.url+batchPath+"?dryRun=true&outputs=%5B%7B%22format%22%3A%22png%22%7D%2C%7B%22format%22%3A%22pdf%22%7D%5D", "text/csv", rows, 200)
	last := got.Sample[len(got.Sample)-1]
	if got.Valid != 42 || last.Index != 40 || len(last.Outputs) != 2 || len(last.Warnings) == 0 || last.Warnings[0].Code != bindings.TextClipped {
		t.Errorf("dry run is %+v", got)
	}
	if first := got.Sample[0]; len(first.Warnings) != 0 || first.Width != 400 {
		t.Errorf("the first row came out as %+v", first)
	}
	var jobs struct{ Jobs []json.RawMessage }
	if p.get("/jobs", &jobs); len(jobs.Jobs) != 0 {
		t.Errorf("jobs are %s", jobs.Jobs)
	}
}

// mustHaveNoRows fails where rows are left of a batch that was not accepted.
func mustHaveNoRows(tb testing.TB, d *Daemon) {
	tb.Helper()
	if n := stagedRows(tb, d); n != 0 {
		tb.Errorf("%d rows are left", n)
	}
}

func TestSourceURLGoesThroughTheGuard(t *testing.T) {
	s := newSite(t, "")
	s.write("pictifyd.yaml", "server: { listen: \"127.0.0.1:0\" }\ntemplates: templates\n")
	d := s.open()
	server, err := d.server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(server)
	defer site.Close()
	inside := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, "title\nMug\n")
	})
	got := send[struct{ Code, Detail, Hint string }](t, site.URL+batchPath, "application/json", `{"sourceUrl":"`+inside.server.URL+`/rows.csv"}`, 422)
	if got.Code != "source_refused" || inside.asked != 0 {
		t.Errorf("got %+v after %d requests", got, inside.asked)
	}
	mustHaveNoRows(t, d)
}

func TestClientThatGoesInTheMiddleLeavesNoRow(t *testing.T) {
	row := `{"title":"Mug"}`
	for kind, head := range map[string]string{
		"application/json": `{"variables":[` + strings.Repeat(row+",", 3000), "application/x-ndjson": strings.Repeat(row+"\n", 3000),
		"text/csv": "title,a\n" + strings.Repeat("Mug,1\n", 3000),
	} {
		t.Run(kind, func(t *testing.T) {
			d := newSite(t, "").open()
			server, err := d.server(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			answered := make(chan struct{})
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(answered)
				server.ServeHTTP(w, r)
			}))
			defer site.Close()
			conn, err := net.Dial("tcp", site.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nContent-Length: 10000000\r\n\r\n%s", batchPath, kind, head); err != nil {
				t.Fatal(err)
			}
			eventually(t, "rows are staged", func() bool { return stagedRows(t, d) > 0 })
			conn.Close()
			select {
			case <-answered:
			case <-time.After(time.Minute):
				t.Fatal("the request never ends")
			}
			mustHaveNoRows(t, d)
		})
	}
}

// TestRowsOfAnyDepthArePlanned: no recursion of ours meets a depth that the
// decoder lets through, and none takes time that grows with its square.
func TestRowsOfAnyDepthArePlanned(t *testing.T) {
	d := newSite(t, "").open()
	job := batch.Job{ID: "j", Template: "card", Version: 1, Outputs: []batch.Output{{Name: "png", Encoding: bindings.Encoding{Format: "png"}}}}
	planner, err := d.planner(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"a list of depth 1,000":    strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
		"a list of depth 9,000":    strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"an object of depth 1,000": strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000),
		"1 MB of lists":            "[" + strings.Repeat("[],", 300_000) + "[]]",
		"1 MB of text":             `"` + strings.Repeat("x", 1_000_000) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			row := batch.Row{Key: "0", Values: []byte(`{"title":"Mug","price":` + value + `,"other":` + value[:0] + `1}`)}
			if p := planner.Propose([]batch.Row{row})[0]; p.Problem == nil || p.Problem.Code != "wrong_type" {
				t.Errorf("got %+v, want the row's own problem", p.Problem)
			}
			row.Values = []byte(`{"title":"Mug","unused":` + value + `}`)
			if p := planner.Propose([]batch.Row{row})[0]; p.Problem != nil {
				t.Errorf("got %+v for a column that nothing shows", p.Problem)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// stagedRows counts the rows of all jobs, and of those that never were.
func stagedRows(tb testing.TB, d *Daemon) (n int) {
	tb.Helper()
	db, err := sql.Open("sqlite", filepath.Join(d.settings.Dir, "data", "pictifyd.db"))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(tb.Context(), `SELECT count(*) FROM job_rows`).Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}
