package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// seedRequest is what the seed's example sends: its method, path, headers and
// the bytes that JSON.stringify makes of two graduates.
const seedRequest = "POST /template/tpl_certificate/batch HTTP/1.1\r\n" +
	"host: 127.0.0.1:8080\r\n" +
	"connection: keep-alive\r\n" +
	"Authorization: Bearer key-that-opens-everything\r\n" +
	"Content-Type: application/json\r\n" +
	"accept: */*\r\n" +
	"accept-language: *\r\n" +
	"sec-fetch-mode: cors\r\n" +
	"user-agent: node\r\n" +
	"accept-encoding: gzip, deflate\r\n" +
	"content-length: 321\r\n\r\n" +
	`{"variables":[{"recipient_name":"Ada Lovelace","course_name":"Analytical Engines","completion_date":"2026-03-01T00:00:00.000Z","certificate_id":"C-1001"},` +
	`{"recipient_name":"Grace Hopper","course_name":"Compilers","completion_date":null,"certificate_id":1002}],"webhookUrl":"https://yourapp.com/hooks/batch-complete"}`

func TestSeedExampleRunsLetterForLetter(t *testing.T) {
	_, body, _ := strings.Cut(seedRequest, "\r\n\r\n")
	request := strings.Replace(seedRequest, "content-length: 321", fmt.Sprint("content-length: ", len(body)), 1)
	for name, cfg := range map[string]Config{"without keys": open(), "with keys": locked()} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			conn := mustDial(t, mustServe(t, mustServer(t, cfg, w)))
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			got := mustDecode[batch.Accepted](t, answer.Body)
			if answer.StatusCode != http.StatusAccepted || got.JobID == "" || got.JobID != got.BatchID || got.TotalItems != 2 {
				t.Fatalf("status %d, %+v", answer.StatusCode, got)
			}
			job, err := w.Job(t.Context(), got.JobID)
			if err != nil || job.WebhookURL != "https://yourapp.com/hooks/batch-complete" || job.Template != testTemplate || job.Version != 3 {
				t.Errorf("accepted %+v, %v", job, err)
			}
			first := `{"recipient_name":"Ada Lovelace","course_name":"Analytical Engines","completion_date":"2026-03-01T00:00:00.000Z","certificate_id":"C-1001"}`
			if rows := w.rows[got.JobID]; len(rows) != 2 || string(rows[0].Values) != first {
				t.Errorf("staged %+v", rows)
			}
		})
	}
}

const batchPath = "/templates/tpl_certificate/batch-render"

func TestAcceptedBatchSaysWhereItIs(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	out := post(batchPath, `{"variables":[{"recipient_name":"Ada"}],"outputs":[{"format":"png"},{"format":"webp","size":"story"}]}`).to(t, s)
	got := mustAnswer[batch.Accepted](t, out, 202)
	if out.Header().Get("Location") != "/jobs/"+got.JobID || got.StatusURL != "http://127.0.0.1:8080/jobs/"+got.JobID ||
		got.EventsURL != got.StatusURL+"/events" || got.Status != batch.Pending {
		t.Errorf("Location %q, %+v", out.Header().Get("Location"), got)
	}
	for _, path := range []string{"/jobs/" + got.JobID, "/templates/batch/" + got.JobID + "/results"} {
		view := mustAnswer[batch.View](t, get(path).to(t, s), 200)
		if view.JobID != got.JobID || view.TotalItems != 1 {
			t.Errorf("%s: %+v", path, view)
		}
	}
}

func TestRefusedBatchLeavesNothing(t *testing.T) {
	rows := strings.Repeat(`{"recipient_name":"Ada"},`, 1200) + `{"recipient_name":"Ada"}`
	for name, c := range map[string]struct {
		path, body   string
		status       int
		slug, within string // within: a field of errors, or a part of the detail
	}{
		"unknown template":    {"/template/certficate/batch", `{"variables":[{}]}`, 404, "template_not_found", ""},
		"unknown size":        {batchPath, `{"variables":[` + rows + `],"size":"stroy"}`, 422, "unknown_size", "outputs[0].size"},
		"unknown format":      {batchPath, `{"variables":[` + rows + `],"format":"bmp"}`, 422, "invalid", "format"},
		"unknown field":       {batchPath, `{"webhokUrl":"https://a.example","variables":[{}]}`, 422, "unknown_field", "webhokUrl"},
		"no rows":             {batchPath, `{"webhookUrl":"https://a.example"}`, 422, "invalid", "variables"},
		"text after the end":  {batchPath, `{"variables":[` + rows + `]} {}`, 422, "bad_json", ""},
		"half a body":         {batchPath, `{"variables":[` + rows, 400, "body_cut_short", ""},
		"not JSON":            {batchPath, `recipient_name,course`, 422, "bad_json", ""},
		"more than the limit": {batchPath, `{"variables":[` + strings.Repeat("{},", batch.MaxRows) + `{}]}`, 413, "too_many_rows", "100000"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			d := mustProblem(t, post(c.path, c.body).to(t, mustServer(t, open(), w)), c.status, c.slug)
			named := strings.Contains(d.Detail, c.within)
			for _, e := range d.Errors {
				named = named || e.Field == c.within
			}
			if !named {
				t.Errorf("got %+v, want %q named", d, c.within)
			}
			w.mustHaveNothing(t)
		})
	}
}

