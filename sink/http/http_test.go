package httpsink_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

// A shelf is a receiver that keeps a picture's hash by its key, and knows a
// repetition by its Idempotency-Key.
type shelf struct {
	mu sync.Mutex

	held    map[string]string
	effects map[string]int
	seen    map[string]bool
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/p/")
	id := r.Header.Get("Idempotency-Key")
	if s.seen[id] {
		return
	}
	s.seen[id] = true
	s.effects[key]++
	if r.Method == http.MethodDelete {
		if s.held[key] == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		delete(s.held, key)
		return
	}
	s.held[key] = hashIn(r)
}

// hashIn is the hash of the picture that a request brings or names.
func hashIn(r *http.Request) string {
	if media, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "multipart/form-data" {
		form, err := multipart.NewReader(r.Body, params["boundary"]).ReadForm(1 << 20)
		if err != nil {
			return err.Error()
		}
		f, err := form.File["file"][0].Open()
		if err != nil {
			return err.Error()
		}
		text, _ := io.ReadAll(f)
		return sinktest.HashOf(text)
	}
	text, _ := io.ReadAll(r.Body)
	if hash := sinktest.HashOf(text); hash != "" {
		return hash
	}
	var body struct{ Photo struct{ Hash string } }
	_ = json.Unmarshal(text, &body)
	return body.Photo.Hash
}

func TestHTTPConforms(t *testing.T) {
	for name, body := range map[string]string{
		"json":      `json: { photo: { hash: hash } }`,
		"image":     `image: true`,
		"multipart": `multipart: { id: key, file: { name: "{{ key }}.png" } }`,
	} {
		t.Run(name, func(t *testing.T) {
			sinktest.Run(t, func(tb testing.TB) sinktest.Subject {
				r := newRecorder(tb)
				s := &shelf{held: map[string]string{}, effects: map[string]int{}, seen: map[string]bool{}}
				r.answers(s.ServeHTTP)
				return sinktest.Subject{
					Sink: mustSink(tb, r.URL, `{ kind: http, method: PUT, url: "HOST/p/{{ key }}", `+body+`, on: { image.removed: { method: DELETE } } }`),
					Break: func(f sinktest.Fault) (heal func(), ok bool) {
						switch f {
						case sinktest.Down:
							return r.answers(status(500)), true
						case sinktest.Gone:
							return r.answers(status(410)), true
						}
						return r.answers(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }), true
					},
					Holds: func(key string) string {
						if plain, err := url.PathUnescape(key); err == nil { // keys of deliveries are as in addresses
							key = plain
						}
						s.mu.Lock()
						defer s.mu.Unlock()
						return s.held[key]
					},
					Effects: func(key string) int {
						s.mu.Lock()
						defer s.mu.Unlock()
						return s.effects[key]
					},
				}
			})
		})
	}
}

func TestRequestHasTheShapeThatIsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		yaml              string
		method, uri, body string
		contentType       string
	}{
		"json": {
			`{ kind: http, method: PATCH, url: "HOST/contacts/{{ key }}?v={{ row.note }}", json: { photo: url, tags: '["a", "b"]', size: [width, height], text: '"as it is"', n: 5, yes: true, no: null } }`,
			"PATCH", "/contacts/a%2Fb%20c?v=x%26y", `{"n":5,"no":null,"photo":"https://img.example/images/hash-3.png","size":[1200,630],"tags":["a","b"],"text":"as it is","yes":true}`, "application/json",
		},
		"json of a type of its own": {
			`{ kind: http, url: HOST/, json: { data: { id: key } }, content_type: application/vnd.api+json }`,
			"POST", "/", `{"data":{"id":"a/b c"}}`, "application/vnd.api+json",
		},
		"form": {
			`{ kind: http, url: HOST/, form: { id: key, "tags[]": '["a", "b"]', none: row.missing, n: 1, yes: true } }`,
			"POST", "/", "id=a%2Fb+c&n=1&tags%5B%5D=a&tags%5B%5D=b&yes=true", "application/x-www-form-urlencoded",
		},
		"text that is JSON": {
			`{ kind: http, url: HOST/, body: '{"note":"{{ row.quoted }}"}' }`, "POST", "/", `{"note":"say \"hi\"\n"}`, "application/json",
		},
		"text that is XML": {
			`{ kind: http, url: HOST/, body: "<a>{{ row.note }}</a>" }`, "POST", "/", "<a>x&amp;y</a>", "application/xml",
		},
		"plain text":                       {`{ kind: http, url: HOST/, body: "{{ row.note }}!" }`, "POST", "/", "x&y!", "text/plain; charset=utf-8"},
		"no body":                          {`{ kind: http, method: PURGE, url: "HOST/{{ latest_path }}" }`, "PURGE", "/b/cards/A%2E1.png?sig=s", "", ""},
		"a picture":                        {`{ kind: http, method: PUT, url: "HOST/{{ hash }}", image: true }`, "PUT", "/hash-3", "picture hash-3", "image/png"},
		"a query beside latest_path":       {`{ kind: http, url: "HOST/{{ latest_path }}?a=1#fragment" }`, "POST", "/b/cards/A%2E1.png?sig=s&a=1", "", ""},
		"the time":                         {`{ kind: http, url: "HOST/?t={{ time }}" }`, "POST", "/?t=2026-03-01T12%3A00%3A00Z", "", ""},
		"a question mark in an expression": {`{ kind: http, url: 'HOST/{{ row.n > 1 ? "many" : "one" }}' }`, "POST", "/many", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			d := sinktest.Completed("a%2Fb%20c", 3)
			d.Row = map[string]any{"note": "x&y", "quoted": "say \"hi\"\n", "n": json.Number("2")}
			d.Outputs[0].Latest = "https://img.example/b/cards/A%2E1.png?sig=s"
			mustDeliver(t, mustSink(t, r.URL, c.yaml), d)
			got := r.only(t)
			want := request{method: c.method, uri: c.uri, body: c.body}
			if diff := cmp.Diff([]string{want.method, want.uri, want.body, c.contentType}, []string{got.method, got.uri, got.body, got.header.Get("Content-Type")}); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if got.length != int64(len(c.body)) {
				t.Errorf("Content-Length = %d, want %d", got.length, len(c.body))
			}
		})
	}
}

