package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// newPair is a certificate for 127.0.0.1, and for other names, and its key, in PEM.
func newPair(tb testing.TB, serial int64, names ...string) (cert, key []byte) {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names, NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		tb.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

func mustWrite(tb testing.TB, path string, text []byte) {
	tb.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// A safe is a server that speaks TLS with real connections.
type safe struct {
	tb       testing.TB
	files    TLS
	listener *secured
	server   *Server
	roots    *x509.CertPool
}

func newSafe(tb testing.TB) *safe {
	tb.Helper()
	dir := tb.TempDir()
	s := &safe{tb: tb, files: TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}, roots: x509.NewCertPool()}
	s.renew(1)
	cfg := locked()
	cfg.Listen, cfg.TLS = "127.0.0.1:0", s.files
	l, err := Listen(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	s.listener, s.server = l.(*secured), mustServer(tb, cfg, newWorld())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.server.Run(ctx, l) }()
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	return s
}

// renew writes another pair.
func (s *safe) renew(serial int64) {
	s.tb.Helper()
	cert, key := newPair(s.tb, serial)
	s.roots.AppendCertsFromPEM(cert)
	mustWrite(s.tb, s.files.Cert, cert)
	mustWrite(s.tb, s.files.Key, key)
}

// later has the next connection look at the files, as one a second later does.
func (s *safe) later() {
	c := s.listener.certificate
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looked = time.Time{}
}

func (s *safe) log() *bytes.Buffer {
	text := &bytes.Buffer{}
	logsTo(s.listener, slog.New(slog.NewTextHandler(text, nil)))
	return text
}

func (s *safe) addr() string { return s.listener.Addr().String() }

// serial is that of the certificate of a new connection.
func (s *safe) serial() int64 {
	s.tb.Helper()
	c, err := tls.Dial("tcp", s.addr(), &tls.Config{RootCAs: s.roots})
	if err != nil {
		s.tb.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// client makes requests, over HTTP/2 where it is spoken.
func (s *safe) client() *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}, ForceAttemptHTTP2: true}
	s.tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestServerSpeaksTLSAndHTTP2(t *testing.T) {
	s := newSafe(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+s.addr()+batchPath, strings.NewReader(`{"variables":[{"recipient_name":"Ada"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+fullKey)
	req.Header.Set("Content-Type", "application/json")
	client := s.client()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.ProtoMajor != 2 || res.StatusCode != http.StatusAccepted || res.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%s, status %d, TLS %x", res.Proto, res.StatusCode, res.TLS.Version)
	}
	// A stream over the same connection.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err = http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.addr()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+fullKey)
	if res, err = client.Do(req); err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || res.ProtoMajor != 2 || line == "" {
		t.Errorf("%s: %q, %v", res.Proto, line, err)
	}
}

func TestOldTLSAndPlainRequestsAreRefused(t *testing.T) {
	s := newSafe(t)
	for version, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", s.addr(), &tls.Config{RootCAs: s.roots, MinVersion: version, MaxVersion: version}) //nolint:gosec // that is what is tried
		if err == nil {
			c.Close()
		}
		if (err == nil) != good {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
	res, err := http.Get("http://" + s.addr() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "HTTPS") {
		t.Errorf("a plain request: status %d: %s", res.StatusCode, text)
	}
}

func TestRenewedCertificateNeedsNoRestart(t *testing.T) {
	s := newSafe(t)
	if got := s.serial(); got != 1 { // it runs now, and has its own log
		t.Fatalf("serial %d", got)
	}
	log := s.log()
	kept, err := tls.Dial("tcp", s.addr(), &tls.Config{RootCAs: s.roots})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()

	cert, key := newPair(t, 2)
	s.roots.AppendCertsFromPEM(cert)
	mustWrite(t, s.files.Cert, cert) // the first of two files: they do not fit together
	s.later()
	if got := s.serial(); got != 1 || !strings.Contains(log.String(), "certificate refused") {
		t.Errorf("half renewed: serial %d\n%s", got, log)
	}
	s.later()
	if s.serial(); strings.Count(log.String(), "certificate refused") != 1 {
		t.Errorf("it is told of at each look:\n%s", log)
	}
	mustWrite(t, s.files.Key, key)
	s.later()
	if got := s.serial(); got != 2 || !strings.Contains(log.String(), "certificate read again") {
		t.Errorf("renewed: serial %d\n%s", got, log)
	}
	for _, broken := range [][]byte{nil, []byte("hunter2-no-pem"), cert[:40]} {
		mustWrite(t, s.files.Key, broken)
		s.later()
		if got := s.serial(); got != 2 {
			t.Errorf("broken: serial %d", got)
		}
	}
	if err := os.Remove(s.files.Cert); err != nil {
		t.Fatal(err)
	}
	s.later()
	if got := s.serial(); got != 2 {
		t.Errorf("removed: serial %d", got)
	}
	if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), "BEGIN") {
		t.Errorf("the log shows what is in the files:\n%s", log)
	}
	fmt.Fprintf(kept, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	if line, err := bufio.NewReader(kept).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Errorf("a connection from before: %q, %v", line, err)
	}
}

func TestCertificateThatCannotBeUsedSaysWhichFile(t *testing.T) {
	dir := t.TempDir()
	cert, key := newPair(t, 1)
	other, _ := newPair(t, 2)
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": key, "other.pem": other, "text.pem": []byte("hunter2-is-no-pem"), "half.pem": key[:len(key)-60]} {
		mustWrite(t, filepath.Join(dir, name), text)
	}
	for name, c := range map[string]struct{ cert, key, at string }{
		"no certificate":      {"none.pem", "key.pem", "server.tls.cert"},
		"no key":              {"cert.pem", "none.pem", "server.tls.key"},
		"another's key":       {"other.pem", "key.pem", "server.tls.cert"},
		"a text":              {"text.pem", "key.pem", "server.tls.cert"},
		"a text for a key":    {"cert.pem", "text.pem", "server.tls.cert"},
		"half a key":          {"cert.pem", "half.pem", "server.tls.cert"},
		"the wrong way round": {"key.pem", "cert.pem", "server.tls.cert"},
	} {
		_, err := Listen(t.Context(), Config{Listen: "127.0.0.1:0", TLS: TLS{Cert: c.cert, Key: c.key}.Resolved(dir)})
		list := problem.All(err)
		if len(list) != 1 || list[0].Path != c.at || list[0].Code != problem.Surroundings || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
		if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, "hunter2") || strings.Contains(text, string(key[40:70])) {
			t.Errorf("%s: the error shows what is in the files: %s", name, text)
		}
	}
	for at, c := range map[string]TLS{"tls.key": {Cert: "a.pem"}, "tls.cert": {Key: "a.pem"}} {
		if list := problem.All((Config{Listen: "127.0.0.1:0", TLS: c}).Validate()); len(list) != 1 || list[0].Path != at {
			t.Errorf("%+v: %v", c, list)
		}
	}
}

// Who opens a connection and says nothing, or trickles, keeps it for ten seconds.
func TestHandshakeThatHangsIsCutOff(t *testing.T) {
	cert, key := newPair(t, 1)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, open(), newWorld())
		l := &pipes{make(chan net.Conn), make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})) }()
		for _, hello := range []string{"", "\x16\x03\x01\x02\x00" + strings.Repeat("\x00", 60)} {
			c, said := l.dial()
			began := time.Now()
			drip(c, hello, time.Second)
			said() // it ends
			if took := time.Since(began); took > 12*time.Second {
				t.Errorf("it was listened to for %v", took)
			}
			c.Close()
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestLargeHeadersAreRefused(t *testing.T) {
	s := newSafe(t)
	for _, transport := range []*http.Transport{
		{TLSClientConfig: &tls.Config{RootCAs: s.roots}, ForceAttemptHTTP2: true},
		{TLSClientConfig: &tls.Config{RootCAs: s.roots, NextProtos: []string{"http/1.1"}}, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}},
	} {
		for size, want := range map[int]int{maxHeader / 2: 200, 2 * maxHeader: http.StatusRequestHeaderFieldsTooLarge} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.addr()+"/healthz", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Large", strings.Repeat("a", size))
			res, err := transport.RoundTrip(req)
			if err != nil {
				if want == 200 {
					t.Errorf("%d bytes: %v", size, err)
				}
				continue // the connection is ended: refused as well
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s, %d bytes: status %d, want %d", res.Proto, size, res.StatusCode, want)
			}
		}
		transport.CloseIdleConnections()
	}
}

func TestStandbyAnswersOverTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := newPair(t, 1)
	files := TLS{Cert: "cert.pem", Key: "key.pem"}.Resolved(dir)
	mustWrite(t, files.Cert, cert)
	mustWrite(t, files.Key, key)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	cfg := Config{Listen: "127.0.0.1:0", TLS: files, Keys: locked().Keys}
	l, err := Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ask := func(path string, want int) {
		t.Helper()
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		res, err := (&http.Client{Transport: transport}).Get("https://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, res.StatusCode, want)
		}
	}
	door := StandBy(l, "1.2.3", slog.New(slog.DiscardHandler))
	ask("/healthz", 200)
	ask("/readyz", 503)
	door.End()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- mustServer(t, cfg, newWorld()).Run(ctx, l) }()
	ask("/readyz", 200)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
