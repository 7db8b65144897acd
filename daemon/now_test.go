package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// An asked is the answer to a request for pictures.
type asked struct {
	status  int
	header  http.Header
	body    []byte
	URL     string
	ID      string
	Cached  bool
	Format  string
	Width   int
	Height  int
	Code    string
	Detail  string
	Hint    string
	Base64  string
	Results []struct {
		Layout, URL string
		Width       int
	}
	Errors []struct{ Layout, Field, Code, Error, Message string }

	TotalLayouts, TotalRendered, TotalErrors, PageCount int
	TemplateVersion                                     int64
}

// ask sends a body to a path. header are names and values in turn.
func ask(tb testing.TB, method, url, body string, header ...string) asked {
	tb.Helper()
	a, err := tryAsk(tb.Context(), method, url, body, header...)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func tryAsk(ctx context.Context, method, url, body string, header ...string) (a asked, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	a.status, a.header = res.StatusCode, res.Header
	if a.body, err = io.ReadAll(res.Body); err != nil {
		return a, err
	}
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		err = json.Unmarshal(a.body, &a)
	}
	return a, err
}

func (a asked) must(tb testing.TB, status int) asked {
	tb.Helper()
	if a.status != status {
		tb.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

func TestTheSamePictureIsMadeOnce(t *testing.T) {
	null := &rendertest.Null{Delay: 50 * time.Millisecond}
	url, _ := newSite(t, "").run(Options{Renderer: null})
	var together sync.WaitGroup
	for range 5 {
		together.Go(func() {
			a, err := tryAsk(t.Context(), "POST", url+"/template/card/render", `{"variables":{"title":"Mug","price":10}}`)
			if err != nil || a.status != http.StatusOK || a.TotalRendered != 1 || a.Width != 400 {
				t.Errorf("%v: %d %s", err, a.status, a.body)
			}
		})
	}
	together.Wait()
	if n := null.Count(); n != 1 {
		t.Errorf("five requests at once drew %d pictures", n)
	}
	again := ask(t, "POST", url+"/templates/card/render", `{"variables":{"price":10.0,"title":"Mug","unused":1}}`).must(t, 200)
	if !again.Cached || null.Count() != 1 {
		t.Errorf("the same again: cached %t, %d pictures", again.Cached, null.Count())
	}
	if image := ask(t, "GET", again.URL, "").must(t, 200); len(image.body) == 0 || image.header.Get("ETag") == "" {
		t.Errorf("the picture is %q", image.body)
	}
	if other := ask(t, "POST", url+"/templates/card/render", `{"variables":{"title":"Cup"}}`).must(t, 200); other.Cached || other.URL == again.URL {
		t.Errorf("another picture: cached %t, %s", other.Cached, other.URL)
	}
}

func TestABatchAndARequestMeet(t *testing.T) {
	null := &rendertest.Null{}
	url, _ := newSite(t, "").run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	first := ask(t, "POST", url+"/templates/card/render", `{"variables":{"title":"A"}}`).must(t, 200)
	id, err := p.postBatch([]map[string]any{{"title": "A"}, {"title": "B"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the batch is done", func() bool { return p.job(id).CompletedItems == 2 })
	if b := ask(t, "POST", url+"/templates/card/render", `{"variables":{"title":"B"}}`).must(t, 200); !b.Cached {
		t.Error("the picture of the batch was made again")
	}
	if got := p.job(id).Results[0].URL; got != first.URL || null.Count() != 2 {
		t.Errorf("the batch has %s, the request %s; %d pictures", got, first.URL, null.Count())
	}
}

func TestARequestDoesNotWaitBehindABatch(t *testing.T) {
	null := &rendertest.Null{Delay: 20 * time.Millisecond}
	url, _ := newSite(t, "").run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	id, err := p.postBatch(batchRows(600), "") // 3 s of work
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the batch is being drawn", func() bool { return null.Count() > 10 })
	// One of its last rows, and one that no batch has.
	rows := batchRows(600)
	last, err := json.Marshal(map[string]any{"variables": rows[599]})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{string(last), `{"variables":{"title":"Mine"}}`} {
		ask(t, "POST", url+"/templates/card/render", body).must(t, 200)
	}
	if j := p.job(id); j.CompletedItems > 400 {
		t.Errorf("%d rows of the batch were made before the request was answered", j.CompletedItems)
	}
	eventually(t, "the batch is done", func() bool { return p.job(id).CompletedItems == 600 })
	if n := null.Count(); n != 601 {
		t.Errorf("%d pictures were drawn, want 601", n)
	}
}

func TestAClientThatGoesEndsItsPicture(t *testing.T) {
	ended := make(chan error, 10)
	null := &rendertest.Null{Delay: time.Minute, DoneFunc: func(_ context.Context, _ render.Request, err error) { ended <- err }}
	url, _ := newSite(t, "").run(Options{Renderer: null})
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		_, _ = tryAsk(ctx, "POST", url+"/templates/card/render", `{"variables":{"title":"A"}}`)
		close(gone)
	}()
	eventually(t, "it is being drawn", func() bool { return null.Count() == 1 })
	leave()
	<-gone
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the picture was made to its end")
		}
	case <-time.After(10 * time.Second):
		t.Error("the picture is still being made")
	}
}

func TestMoreRequestsThanPlacesAreRefused(t *testing.T) {
	hold := make(chan struct{})
	null := &rendertest.Null{FailFunc: func(context.Context, render.Request) error { <-hold; return nil }}
	s := newSite(t, "")
	s.serve(`now: { at_once: 2, timeout: 20s }`)
	url, _ := s.run(Options{Renderer: null})
	var held sync.WaitGroup
	for i := range 2 {
		held.Go(func() {
			a, err := tryAsk(t.Context(), "POST", url+"/templates/card/render", fmt.Sprintf(`{"variables":{"title":"%d"}}`, i))
			if err != nil || a.status != 200 {
				t.Errorf("%v: %d %s", err, a.status, a.body)
			}
		})
	}
	eventually(t, "both are being drawn", func() bool { return null.Count() == 2 })
	busy := ask(t, "POST", url+"/templates/card/render", `{"variables":{"title":"third"}}`).must(t, 503)
	if busy.Code != "too_busy" || busy.header.Get("Retry-After") == "" {
		t.Errorf("got %s, Retry-After %q", busy.body, busy.header.Get("Retry-After"))
	}
	close(hold)
	held.Wait()
	ask(t, "POST", url+"/templates/card/render", `{"variables":{"title":"third"}}`).must(t, 200)
}

func TestARequestEndsAtItsTimeout(t *testing.T) {
	s := newSite(t, "")
	s.serve(`now: { timeout: 100ms }`)
	url, _ := s.run(Options{Renderer: &rendertest.Null{Delay: time.Minute}})
	a := ask(t, "POST", url+"/templates/card/render", `{"variables":{"title":"A"}}`).must(t, 504)
	if a.header.Get("Retry-After") == "" {
		t.Errorf("no Retry-After: %s", a.body)
	}
}

// serve adds lines to the section server.
func (s *site) serve(lines string) {
	s.tb.Helper()
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), `server: { listen: "127.0.0.1:0" }`,
		"server:\n  listen: \"127.0.0.1:0\"\n  "+strings.ReplaceAll(lines, "\n", "\n  "), 1))
}

