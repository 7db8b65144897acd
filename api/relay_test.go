package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"
)

// newRelay is a relay behind a server, to a holder; "" is none yet.
func newRelay(tb testing.TB, holder string) (*Relay, *httptest.Server) {
	tb.Helper()
	l := NewRelay("a key of the ledger", "", slog.New(slog.DiscardHandler))
	if err := l.SetHolder(holder); err != nil {
		tb.Fatal(err)
	}
	front := httptest.NewServer(l)
	tb.Cleanup(front.Close)
	return l, front
}

// mustAsk sends a request and returns the status and the body of its answer.
func mustAsk(tb testing.TB, r *http.Request) (int, string) {
	tb.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func mustRequest(tb testing.TB, method, url, body string) *http.Request {
	tb.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(tb.Context(), method, url, from)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestRelayKeepsWhatTheCallerSent(t *testing.T) {
	holder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = ""
		r = relayed([]byte("a key of the ledger"), r, time.Now())
		body, _ := io.ReadAll(r.Body)
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintf(w, "%s %s %s %s %s %q %s %t", r.Method, r.Host, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("X-Forwarded-For"), body, host, isSecure(r))
	}))
	t.Cleanup(holder.Close)
	_, front := newRelay(t, holder.Listener.Addr().String())
	r := mustRequest(t, http.MethodPut, front.URL+"/a%2Fb?q=1;2&r=%20", "rows")
	r.Host = "images.example.com"
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	_, got := mustAsk(t, r)
	if want := `PUT images.example.com /a%2Fb?q=1;2&r=%20 Bearer secret 203.0.113.9 "rows" 127.0.0.1 false`; got != want {
		t.Errorf("the holder got\n%s\nwant\n%s", got, want)
	}
}

func TestRelayWaitsForAHolder(t *testing.T) {
	standing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(awayHeader, "1") // the body is left alone
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(standing.Close)
	holder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "took %d bytes", len(body))
	}))
	t.Cleanup(holder.Close)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for name, first := range map[string]string{"none": "", "dead": dead.Listener.Addr().String(), "standing by": standing.Listener.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, front := newRelay(t, first)
			answered := make(chan string, 1)
			go func() {
				_, text := mustAsk(t, mustRequest(t, http.MethodPost, front.URL+"/", strings.Repeat("x", 100_000)))
				answered <- text
			}()
			select {
			case text := <-answered:
				t.Fatalf("answered without a holder: %s", text)
			case <-time.After(3 * relayAgain): // so that it has tried
			}
			if err := l.SetHolder(holder.Listener.Addr().String()); err != nil {
				t.Fatal(err)
			}
			if text := <-answered; text != "took 100000 bytes" {
				t.Errorf("answered %s", text)
			}
		})
	}
}

// A scripted transport does as it is told at each request.
type scripted []func(*httptrace.ClientTrace) (*http.Response, error)

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(*s) == 0 {
		return nil, errors.New("it is asked once more")
	}
	next := (*s)[0]
	*s = (*s)[1:]
	return next(httptrace.ContextClientTrace(r.Context()))
}

// What was sent is not sent again; what met no connection, or one that was left of a
// holder that is gone, is.
func TestRelayKnowsWhetherARequestWasSent(t *testing.T) {
	gone := errors.New("gone")
	good := func(at *httptrace.ClientTrace) (*http.Response, error) {
		at.GetConn("")
		at.GotConn(httptrace.GotConnInfo{})
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}
	for name, c := range map[string]struct {
		first func(*httptrace.ClientTrace) (*http.Response, error)
		again bool
	}{
		"no connection": {func(at *httptrace.ClientTrace) (*http.Response, error) {
			at.GetConn("")
			return nil, gone
		}, true},
		"one that was left, then none": {func(at *httptrace.ClientTrace) (*http.Response, error) {
			at.GetConn("")
			at.GotConn(httptrace.GotConnInfo{Reused: true})
			at.GetConn("")
			return nil, gone
		}, true},
		"one": {func(at *httptrace.ClientTrace) (*http.Response, error) {
			at.GetConn("")
			at.GotConn(httptrace.GotConnInfo{})
			return nil, gone
		}, false},
	} {
		l, _ := newRelay(t, "127.0.0.1:1")
		res, err := (&passing{relay: l, next: &scripted{c.first, good}}).RoundTrip(mustRequest(t, http.MethodDelete, "http://holder/", ""))
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != c.again || !c.again && !errors.Is(err, gone) {
			t.Errorf("%s: ended with %v", name, err)
		}
	}
}