func TestHeadersAndCredentials(t *testing.T) {
	r := newRecorder(t)
	s := mustSink(t, r.URL, `
kind: http
url: HOST/
headers: { X-Row: "{{ key }}/{{ generation }}", x-key: "${TOKEN}", User-Agent: shop }
basic: { user: me, password: "${PASSWORD}" }`)
	mustDeliver(t, s, completed("A", 2))
	h := r.only(t).header
	for name, want := range map[string]string{
		"X-Row": "A/2", "X-Key": "value-of-TOKEN", "User-Agent": "shop", "Authorization": "Basic bWU6dmFsdWUtb2YtUEFTU1dPUkQ=", "Idempotency-Key": "dlv_41_2",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestIdempotencyKeyMayBeAnotherOrNone(t *testing.T) {
	for yaml, want := range map[string]string{`"{{ hash }}"`: "hash-1", `""`: ""} {
		r := newRecorder(t)
		mustDeliver(t, mustSink(t, r.URL, `{ kind: http, url: HOST/, headers: { idempotency-key: `+yaml+` } }`), completed("A", 1))
		if got := r.only(t).header.Get("Idempotency-Key"); got != want {
			t.Errorf("%s: Idempotency-Key = %q, want %q", yaml, got, want)
		}
	}
}

func TestHeaderThatAValueBreaksEndsTheDelivery(t *testing.T) {
	r := newRecorder(t)
	d := completed("A", 1)
	d.Row["note"] = "a\r\nX-Admin: 1"
	_, err := mustSink(t, r.URL, `{ kind: http, url: HOST/, headers: { X-Note: "{{ row.note }}" } }`).Deliver(t.Context(), d)
	if !retry.IsPermanent(err) || len(r.all()) != 0 {
		t.Errorf("deliver = %v, %d requests; want a permanent error and none", err, len(r.all()))
	}
}

// A value is one part of the path, whatever it is.
func TestValueNeverLeadsToAnotherAddress(t *testing.T) {
	for value, want := range map[string]string{
		"a/b": "/c/a%2Fb/photo", "a?b": "/c/a%3Fb/photo", "a#b": "/c/a%23b/photo", "ä": "/c/%C3%A4/photo", "a%2Fb": "/c/a%252Fb/photo",
		"..": "", ".": "", "%2e%2e": "", "..%2f..": "", "../admin": "", `..\admin`: "", "..;x": "",
		"": "", "//evil.example": "/c/%2F%2Fevil.example/photo", "@evil.example": "/c/@evil.example/photo", "a\x00b": "/c/a%00b/photo",
	} {
		r := newRecorder(t)
		d := completed("A", 1)
		d.Row["v"] = value
		_, err := mustSink(t, r.URL, `{ kind: http, url: "HOST/c/{{ row.v }}/photo" }`).Deliver(t.Context(), d)
		switch {
		case want == "":
			if !retry.IsPermanent(err) || len(r.all()) != 0 {
				t.Errorf("%q: %v, %d requests; want a permanent error and none", value, err, len(r.all()))
			}
		case err != nil || len(r.all()) != 1 || r.all()[0].uri != want:
			t.Errorf("%q: %v, %v; want %s", value, err, r.all(), want)
		}
	}
}

// A value that looks like latest_path is a value like any other.
func TestOnlyTheLatestPathIsSeveralParts(t *testing.T) {
	r := newRecorder(t)
	d := completed("A", 1)
	d.Row["v"] = "b/other/B.png"
	mustDeliver(t, mustSink(t, r.URL, `{ kind: http, url: "HOST/{{ row.v }}/{{ latest_path }}" }`), d)
	if got := r.only(t).uri; got != "/b%2Fother%2FB.png/b/cards/A.png" {
		t.Errorf("address = %s", got)
	}
}

func TestMultipartStreamsThePictures(t *testing.T) {
	r := newRecorder(t)
	d := completed(`a"b`, 1)
	story := d.Outputs[0]
	story.Name, story.Hash, story.Ext = "story", "hash-s", "jpg"
	d.Outputs = append(d.Outputs, story, sink.Output{Name: "wide", Error: "404"})
	s := mustSink(t, r.URL, `
kind: http
url: HOST/upload
multipart:
  file: { name: "{{ key }}.{{ ext }}" }
  second: { output: story }
  third: { output: wide }
  public_id: '"cards/" + key'
  tags: '["a", "b"]'
  overwrite: true`)
	mustDeliver(t, s, d)
	mustDeliver(t, s, d)
	got := r.all()[0]
	if got.body != r.all()[1].body {
		t.Error("the second try has another body")
	}
	if got.length != int64(len(got.body)) {
		t.Errorf("Content-Length = %d of %d bytes", got.length, len(got.body))
	}
	_, params, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for reader := multipart.NewReader(strings.NewReader(got.body), params["boundary"]); ; {
		part, err := reader.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(part)
		parts = append(parts, strings.Join([]string{part.FormName(), part.FileName(), part.Header.Get("Content-Type"), string(text)}, "|"))
	}
	want := []string{
		"overwrite|||true", `public_id|||cards/a"b`, "tags|||a", "tags|||b",
		`file|a"b.png|image/png|picture hash-1`, "second|story.jpg|image/jpeg|picture hash-s",
	}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

// zeros are a large picture that is never whole in memory.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	z.left -= n
	return int(n), nil
}

func (*zeros) Close() error { return nil }

func TestLargePictureIsNeverWholeInMemory(t *testing.T) {
	const size = 256 << 20
	for _, body := range []string{"image: true", "multipart: { file: {} }"} {
		r := newRecorder(t)
		var length int64
		r.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			length = req.ContentLength
			_, _ = io.Copy(io.Discard, req.Body)
		})
		s := mustSinkWith(t, r.URL, `{ kind: http, url: HOST/, `+body+` }`, func(context.Context, string) (io.ReadCloser, error) { return &zeros{size}, nil })
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		mustDeliver(t, s, completed("A", 1))
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; length < size || allocated > 8<<20 {
			t.Errorf("%s: %d bytes, of which %d were in memory", body, length, allocated)
		}
	}
}