func TestWhatCannotBeDrawnIsSaid(t *testing.T) {
	url, _ := newSite(t, "").run(Options{Renderer: &rendertest.Null{}})
	page := `"html":"<p>Hi</p>"`
	for name, tt := range map[string]struct {
		path, body  string
		status      int
		code, field string
		says        string
	}{
		"a foreign page":               {"/image", `{"url":"https://example.com/"}`, 422, "not_supported", "url", "scripts"},
		"a foreign page beside html":   {"/image", `{` + page + `,"url":"http://127.0.0.1/"}`, 422, "not_supported", "url", "egress"},
		"a foreign page as a GIF":      {"/gif", `{"url":"https://example.com/"}`, 422, "not_supported", "url", ""},
		"a foreign page as a PDF":      {"/pdf/render", `{"url":"https://example.com/"}`, 422, "not_supported", "url", ""},
		"a selector":                   {"/image", `{` + page + `,"selector":"#card"}`, 422, "not_supported", "selector", ""},
		"a script":                     {"/image", `{"html":"<p>a</p><script>while(1);</script>"}`, 422, "unsafe", "", "JavaScript"},
		"a frame of this machine":      {"/image", `{"html":"<iframe src='http://127.0.0.1:1/'></iframe>"}`, 422, "unsafe", "", "iframe"},
		"a file of this machine":       {"/image", `{"html":"<img src='file:///etc/passwd'>"}`, 422, "bad_url", "", "file:"},
		"too wide":                     {"/image", `{` + page + `,"width":4001}`, 422, "out_of_range", "width", "4000"},
		"of no height":                 {"/image", `{` + page + `,"height":0}`, 422, "out_of_range", "height", ""},
		"of negative width":            {"/image", `{` + page + `,"width":-1}`, 422, "out_of_range", "width", ""},
		"half a pixel":                 {"/image", `{` + page + `,"width":1.5}`, 422, "wrong_type", "width", ""},
		"a GIF too wide":               {"/gif", `{` + page + `,"width":2001}`, 422, "out_of_range", "width", "2000"},
		"four times the pixels":        {"/image", `{` + page + `,"deviceScaleFactor":4}`, 422, "invalid", "deviceScaleFactor", ""},
		"an unknown field":             {"/image", `{` + page + `,"widht":10}`, 422, "unknown_field", "widht", `did you mean "width"`},
		"an unknown field of a row":    {"/templates/card/render", `{"variable":{}}`, 422, "unknown_field", "variable", `did you mean "variables"`},
		"rows":                         {"/templates/card/render", `{"variables":[{}]}`, 422, "wrong_type", "variables", "batch-render"},
		"no title":                     {"/templates/card/render", `{}`, 422, "missing_variable", "variables.title", ""},
		"no such template":             {"/templates/crad/render", `{}`, 404, "template_not_found", "", ""},
		"no such version":              {"/templates/card/render", `{"version":9,"variables":{"title":"a"}}`, 404, "template_not_found", "", ""},
		"no version at all":            {"/templates/card/render", `{"version":"newest"}`, 422, "invalid", "version", "draft"},
		"no such size":                 {"/templates/card/render", `{"layout":"story","variables":{"title":"a"}}`, 422, "unknown_size", "layout", ""},
		"pixels that no size has":      {"/templates/card/render", `{"width":401,"variables":{"title":"a"}}`, 422, "unknown_size", "width", "default (400x200)"},
		"no such format":               {"/image", `{` + page + `,"fileExtension":"bmp"}`, 422, "invalid", "fileExtension", ""},
		"a quality beyond percent":     {"/image", `{` + page + `,"format":"jpeg","quality":101}`, 422, "invalid", "quality", ""},
		"a PNG from the way of PDFs":   {"/pdf/render", `{` + page + `,"format":"png"}`, 422, "invalid", "format", ""},
		"html and a template":          {"/image", `{` + page + `,"template":"card"}`, 422, "invalid", "html", ""},
		"nothing":                      {"/image", `{}`, 422, "required", "html", ""},
		"an empty document":            {"/image", `{"html":" "}`, 422, "required", "html", ""},
		"no JSON":                      {"/image", `{"html":`, 422, "bad_json", "", ""},
		"a list":                       {"/image", `[]`, 422, "bad_json", "", ""},
		"null":                         {"/image", `null`, 422, "bad_json", "", ""},
		"no rows":                      {"/pdf/multi-page", `{"template":"card","variableSets":[]}`, 422, "out_of_range", "variableSets", ""},
		"a bad row among pages":        {"/pdf/multi-page", `{"template":"card","variableSets":[{"title":"a"},{}]}`, 422, "missing_variable", "variableSets[1].title", ""},
		"a row that is none":           {"/pdf/multi-page", `{"template":"card","variableSets":[{"title":"a"},7]}`, 422, "wrong_type", "variableSets[1]", ""},
		"101 pages":                    {"/pdf/multi-page", `{"template":"card","variableSets":[{}` + strings.Repeat(`,{}`, 100) + `]}`, 422, "out_of_range", "variableSets", "results.pdf"},
		"no such response":             {"/image", `{` + page + `,"response":"xml"}`, 422, "invalid", "response", ""},
		"two pictures as bytes":        {"/templates/card/render", `{"variables":{"title":"a"},"outputs":[{"format":"png"},{"format":"pdf"}],"response":"binary"}`, 422, "invalid", "response", ""},
		"21 layouts":                   {"/templates/card/render", `{"outputs":[` + strings.Repeat(`{},`, 20) + `{}]}`, 422, "invalid", "", ""},
		"an unknown moving quality":    {"/gif", `{` + page + `,"quality":"best"}`, 422, "invalid", "quality", "medium"},
		"no such paper":                {"/pdf/render", `{` + page + `,"preset":"A44"}`, 422, "invalid", "preset", ""},
		"a document without end":       {"/image", `{"html":"` + strings.Repeat("<div>", 200_000) + `"}`, 413, "too_large", "", ""},
		"an expression that is broken": {"/image", `{"html":"<p>{{ a + }}</p>"}`, 422, "bad_expression", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, "POST", url+tt.path, tt.body).must(t, tt.status)
			if tt.code != "" && a.Code != tt.code {
				t.Errorf("code %q, want %q: %s", a.Code, tt.code, a.body)
			}
			if tt.field != "" && (len(a.Errors) == 0 || a.Errors[0].Field != tt.field) {
				t.Errorf("want the field %s: %s", tt.field, a.body)
			}
			if !strings.Contains(string(a.body), strings.ReplaceAll(tt.says, `"`, `\"`)) {
				t.Errorf("want %q in %s", tt.says, a.body)
			}
		})
	}
}

