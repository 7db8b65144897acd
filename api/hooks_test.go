package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A porch is the Hooks of a world: it reads bodies, and says what it was told to.
type porch struct {
	mu    sync.Mutex
	taken HookTaken
	err   error
	hold  chan struct{} // nil, or what calls come to, and go on from, once they are read
}

func (p *porch) Receive(path string, r *http.Request) (HookTaken, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return HookTaken{}, fmt.Errorf("read the body after %d bytes: %w", len(body), err)
	}
	if p.hold != nil {
		p.hold <- struct{}{}
		<-p.hold
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.taken
	taken.Source = path
	return taken, p.err
}

type hookAnswer struct {
	Status           string
	Source           string
	Rows             int
	QuarantinedCount int
	Quarantined      []struct{ Position, Key, Reason, Detail string }
	Refresh          string
}

func TestCallIsAnsweredWithWhatBecameOfItsRows(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(), w)
	w.porch.taken = HookTaken{Rows: 2}
	for range 150 {
		w.porch.taken.Quarantined = append(w.porch.taken.Quarantined, bindings.Quarantined{Key: "a%2Fb", Position: "$[1]", Reason: "null_key", Detail: "no key"})
	}
	got := mustAnswer[hookAnswer](t, post("/hooks/crm", "[]").to(t, s), 200) // without a key
	if got.Status != "accepted" || got.Source != "crm" || got.Rows != 2 || got.QuarantinedCount != 150 || len(got.Quarantined) != 100 {
		t.Errorf("answer is %+v", got)
	}
	if q := got.Quarantined[0]; q.Key != "a/b" || q.Position != "$[1]" || q.Reason != "null_key" || q.Detail != "no key" {
		t.Errorf("quarantined is %+v", q)
	}
	w.porch.taken = HookTaken{Duplicate: true}
	if got := mustAnswer[hookAnswer](t, post("/hooks/crm", "[]").to(t, s), 200); got.Status != "duplicate" {
		t.Errorf("status %q of a message that was taken before", got.Status)
	}
}

func TestBodyThatBreaksOffIsNoReasonForUs(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/crm", brokenBody{})
	r.Host = "127.0.0.1"
	out := httptest.NewRecorder()
	s.ServeHTTP(out, r)
	if out.Code != http.StatusBadRequest || !strings.Contains(out.Body.String(), slugCutBody) || strings.Contains(out.Body.String(), "Idempotency") {
		t.Errorf("%d %s", out.Code, out.Body)
	}
}

type brokenBody struct{}

func (brokenBody) Read(p []byte) (int, error) { return copy(p, "{"), errors.New("connection reset") }

func TestBodiesOfManyCallsHaveABound(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.porch.hold = make(chan struct{})
	half := strings.Repeat("x", hookMemory/2+1)
	var first sync.WaitGroup
	first.Go(func() {
		if out := post("/hooks/crm", half).to(t, s); out.Code != 200 {
			t.Errorf("%d of the call that had room", out.Code)
		}
	})
	<-w.porch.hold // it has been read
	out := post("/hooks/crm", half).to(t, s)
	if out.Code != http.StatusServiceUnavailable || out.Header().Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q, of the call that had none", out.Code, out.Header().Get("Retry-After"))
	}
	w.porch.hold <- struct{}{}
	first.Wait()
	if n := s.hookBytes.Load(); n != 0 {
		t.Errorf("%d bytes are charged after all calls", n)
	}
}

func TestRefusalSaysNothingOfWhy(t *testing.T) {
	w := newWorld()
	w.porch.err = problem.New(problem.Unauthorized, "this call is not known to be from its sender").WithSlug("hook_refused")
	out := post("/hooks/crm", "[]").to(t, mustServer(t, open(), w))
	if out.Code != http.StatusUnauthorized || strings.Contains(out.Body.String(), "hint") {
		t.Errorf("%d %s", out.Code, out.Body)
	}
}

func TestServerThatStopsSendsCallsAway(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	s.close()
	out := post("/hooks/crm", "[]").to(t, s)
	if out.Code != http.StatusServiceUnavailable || out.Header().Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", out.Code, out.Header().Get("Retry-After"))
	}
}

func TestServerOfThisMachineOnly(t *testing.T) {
	for name, c := range map[string]struct {
		listen, public string
		want           bool
	}{
		"loopback":      {"127.0.0.1:8080", "", true},
		"by name":       {"localhost:8080", "http://localhost:8080", true},
		"IPv6":          {"[::1]:8080", "", true},
		"all addresses": {"0.0.0.0:8080", "", false},
		"no host":       {":8080", "", false},
		"behind proxy":  {"127.0.0.1:8080", "https://pictures.example", false},
		"not an origin": {"127.0.0.1", "", false},
	} {
		if got := (Config{Listen: c.listen, PublicURL: c.public}).ThisMachineOnly(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
