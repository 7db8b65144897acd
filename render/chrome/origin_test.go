package chrome

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// ask sends a request to the proxy as it stands, and returns the answer's
// status and headers.
func ask(t *testing.T, e *egress, head string) (status int, headers http.Header) {
	t.Helper()
	conn, err := net.Dial("tcp", e.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, head, "\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q is not answered: %v", head, err)
	}
	resp.Body.Close()
	return resp.StatusCode, resp.Header
}

func newTestEgress(t *testing.T) *egress {
	t.Helper()
	e, err := newEgress(rendertest.Files{"dot": {ContentType: "image/png", Bytes: rendertest.PNG(t, 4, 4, rgb(9, 99, 199))}}, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return e
}

func mustAdmit(t *testing.T, o *origin, paths ...string) {
	t.Helper()
	var all []render.Asset
	for _, p := range paths {
		all = append(all, render.Asset{Path: p, Digest: "dot"})
	}
	if err := o.admit(all); err != nil {
		t.Fatal(err)
	}
}

func TestProxyServesTheOriginsAndNothingElse(t *testing.T) {
	e := newTestEgress(t)
	o := e.open()
	mustAdmit(t, o, "/assets/a.png")
	_, port, _ := net.SplitHostPort(e.addr())
	for _, c := range []struct {
		head   string
		status int
	}{
		{"GET http://" + o.host + "/ HTTP/1.1\r\nHost: " + o.host, http.StatusOK},
		{"GET http://" + o.host + "/assets/a.png HTTP/1.1\r\nHost: " + o.host, http.StatusOK},
		{"GET http://" + o.host + "/assets/b.png HTTP/1.1\r\nHost: " + o.host, http.StatusNotFound},
		{"GET http://" + o.host + "/assets/%2e%2e/assets/a.png HTTP/1.1\r\nHost: " + o.host, http.StatusNotFound},
		{"GET http://" + o.host + "/../etc/passwd HTTP/1.1\r\nHost: " + o.host, http.StatusNotFound},
		{"GET http://" + o.host + "//etc/passwd HTTP/1.1\r\nHost: " + o.host, http.StatusNotFound},
		{"POST http://" + o.host + "/ HTTP/1.1\r\nContent-Length: 0\r\nHost: " + o.host, http.StatusForbidden},
		{"PUT http://" + o.host + "/assets/a.png HTTP/1.1\r\nContent-Length: 0\r\nHost: " + o.host, http.StatusForbidden},
		{"GET https://" + o.host + "/ HTTP/1.1\r\nHost: " + o.host, http.StatusForbidden},
		{"GET http://" + o.host + ":80/ HTTP/1.1\r\nHost: " + o.host, http.StatusForbidden},
		{"GET http://x." + o.host + "/ HTTP/1.1\r\nHost: " + o.host, http.StatusForbidden},
		{"GET / HTTP/1.1\r\nHost: " + o.host, http.StatusForbidden}, // not as to a proxy
		{"GET /assets/a.png HTTP/1.1\r\nHost: " + o.host, http.StatusForbidden},
		{"CONNECT " + o.host + ":443 HTTP/1.1\r\nHost: " + o.host, http.StatusForbidden},
		{"CONNECT 127.0.0.1:" + port + " HTTP/1.1\r\nHost: 127.0.0.1:" + port, http.StatusForbidden},
		{"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80", http.StatusForbidden},
		{"GET http://127.0.0.1:" + port + "/ HTTP/1.1\r\nHost: 127.0.0.1:" + port, http.StatusForbidden},
		{"GET http://localhost/ HTTP/1.1\r\nHost: localhost", http.StatusForbidden},
		{"GET http://169.254.169.254/latest/meta-data/ HTTP/1.1\r\nHost: 169.254.169.254", http.StatusForbidden},
		{"GET http://example.com/ HTTP/1.1\r\nHost: " + o.host, http.StatusForbidden},
		{"GET ftp://" + o.host + "/ HTTP/1.1\r\nHost: " + o.host, http.StatusForbidden},
		{"GET ws://" + o.host + "/ HTTP/1.1\r\nHost: " + o.host + "\r\nUpgrade: websocket\r\nConnection: Upgrade", http.StatusForbidden},
	} {
		status, headers := ask(t, e, c.head)
		if status != c.status {
			t.Errorf("%q: %d, want %d", c.head, status, c.status)
		}
		if headers.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: the answer may be sniffed", c.head)
		}
	}
}

