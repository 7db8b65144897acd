package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A bulkServer answers as a daemon does that made three rows of which one failed.
type bulkServer struct {
	*httptest.Server
	query url.Values
	body  string
}

func newBulkServer(t *testing.T) *bulkServer {
	t.Helper()
	s := &bulkServer{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /templates/card/batch-render", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.query, s.body = r.URL.Query(), string(body)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"jobId":"batch_1"}`)
	})
	mux.HandleFunc("GET /jobs/batch_1", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"jobId":"batch_1","status":"partial","totalItems":3,"completedItems":2,"failedItems":1,"dedupedItems":1}`)
	})
	mux.HandleFunc("GET /jobs/batch_1/results.ndjson", func(w http.ResponseWriter, _ *http.Request) {
		for i, key := range []string{"a/b", "c"} {
			sum := sha256.Sum256([]byte(key))
			hash := hex.EncodeToString(sum[:])
			fmt.Fprintf(w, `{"index":%d,"key":%q,"success":true,"outputs":[{"output":"png","url":"http://else.example/images/%s.png","format":"png","contentHash":%q}]}`+"\n",
				i, key, hash, hash)
		}
	})
	mux.HandleFunc("GET /images/{file}", func(w http.ResponseWriter, r *http.Request) {
		for _, key := range []string{"a/b", "c"} {
			if sum := sha256.Sum256([]byte(key)); strings.HasPrefix(r.PathValue("file"), hex.EncodeToString(sum[:])) {
				fmt.Fprint(w, key)
			}
		}
	})
	mux.HandleFunc("GET /jobs/batch_1/{table}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("table")) })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func dataFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBatchBringsHomeWhatWasMadeAndWhatFailed(t *testing.T) {
	s := newBulkServer(t)
	out := filepath.Join(t.TempDir(), "out")
	rows := dataFile(t, "rows.json", ` [{"title":"a"}]`)
	code, stdout, stderr := call("batch", "-t", "card", "-d", rows, "--server", s.URL, "-o", out, "--format", "png", "--set", "quality=80", "--set", "theme=dark")
	if code != exitInput || !strings.Contains(stdout, "2 of 3 rows have their images, 1 of them had them before") || !strings.Contains(stderr, "failed.csv") {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	if s.body != `{"variables":[{"title":"a"}],"format":"png","quality":80,"theme":"dark"}` {
		t.Errorf("the body is %s", s.body)
	}
	for file, want := range map[string]string{"results.csv": "results.csv", "failed.csv": "failed.csv", "c.png": "c"} {
		if got, err := os.ReadFile(filepath.Join(out, file)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
	if files, err := os.ReadDir(out); err != nil || len(files) != 4 {
		t.Errorf("the folder has %v, %v", files, err)
	}
}

func TestBatchSendsATableWithItsOptionsInTheQuery(t *testing.T) {
	s := newBulkServer(t)
	rows := dataFile(t, "rows.csv", "title\na\n")
	code, stdout, stderr := call("batch", "-t", "card", "-d", rows, "--server", s.URL, "--json", "--size", "story", "--size", "post", "--row-key", "title")
	var done outcome
	if err := json.Unmarshal([]byte(stdout), &done); err != nil || done.ID != "batch_1" || done.Job.Failed != 1 || code != exitInput {
		t.Errorf("exit %d, %v\n%s\n%s", code, err, stdout, stderr)
	}
	if got := s.query.Encode(); got != "rowKey=title&sizes=%5B%22story%22%2C%22post%22%5D" || s.body != "title\na\n" {
		t.Errorf("query %s, body %q", got, s.body)
	}
	if text, err := os.ReadFile(strings.TrimSuffix(rows, ".csv") + ".failed.csv"); err != nil || string(text) != "failed.csv" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestBatchRefusesWhatItCannotMean(t *testing.T) {
	s := newBulkServer(t)
	list, whole := dataFile(t, "list.json", "[{}]"), dataFile(t, "whole.json", `{"variables":[{}]}`)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no rows":                        {[]string{"-t", "card"}, exitInput, "-d rows.csv"},
		"no template":                    {[]string{"-d", list}, exitInput, "-t TEMPLATE"},
		"a job and rows":                 {[]string{"--job", "batch_1", "-d", list}, exitInput, "--job or --data"},
		"no such file":                   {[]string{"-t", "card", "-d", "/nowhere/rows.csv"}, exitInput, "/nowhere/rows.csv"},
		"no extension":                   {[]string{"-t", "card", "-d", "rows"}, exitInput, ".xlsx"},
		"formats by sizes":               {[]string{"-t", "card", "-d", list, "--format", "png", "--format", "pdf", "--size", "a", "--size", "b"}, exitInput, "outputs="},
		"an option of nothing":           {[]string{"-t", "card", "-d", list, "--set", "quality"}, exitInput, "quality=80"},
		"options beside a whole request": {[]string{"-t", "card", "-d", whole, "--format", "png"}, exitInput, "whole request"},
		"no daemon":                      {[]string{"-t", "card", "-d", list, "--server", "http://127.0.0.1:1", "--patience", "1ms"}, exitSurroundings, "pictifyd run"},
		"no such template":               {[]string{"-t", "nobody", "-d", list, "--patience", "1ms"}, exitInput, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"batch", "--server", s.URL}, c.args...)
			code, stdout, stderr := call(args...)
			if code != c.code || !strings.Contains(stderr, c.says) {
				t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
			}
		})
	}
}
