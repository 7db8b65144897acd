package httpsink_test

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // as Cloudinary names bytes
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	httpsink "github.com/pictifyd/pictifyd/sink/http"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// recipes are the sinks of kind http in the document, by name.
func recipes(t *testing.T) map[string]*httpsink.Config {
	t.Helper()
	page, err := os.ReadFile("../../docs/sinks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## http\n")
	section, _, _ = strings.Cut(section, "\n## ")
	all := map[string]*httpsink.Config{}
	for _, block := range yamlBlock.FindAllStringSubmatch(section, -1) {
		node, err := config.Parse("sinks.md", []byte(block[1]), config.Options{Env: func(name string) (string, bool) { return "value-of-" + name, true }})
		if err != nil {
			t.Fatal(err)
		}
		sinks, _ := node.Child("sinks")
		for _, name := range sinks.Keys() {
			one, _ := sinks.Child(name)
			c := httpsink.Kind.Config().(*httpsink.Config)
			if err := one.Decode(c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			all[name] = c
		}
	}
	return all
}

// A service stands for one that is documented: what it does, refuses and limits.
type service struct {
	*httptest.Server

	mu sync.Mutex

	limited int // requests from now on that are too many
	held    map[string]string
	log     []string
	handle  func(s *service, w http.ResponseWriter, r *http.Request)
	limit   func(w http.ResponseWriter)
}

func newService(t *testing.T, handle func(*service, http.ResponseWriter, *http.Request), limit func(http.ResponseWriter)) *service {
	s := &service{held: map[string]string{}, handle: handle, limit: limit}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, r.Method+" "+r.Host+r.RequestURI)
	w.Header().Set("Content-Type", "application/json")
	if s.limited > 0 {
		s.limited--
		s.limit(w)
		return
	}
	s.handle(s, w, r)
}

// client leads to s, whatever the host.
func (s *service) client(t *testing.T) *http.Client {
	way := s.Client().Transport.(*http.Transport).Clone()
	way.TLSClientConfig.ServerName = "example.com" // the server's certificate is for it
	way.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
	t.Cleanup(way.CloseIdleConnections)
	return &http.Client{Transport: way}
}