// A page is not told another's name, could not guess it, and got nothing there.
func TestEachPageHasAnOriginOfItsOwn(t *testing.T) {
	e := newTestEgress(t)
	one, other := e.open(), e.open()
	mustAdmit(t, one, "/assets/a.png")
	if one.host == other.host || len(one.host) < 26+len(".localhost") {
		t.Errorf("the names are %s and %s", one.host, other.host)
	}
	get := func(o *origin, path string) int {
		status, _ := ask(t, e, "GET http://"+o.host+path+" HTTP/1.1\r\nHost: "+o.host)
		return status
	}
	if get(one, "/assets/a.png") != http.StatusOK || get(other, "/assets/a.png") != http.StatusNotFound {
		t.Error("a file of one page is another's")
	}
	mustAdmit(t, one, "/assets/b.png")
	if get(one, "/assets/a.png") != http.StatusNotFound {
		t.Error("a file of the row before is this one's")
	}
	one.close()
	if get(one, "/") != http.StatusForbidden {
		t.Error("a page that is closed is served")
	}
}

// What a page may do stands in a header, where nothing in the page can add to it.
func TestEveryDocumentHasAPolicy(t *testing.T) {
	e := newTestEgress(t)
	o := e.open()
	mustAdmit(t, o, "/assets/a.png")
	for path, wants := range map[string][]string{
		"/":             {"default-src 'none'", "script-src 'none'", "connect-src 'none'", "frame-src 'none'", "object-src 'none'", "worker-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"},
		framePath:       {"default-src 'none'", "script-src 'none'", "connect-src 'none'", "frame-src 'none'", "object-src 'none'", "worker-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'"},
		stagePath:       {"default-src 'none'", "script-src 'wasm-unsafe-eval'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"},
		"/assets/a.png": {"default-src 'none'", "sandbox"},
	} {
		_, headers := ask(t, e, "GET http://"+o.host+path+" HTTP/1.1\r\nHost: "+o.host)
		directives := strings.Split(headers.Get("Content-Security-Policy"), "; ")
		for _, want := range wants {
			found := false
			for _, d := range directives {
				found = found || d == want
			}
			if !found {
				t.Errorf("%s: no %q in %q", path, want, directives)
			}
		}
		for _, d := range directives {
			if strings.Contains(d, "script-src") && (strings.Contains(d, "unsafe-inline") || strings.Contains(d, "'self'") || strings.Contains(d, "'unsafe-eval'")) || strings.Contains(d, "http:") || strings.Contains(d, "*") {
				t.Errorf("%s: %q", path, d)
			}
		}
	}
}

// A library that fails must not be taken for a file that is not there.
func TestFaultOfTheLibraryIsRemembered(t *testing.T) {
	e := newTestEgress(t)
	o := e.open()
	if err := o.admit([]render.Asset{{Path: "/assets/a.png", Digest: "unknown"}}); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(t, e, "GET http://"+o.host+"/assets/a.png HTTP/1.1\r\nHost: "+o.host); status != http.StatusNotFound {
		t.Errorf("the status is %d", status)
	}
	if err := o.fault("/assets/a.png"); !notFound(err) {
		t.Errorf("the fault is %v", err)
	}
	if _, _, err := e.files.Open(context.Background(), "unknown"); !notFound(err) {
		t.Errorf("the library says %v", err)
	}
}