func TestLayoutsThatFailLeaveTheOthers(t *testing.T) {
	s := newSite(t, "")
	s.write("templates/two.html", strings.NewReplacer(`"sizes": { "default": { "w": 400, "h": 200 } }`,
		`"sizes": { "default": { "w": 400, "h": 200 }, "story": { "w": 300, "h": 600 } }`, `"name": "card"`, `"name": "two"`).Replace(cardTemplate))
	null := &rendertest.Null{FailFunc: func(_ context.Context, r render.Request) error {
		if r.Height == 600 {
			return errTooTall
		}
		return nil
	}}
	url, _ := s.run(Options{Renderer: null})
	a := ask(t, "POST", url+"/templates/two/render", `{"variables":{"title":"a"},"layouts":["default","story"]}`).must(t, 200)
	if a.TotalLayouts != 2 || a.TotalRendered != 1 || a.TotalErrors != 1 || a.Results[0].Layout != "default" || a.Errors[0].Layout != "story" ||
		a.URL != a.Results[0].URL || a.TemplateVersion != 1 {
		t.Errorf("got %s", a.body)
	}
	for range 2 { // the second time it is known
		if b := ask(t, "POST", url+"/templates/two/render", `{"variables":{"title":"a"},"width":300,"height":600}`).must(t, 422); b.Code != "too_tall" {
			t.Errorf("got %s", b.body)
		}
	}
	if n := null.Count(); n != 2 {
		t.Errorf("%d pictures were tried, want 2", n)
	}
}