func (w *world) mustHaveNothing(tb testing.TB) {
	tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.jobs) != 0 || len(w.staged) != 0 {
		tb.Errorf("%d jobs accepted, rows of %d jobs staged: want none", len(w.jobs), len(w.staged))
	}
}

func TestRowWrongInItselfDoesNotRefuseTheBatch(t *testing.T) {
	w := newWorld()
	got := mustAnswer[batch.Accepted](t, post(batchPath, `{"variables":[{"recipient_name":"Ada"},7,null]}`).to(t, mustServer(t, open(), w)), 202)
	if rows := w.rows[got.JobID]; len(rows) != 3 || rows[1].Error == nil || rows[2].Error == nil {
		t.Errorf("staged %+v", rows)
	}
}

func TestWebhookThatMayNotBeCalledRefusesTheBatch(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	body := `{"variables":[{}],"webhookUrl":"http://169.254.169.254/"}`
	w.refuseURL = problem.New(problem.Forbidden, "169.254.169.254 is a link-local address").WithHint("allow it under egress.allow")
	d := mustProblem(t, post(batchPath, body).to(t, s), 422, "webhook_refused")
	if len(d.Errors) != 1 || d.Errors[0].Field != "webhookUrl" || d.Hint != "allow it under egress.allow" {
		t.Errorf("got %+v", d)
	}
	w.refuseURL = errors.New("lookup via 10.0.0.53: no route")
	if d := mustProblem(t, post(batchPath, body).to(t, s), 422, "webhook_refused"); strings.Contains(d.Detail, "10.0.0.53") {
		t.Errorf("the detail tells what only the log should: %s", d.Detail)
	}
	w.mustHaveNothing(t)
}

func TestWebhookWhoseNameDoesNotResolveNowIsAccepted(t *testing.T) {
	w := newWorld()
	w.refuseURL = problem.New(problem.Upstream, `resolve "yourapp.example"`).WithSlug(egress.HostNotFound)
	body := `{"variables":[{"recipient_name":"Ada"}],"webhookUrl":"https://yourapp.example/hooks"}`
	mustAnswer[batch.Accepted](t, post(batchPath, body).to(t, mustServer(t, open(), w)), 202)
}

func TestBodyMayBeGzip(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, `{"variables":[{"recipient_name":"Ada"}]}`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	whole := packed.String()
	mustProblem(t, post(batchPath, whole[:len(whole)-6]).with("Content-Encoding", "gzip").to(t, s), 400, "body_cut_short")
	mustProblem(t, post(batchPath, "{}").with("Content-Encoding", "gzip").to(t, s), 400, "malformed_body")
	mustProblem(t, post(batchPath, "{}").with("Content-Encoding", "br").to(t, s), 415, "unsupported_encoding")
	mustProblem(t, post(batchPath, "a,b").with("Content-Type", "text/html").to(t, s), 415, "unsupported_media_type")
	w.mustHaveNothing(t)
	mustAnswer[batch.Accepted](t, post(batchPath, whole).with("Content-Encoding", "gzip").to(t, s), 202)
}

func TestSameKeyAndBodyIsTheSameJob(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	once := post(batchPath, `{"variables":[{"recipient_name":"Ada"}]}`).with("Idempotency-Key", "friday")
	first := once.to(t, s)
	w.change(func() { w.jobs[0].Status = batch.Completed })
	again := once.to(t, s)
	if first.Code != 202 || again.Code != 202 || first.Body.String() != again.Body.String() ||
		first.Header().Get("Location") != again.Header().Get("Location") {
		t.Errorf("first %d %s, again %d %s: want the same answer", first.Code, first.Body, again.Code, again.Body)
	}
	if len(w.jobs) != 1 || len(w.staged) != 0 {
		t.Errorf("%d jobs, rows of %d staged", len(w.jobs), len(w.staged))
	}
	other := post(batchPath, `{"variables":[{"recipient_name":"Grace"}]}`).with("Idempotency-Key", "friday")
	mustProblem(t, other.to(t, s), 409, "idempotency_conflict")
	w.templates["other"] = template.Version{Name: "other", Number: 1}
	elsewhere := once
	elsewhere.path = "/templates/other/batch-render"
	mustProblem(t, elsewhere.to(t, s), 409, "idempotency_conflict")
}

