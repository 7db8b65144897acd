package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
	"github.com/pictifyd/pictifyd/sink/webhook"
)

// A request is what arrived.
type request struct {
	header http.Header
	body   []byte
}

// A receiver does what a careful one does: it checks the signature, drops ids
// that it has seen, and ignores older generations.
type receiver struct {
	*httptest.Server
	secrets []string // each must verify

	mu sync.Mutex

	requests []request
	seen     map[string]bool
	held     map[string]string
	effects  map[string]int
	refused  error
	ill      func(w http.ResponseWriter, r *http.Request)
}

func newReceiver(tb testing.TB, secrets ...string) *receiver {
	tb.Helper()
	r := &receiver{secrets: secrets, seen: map[string]bool{}, held: map[string]string{}, effects: map[string]int{}}
	r.Server = httptest.NewServer(r)
	tb.Cleanup(func() {
		r.Close()
		if err := r.refused; err != nil {
			tb.Errorf("the receiver refused: %v", err)
		}
	})
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	r.requests = append(r.requests, request{req.Header.Clone(), body})
	ill := r.ill
	r.mu.Unlock()
	if ill != nil {
		ill(w, req)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := errors.Join(err, r.take(req.Header, body)); err != nil {
		r.refused = errors.Join(r.refused, err)
		w.WriteHeader(http.StatusBadRequest)
	}
}

func (r *receiver) take(h http.Header, body []byte) error {
	for _, secret := range r.secrets {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return err
		}
		if err := hook.Verify(body, h); err != nil {
			return err
		}
	}
	var message struct {
		Event string
		Data  struct{ Key, ContentHash string }
	}
	if err := json.Unmarshal(body, &message); err != nil {
		return err
	}
	id := h.Get("webhook-id")
	if r.seen[id] {
		return nil
	}
	r.seen[id] = true
	key := message.Data.Key
	r.effects[key]++
	switch message.Event {
	case sink.RenderCompleted:
		r.held[key] = message.Data.ContentHash
	case sink.ImageRemoved:
		delete(r.held, key)
	}
	return nil
}

func (r *receiver) setIll(ill func(http.ResponseWriter, *http.Request)) (heal func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ill = ill
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ill = nil
	}
}

func (r *receiver) all() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.requests...)
}

func (r *receiver) brokenBy(f sinktest.Fault) (heal func(), ok bool) {
	switch f {
	case sinktest.Down:
		return r.setIll(answer(http.StatusInternalServerError)), true
	case sinktest.Gone:
		return r.setIll(answer(http.StatusGone)), true
	}
	return r.setIll(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }), true
}