// cook is the recipe of that name in front of s.
func (s *service) cook(t *testing.T, name string) sink.Sink {
	t.Helper()
	c := recipes(t)[name]
	if c == nil {
		t.Fatalf("docs/sinks.md has no recipe %q", name)
	}
	made, err := httpsink.Kind.New(c, sink.Env{Name: name, Client: s.client(t), Bytes: sinktest.OpenPicture})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func say(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// want checks how a delivery ends: "" arrived, "again" or "never".
func want(t *testing.T, what string, s sink.Sink, d sink.Delivery, want string) {
	t.Helper()
	_, err := s.Deliver(t.Context(), d)
	got := ""
	switch {
	case retry.IsPermanent(err):
		got = "never"
	case err != nil:
		got = "again"
	}
	if got != want {
		t.Errorf("%s: %v is %q, want %q", what, err, got, want)
	}
}

// hubspot is PATCH /crm/v3/objects/contacts/{id}: by e-mail address where
// idProperty says so, with known properties only, some in ten seconds.
func hubspot(s *service, w http.ResponseWriter, r *http.Request) {
	var body struct{ Properties map[string]*string }
	id := strings.TrimPrefix(r.URL.Path, "/crm/v3/objects/contacts/")
	switch err := json.NewDecoder(r.Body).Decode(&body); {
	case r.Header.Get("Authorization") != "Bearer value-of-HUBSPOT_TOKEN":
		say(w, 401, `{"status":"error","message":"Authentication credentials not found.","category":"INVALID_AUTHENTICATION"}`)
	case r.Method != http.MethodPatch || r.URL.Query().Get("idProperty") != "email" || r.Header.Get("Content-Type") != "application/json":
		say(w, 405, `{"status":"error","message":"not this request"}`)
	case err != nil || body.Properties == nil:
		say(w, 400, `{"status":"error","message":"Invalid input JSON","category":"VALIDATION_ERROR"}`)
	case !strings.HasSuffix(id, "@shop.example"):
		say(w, 404, `{"status":"error","message":"resource not found","category":"OBJECT_NOT_FOUND"}`)
	default:
		for name, value := range body.Properties {
			if name != "card_url" || s.held["no property"] != "" {
				say(w, 400, `{"status":"error","message":"Property values were not valid: [{\"isValid\":false,\"error\":\"PROPERTY_DOESNT_EXIST\"}]","category":"VALIDATION_ERROR"}`)
				return
			}
			if value != nil { // null changes nothing, an empty text clears
				s.held[id] = *value
			}
		}
		say(w, 200, `{"id":"512","properties":{},"updatedAt":"2026-03-01T12:00:00Z","archived":false}`)
	}
}

func TestRecipeForHubSpot(t *testing.T) {
	s := newService(t, hubspot, func(w http.ResponseWriter) {
		say(w, 429, `{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"}`)
	})
	to := s.cook(t, "hubspot")
	const ada = "ada+1@shop.example"
	key := strings.NewReplacer("+", "%2B", "@", "%40", ".", "%2E").Replace(ada)
	s.limited = 1
	want(t, "too many in ten seconds", to, completed(key, 1), "again")
	want(t, "and then", to, completed(key, 1), "")
	if got := s.held[ada]; got != "https://img.example/images/hash-1.png" {
		t.Errorf("the contact has %q", got)
	}
	want(t, "a contact that is not there", to, completed("nobody%40other%2Eexample", 1), "again")
	want(t, "a removal", to, removed(key, 2), "")
	if got, ok := s.held[ada]; got != "" || !ok {
		t.Errorf("after the removal the contact has %q", got)
	}
	s.held["no property"] = "yes"
	want(t, "a property that is not there", to, completed(key, 3), "never")
}

// cloudinary is the upload and destroy of its Upload API, with name and password.
func cloudinary(s *service, w http.ResponseWriter, r *http.Request) {
	fail := func(status int, message string) {
		w.Header().Set("X-Cld-Error", message)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"message": message}})
	}
	const most = 10 << 20
	user, password, _ := r.BasicAuth()
	switch {
	case user != "value-of-CLOUDINARY_API_KEY" || password != "value-of-CLOUDINARY_API_SECRET":
		fail(401, "Invalid credentials")
	case r.URL.Path == "/v1_1/demo/image/destroy":
		id := r.FormValue("public_id")
		result := map[bool]string{true: "ok", false: "not found"}[s.held[id] != ""]
		delete(s.held, id)
		say(w, 200, fmt.Sprintf(`{"result":%q}`, result))
	case r.URL.Path != "/v1_1/demo/image/upload" || r.Method != http.MethodPost:
		fail(404, "General Error")
	case r.ContentLength > most:
		fail(400, fmt.Sprintf("File size too large. Got %d. Maximum is %d.", r.ContentLength, most))
	default:
		file, header, err := r.FormFile("file")
		if err != nil {
			fail(400, "Missing required parameter - file")
			return
		}
		text, _ := io.ReadAll(file)
		id := r.FormValue("public_id")
		if strings.ContainsAny(id, `?&#\%<>+`) || id != strings.Trim(id, "/ ") {
			fail(400, "public_id ("+id+") is invalid")
			return
		}
		if s.held[id] == "" || r.FormValue("overwrite") == "true" {
			s.held[id] = sinktest.HashOf(text)
		}
		sum := md5.Sum(text) //nolint:gosec // as it is
		say(w, 200, fmt.Sprintf(`{"public_id":%q,"bytes":%d,"etag":%q,"original_filename":%q,"secure_url":"https://res.cloudinary.com/demo/image/upload/v1/%s.png"}`,
			id, len(text), hex.EncodeToString(sum[:]), header.Filename, id))
	}
}

func TestRecipeForCloudinary(t *testing.T) {
	s := newService(t, cloudinary, func(w http.ResponseWriter) { say(w, 420, `{"error":{"message":"Rate Limit Exceeded"}}`) })
	to := s.cook(t, "cloudinary")
	s.limited = 1
	want(t, "too many", to, completed("A", 1), "again")
	for generation := range int64(2) {
		want(t, "an upload", to, completed("A", generation+1), "")
	}
	if got := s.held["cards/A"]; got != "hash-2" {
		t.Errorf("it has %q", got)
	}
	want(t, "a name that may not be", to, completed("a%26b", 1), "never")
	want(t, "a removal", to, removed("A", 3), "")
	want(t, "another one", to, removed("A", 4), "")
	if got := s.held["cards/A"]; got != "" {
		t.Errorf("after the removal it has %q", got)
	}
	c := recipes(t)["cloudinary"]
	big := bytes.Repeat([]byte("x"), 11<<20)
	made, err := httpsink.Kind.New(c, sink.Env{Client: s.client(t), Bytes: func(context.Context, string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(big)), nil }})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "a file that is too large", made, completed("A", 5), "never")
}

