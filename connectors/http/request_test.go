package httppoll_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
)

const oneRow = `[{"id":1}]`

// asked is what a server was asked, in order.
type asked struct{ requests []*http.Request }

func (a *asked) last() *http.Request { return a.requests[len(a.requests)-1] }

// noting hands each request to handler and keeps it. Polls of a test come one
// after the other.
func noting(a *asked, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.requests = append(a.requests, r)
		handler(w, r)
	}
}

func TestRequestCarriesWhatIsConfigured(t *testing.T) {
	var a asked
	s := newServer(t, noting(&a, answers("application/json", oneRow)))
	cfg := newConfig(s.URL + "/rows?page=1")
	cfg.Method = http.MethodPost
	cfg.Bearer = config.NewSecret("s3cret")
	cfg.Headers = map[string]config.Secret{"x-shop": config.NewSecret("berlin"), "User-Agent": config.NewSecret("me")}
	mustPoll(t, newPoller(t, cfg), nil)
	got := a.last()
	want := []string{"POST", "/rows?page=1", "Bearer s3cret", "berlin", "me"}
	if diff := cmp.Diff(want, []string{
		got.Method, got.RequestURI, got.Header.Get("Authorization"), got.Header.Get("X-Shop"), got.Header.Get("User-Agent"),
	}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnchangedSourceIsAskedConditionally(t *testing.T) {
	var a asked
	s := newServer(t, noting(&a, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `W/"7"`)
		w.Header().Set("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
		answers("application/json", oneRow)(w, r)
	}))
	p := newPoller(t, newConfig(s.URL))
	cursor := mustPoll(t, p, nil).Closing.Cursor
	if h := a.last().Header; h.Get("If-None-Match") != "" || h.Get("If-Modified-Since") != "" {
		t.Errorf("the first request was conditional: %v", h)
	}
	r := mustPoll(t, p, cursor)
	h := a.last().Header
	if h.Get("If-None-Match") != `W/"7"` || h.Get("If-Modified-Since") != "Wed, 21 Oct 2015 07:28:00 GMT" {
		t.Errorf("the second request has the headers %v", h)
	}
	if !r.Closing.Unchanged || r.Closing.Cursor != nil {
		t.Errorf("closing after 304 is %+v, want Unchanged under the cursor before", r.Closing)
	}
}

func TestSourceIsReadInFullNowAndThen(t *testing.T) {
	var a asked
	body := oneRow
	// The server stays outside of the bubble, where the clock would wait for it.
	s := newServer(t, noting(&a, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"always the same"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		answers("application/json", body)(w, r)
	}))
	synctest.Test(t, func(t *testing.T) {
		poll := func(from connectors.Cursor) *connectortest.Recorder {
			p := newPoller(t, newConfig(s.URL))
			defer p.(io.Closer).Close()
			return mustPoll(t, p, from)
		}
		cursor := poll(nil).Closing.Cursor
		body = `[{"id":2}]`
		<-time.After(59 * time.Minute)
		if r := poll(cursor); !r.Closing.Unchanged {
			t.Errorf("closing within the hour is %+v, want what the server says", r.Closing)
		}
		<-time.After(2 * time.Minute)
		if r := poll(cursor); r.Closing.Unchanged || len(r.Rows) != 1 {
			t.Errorf("closing after the hour is %+v with %d rows, want the new row", r.Closing, len(r.Rows))
		}
	})
}

func TestSameBodyUnderAnotherETagIsUnchanged(t *testing.T) {
	n := 0
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, n))
		answers("application/json", oneRow)(w, r)
	})
	p := newPoller(t, newConfig(s.URL))
	cursor := mustPoll(t, p, nil).Closing.Cursor
	if r := mustPoll(t, p, cursor); !r.Closing.Unchanged || r.Closing.Cursor == nil {
		t.Errorf("closing is %+v, want Unchanged with the new ETag", r.Closing)
	}
}