func answer(status int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func newConfig(r *receiver) *webhook.Config {
	c := webhook.Kind.Config().(*webhook.Config)
	c.URL = r.URL + "/hook?token=hunter2"
	for i, to := range []*config.Secret{&c.Secret, &c.PreviousSecret} {
		if i < len(r.secrets) {
			*to = config.NewSecret(r.secrets[i])
		}
	}
	return c
}

func mustSink(tb testing.TB, c *webhook.Config) sink.Sink {
	tb.Helper()
	if err := c.Validate(); err != nil {
		tb.Fatalf("validate: %v", err)
	}
	s, err := webhook.Kind.New(c, sink.Env{Name: "hook"})
	if err != nil {
		tb.Fatalf("new webhook: %v", err)
	}
	return s
}

func TestWebhookConforms(t *testing.T) {
	sinktest.Run(t, func(tb testing.TB) sinktest.Subject {
		r := newReceiver(tb, signing.NewSecret(), signing.NewSecret())
		return sinktest.Subject{
			Sink:        mustSink(tb, newConfig(r)),
			Break:       r.brokenBy,
			ToldOfTests: true,
			Holds: func(key string) string {
				r.mu.Lock()
				defer r.mu.Unlock()
				return r.held[key]
			},
			Effects: func(key string) int {
				r.mu.Lock()
				defer r.mu.Unlock()
				return r.effects[key]
			},
		}
	})
}

// deliverTo delivers once to a receiver that answers so.
func deliverTo(tb testing.TB, ill func(http.ResponseWriter, *http.Request)) (*receiver, error) {
	tb.Helper()
	r := newReceiver(tb)
	r.setIll(ill)
	_, err := mustSink(tb, newConfig(r)).Deliver(tb.Context(), sinktest.Completed("a", 1))
	return r, err
}

func TestBodyTellsTheRow(t *testing.T) {
	d := sinktest.Completed("sku&1", 7)
	d.Row = map[string]any{"price": json.Number("1.50")}
	failed := sink.Output{Name: "story", Code: "asset_fetch_failed", Error: "404 from https://x.example/a.jpg"}
	d.Outputs = append([]sink.Output{failed}, d.Outputs...)
	for name, c := range map[string]struct {
		include bool
		row     string
	}{
		"without row": {false, ""},
		"with row":    {true, `,"row":{"price":1.50}`},
	} {
		r := newReceiver(t)
		cfg := newConfig(r)
		cfg.IncludeRow = c.include
		if _, err := mustSink(t, cfg).Deliver(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		want := `{"event":"render.completed","timestamp":"2026-03-01T12:00:00Z","data":{` +
			`"deliveryId":"dlv_736b752631_7","binding":"cards","key":"sku&1","generation":7,` +
			`"url":"https://img.example/images/hash-7.png","contentHash":"hash-7","width":1200,"height":630,"format":"png",` +
			`"outputs":[{"output":"story","code":"asset_fetch_failed","error":"404 from https://x.example/a.jpg"},` +
			`{"output":"card","url":"https://img.example/images/hash-7.png","contentHash":"hash-7","format":"png","ext":"png","width":1200,"height":630}]` +
			c.row + `}}`
		if diff := cmp.Diff(want, string(r.all()[0].body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDataOfOtherEventsIsLeftAsItIs(t *testing.T) {
	r := newReceiver(t)
	d := sink.Delivery{
		ID: "dlv_1", Event: sink.BatchCompleted, Time: time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.UTC),
		Data: json.RawMessage(`{"jobId":"job_1","total":1000000000000000000001,"url":"https://x.example/?a=1&b=<2>"}`),
	}
	if _, err := mustSink(t, newConfig(r)).Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	want := `{"event":"batch.completed","timestamp":"2026-03-01T12:00:00.005Z","data":` + string(d.Data) + `}`
	if got := string(r.all()[0].body); got != want {
		t.Errorf("body = %s\nwant   %s", got, want)
	}
}

func TestEveryTryHasTheSameIDAndBody(t *testing.T) {
	r := newReceiver(t)
	s := mustSink(t, newConfig(r))
	d := sinktest.Completed("a", 1)
	d.Row = map[string]any{"a": 1, "b": 2, "c": 3}
	heal := r.setIll(answer(http.StatusInternalServerError))
	for d.Attempt = 1; d.Attempt <= 3; d.Attempt++ {
		if _, err := s.Deliver(t.Context(), d); err == nil {
			t.Fatal("deliver = nil from an ill receiver")
		}
	}
	heal()
	if _, err := mustSink(t, newConfig(r)).Deliver(t.Context(), d); err != nil { // as after a restart
		t.Fatal(err)
	}
	requests := r.all()
	if len(requests) != 4 {
		t.Fatalf("%d requests, want 4", len(requests))
	}
	for i, again := range requests {
		for _, name := range []string{"webhook-id", "X-Pictify-Delivery-Id", "Idempotency-Key"} {
			if got := again.header.Get(name); got != d.ID {
				t.Errorf("try %d: %s = %q, want %q", i+1, name, got, d.ID)
			}
		}
		if !bytes.Equal(again.body, requests[0].body) {
			t.Errorf("try %d: the body differs: %s", i+1, again.body)
		}
	}
}

func TestHeadersSayWhatItIs(t *testing.T) {
	r := newReceiver(t)
	c := newConfig(r)
	c.Headers = map[string]config.Secret{"Authorization": config.NewSecret("Bearer x")}
	if _, err := mustSink(t, c).Deliver(t.Context(), sinktest.Completed("a", 1)); err != nil {
		t.Fatal(err)
	}
	h := r.all()[0].header
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "pictifyd", "Authorization": "Bearer x",
		"X-Pictify-Event": "render.completed", "webhook-signature": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestEverySuccessIsDelivered(t *testing.T) {
	for _, status := range []int{200, 201, 202, 204, 299} {
		if _, err := deliverTo(t, answer(status)); err != nil {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestStatusDecidesWhatTheQueueDoes(t *testing.T) {
	for status, permanent := range map[int]bool{
		300: true, 301: true, 302: true, 303: true, 304: true, 307: true, 308: true, 410: true,
		400: false, 401: false, 403: false, 404: false, 408: false, 409: false, 413: false, 422: false, 425: false, 429: false,
		500: false, 502: false, 503: false, 504: false, 599: false,
	} {
		r, err := deliverTo(t, answer(status))
		if err == nil || retry.IsPermanent(err) != permanent {
			t.Errorf("%d: %v, permanent = %v; want %v", status, err, retry.IsPermanent(err), permanent)
			continue
		}
		if want := fmt.Sprintf("%d from %s/hook", status, r.URL); !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %q, want %q in it", status, err, want)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d: the error shows the query: %v", status, err)
		}
		if _, waits := retry.Wait(err); waits {
			t.Errorf("%d waits without Retry-After", status)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := newReceiver(t)
	_, err := deliverTo(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != webhook.RedirectRefused || !retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want a permanent %s", err, webhook.RedirectRefused)
	}
	if n := len(elsewhere.all()); n != 0 {
		t.Errorf("%d requests arrived elsewhere", n)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for value, want := range map[string][2]time.Duration{
		"120":                             {2 * time.Minute, 2 * time.Minute},
		"1":                               {time.Second, time.Second},
		"999999999":                       {24 * time.Hour, 24 * time.Hour},
		httpDate(time.Hour):               {59 * time.Minute, time.Hour},
		httpDate(48 * time.Hour):          {24 * time.Hour, 24 * time.Hour},
		httpDate(-time.Hour):              {},
		"0":                               {},
		"-5":                              {},
		"soon":                            {},
		"99999999999999999999999999999":   {},
		"Thu, 99 Foo 2026 99:99:99 GMT":   {},
		"Sunday, 06-Nov-94 08:49:37 GMT ": {},
	} {
		for _, status := range []int{429, 503} {
			_, err := deliverTo(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", value)
				w.WriteHeader(status)
			})
			wait, waits := retry.Wait(err)
			if err == nil || retry.IsPermanent(err) || waits != (want[1] > 0) || wait < want[0] || wait > want[1] {
				t.Errorf("%d, Retry-After: %s: %v waits %v; want %v to %v", status, value, err, wait, want[0], want[1])
			}
		}
	}
}

func httpDate(in time.Duration) string { return time.Now().Add(in).UTC().Format(http.TimeFormat) }

func TestErrorQuotesTheBeginningOfTheAnswer(t *testing.T) {
	_, err := deliverTo(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "  unknown \x1b[31m field"+strings.Repeat("!", 100_000))
	})
	if err == nil || !strings.Contains(err.Error(), `: "unknown \x1b[31m field!`) {
		t.Errorf("error = %.200v", err)
	}
	if err != nil && len(err.Error()) > 400 {
		t.Errorf("error has %d bytes", len(err.Error()))
	}
}

func TestSuccessWithACutAnswerIsDelivered(t *testing.T) {
	_, err := deliverTo(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	if err != nil {
		t.Errorf("deliver = %v", err)
	}
}

func TestSuccessWithAnEndlessAnswerIsDelivered(t *testing.T) {
	_, err := deliverTo(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	if err != nil {
		t.Errorf("deliver = %v", err)
	}
}

func TestConnectionThatIsCutIsTriedAgain(t *testing.T) {
	r, err := deliverTo(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if err == nil || retry.IsPermanent(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("deliver = %v, want an error that is not permanent and shows no query", err)
	}
	if want := ", from " + r.URL + "/hook"; err != nil && !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error = %q, want it to end with %q", err, want)
	}
}

func TestReceiverThatIsNotThereIsTriedAgain(t *testing.T) {
	r := newReceiver(t)
	s := mustSink(t, newConfig(r))
	r.Close()
	if _, err := s.Deliver(t.Context(), sinktest.Completed("a", 1)); err == nil || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want an error that is not permanent", err)
	}
}

func TestSlowReceiverEndsAtTheTimeout(t *testing.T) {
	r := newReceiver(t)
	r.setIll(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	c := newConfig(r)
	c.Timeout = config.Duration(50 * time.Millisecond)
	_, err := mustSink(t, c).Deliver(t.Context(), sinktest.Completed("a", 1))
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Timeout || retry.IsPermanent(err) || !strings.Contains(p.Message, "50ms") {
		t.Errorf("deliver = %v, want a timeout after 50ms that is not permanent", err)
	}
}

func TestBatchWebhookReachesNothingInside(t *testing.T) {
	r := newReceiver(t)
	guard, err := egress.New(egress.Default())
	if err != nil {
		t.Fatal(err)
	}
	s := webhook.New(r.URL, []string{signing.NewSecret()}, guard.Client(egress.ClientOptions{}))
	_, err = s.Deliver(t.Context(), sinktest.Completed("a", 1))
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Forbidden || p.Hint == "" || !retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want a permanent refusal with a hint", err)
	}
	if n := len(r.all()); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestBatchWebhookIsSignedWithEverySecret(t *testing.T) {
	r := newReceiver(t, signing.NewSecret(), signing.NewSecret())
	guard, err := egress.New(egress.Config{Allow: []string{netip.MustParseAddr("127.0.0.1").String()}})
	if err != nil {
		t.Fatal(err)
	}
	s := webhook.New(r.URL, r.secrets, guard.Client(egress.ClientOptions{}))
	if _, err := s.Deliver(t.Context(), sinktest.Completed("a", 1)); err != nil {
		t.Errorf("deliver: %v", err)
	}
}

func TestUnusableSecretOrAddressEndsTheDelivery(t *testing.T) {
	for name, s := range map[string]sink.Sink{
		"secret":  webhook.New("http://127.0.0.1:1", []string{"whsec_%%%"}, http.DefaultClient),
		"address": webhook.New("http://[::1", nil, http.DefaultClient),
	} {
		if _, err := s.Deliver(t.Context(), sinktest.Completed("a", 1)); !retry.IsPermanent(err) {
			t.Errorf("%s: deliver = %v, want a permanent error", name, err)
		}
	}
}

// The connection that the client kept is dead; what was written into it is lost.
func TestDeadIdleConnectionIsReplacedByItself(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- serveOnceEach(listener, 2) }()
	c := webhook.Kind.Config().(*webhook.Config)
	c.URL = "http://" + listener.Addr().String()
	s := mustSink(t, c)
	for generation := range int64(2) {
		if _, err := s.Deliver(t.Context(), sinktest.Completed("a", generation+1)); err != nil {
			t.Errorf("generation %d: %v", generation+1, err)
		}
	}
	listener.Close() // so that the server does not wait for a connection that never came
	if err := <-served; err != nil {
		t.Errorf("server: %v", err)
	}
}

// serveOnceEach answers one request on each of n connections as if it would
// keep it, and cuts the first when a second request comes.
func serveOnceEach(listener net.Listener, n int) error {
	for i := range n {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		if err := exchange(conn); err != nil {
			return err
		}
		if i == 0 {
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				return fmt.Errorf("wait for a second request: %w", err)
			}
			conn.(*net.TCPConn).SetLinger(0)
		}
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}

func exchange(conn net.Conn) error {
	buffer := make([]byte, 64<<10)
	var got []byte
	for !bytes.HasSuffix(got, []byte("}}")) {
		n, err := conn.Read(buffer)
		if err != nil {
			return err
		}
		got = append(got, buffer[:n]...)
	}
	_, err := io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	return err
}

func TestValidateNamesEverySettingThatIsWrong(t *testing.T) {
	c := webhook.Kind.Config().(*webhook.Config)
	c.URL = "shop.example/hook"
	c.Secret = config.NewSecret("whsec_%")
	c.Timeout = 0
	c.Headers = map[string]config.Secret{
		"webhook-id": config.NewSecret("1"), "a b": config.NewSecret("1"), "X-Fine": config.NewSecret("1"), "X-Line": config.NewSecret("a\nb"),
	}
	var got []string
	for _, p := range problem.All(c.Validate()) {
		got = append(got, p.Path)
	}
	want := []string{"url", "secret", "headers.X-Line", "headers.a b", "headers.webhook-id", "timeout"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	c = webhook.Kind.Config().(*webhook.Config)
	c.PreviousSecret = config.NewSecret("old")
	if got := problem.All(c.Validate()); len(got) != 2 || got[0].Path != "url" || got[1].Path != "previous_secret" {
		t.Errorf("problems = %v, want url and previous_secret", got)
	}
}

func TestExpressionsInAWebhookAreSaidToStayAsTheyAre(t *testing.T) {
	c := webhook.Kind.Config().(*webhook.Config)
	c.URL = "https://shop.example/{{ key }}"
	c.Headers = map[string]config.Secret{"X-Row": config.NewSecret("{{ key }}"), "X-Braces": config.NewSecret("{{")}
	got := problem.All(c.Validate())
	if len(got) != 2 || got[0].Path != "url" || got[1].Path != "headers.X-Row" || !strings.Contains(got[1].Hint, "kind http") {
		t.Errorf("problems = %v, want url and headers.X-Row", got)
	}
}

func TestCallersContextEndsTheDeliveryAsItself(t *testing.T) {
	r := newReceiver(t)
	r.setIll(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := mustSink(t, newConfig(r)).Deliver(ctx, sinktest.Completed("a", 1))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deliver = %v, want the context's own error", err)
	}
}

func TestClientsOwnTimeoutIsATimeout(t *testing.T) {
	r := newReceiver(t)
	r.setIll(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	s := webhook.New(r.URL, nil, &http.Client{Timeout: 20 * time.Millisecond})
	_, err := s.Deliver(t.Context(), sinktest.Completed("a", 1))
	if problem.CodeOf(err) != problem.Timeout || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want a timeout that is not permanent", err)
	}
}

func TestConfigurationIsReadFromYAML(t *testing.T) {
	const text = `
kind: webhook
url: https://shop.example/hook
secret: "${HOOK_SECRET}"
previous_secret_file: old
headers: { Authorization: "Bearer ${TOKEN}" }
events: [render.completed, render.failed]
`
	node, err := config.Parse("pictifyd.yaml", []byte(text), config.Options{
		Env:      func(name string) (string, bool) { return "value of " + name, true },
		ReadFile: func(string) ([]byte, error) { return []byte("older\n"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	c := webhook.Kind.Config().(*webhook.Config)
	if err := node.Decode(c); err != nil {
		t.Fatal(err)
	}
	got := []string{c.Kind, c.URL, c.Secret.Reveal(), c.PreviousSecret.Reveal(), c.Headers["Authorization"].Reveal(), c.Timeout.String(), strings.Join(c.Events, " ")}
	want := []string{"webhook", "https://shop.example/hook", "value of HOOK_SECRET", "older", "Bearer value of TOKEN", "30s", "render.completed render.failed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}