func TestAPictureIsAnsweredAsItIsAskedFor(t *testing.T) {
	url, _ := newSite(t, "").run(Options{Renderer: &rendertest.Null{}})
	body := `{"variables":{"title":"a"},"format":"webp","quality":0.5,"metadata":{"id":7},"fileName":"mine"}`
	plain := ask(t, "POST", url+"/v1/template/card/render", body).must(t, 200)
	if plain.Format != "webp" || !strings.HasSuffix(plain.URL, ".webp") || !bytes.Contains(plain.body, []byte(`"metadata":{"id":7}`)) {
		t.Errorf("got %s", plain.body)
	}
	bytesOf := ask(t, "GET", plain.URL, "").body
	for name, a := range map[string]asked{
		"response": ask(t, "POST", url+"/templates/card/render", strings.Replace(body, "{", `{"response":"binary",`, 1)),
		"Accept":   ask(t, "POST", url+"/templates/card/render", body, "Accept", "image/webp,image/*;q=0.8"),
	} {
		a.must(t, 200)
		if !bytes.Equal(a.body, bytesOf) || a.header.Get("Content-Type") != "image/webp" || !strings.Contains(a.header.Get("Content-Disposition"), "mine.webp") ||
			a.header.Get("Content-Location") != plain.URL {
			t.Errorf("%s: %v %q", name, a.header, a.body)
		}
	}
	if a := ask(t, "POST", url+"/templates/card/render", body, "Accept", "application/json, image/*"); a.URL != plain.URL {
		t.Errorf("who takes JSON got %s", a.body)
	}
	if a := ask(t, "POST", url+"/templates/card/render", strings.Replace(body, "{", `{"response":"base64",`, 1)).must(t, 200); a.Base64 == "" || a.URL != plain.URL {
		t.Errorf("got %s", a.body)
	}
	// 50 percent is a half.
	if a := ask(t, "POST", url+"/templates/card/render", strings.Replace(body, "0.5", "50", 1)); a.URL != plain.URL || !a.Cached {
		t.Errorf("got %s", a.body)
	}
}

