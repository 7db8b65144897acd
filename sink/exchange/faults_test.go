package exchange_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	httpsink "github.com/pictifyd/pictifyd/sink/http"
	"github.com/pictifyd/pictifyd/sink/sinktest"
	"github.com/pictifyd/pictifyd/sink/webhook"
)

// kinds are the sinks that speak HTTP, each to that address.
func kinds(address string) map[string]func(*http.Client) (sink.Sink, error) {
	return map[string]func(*http.Client) (sink.Sink, error){
		"webhook": func(client *http.Client) (sink.Sink, error) {
			c := webhook.Kind.Config().(*webhook.Config)
			c.URL = address + "/hook"
			return webhook.Kind.New(c, sink.Env{Client: client})
		},
		"http": func(client *http.Client) (sink.Sink, error) {
			c := httpsink.Kind.Config().(*httpsink.Config)
			c.URL = address + "/c/{{ key }}"
			c.JSON = map[string]any{"data": map[string]any{"key": "key", "generation": "generation", "contentHash": "hash"}}
			c.Headers = map[string]config.Secret{"X-A": config.NewSecret("1")}
			return httpsink.Kind.New(c, sink.Env{Client: client})
		},
	}
}

// A ledger is a receiver that drops ids that it has seen and generations that are
// older than what it has, and remembers what arrived.
type ledger struct {
	mu sync.Mutex

	tries   []string       // the ids, as they came
	effects map[string]int // by id
	held    map[string]string
	newest  map[string]int64
}

func newLedger() *ledger {
	return &ledger{effects: map[string]int{}, held: map[string]string{}, newest: map[string]int64{}}
}

func (l *ledger) take(r *http.Request) {
	var body struct {
		Data struct {
			Key, ContentHash string
			Generation       int64
		}
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	l.mu.Lock()
	defer l.mu.Unlock()
	id := r.Header.Get("Idempotency-Key")
	l.tries = append(l.tries, id)
	if err != nil || l.effects[id] > 0 || body.Data.Generation < l.newest[body.Data.Key] {
		return
	}
	l.effects[id]++
	l.newest[body.Data.Key], l.held[body.Data.Key] = body.Data.Generation, body.Data.ContentHash
}

// A script is what a receiver does at each try; the last line stays.
type script []func(l *ledger, w http.ResponseWriter, r *http.Request)

func takes(l *ledger, _ http.ResponseWriter, r *http.Request) { l.take(r) }

func says(status int, header ...string) func(*ledger, http.ResponseWriter, *http.Request) {
	return func(_ *ledger, w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}

// drips says a status and then a letter a second, for ever.
func drips(status int) func(*ledger, http.ResponseWriter, *http.Request) {
	return func(l *ledger, w http.ResponseWriter, r *http.Request) {
		l.take(r)
		w.WriteHeader(status)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "x"); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(time.Second)
		}
	}
}

// pipes is a network of its own, so that its clock can be a false one.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return mine, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A fault is a script, and how the tries of a delivery end.
type fault struct {
	script  script
	ends    []string // of each try: "" arrived, "again", "never", "gone"
	within  time.Duration
	effects int
}

func TestReceiversInTroubleHearOfEachPictureOnce(t *testing.T) {
	for name, f := range map[string]fault{
		"slow, 29 s": {script{func(l *ledger, w http.ResponseWriter, r *http.Request) {
			time.Sleep(29 * time.Second)
			l.take(r)
		}}, []string{""}, 30 * time.Second, 1},
		"a timeout after it was taken": {script{func(l *ledger, _ http.ResponseWriter, r *http.Request) {
			l.take(r)
			time.Sleep(31 * time.Second)
		}, takes}, []string{"again", ""}, 31 * time.Second, 1},
		"500 three times": {script{says(500), says(500), says(500), takes}, []string{"again", "again", "again", ""}, time.Second, 1},
		"429":             {script{says(429, "Retry-After", "120"), takes}, []string{"again after 2m0s", ""}, time.Second, 1},
		"502":             {script{says(502, "Retry-After", "5"), takes}, []string{"again after 5s", ""}, time.Second, 1},
		"503":             {script{says(503, "Retry-After", "Sat, 01 Jan 2000 00:01:00 GMT"), takes}, []string{"again after 1m0s", ""}, time.Second, 1},
		"504":             {script{says(504), takes}, []string{"again", ""}, time.Second, 1},
		"301":             {script{says(301, "Location", "http://elsewhere.example/")}, []string{"never"}, time.Second, 0},
		"410":             {script{says(410)}, []string{"gone"}, time.Second, 0},
		"a cut after it was taken": {script{func(l *ledger, _ http.ResponseWriter, r *http.Request) {
			l.take(r)
			panic(http.ErrAbortHandler)
		}, takes}, []string{"again", ""}, time.Second, 1},
		"2xx and half an answer": {script{func(l *ledger, w http.ResponseWriter, r *http.Request) {
			l.take(r)
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}}, []string{""}, time.Second, 1},
		"2xx, drop by drop": {script{drips(200)}, []string{""}, 2 * time.Second, 1},
		"500, drop by drop": {script{drips(500), takes}, []string{"again", ""}, 2 * time.Second, 1},
		"100 for ever": {script{func(_ *ledger, w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusContinue)
				time.Sleep(time.Second)
			}
		}, takes}, []string{"again", ""}, 31 * time.Second, 1},
	} {
		for kind, open := range kinds("http://receiver.example") {
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { suffer(t, f, open, kind) })
			})
		}
	}
}