// cloudflare is POST /zones/{zone}/purge_cache by files, 100 of them at most.
func cloudflare(s *service, w http.ResponseWriter, r *http.Request) {
	fail := func(status, code int, message string) {
		say(w, status, fmt.Sprintf(`{"success":false,"errors":[{"code":%d,"message":%q}],"messages":[],"result":null}`, code, message))
	}
	var body struct{ Files []string }
	switch err := json.NewDecoder(r.Body).Decode(&body); {
	case r.Header.Get("Authorization") != "Bearer value-of-CLOUDFLARE_TOKEN":
		fail(403, 10000, "Authentication error")
	case r.Method != http.MethodPost || r.URL.Path != "/client/v4/zones/value-of-CLOUDFLARE_ZONE/purge_cache":
		fail(404, 7003, "Could not route to the zone")
	case err != nil || len(body.Files) == 0:
		fail(400, 1012, "Request must contain one of purge_everything, files, tags, hosts or prefixes")
	case len(body.Files) > 100 || slices.ContainsFunc(body.Files, func(u string) bool { return !strings.HasPrefix(u, "https://img.example/") }):
		fail(400, 1016, "Unable to purge, invalid file")
	default:
		for _, file := range body.Files {
			delete(s.held, file)
		}
		say(w, 200, `{"success":true,"errors":[],"messages":[],"result":{"id":"023e105f4ecef8ad9ca31a8372d0c353"}}`)
	}
}

func TestRecipeForCloudflare(t *testing.T) {
	s := newService(t, cloudflare, func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "1")
		say(w, 429, `{"success":false,"errors":[{"code":10429,"message":"rate limited"}]}`)
	})
	to := s.cook(t, "cloudflare")
	const address = "https://img.example/b/cards/A%2E1.png"
	s.held[address], s.limited = "the picture before", 1
	want(t, "too many", to, completed("A.1", 1), "again")
	want(t, "a purge", to, completed("A.1", 1), "")
	if s.held[address] != "" {
		t.Error("the cache has the picture before")
	}
	s.held[address] = "the picture before"
	want(t, "a removal", to, removed("A.1", 2), "")
	if s.held[address] != "" {
		t.Error("the cache has a picture that is removed")
	}
	s.handle = func(_ *service, w http.ResponseWriter, _ *http.Request) {
		say(w, 200, `{"success":false,"errors":[{"code":1,"message":"no"}]}`)
	}
	want(t, "a 200 that says no", to, completed("A.1", 3), "again")
}

// fastly is POST /purge/{cached_url}, the address without its scheme.
func fastly(s *service, w http.ResponseWriter, r *http.Request) {
	cached, ok := strings.CutPrefix(r.RequestURI, "/purge/")
	switch {
	case r.Header.Get("Fastly-Key") != "value-of-FASTLY_TOKEN":
		say(w, 401, `{"msg":"Provided credentials are missing or invalid"}`)
	case r.Method != http.MethodPost || !ok:
		say(w, 404, `{"msg":"Record not found"}`)
	case r.Header.Get("Fastly-Soft-Purge") != "":
		s.held[cached] = "stale"
		say(w, 200, `{"status":"ok","id":"108-1391560174-974124"}`)
	default:
		delete(s.held, cached)
		say(w, 200, `{"status":"ok","id":"108-1391560174-974125"}`)
	}
}

func TestRecipeForFastly(t *testing.T) {
	s := newService(t, fastly, func(w http.ResponseWriter) { say(w, 429, `{"msg":"You have exceeded your hourly purge limit"}`) })
	to := s.cook(t, "fastly")
	const address = "img.shop.example/b/cards/A%2E1.png"
	d := completed("A.1", 1)
	story := d.Outputs[0]
	story.Name, story.Latest = "story", "https://img.example/b/cards/A%2E1/story.png"
	d.Outputs = append(d.Outputs, story)
	s.held[address], s.limited = "fresh", 1
	want(t, "too many in an hour", to, d, "again")
	want(t, "a purge", to, d, "")
	if s.held[address] != "stale" || s.held["img.shop.example/b/cards/A%2E1/story.png"] != "stale" {
		t.Errorf("the cache has %v, want both stale", s.held)
	}
	d.Event = sink.ImageRemoved
	want(t, "a removal", to, d, "")
	if len(s.held) != 0 {
		t.Errorf("the cache has %v", s.held)
	}
}

// The first example of the page does what stands beside it.
func TestFirstExampleOfThePage(t *testing.T) {
	var bodies []string
	s := newService(t, func(_ *service, w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+r.Host+r.RequestURI+" "+string(text))
	}, nil)
	to := s.cook(t, "crm_api")
	want(t, "a picture", to, completed("A", 1), "")
	want(t, "a removal", to, removed("A", 2), "")
	expected := []string{
		`PATCH crm.example/contacts/A {"photo":"https://img.example/images/hash-1.png","source":"pictifyd"}`,
		`PATCH crm.example/contacts/A {"photo":null}`,
	}
	if fmt.Sprint(bodies) != fmt.Sprint(expected) {
		t.Errorf("sent %v", bodies)
	}
}