// twins is an intake where the other request under the same key wins while this
// one is being decoded.
type twins struct {
	*world
	looks int
}

func (t *twins) FindJob(ctx context.Context, key string) (batch.Job, bool, error) {
	if t.looks++; t.looks == 1 {
		return batch.Job{}, false, nil
	}
	return t.world.FindJob(ctx, key)
}

func TestTwoRequestsUnderOneKeyAtOnceAreOneJob(t *testing.T) {
	w := newWorld()
	once := post(batchPath, `{"variables":[{"recipient_name":"Ada"}]}`).with("Idempotency-Key", "friday")
	winner := mustAnswer[batch.Accepted](t, once.to(t, mustServer(t, open(), w)), 202)
	late := w.deps()
	late.Registry, late.Intake = nil, &twins{world: w}
	s, err := New(open(), late)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustAnswer[batch.Accepted](t, once.to(t, s), 202); got.JobID != winner.JobID {
		t.Errorf("job %s, want that of the winner, %s", got.JobID, winner.JobID)
	}
	if len(w.jobs) != 1 || len(w.staged) != 0 {
		t.Errorf("%d jobs, rows of %d staged: the loser left something", len(w.jobs), len(w.staged))
	}
}

func TestKeysOfDifferentCallersDoNotMeet(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(Key{Name: "a", Key: secret("key-of-the-caller-a")}, Key{Name: "b", Key: secret("key-of-the-caller-b")}), w)
	once := post(batchPath, `{"variables":[{"recipient_name":"Ada"}]}`).with("Idempotency-Key", "1")
	a := mustAnswer[batch.Accepted](t, once.bearer("key-of-the-caller-a").to(t, s), 202)
	b := mustAnswer[batch.Accepted](t, once.bearer("key-of-the-caller-b").to(t, s), 202)
	if a.JobID == b.JobID {
		t.Error("two callers got one job")
	}
}

// announcing is an intake that tells when rows were staged.
type announcing struct {
	*world
	staged    chan struct{}
	discarded chan struct{}
	once      sync.Once
}

func (a *announcing) StageRows(ctx context.Context, job string, rows []batch.Row) error {
	defer a.once.Do(func() { close(a.staged) })
	return a.world.StageRows(ctx, job, rows)
}

func (a *announcing) DiscardRows(ctx context.Context, job string) error {
	defer close(a.discarded)
	return a.world.DiscardRows(ctx, job)
}

func TestClientThatGoesHalfWayLeavesNothing(t *testing.T) {
	w := newWorld()
	intake := &announcing{world: w, staged: make(chan struct{}), discarded: make(chan struct{})}
	deps := w.deps()
	deps.Intake = intake
	s, err := New(open(), deps)
	if err != nil {
		t.Fatal(err)
	}
	conn := mustDial(t, mustServe(t, s))
	half := `{"variables":[` + strings.Repeat(`{"recipient_name":"Ada"},`, 700)
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n%s", batchPath, half)
	if err != nil {
		t.Fatal(err)
	}
	mustHappen(t, intake.staged, "rows are staged")
	conn.Close()
	mustHappen(t, intake.discarded, "staged rows are discarded")
	w.mustHaveNothing(t)
}

func TestRowsAreStagedInChunks(t *testing.T) {
	w := newWorld()
	rows := &staging{intake: w, job: "j"}
	for i := range chunkRows - 1 {
		if err := rows.add(t.Context(), batch.Row{Index: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.staged["j"]) != 0 {
		t.Error("a chunk was staged before it was full")
	}
	if err := rows.add(t.Context(), batch.Row{Values: []byte("{}")}); err != nil || len(w.staged["j"]) != chunkRows {
		t.Errorf("staged %d rows, %v", len(w.staged["j"]), err)
	}
	if err := rows.add(t.Context(), batch.Row{Values: make([]byte, chunkBytes)}); err != nil || len(w.staged["j"]) != chunkRows+1 {
		t.Errorf("staged %d rows, %v: a chunk of many bytes should not wait", len(w.staged["j"]), err)
	}
}

func secret(text string) config.Secret { return config.NewSecret(text) }

// mustServe runs s on a free port until the test ends, and gives the address.
func mustServe(tb testing.TB, s *Server) string {
	tb.Helper()
	l, err := Listen(tb.Context(), Config{Listen: "127.0.0.1:0"})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			tb.Errorf("run: %v", err)
		}
	})
	return l.Addr().String()
}

func mustDial(tb testing.TB, address string) net.Conn {
	tb.Helper()
	conn, err := new(net.Dialer).DialContext(tb.Context(), "tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	return conn
}

// mustHappen waits for a channel to be closed.
func mustHappen(tb testing.TB, c <-chan struct{}, what string) {
	tb.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		tb.Fatalf("it did not happen that %s", what)
	}
}