func TestChangedConfigurationReadsAgain(t *testing.T) {
	for name, change := range map[string]func(*httppoll.Config){
		"rows":    func(c *httppoll.Config) { c.Rows = "$[*]" },
		"key":     func(c *httppoll.Config) { c.Key = config.Strings{"id", "sku"} },
		"url":     func(c *httppoll.Config) { c.URL += "/other" },
		"bearer":  func(c *httppoll.Config) { c.Bearer = config.NewSecret("other") },
		"headers": func(c *httppoll.Config) { c.Headers = map[string]config.Secret{"X-Shop": config.NewSecret("other")} },
		"method":  func(c *httppoll.Config) { c.Method = http.MethodPost },
	} {
		t.Run(name, func(t *testing.T) {
			var a asked
			s := newServer(t, noting(&a, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"1"`)
				answers("application/json", oneRow)(w, r)
			}))
			cfg := newConfig(s.URL)
			cursor := mustPoll(t, newPoller(t, cfg), nil).Closing.Cursor
			changed := *cfg
			change(&changed)
			r := mustPoll(t, newPoller(t, &changed), cursor)
			if len(r.Rows) != 1 || r.Closing.Unchanged || a.last().Header.Get("If-None-Match") != "" {
				t.Errorf("got %d rows, closing %+v, asked %v", len(r.Rows), r.Closing, a.last().Header)
			}
		})
	}
}

func TestCursorHoldsNoSecret(t *testing.T) {
	s := newServer(t, answers("application/json", oneRow))
	cfg := newConfig(s.URL + "?token=s3cret")
	cfg.Bearer = config.NewSecret("s3cret")
	if cursor := mustPoll(t, newPoller(t, cfg), nil).Closing.Cursor; strings.Contains(string(cursor), "s3cret") {
		t.Errorf("cursor is %s", cursor)
	}
}

func TestRedirectsAreFollowedAFewTimes(t *testing.T) {
	for hops, ok := range map[int]bool{1: true, 5: true, 6: false} {
		t.Run(fmt.Sprint(hops), func(t *testing.T) {
			left := hops
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if left--; left >= 0 {
					http.Redirect(w, r, fmt.Sprintf("/%d", left), http.StatusFound)
					return
				}
				answers("application/json", oneRow)(w, r)
			})
			p := newPoller(t, newConfig(s.URL))
			if ok {
				mustPoll(t, p, nil)
			} else {
				mustFail(t, p, "more than 5 redirects")
			}
		})
	}
}

func TestRedirectLeavesOnlyToHTTP(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	mustFail(t, newPoller(t, newConfig(s.URL)), "redirect to a file address")
}

func TestSecretsStayWithTheirOrigin(t *testing.T) {
	var a asked
	other := newServer(t, noting(&a, answers("application/json", oneRow)))
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusFound)
	})
	cfg := newConfig(s.URL)
	cfg.Bearer = config.NewSecret("s3cret")
	cfg.Headers = map[string]config.Secret{"x-api-key": config.NewSecret("s3cret")}
	mustPoll(t, newPoller(t, cfg), nil)
	if h := a.last().Header; h.Get("Authorization") != "" || h.Get("X-Api-Key") != "" {
		t.Errorf("another origin got %v", h)
	}
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked for %s", r.URL)
	}))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	// A proxy is never used for addresses of this machine, so that it takes a name.
	p := newPoller(t, newConfig("http://rows.invalid/"))
	mustFail(t, p, "rows.invalid", "no answer")
}

func TestFormatIsFoundOut(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		change            func(*httppoll.Config)
	}{
		"json":              {"application/json; charset=utf-8", `[{"id":"1"}]`, nil},
		"json by suffix":    {"application/vnd.shop+json", `[{"id":"1"}]`, nil},
		"json by looks":     {"text/plain", " [{\"id\":\"1\"}]", nil},
		"json by rows":      {"application/octet-stream", `{"items":[{"id":"1"}]}`, func(c *httppoll.Config) { c.Rows = "$.items" }},
		"ndjson":            {"application/x-ndjson", "{\"id\":\"1\"}\n", nil},
		"csv":               {"text/csv", "\ufeffid;name\r\n1;x\r\n", nil},
		"csv that begins <": {"text/csv", "<b>,id\nx,1\n", nil},
		"tsv":               {"text/tab-separated-values", "id\tname\n1\tx\n", nil},
		"csv by format":     {"application/octet-stream", "id,name\n1,x\n", func(c *httppoll.Config) { c.Format = "csv" }},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig(newServer(t, answers(c.contentType, c.body)).URL)
			if c.change != nil {
				c.change(cfg)
			}
			if r := mustPoll(t, newPoller(t, cfg), nil); len(r.Rows) != 1 || r.Rows[0].Values["id"] != "1" {
				t.Errorf("got %+v", r.Rows)
			}
		})
	}
}

func TestInvalidConfigurationNamesItsField(t *testing.T) {
	secret := func(name, value string) func(*httppoll.Config) {
		return func(c *httppoll.Config) { c.Headers = map[string]config.Secret{name: config.NewSecret(value)} }
	}
	for name, c := range map[string]struct {
		change func(*httppoll.Config)
		path   string
	}{
		"no key":        {func(c *httppoll.Config) { c.Key = nil }, "key"},
		"too often":     {func(c *httppoll.Config) { c.Every = 999e6 }, "every"},
		"no url":        {func(c *httppoll.Config) { c.URL = "" }, "url"},
		"ftp":           {func(c *httppoll.Config) { c.URL = "ftp://s3cret@host/" }, "url"},
		"no host":       {func(c *httppoll.Config) { c.URL = "https:///rows" }, "url"},
		"broken url":    {func(c *httppoll.Config) { c.URL = "http://s3cret:%zz@host" }, "url"},
		"method":        {func(c *httppoll.Config) { c.Method = "DELETE" }, "method"},
		"timeout":       {func(c *httppoll.Config) { c.Timeout = 0 }, "timeout"},
		"max_size":      {func(c *httppoll.Config) { c.MaxSize = 0 }, "max_size"},
		"header name":   {secret("x y", "s3cret"), "headers.x y"},
		"header value":  {secret("x", "s3cret\n"), "headers.x"},
		"our header":    {secret("if-none-match", "s3cret"), "headers.if-none-match"},
		"host":          {secret("Host", "s3cret"), "headers.Host"},
		"bearer":        {func(c *httppoll.Config) { c.Bearer = config.NewSecret("s3cret\n") }, "bearer"},
		"bearer twice":  {func(c *httppoll.Config) { secret("authorization", "s3cret")(c); c.Bearer = config.NewSecret("s3cret") }, "headers.authorization"},
		"format":        {func(c *httppoll.Config) { c.Format = "xml" }, "format"},
		"rows":          {func(c *httppoll.Config) { c.Rows = "items" }, "rows"},
		"rows of a csv": {func(c *httppoll.Config) { c.Format, c.Rows = "csv", "$.items" }, "rows"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig("https://shop.example/rows")
			c.change(cfg)
			err := cfg.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), c.path+": ") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("Validate returned %v, want one problem at %s", err, c.path)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %q shows a secret", err)
			}
			if _, err := httppoll.Kind.New(cfg, connectors.Env{}); err == nil {
				t.Error("New accepted it")
			}
		})
	}
}

func TestConfigurationIsReadFromYAML(t *testing.T) {
	var a asked
	s := newServer(t, noting(&a, answers("application/json", `{"items":[{"id":1}]}`)))
	node, err := config.Parse("pictifyd.yaml", []byte(`
kind: http
url: `+s.URL+`
key: id
every: 1s
rows: $.items
bearer: ${TOKEN}
headers: { X-Shop: "${TOKEN}" }
timeout: 5s
max_size: 1MB
`), config.Options{Env: func(string) (string, bool) { return "s3cret", true }})
	if err != nil {
		t.Fatal(err)
	}
	cfg := httppoll.Kind.Config().(*httppoll.Config)
	if err := node.Decode(cfg); err != nil {
		t.Fatal(err)
	}
	if r := mustPoll(t, newPoller(t, cfg), nil); len(r.Rows) != 1 {
		t.Errorf("got %+v", r.Rows)
	}
	if h := a.last().Header; h.Get("Authorization") != "Bearer s3cret" || h.Get("X-Shop") != "s3cret" {
		t.Errorf("asked with %v", h)
	}
}