// What a frozen holder has in hand ends when there is another one: what may be done
// twice is asked of that one, and nothing else is.
func TestRelayLeavesAFrozenHolder(t *testing.T) {
	held := make(chan struct{})
	frozen := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		held <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(frozen.Close)
	next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "next") }))
	t.Cleanup(next.Close)
	for _, c := range []struct {
		method, body, want string
		status             int
	}{
		{http.MethodGet, "", "next", http.StatusOK},
		{http.MethodPost, "rows", "holder_lost", http.StatusServiceUnavailable},
		{http.MethodDelete, "", "holder_lost", http.StatusServiceUnavailable},
	} {
		l, front := newRelay(t, frozen.Listener.Addr().String())
		type answer struct {
			status int
			text   string
		}
		answered := make(chan answer, 1)
		go func() {
			status, text := mustAsk(t, mustRequest(t, c.method, front.URL+"/", c.body))
			answered <- answer{status, text}
		}()
		<-held
		if err := l.SetHolder(next.Listener.Addr().String()); err != nil {
			t.Fatal(err)
		}
		if a := <-answered; a.status != c.status || !strings.Contains(a.text, c.want) {
			t.Errorf("%s is answered %d %s", c.method, a.status, a.text)
		}
	}
}

func TestRelayStreams(t *testing.T) {
	more := make(chan struct{})
	holder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			fmt.Fprintln(w, "event")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-more:
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(holder.Close)
	_, front := newRelay(t, holder.Listener.Addr().String())
	res, err := http.DefaultClient.Do(mustRequest(t, http.MethodGet, front.URL+"/events", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for i := range 3 {
		if !lines.Scan() { // it came before the holder went on
			t.Fatalf("event %d: %v", i, lines.Err())
		}
		more <- struct{}{}
	}
}

func TestRelayHandsNothingOnTwice(t *testing.T) {
	_, second := newRelay(t, "")
	_, first := newRelay(t, second.Listener.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), 3*relayAgain)
	defer cancel()
	r := mustRequest(t, http.MethodGet, first.URL+"/", "").WithContext(ctx)
	if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.DeadlineExceeded) { // it asks again and again for a holder
		t.Errorf("ended with %v", err)
	}
	r = mustRequest(t, http.MethodGet, second.URL+"/", "")
	r.Header.Set(relayHeader, "anything")
	if status, text := mustAsk(t, r); status != http.StatusServiceUnavailable || !strings.Contains(text, slugNoHolder) {
		t.Errorf("answered %d %s", status, text)
	}
}

func TestOnlyTheKeySaysForWhomARequestCame(t *testing.T) {
	now, key := time.Now(), []byte("key")
	good := sealRelay(key, "10.0.0.1:5", true, now)
	for header, want := range map[string]bool{
		good: true,
		sealRelay(key, "10.0.0.1:5", true, now.Add(-time.Hour)): false,
		sealRelay([]byte("another"), "10.0.0.1:5", true, now):   false,
		strings.Replace(good, "10.0.0.1:5", "10.0.0.2:5", 1):    false,
		strings.Replace(good, "true", "false", 1):               false,
		"": false, "x": false, " ": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.9.9.9:1"
		r.Header.Set(relayHeader, header)
		r = relayed(key, r, now)
		if got := r.RemoteAddr == "10.0.0.1:5" && isSecure(r); got != want {
			t.Errorf("%q is for %q", header, r.RemoteAddr)
		}
	}
}