func TestPictureThatIsNotThereIsTriedAgain(t *testing.T) {
	r := newRecorder(t)
	gone := problem.New(problem.NotFound, "no bytes")
	for _, body := range []string{"image: true", "multipart: { file: {} }"} {
		s := mustSinkWith(t, r.URL, `{ kind: http, url: HOST/, `+body+` }`, func(context.Context, string) (io.ReadCloser, error) { return nil, gone })
		if _, err := s.Deliver(t.Context(), completed("A", 1)); !errors.Is(err, gone) || retry.IsPermanent(err) {
			t.Errorf("%s: %v, want %v, not permanent", body, err, gone)
		}
	}
	if n := len(r.all()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestEventsHaveRequestsOfTheirOwn(t *testing.T) {
	const usual = `kind: http, method: PATCH, url: "HOST/c/{{ key }}", headers: { X-A: "1" }, json: { photo: url }`
	for name, c := range map[string]struct {
		yaml  string
		event string
		want  string // method, address, body; "" is no request
	}{
		"pictures":                     {`{ ` + usual + ` }`, sink.RenderCompleted, `PATCH /c/A {"photo":"https://img.example/images/hash-1.png"} 1`},
		"no request for a removal":     {`{ ` + usual + ` }`, sink.ImageRemoved, ""},
		"a body of its own":            {`{ ` + usual + `, on: { image.removed: { json: { photo: null } } } }`, sink.ImageRemoved, `PATCH /c/A {"photo":null} 1`},
		"a method of its own":          {`{ ` + usual + `, on: { image.removed: { method: DELETE } } }`, sink.ImageRemoved, "DELETE /c/A  1"},
		"an address of its own":        {`{ ` + usual + `, on: { image.removed: { url: "HOST/gone", form: { id: key } } } }`, sink.ImageRemoved, "PATCH /gone id=A 1"},
		"a header of its own":          {`{ ` + usual + `, on: { image.removed: { headers: { x-a: "2" } } } }`, sink.ImageRemoved, `PATCH /c/A {"photo":"https://img.example/images/hash-1.png"} 2`},
		"the same":                     {`{ ` + usual + `, on: { image.removed: {} } }`, sink.ImageRemoved, `PATCH /c/A {"photo":"https://img.example/images/hash-1.png"} 1`},
		"the same, by events":          {`{ ` + usual + `, events: [image.removed] }`, sink.ImageRemoved, `PATCH /c/A {"photo":"https://img.example/images/hash-1.png"} 1`},
		"not what events leaves out":   {`{ ` + usual + `, events: [image.removed] }`, sink.RenderCompleted, ""},
		"a failure":                    {`{ ` + usual + `, on: { render.failed: { json: { failed: event } } } }`, sink.RenderFailed, `PATCH /c/A {"failed":"render.failed"} 1`},
		"only a removal has a request": {`{ kind: http, events: [image.removed], on: { image.removed: { url: HOST/x } } }`, sink.ImageRemoved, "POST /x  "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			d := completed("A", 1)
			if d.Event = c.event; c.event == sink.RenderFailed {
				d.Outputs = []sink.Output{{Name: "card", Code: "asset_fetch_failed", Error: "404"}}
			}
			mustDeliver(t, mustSink(t, r.URL, c.yaml), d)
			got := ""
			for _, r := range r.all() {
				got += fmt.Sprintf("%s %s %s %s", r.method, r.uri, r.body, r.header.Get("X-A"))
			}
			if got != c.want {
				t.Errorf("sent %q, want %q", got, c.want)
			}
		})
	}
}

func TestSinkIsToldOfWhatItHasRequestsFor(t *testing.T) {
	for yaml, want := range map[string]string{
		`{ kind: http, url: HOST/ }`:                                                     "render.completed",
		`{ kind: http, url: HOST/, on: { image.removed: {} } }`:                          "render.completed image.removed",
		`{ kind: http, url: HOST/, events: [render.completed, image.removed] }`:          "render.completed image.removed",
		`{ kind: http, url: HOST/, events: [image.removed], on: { image.removed: {} } }`: "image.removed",
	} {
		c, err := decode(t, "http://a.example", yaml)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, event := range sink.Events() {
			if c.Base().Wants(event) {
				got = append(got, event)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: told of %v, want %s", yaml, got, want)
		}
	}
}

func TestRequestForEachPicture(t *testing.T) {
	r := newRecorder(t)
	d := completed("A", 1)
	story := d.Outputs[0]
	story.Name, story.Hash = "story", "hash-s"
	d.Outputs = append(d.Outputs, sink.Output{Name: "wide", Error: "404"}, story)
	mustDeliver(t, mustSink(t, r.URL, `{ kind: http, method: PUT, url: "HOST/{{ output }}", image: true, each_output: true }`), d)
	mustDeliver(t, mustSink(t, r.URL, `{ kind: http, method: PUT, url: "HOST/{{ output }}", image: true, output: story }`), d)
	mustDeliver(t, mustSink(t, r.URL, `{ kind: http, method: PUT, url: "HOST/{{ output }}", image: true, output: wide }`), d)
	var got []string
	for _, one := range r.all() {
		got = append(got, one.uri+" "+one.body+" "+one.header.Get("Idempotency-Key"))
	}
	want := []string{"/card picture hash-1 dlv_41_1-card", "/story picture hash-s dlv_41_1-story", "/story picture hash-s dlv_41_1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestProbeSendsNothing(t *testing.T) {
	r := newRecorder(t)
	s := mustSink(t, r.URL, `{ kind: http, url: "HOST/{{ key }}", json: { a: key } }`)
	if err := s.(sink.Prober).Probe(t.Context()); err != nil || len(r.all()) != 0 {
		t.Errorf("probe = %v, %d requests", err, len(r.all()))
	}
	r.Close()
	if err := s.(sink.Prober).Probe(t.Context()); problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("probe of what is not there = %v", err)
	}
}

func FuzzValueStaysInItsPlace(f *testing.F) {
	for _, seed := range []string{"a", "..", "../x", "/", "\x00", "%2f", "?", "#", "\xff", "a/../../b", "%252e%252e"} {
		f.Add(seed)
	}
	r := newRecorder(f)
	s := mustSink(f, r.URL, `{ kind: http, url: "HOST/c/{{ row.v }}/photo?v={{ row.v }}" }`)
	f.Fuzz(func(t *testing.T, value string) {
		if value == "b/cards/A.png" { // latest_path itself
			return
		}
		before := len(r.all())
		d := completed("A", 1)
		d.Row["v"] = value
		_, err := s.Deliver(t.Context(), d)
		all := r.all()
		switch {
		case err != nil:
			if !retry.IsPermanent(err) || len(all) != before {
				t.Errorf("%q: %v after %d requests", value, err, len(all)-before)
			}
			return
		case len(all) != before+1:
			t.Fatalf("%q: %d requests", value, len(all)-before)
		}
		u, err := url.ParseRequestURI(all[before].uri)
		if err != nil || u.Path != "/c/"+value+"/photo" || u.Query().Get("v") != value || strings.Count(u.EscapedPath(), "/") != 3 {
			t.Errorf("%q arrived at %s", value, all[before].uri)
		}
	})
}

func TestHostileValuesAreSentOrRefused(t *testing.T) {
	for place, yaml := range map[string]string{
		"url":       `{ kind: http, url: "HOST/c/{{ row.v }}?q={{ row.v }}" }`,
		"headers":   `{ kind: http, url: "HOST/c", headers: { X-A: "{{ row.v }}" } }`,
		"json":      `{ kind: http, url: "HOST/c", json: { v: row.v } }`,
		"form":      `{ kind: http, url: "HOST/c", form: { v: row.v } }`,
		"multipart": `{ kind: http, url: "HOST/c", multipart: { v: row.v, file: { name: "{{ row.v }}" } } }`,
		"body":      `{ kind: http, url: "HOST/c", body: '{"v": "{{ row.v }}"}' }`,
	} {
		t.Run(place, func(t *testing.T) {
			r := newRecorder(t)
			sinktest.Hostile(t, mustSink(t, r.URL, yaml))
			for _, got := range r.all() {
				if got.header.Get("X-Evil") != "" {
					t.Errorf("a value made a header")
				}
			}
		})
	}
}
