package httppoll_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func TestStatusOtherThanSuccessIsAnError(t *testing.T) {
	for status, code := range map[int]problem.Code{
		401: problem.Unauthorized, 403: problem.Unauthorized, 404: problem.NotFound, 410: problem.NotFound,
		400: problem.Upstream, 429: problem.Upstream, 500: problem.Upstream, 502: problem.Upstream, 503: problem.Upstream,
		304: problem.Upstream, 206: problem.Upstream, 300: problem.Upstream,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "[]")
			})
			r, err := mustFail(t, newPoller(t, newConfig(s.URL+"/rows?token=hidden")), "GET "+s.URL+"/rows", fmt.Sprint(status))
			if problem.CodeOf(err) != code || r.Batches > 0 {
				t.Errorf("%v: code %s after %d batches, want %s", err, problem.CodeOf(err), r.Batches, code)
			}
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("error %q shows the query", err)
			}
		})
	}
}

func TestRefusalNamesTheNextStep(t *testing.T) {
	token := func(c *httppoll.Config) { c.Bearer = config.NewSecret("t0ken") }
	for name, c := range map[string]struct {
		status int
		change func(*httppoll.Config)
		want   string
	}{
		"a token that is not taken": {401, token, "check bearer: wrong, out of date, or without the right"},
		"a token that may not":      {403, token, "check bearer: "},
		"several that say who asks": {401, func(c *httppoll.Config) {
			token(c)
			c.Headers = map[string]config.Secret{"X-Shop": config.NewSecret("s3cret")}
		}, "check bearer and headers: "},
		"nothing that says who asks": {401, func(*httppoll.Config) {}, "give it bearer, basic, api_key, oauth2 or headers"},
		"an address that is not":     {404, func(*httppoll.Config) {}, "(correct url)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) })
			cfg := newConfig(s.URL)
			c.change(cfg)
			mustFail(t, newPoller(t, cfg), c.want)
		})
	}
}

func TestErrorShowsTheBeginningOfTheBody(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "database\n\tis \x1b[31maway "+strings.Repeat("x", 5000))
	})
	_, err := mustFail(t, newPoller(t, newConfig(s.URL)), "500 Internal Server Error: database is [31maway xxx")
	if strings.ContainsAny(err.Error(), "\n\x1b") || strings.Count(err.Error(), "x") > 200 {
		t.Errorf("error is %q", err)
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		value    func() string
		min, max time.Duration
	}{
		"seconds":     {429, func() string { return "120" }, 120 * time.Second, 120 * time.Second},
		"date":        {503, func() string { return time.Now().Add(5 * time.Minute).UTC().Format(http.TimeFormat) }, 4 * time.Minute, 5 * time.Minute},
		"past date":   {503, func() string { return "Wed, 21 Oct 2015 07:28:00 GMT" }, 0, 0},
		"much":        {429, func() string { return "999999" }, time.Hour, time.Hour},
		"nonsense":    {429, func() string { return "soon" }, -1, -1},
		"too large":   {429, func() string { return "99999999999999999999" }, -1, -1},
		"negative":    {429, func() string { return "-5" }, -1, -1},
		"none":        {429, func() string { return "" }, -1, -1},
		"other error": {500, func() string { return "120" }, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", c.value())
				w.WriteHeader(c.status)
			})
			_, err := mustFail(t, newPoller(t, newConfig(s.URL)))
			wait, marked := retry.Wait(err)
			if marked != (c.min >= 0) || marked && (wait < c.min || wait > c.max) {
				t.Errorf("%v asks for %v (%v), want between %v and %v", err, wait, marked, c.min, c.max)
			}
		})
	}
}

func TestAnswerThatIsNotRowsIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		change            func(*httppoll.Config)
		words             []string
	}{
		"login page":         {"text/html; charset=utf-8", "<!DOCTYPE html><html>", nil, []string{"HTML", "login"}},
		"HTML as JSON":       {"application/json", " \n<html>", nil, []string{"HTML"}},
		"HTML for json":      {"text/html", "[]", func(c *httppoll.Config) { c.Format = "json" }, []string{"HTML", "json"}},
		"HTML for rows":      {"", "<p>", func(c *httppoll.Config) { c.Rows = "$.items" }, []string{"HTML", "json"}},
		"HTML as CSV":        {"text/csv", "<!doctype html>\n", nil, []string{"HTML"}},
		"empty":              {"application/json", "", nil, []string{"empty", "[]"}},
		"no content":         {"application/json", "", func(c *httppoll.Config) { c.Format = "csv" }, []string{"empty"}},
		"unknown type":       {"application/pdf", "%PDF", nil, []string{"application/pdf", "set format"}},
		"missing path":       {"application/json", `{"products":[{"id":1}],"page":1}`, func(c *httppoll.Config) { c.Rows = "$.items" }, []string{"$.items", `"products", "page"`}},
		"object, no rows":    {"application/json", `{"error":"quota","items":[]}`, nil, []string{"object", `"error", "items"`}},
		"header twice":       {"text/csv", "id,a,id\n1,2,3\n", nil, []string{"columns 1 and 3"}},
		"larger than wanted": {"application/json", `[{"id":1},{"id":2}]`, func(c *httppoll.Config) { c.MaxSize = 10 }, []string{"larger than 10B", "max_size"}},
		"other charset":      {"text/csv; charset=iso-8859-1", "id,a\n1,Gr\xf6\xdfe\n", nil, []string{"UTF-8", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, answers(c.contentType, c.body))
			cfg := newConfig(s.URL)
			if c.change != nil {
				c.change(cfg)
			}
			if r, _ := mustFail(t, newPoller(t, cfg), c.words...); r.Batches > 0 {
				t.Errorf("%d batches before the error", r.Batches)
			}
		})
	}
}

