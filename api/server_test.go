package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestPortInUseSaysWhichAndWhatToDo(t *testing.T) {
	l, err := Listen(t.Context(), Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Listen(t.Context(), Config{Listen: "127.0.0.1:" + port})
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Surroundings || !strings.Contains(p.Message, port) || !strings.Contains(p.Hint, "server.listen") {
		t.Errorf("got %v", err)
	}
}

func TestRequestInFlightFinishesAtTheEnd(t *testing.T) {
	w := newWorld()
	intake := &announcing{world: w, staged: make(chan struct{}), discarded: make(chan struct{})}
	deps := w.deps()
	deps.Intake = intake
	s, err := New(open(), deps)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	conn := mustDial(t, l.Addr().String())
	body := `{"variables":[` + strings.Repeat(`{"recipient_name":"Ada"},`, 700) + `{}]}`
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		batchPath, len(body), body[:len(body)-2])
	if err != nil {
		t.Fatal(err)
	}
	mustHappen(t, intake.staged, "rows are staged")
	stop()
	mustHappen(t, s.closing, "the server begins to end")
	if _, err := io.WriteString(conn, body[len(body)-2:]); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted || len(w.jobs) != 1 {
		t.Errorf("status %d, %d jobs", answer.StatusCode, len(w.jobs))
	}
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestReadySaysWhatIsMissing(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.notReady = errors.Join(problem.New(problem.Surroundings, "no Chrome runs"), problem.New(problem.Surroundings, "the disk is full"))
	out := get("/readyz").to(t, s)
	if body := out.Body.String(); out.Code != 503 || !strings.Contains(body, "no Chrome runs") || !strings.Contains(body, "the disk is full") {
		t.Errorf("status %d: %s", out.Code, body)
	}
	w.notReady = errors.New("dial /secret/socket: refused")
	if out := get("/readyz").to(t, s); out.Code != 503 || strings.Contains(out.Body.String(), "secret") {
		t.Errorf("status %d: %s", out.Code, out.Body)
	}
	if out := get("/healthz").to(t, s); out.Code != 200 {
		t.Errorf("the process is up, got %d", out.Code)
	}
}

func TestMetricsNameRoutesAndNeverKeys(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.put("cards", "very-private", "card", "png", picture)
	get("/b/cards/very-private.png").to(t, s)
	get("/nowhere/very-private").to(t, s)
	text := get("/metrics").to(t, s).Body.String()
	for _, want := range []string{
		`pictifyd_http_requests_total{route="GET /b/{path...}",status="200"} 1`,
		`pictifyd_http_requests_total{route="/",status="404"} 1`,
		`pictifyd_rows{state="known"} 12`, `pictifyd_renders{state="waiting"} 3`, `pictifyd_jobs_open 1`,
		`pictifyd_http_request_seconds_count{route="GET /b/{path...}"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "very-private") {
		t.Error("the metrics hold the key of a row")
	}
}

func TestMetricsSurviveAStoreThatDoesNot(t *testing.T) {
	w := newWorld()
	deps := w.deps()
	deps.CountersFunc = func(context.Context) (Counters, error) { return Counters{}, errors.New("no store") }
	s, err := New(open(), deps)
	if err != nil {
		t.Fatal(err)
	}
	get("/healthz").to(t, s)
	if out := get("/metrics").to(t, s); !strings.Contains(out.Body.String(), "pictifyd_http_requests_total") {
		t.Errorf("status %d: %s", out.Code, out.Body)
	}
}

func TestProblemTypesAreExplained(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for slug, want := range map[string]string{
		"not_ready": "Retry-After", "idempotency-conflict": "Idempotency-Key", "asset_fetch_failed": "detail of the answer",
	} {
		out := get("/errors/"+slug).to(t, s)
		if out.Code != 200 || !strings.Contains(out.Body.String(), want) || !strings.HasPrefix(out.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: status %d: %s", slug, out.Code, out.Body)
		}
	}
	mustProblem(t, get("/errors/%3Cscript%3E").to(t, s), 404, "route_not_found")
}

func TestEveryCodeHasAStatus(t *testing.T) {
	for _, code := range []problem.Code{
		problem.Invalid, problem.NotFound, problem.Conflict, problem.Unauthorized, problem.Forbidden, problem.TooLarge,
		problem.Overloaded, problem.Upstream, problem.Unsupported, problem.Timeout, problem.Surroundings, problem.Internal,
	} {
		if statuses[code] == 0 || explanations[string(code)] == "" {
			t.Errorf("%s has status %d and the explanation %q", code, statuses[code], explanations[string(code)])
		}
	}
}

func TestSeveralProblemsAreAllTold(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	out := httptest.NewRecorder()
	err := problem.List{
		problem.New(problem.Invalid, "there is no format %q", "bmp").At("outputs[0].format"),
		problem.New(problem.Invalid, "the quality is 200").At("quality").WithSlug("out_of_range"),
	}
	s.refuse(out, identified(out, httptest.NewRequest(http.MethodPost, "/x", nil)), fmt.Errorf("accept: %w", err))
	d := mustProblem(t, out, 422, "invalid")
	want := []fieldError{{Field: "outputs[0].format", Message: `there is no format "bmp"`, Code: "invalid"}, {Field: "quality", Message: "the quality is 200", Code: "out_of_range"}}
	if len(d.Errors) != 2 || d.Errors[0] != want[0] || d.Errors[1] != want[1] {
		t.Errorf("got %+v", d.Errors)
	}
}

func TestRefreshAsksForARunOnce(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	once := post("/bindings/cards/refresh", "{}").with("Idempotency-Key", "1")
	first, again := once.to(t, s), once.to(t, s)
	if first.Code != 202 || again.Code != 202 || first.Body.String() != again.Body.String() || len(w.asked) != 1 || w.asked[0] != "cards refresh " {
		t.Errorf("status %d and %d, runs asked for: %v", first.Code, again.Code, w.asked)
	}
	mustProblem(t, post("/bindings/cards/refresh", `{"keys":[]}`).with("Idempotency-Key", "1").to(t, s), 409, "idempotency_conflict")
	if out := post("/bindings/private/refresh", "{}").with("Idempotency-Key", "1").to(t, s); out.Code != 202 || len(w.asked) != 2 {
		t.Errorf("the same key elsewhere: status %d", out.Code)
	}
	d := mustProblem(t, post("/bindings/crads/refresh", "").to(t, s), 404, "binding_not_found")
	if !strings.Contains(d.Hint, `"cards"`) {
		t.Errorf("hint %q", d.Hint)
	}
}

func TestGuardAcceptsOnlyWhatWasSeen(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.statuses["cards"] = bindings.Status{Binding: "cards", HeldChanges: 40, HeldRemoval: 2, HeldReason: "too many"}
	mustProblem(t, post("/bindings/cards/guard/accept", `{"changes":30}`).to(t, s), 409, "guard_moved")
	mustProblem(t, post("/bindings/cards/guard/accept", `{"changes":40,"removals":0}`).to(t, s), 409, "guard_moved")
	mustProblem(t, post("/bindings/cards/guard/accept", `yes`).to(t, s), 400, "malformed_body")
	if len(w.accepted) != 0 {
		t.Fatalf("accepted %v", w.accepted)
	}
	for _, body := range []string{`{"changes":40,"removals":2}`, ``, `{}`} {
		if out := post("/bindings/cards/guard/accept", body).to(t, s); out.Code != 200 || !strings.Contains(out.Body.String(), `"accepted":7`) {
			t.Errorf("%q: status %d: %s", body, out.Code, out.Body)
		}
	}
	if len(w.accepted) != 3 {
		t.Errorf("accepted %v", w.accepted)
	}
}

func TestRowsComePageByPage(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for i := range 5 {
		w.stored["shop"] = append(w.stored["shop"], bindings.StoredRow{Key: fmt.Sprintf("k%%2F%d", i), Version: int64(i), Values: []byte(`{"n":1.50}`)})
	}
	w.fittings = []bindings.OutputFitting{{Key: "k%2F1", Output: "card", Fitting: bindings.Fitting{
		Layers: []bindings.LayerFit{{Layer: "cut", Cut: true}, {Layer: "title", Clipped: true}},
	}}}
	type page struct {
		Rows        []rowView
		Quarantined []quarantineView
		Failed      []failedView
		Next        string
	}
	first := mustAnswer[page](t, get("/bindings/cards/rows?limit=3").to(t, s), 200)
	if len(first.Rows) != 3 || first.Next != "k%2F2" || first.Rows[0].Name != "k/0" || string(first.Rows[0].Values) != `{"n":1.50}` || len(first.Quarantined) != 1 {
		t.Fatalf("first %+v", first)
	}
	if want := (failedView{"k%2F2", "k/2", "wrong_type", "not a number", "variables.price"}); len(first.Failed) != 1 || first.Failed[0] != want {
		t.Errorf("failed %+v, want %+v", first.Failed, want)
	}
	warnings := []bindings.Warning{{Code: "text_clipped", Output: "card", Layer: "title", Message: "the text does not fit into its box"}}
	if !slices.Equal(first.Rows[1].Warnings, warnings) || len(first.Rows[0].Warnings) > 0 {
		t.Errorf("warnings %+v, want those of the second row: %+v", first.Rows, warnings)
	}
	rest := mustAnswer[page](t, get("/bindings/cards/rows?limit=3&after=k%252F2").to(t, s), 200)
	if len(rest.Rows) != 2 || rest.Next != "" {
		t.Errorf("rest %+v", rest)
	}
}

func TestTemplateTellsItsVariables(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	got := mustAnswer[struct{ Template templateView }](t, get("/templates/tpl_certificate").to(t, s), 200).Template
	if got.Version != 3 || len(got.Variables) != 1 || len(got.Sizes) != 2 || got.CreatedAt.Location().String() != "UTC" {
		t.Errorf("got %+v", got)
	}
	mustProblem(t, get("/templates/other").to(t, s), 404, "template_not_found")
}
