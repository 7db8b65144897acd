package api

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A safeHolder is a process that holds the ledger and answers over TLS, with a
// certificate for one name.
type safeHolder struct {
	cfg     Config
	address string // as it tells the ledger
	roots   *x509.CertPool
	asked   atomic.Int64
}

func newSafeHolder(tb testing.TB, certified string) *safeHolder {
	tb.Helper()
	dir := tb.TempDir()
	cert, key := newPair(tb, 1, certified)
	h := &safeHolder{roots: x509.NewCertPool(), cfg: Config{
		Listen: "127.0.0.1:0", PublicURL: "https://images.example.com", TLS: TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")},
	}}
	h.roots.AppendCertsFromPEM(cert)
	mustWrite(tb, h.cfg.TLS.Cert, cert)
	mustWrite(tb, h.cfg.TLS.Key, key)
	l, err := Listen(tb.Context(), h.cfg)
	if err != nil {
		tb.Fatal(err)
	}
	h.address = h.cfg.OwnAddress(l.Addr())
	server := &http.Server{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		w.Header().Set(hstsHeader, "max-age=1")
		fmt.Fprintf(w, "%s %s %s %q %s", r.Method, r.Host, r.Header.Get("Authorization"), body, r.TLS.ServerName)
	})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	tb.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return h
}

// newRelay hands on to h, and trusts roots.
func (h *safeHolder) newRelay(tb testing.TB, roots *x509.CertPool, log *slog.Logger) *Relay {
	tb.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l := NewRelay("a key of the ledger", h.cfg.OwnName(), log)
	transport := l.proxy.Transport.(*passing).next.(*http.Transport)
	transport.TLSClientConfig.RootCAs = roots
	tb.Cleanup(transport.CloseIdleConnections)
	if err := l.SetHolder(h.address); err != nil {
		tb.Fatal(err)
	}
	return l
}

// relay is a process that does so.
func (h *safeHolder) relay(tb testing.TB, roots *x509.CertPool, log *slog.Logger) *httptest.Server {
	tb.Helper()
	front := httptest.NewServer(h.newRelay(tb, roots, log))
	tb.Cleanup(front.Close)
	return front
}

func secretRequest(tb testing.TB, method, url string) *http.Request {
	tb.Helper()
	body := ""
	if method == http.MethodPost {
		body = "rows-of-somebody"
	}
	r := mustRequest(tb, method, url+"/path-of-somebody", body)
	r.Host = "images.example.com"
	r.Header.Set("Authorization", "Bearer key-of-somebody")
	return r
}

func TestRelayHandsOnToAHolderWithTLS(t *testing.T) {
	h := newSafeHolder(t, "images.example.com")
	if !strings.HasPrefix(h.address, "https://127.0.0.1:") {
		t.Fatalf("the holder is at %s", h.address)
	}
	front := h.relay(t, h.roots, nil)
	for method, body := range map[string]string{http.MethodGet: "", http.MethodPost: "rows-of-somebody"} {
		status, got := mustAsk(t, secretRequest(t, method, front.URL))
		if want := fmt.Sprintf("%s images.example.com Bearer key-of-somebody %q images.example.com", method, body); status != http.StatusOK || got != want {
			t.Errorf("the holder got\n%s\nwant\n%s", got, want)
		}
	}
	if h.asked.Load() != 2 {
		t.Errorf("it was asked %d times", h.asked.Load())
	}
}

// Who cannot show a certificate for the name gets nothing, and whoever asked is told why.
func TestRelayBelievesNoOtherCertificate(t *testing.T) {
	for name, c := range map[string]struct {
		certified string
		trusted   bool
		why       string
	}{
		"of another name":         {"elsewhere.example.com", true, "elsewhere.example.com, not images.example.com"},
		"of an unknown authority": {"images.example.com", false, "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newSafeHolder(t, c.certified)
			roots := x509.NewCertPool()
			if c.trusted {
				roots = h.roots
			}
			var log bytes.Buffer
			front := h.relay(t, roots, slog.New(slog.NewTextHandler(&log, nil)))
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
				status, text := mustAsk(t, secretRequest(t, method, front.URL))
				if status != http.StatusBadGateway || !strings.Contains(text, slugHolderUntrusted) || !strings.Contains(text, c.why) || !strings.Contains(text, "SSL_CERT_FILE") {
					t.Errorf("%s is answered %d %s", method, status, text)
				}
			}
			if n := h.asked.Load(); n != 0 {
				t.Errorf("it was asked %d times all the same", n)
			}
			front.Close()
			if n := strings.Count(log.String(), "requests cannot be handed on"); n != 1 {
				t.Errorf("the log says it %d times:\n%s", n, &log)
			}
		})
	}
}

// Whoever listens where the holder should be, and speaks no TLS, hears no word of a
// request.
func TestRelaySendsNothingInPlainToAHolderWithTLS(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan []byte, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			text := make([]byte, 1<<16)
			n, _ := conn.Read(text)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			rest, _ := io.ReadAll(conn)
			conn.Close()
			heard <- append(text[:n], rest...)
		}
	}()
	h := newSafeHolder(t, "images.example.com")
	h.address = h.cfg.OwnAddress(l.Addr())
	front := h.relay(t, h.roots, nil)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		status, text := mustAsk(t, secretRequest(t, method, front.URL))
		if status != http.StatusBadGateway || !strings.Contains(text, slugHolderUntrusted) || !strings.Contains(text, "TLS handshake") {
			t.Errorf("%s is answered %d %s", method, status, text)
		}
		said := <-heard
		if len(said) < 3 || said[0] != 0x16 || said[1] != 3 { // a handshake's first record
			t.Errorf("%s: it hears %q", method, said)
		}
		if bytes.Contains(said, []byte("somebody")) || bytes.Contains(said, []byte(relayHeader)) {
			t.Errorf("%s: it hears of the request: %q", method, said)
		}
	}
}

// A handshake that comes to nothing was no request: it waits for the next holder.
func TestRelayTriesAgainWhereNoHandshakeWasDone(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tried := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close() // as one that is killed at that moment
			tried <- struct{}{}
		}
	}()
	h := newSafeHolder(t, "images.example.com")
	next := h.address
	h.address = h.cfg.OwnAddress(l.Addr())
	relay := h.newRelay(t, h.roots, nil)
	front := httptest.NewServer(relay)
	t.Cleanup(front.Close)
	answered := make(chan string, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, text := mustAsk(t, secretRequest(t, http.MethodPost, front.URL).WithContext(ctx))
		answered <- text
	}()
	<-tried
	if err := relay.SetHolder(next); err != nil {
		t.Fatal(err)
	}
	if text := <-answered; !strings.Contains(text, "rows-of-somebody") {
		t.Errorf("answered %s", text)
	}
}