func TestEmptyListIsACompleteReadingWithoutRows(t *testing.T) {
	for contentType, body := range map[string]string{"application/json": "[]", "text/csv": "id,name\n"} {
		s := newServer(t, answers(contentType, body))
		if r := mustPoll(t, newPoller(t, newConfig(s.URL)), nil); len(r.Rows) != 0 || r.Closing.Unchanged {
			t.Errorf("%s: %d rows, closing %+v", body, len(r.Rows), r.Closing)
		}
	}
}

func TestHalfAJSONEmitsItsRowsAndClosesNothing(t *testing.T) {
	s := newServer(t, answers("application/json", `[{"id":1},{"id":2},{"id":`))
	r, _ := mustFail(t, newPoller(t, newConfig(s.URL)), "breaks off")
	if len(r.Rows) != 2 {
		t.Errorf("%d rows before the end, want 2", len(r.Rows))
	}
}

// hijacked answers with raw bytes and hangs up.
func hijacked(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, raw)
		_ = conn.Close()
	}
}

func TestAnswerThatIsCutIsAnError(t *testing.T) {
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	_, _ = zw.Write([]byte(`[{"id":1},{"id":2}]`))
	_ = zw.Close()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, raw := range map[string]string{
		"shorter than announced": head + "Content-Length: 100\r\n\r\n[]",
		"no last chunk":          head + "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
		"gzip without its end":   head + "Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + packed.String()[:20],
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, hijacked(raw))
			if r, _ := mustFail(t, newPoller(t, newConfig(s.URL)), "cut short"); r.Batches > 0 {
				t.Errorf("%d batches of a body that was cut", r.Batches)
			}
		})
	}
}

func TestAnswerThatIsLongerThanAnnouncedIsAnError(t *testing.T) {
	s := newServer(t, hijacked("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"+`[{"id":1},{"id":2}]`))
	mustFail(t, newPoller(t, newConfig(s.URL)), "breaks off")
}

func TestConnectionThatFailsIsAnError(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	_, err := mustFail(t, newPoller(t, newConfig(s.URL+"/rows?token=hidden")), "GET "+s.URL+"/rows", "no answer")
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("error %q shows the query", err)
	}
	mustFail(t, newPoller(t, newConfig(newServer(t, hijacked("")).URL)), "no answer")
}

func TestUntrustedCertificateIsAnError(t *testing.T) {
	s := httptest.NewTLSServer(answers("application/json", "[]"))
	defer s.Close()
	s.Config.ErrorLog = nil
	mustFail(t, newPoller(t, newConfig(s.URL)), "certificate")
}

func gzipped(size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		zw := gzip.NewWriter(w)
		_, _ = io.WriteString(zw, `[{"id":"`)
		_, _ = zw.Write(bytes.Repeat([]byte("x"), size))
		_, _ = io.WriteString(zw, `"}]`)
		_ = zw.Close()
	}
}

func TestPackedAnswerIsUnpacked(t *testing.T) {
	r := mustPoll(t, newPoller(t, newConfig(newServer(t, gzipped(10)).URL)), nil)
	if len(r.Rows) != 1 || r.Rows[0].Values["id"] != "xxxxxxxxxx" {
		t.Errorf("got %+v", r.Rows)
	}
}

func TestPackedAnswerIsBoundAsUnpacked(t *testing.T) {
	cfg := newConfig(newServer(t, gzipped(32<<20)).URL)
	cfg.MaxSize = 1 << 20
	mustFail(t, newPoller(t, cfg), "larger than 1MiB")
}

func TestPackingThatWasNotAskedForIsAnError(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = io.WriteString(w, "\x0b\x02\x80[]\x03")
	})
	mustFail(t, newPoller(t, newConfig(s.URL)), `"br"`)
}

func TestSlowAnswerIsAnError(t *testing.T) {
	for name, first := range map[string]string{"silent": "", "half way": `[{"id":1},`} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if first != "" {
					_, _ = io.WriteString(w, first)
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			})
			cfg := newConfig(s.URL)
			cfg.Timeout = 50e6
			if _, err := mustFail(t, newPoller(t, cfg), "in time"); problem.CodeOf(err) != problem.Timeout {
				t.Errorf("%v: code %s", err, problem.CodeOf(err))
			}
		})
	}
}

func TestEndedContextIsNotATimeout(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if err := newPoller(t, newConfig(s.URL)).Poll(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Poll returned %v, want %v", err, context.Canceled)
	}
}