// suffer makes the tries of one delivery.
func suffer(t *testing.T, f fault, open func(*http.Client) (sink.Sink, error), kind string) {
	l, network := newLedger(), &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	line := 0
	var handlers sync.WaitGroup
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers.Add(1)
		defer handlers.Done()
		l.mu.Lock()
		do := f.script[min(line, len(f.script)-1)]
		line++
		l.mu.Unlock()
		do(l, w, r)
	})}
	go func() { _ = server.Serve(network) }()
	way := &http.Transport{DialContext: network.dial}
	defer func() {
		way.CloseIdleConnections()
		server.Close()
		handlers.Wait()
	}()
	s, err := open(&http.Client{Transport: way})
	if err != nil {
		t.Fatal(err)
	}
	d := sinktest.Completed("a", 1)
	for i, want := range f.ends {
		d.Attempt = i + 1
		began := time.Now()
		receipt, err := s.Deliver(t.Context(), d)
		if took := time.Since(began); took > f.within {
			t.Errorf("try %d took %v", i+1, took)
		}
		if kind == "http" && want == "gone" { // the address is that of a row
			want = "never"
		}
		if got := endOf(err); got != want {
			t.Errorf("try %d: %v is %q, want %q", i+1, err, got, want)
		}
		if err == nil && receipt.Status != 200 {
			t.Errorf("try %d: receipt %+v", i+1, receipt)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.effects[d.ID] != f.effects || f.effects > 0 && l.held["a"] != "hash-1" {
		t.Errorf("%d effects, the receiver holds %q", l.effects[d.ID], l.held["a"])
	}
	for _, id := range l.tries {
		if id != d.ID {
			t.Errorf("a try with the id %s, want %s", id, d.ID)
		}
	}
}

// endOf is what the queue does after err.
func endOf(err error) string {
	wait, waits := retry.Wait(err)
	switch {
	case err == nil:
		return ""
	case sink.IsGone(err):
		return "gone"
	case retry.IsPermanent(err):
		return "never"
	case waits:
		return fmt.Sprintf("again after %v", wait)
	}
	return "again"
}

// A receiver that answers without end is read to its beginning.
func TestAnswersWithoutEndTakeNoMemory(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"headers": {func(w http.ResponseWriter, _ *http.Request) {
			for i := range 2000 {
				w.Header().Set(fmt.Sprintf("X-Flood-%d", i), strings.Repeat("x", 4000))
			}
		}, "again"},
		"a packed bomb": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			bomb := gzip.NewWriter(w)
			zeros := make([]byte, 1<<20)
			for range 256 {
				if _, err := bomb.Write(zeros); err != nil || r.Context().Err() != nil {
					return
				}
			}
			bomb.Close()
		}, ""},
		"a body": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}, ""},
	} {
		server := httptest.NewServer(c.answer)
		for kind, open := range kinds(server.URL) {
			s, err := open(nil)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			receipt, err := s.Deliver(t.Context(), sinktest.Completed("a", 1))
			runtime.ReadMemStats(&after)
			if got := endOf(err); got != c.want || len(receipt.Body) > 1<<10 {
				t.Errorf("%s, %s: %v, a receipt of %d bytes", kind, name, err, len(receipt.Body))
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 { // the server's own is in it
				t.Errorf("%s, %s: %d bytes of memory", kind, name, used)
			}
		}
		server.Close()
	}
}

// A connection that is reset when the request has gone may have brought it.
func TestResetIsTriedAgainWithTheSameID(t *testing.T) {
	for _, kind := range []string{"webhook", "http"} {
		l, first := newLedger(), true
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.take(r)
			if !first {
				return
			}
			first = false
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}))
		s, err := kinds(server.URL)[kind](nil)
		if err != nil {
			t.Fatal(err)
		}
		d := sinktest.Completed("a", 1)
		_, err = s.Deliver(t.Context(), d)
		var netErr net.Error
		if endOf(err) != "again" || errors.As(err, &netErr) && netErr.Timeout() {
			t.Errorf("%s: a reset is %v", kind, err)
		}
		if _, err := s.Deliver(t.Context(), d); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		server.Close()
		if fmt.Sprint(l.tries) != fmt.Sprint([]string{d.ID, d.ID}) || l.effects[d.ID] != 1 {
			t.Errorf("%s: tries %v, effects %v", kind, l.tries, l.effects)
		}
	}
}