func TestADraftIsDrawnBeforeItIsPublished(t *testing.T) {
	null := &rendertest.Null{}
	url, _ := newSite(t, "").run(Options{Renderer: null})
	body := func(version string) string { return `{"variables":{"title":"a"},"version":"` + version + `"}` }
	published := ask(t, "POST", url+"/templates/card/render", body("published")).must(t, 200)
	if same := ask(t, "POST", url+"/templates/card/render", body("draft")).must(t, 200); same.URL != published.URL || !same.Cached {
		t.Errorf("a draft that is no other got %s", same.body)
	}
	etag := ask(t, "GET", url+"/templates/card/draft", "").must(t, 200).header.Get("ETag")
	ask(t, "PATCH", url+"/templates/card/draft", `{"ops":[{"op":"set_text","id":"title","text":"#123456 {{ title }}"}]}`,
		"If-Match", etag, "Content-Type", "application/json").must(t, 200)
	draft := ask(t, "POST", url+"/templates/card/render", body("draft")).must(t, 200)
	if draft.URL == published.URL || !strings.Contains(null.Requests()[null.Count()-1].HTML, "#123456") {
		t.Errorf("the draft got %s", draft.body)
	}
	for _, version := range []string{"published", "1"} {
		if still := ask(t, "POST", url+"/templates/card/render", body(version)).must(t, 200); still.URL != published.URL {
			t.Errorf("version %s got %s", version, still.body)
		}
	}
}

func TestAnIdempotencyKeyGivesOneAnswer(t *testing.T) {
	url, _ := newSite(t, "").run(Options{Renderer: &rendertest.Null{}})
	post := func(path, body string) asked { return ask(t, "POST", url+path, body, "Idempotency-Key", "k") }
	first := post("/image", `{"html":"<p>a</p>"}`).must(t, 200)
	if again := post("/image", `{"html":"<p>a</p>"}`).must(t, 200); !bytes.Equal(again.body, first.body) {
		t.Errorf("the answer was %s, and is %s", first.body, again.body)
	}
	post("/image", `{"html":"<p>b</p>"}`).must(t, 409)
	// An answer that is too large to keep is made again, and another body is still refused.
	large := `{"response":"base64","html":"<p>a</p>","metadata":"` + strings.Repeat("x", 60_000) + `"}`
	post("/gif?", `{"html":"","width":0}`).must(t, 422)
	one := ask(t, "POST", url+"/image", large, "Idempotency-Key", "l").must(t, 200)
	if two := ask(t, "POST", url+"/image", large, "Idempotency-Key", "l").must(t, 200); two.URL != one.URL {
		t.Errorf("got %s", two.URL)
	}
	ask(t, "POST", url+"/image", `{"html":"<p>b</p>"}`, "Idempotency-Key", "l").must(t, 409)
}

func TestManyRowsAreOneFile(t *testing.T) {
	null := &rendertest.Null{}
	url, _ := newSite(t, "").run(Options{Renderer: null})
	a := ask(t, "POST", url+"/pdf/multi-page", `{"template":"card","preset":"A4","landscape":true,"margins":{"top":10},
		"variableSets":[{"title":"one"},{"title":"two"},{"title":"three"}]}`).must(t, 200)
	if a.PageCount != 3 || !strings.HasSuffix(a.URL, ".pdf") || null.Count() != 1 {
		t.Fatalf("got %s", a.body)
	}
	r := null.Requests()[0]
	if r.Format != render.PDF || r.Print.Paper != "a4" || !strings.Contains(r.HTML, "one") || len(r.Sheets) != 2 || !strings.Contains(r.Sheets[1].HTML, "three") || !r.Urgent {
		t.Errorf("drawn was %+v", r)
	}
	if b := ask(t, "POST", url+"/pdf/multi-page", `{"template":"card","preset":"A4","landscape":true,"margins":{"top":10},
		"variableSets":[{"title":"one"},{"title":"three"},{"title":"two"}]}`).must(t, 200); b.Cached || b.URL == a.URL {
		t.Errorf("rows in another order got %s", b.body)
	}
	if c := ask(t, "POST", url+"/pdf/render", `{"template":"card","variables":{"title":"one"}}`).must(t, 200); c.PageCount != 1 {
		t.Errorf("got %s", c.body)
	}
	if d := ask(t, "GET", url+"/pdf/presets", "").must(t, 200); !bytes.Contains(d.body, []byte(`{"name":"a4","width":793.7,"height":1122.52,"widthMm":210,"heightMm":297}`)) {
		t.Errorf("got %s", d.body)
	}
}

var errTooTall = retry.Permanent(problem.New(problem.Invalid, "it is too tall").WithSlug("too_tall"))
