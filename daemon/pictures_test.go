package daemon

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// rendered is what the tests of pictures read of GET /jobs/{id}.
type rendered struct {
	Status    string
	CreatedAt time.Time
	Results   []renderedRow
	Errors    []struct {
		Index              int
		Code, Field, Error string
	}
}

type renderedRow struct {
	Index       int
	ContentHash string
	Outputs     []struct{ Output, ContentHash string }
	Layout      []struct {
		Layer   string
		FontPx  float64
		Lines   int
		Clipped bool
	}
	Warnings []struct{ Code, Output, Layer, Message string }
}

// batch renders rows of a template and returns the job when it is done.
func (p *process) batch(template string, body map[string]any) (done rendered) {
	p.tb.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.tb.Fatal(err)
	}
	res, err := http.Post(p.url+"/template/"+template+"/batch", "application/json", bytes.NewReader(text))
	if err != nil {
		p.tb.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.tb.Fatal(err)
	}
	var accepted struct{ JobID string }
	if err := json.Unmarshal(answer, &accepted); err != nil || accepted.JobID == "" {
		p.tb.Fatalf("batch: %s: %s", res.Status, answer)
	}
	eventually(p.tb, "the end of the batch", func() bool {
		done = rendered{}
		p.get("/jobs/"+accepted.JobID+"?limit=100", &done)
		return done.Status == "completed" || done.Status == "partial" || done.Status == "failed"
	})
	return done
}

// row is the row of that index, which must have its pictures.
func (r rendered) row(tb testing.TB, index int) renderedRow {
	tb.Helper()
	for _, row := range r.Results {
		if row.Index == index {
			return row
		}
	}
	tb.Fatalf("row %d has no pictures: %+v", index, r)
	return renderedRow{}
}

// hash is that of one output's picture. Equal pictures have equal ones.
func (r renderedRow) hash(tb testing.TB, output string) string {
	tb.Helper()
	for _, o := range r.Outputs {
		if o.Output == output {
			return o.ContentHash
		}
	}
	tb.Fatalf("there is no output %q: %+v", output, r)
	return ""
}

// page is a template with these members of its manifest, styles and body.
func page(manifest, styles, body string) string {
	return `<!doctype html><html lang="en" p-version="1"><head><meta charset="utf-8"><script type="application/json" id="p-template">
{ "sizes": { "default": { "w": 400, "h": 200 } }, ` + manifest + `}
</script><style>#card { background: #fff } h1 { left: 20px; top: 20px; width: 360px; height: 80px; font: 700 32px/1.2 sans-serif; color: #111 } ` + styles + `</style></head>
<body>` + body + `</body></html>`
}

func variables(rows ...map[string]any) map[string]any { return map[string]any{"variables": rows} }

func TestShrunkTextIsReported(t *testing.T) {
	needChrome(t)
	s := newSite(t, catalogWithHook)
	s.write("templates/card.html", page(`"vars": { "title": { "type": "text" } }`, "",
		`<section id="card" class="p-page"><h1 id="title" p-fit="shrink" p-lines="2" p-min="12">{{ title }}</h1></section>`))
	long := strings.Repeat("a good deal of ", 6)
	s.write("rows.csv", "sku,name\nA,Short\nB,"+long+"\nC,"+strings.Repeat(long, 20)+"\n")
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}

	job := p.batch("card", variables(map[string]any{"title": "Short"}, map[string]any{"title": long}, map[string]any{"title": strings.Repeat(long, 20)}))
	if l := job.row(t, 0).Layout; len(l) != 0 {
		t.Errorf("of the short text %+v is said, want nothing", l)
	}
	if l := job.row(t, 1).Layout; len(l) != 1 || l[0].Layer != "title" || l[0].FontPx >= 32 || l[0].FontPx < 12 || l[0].Lines != 2 || l[0].Clipped {
		t.Errorf("of the long text %+v is said, want two smaller lines", l)
	}
	if row := job.row(t, 2); len(row.Layout) != 1 || row.Layout[0].FontPx != 12 || !row.Layout[0].Clipped || len(row.Warnings) != 1 || row.Warnings[0].Code != "text_clipped" {
		t.Errorf("of the longest text %+v is said, want that it is clipped at 12 px", row)
	}
	// The binding has the same pictures, and a warning where one is needed.
	eventually(t, "the rows of the binding", func() bool { return p.ready("cards") == 3 })
	rows := p.text("/bindings/cards/rows")
	if strings.Count(rows, "text_clipped") != 1 || strings.Index(rows, "text_clipped") < strings.Index(rows, `"C"`) {
		t.Errorf("rows are %s, want a warning at the third", rows)
	}
}

func goodPhoto(t *testing.T) []byte {
	res, err := http.Get(photos(t) + "/photo.png")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	png, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return png
}

// undecodable is a WebP of 8 × 8 pixels with nothing behind its first header.
const undecodable = "RIFF\x1a\x00\x00\x00WEBPVP8 \x0e\x00\x00\x00\xf0\xff\x7f\x9d\x01\x2a\x08\x00\x08\x00\x00\x00\x00\x00"

// badPhotos serves one good picture, and files that are none.
func badPhotos(t *testing.T) string {
	png := goodPhoto(t)
	serve := func(contentType string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(body)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /good.png", serve("image/png", png))
	mux.HandleFunc("GET /page.png", serve("text/html", []byte("<!doctype html><title>Log in</title>")))
	mux.HandleFunc("GET /large.png", serve("image/png", append(png[:len(png):len(png)], make([]byte, 21<<20)...)))
	mux.HandleFunc("GET /cut.png", serve("image/png", png[:len(png)/2]))
	mux.HandleFunc("GET /damaged.webp", serve("image/webp", []byte(undecodable)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return "http://" + l.Addr().String()
}

func TestImageThatCannotBeShownIsReplacedAndSaysWhy(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	image := `<section id="card" class="p-page"><img id="photo" style="left: 20px; top: 20px; width: 60px; height: 60px" alt="" p-src="photo" RULE></section>`
	vars := `"vars": { "photo": { "type": "image" } }`
	s.write("templates/assets/none.svg", `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="#0a0"/></svg>`)
	s.write("templates/assets/broken.webp", undecodable)
	s.write("templates/gentle.html", page(vars, "", strings.Replace(image, "RULE", `p-fallback="assets/none.svg"`, 1)))
	s.write("templates/strict.html", page(vars, "", strings.Replace(image, "RULE", `p-fallback="assets/none.svg" p-onerror="fail"`, 1)))
	s.write("templates/bare.html", page(vars, "", strings.Replace(image, "RULE", `p-onerror="hide"`, 1)))
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}

	photos := badPhotos(t)
	addresses := []string{photos + "/good.png", photos + "/gone.png", photos + "/page.png", photos + "/large.png", photos + "/cut.png", photos + "/damaged.webp",
		closedPort(t) + "/a.png", "http://169.254.169.254/a.png", "assets/broken.webp", ""}
	want := []string{"", "unreachable", "not an image", "too large", "undecodable", "undecodable", "unreachable", "refused", "undecodable", "row has no image"}
	rows := make([]map[string]any, len(addresses))
	for i, a := range addresses {
		rows[i] = map[string]any{"photo": a}
	}

	gentle, bare := p.batch("gentle", variables(rows...)), p.batch("bare", variables(rows...))
	fallback, hidden := gentle.row(t, 9).ContentHash, bare.row(t, 9).ContentHash
	for i, reason := range want {
		for _, c := range []struct {
			what string
			row  renderedRow
			hash string
		}{{"the fallback is shown", gentle.row(t, i), fallback}, {"the image is left out", bare.row(t, i), hidden}} {
			if reason == "" {
				if len(c.row.Warnings) > 0 || c.row.ContentHash == c.hash {
					t.Errorf("the good picture: %+v", c.row)
				}
				continue
			}
			if w := c.row.Warnings; len(w) != 1 || w[0].Code != "image_fallback" || w[0].Layer != "photo" ||
				!strings.HasPrefix(w[0].Message, c.what) || !strings.Contains(w[0].Message+" ", " "+reason+" ") {
				t.Errorf("%s: %+v, want that %s: %s", addresses[i], w, c.what, reason)
			}
			if c.row.ContentHash != c.hash {
				t.Errorf("%s: the picture is not the one in which %s", addresses[i], c.what)
			}
		}
	}

	strict := p.batch("strict", variables(rows...))
	if len(strict.Errors) != 8 || strict.row(t, 0).ContentHash != gentle.row(t, 0).ContentHash || strict.row(t, 9).ContentHash != fallback {
		t.Errorf("with p-onerror=fail: %+v, want the good row, the one without an image, and eight errors", strict)
	}
	for _, e := range strict.Errors {
		field, says := "variables.photo", strings.TrimPrefix(addresses[e.Index], "http://")
		if e.Index == 8 { // the file is the template's own
			field = ""
		}
		if says, _, _ = strings.Cut(says, "/"); e.Field != field || !strings.Contains(e.Error, says) || e.Code == "" || e.Index == 0 || e.Index == 9 {
			t.Errorf("row %d: %+v, want an error about %q that names %s", e.Index, e, field, says)
		}
	}
}

// Texts are compared as pictures: what a row shows must be what the literal text
// shows in its place.
func TestOutputsDifferInThemePageAndLocale(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	s.write("templates/card.html", page(`"vars": { "price": { "type": "number", "default": 0 }, "words": { "type": "text" }, "items": { "type": "array" } }`,
		`:root[data-theme="dark"] #card { background: #223 }`,
		`<section id="card" class="p-page" p-for="item in items"><h1 id="title">{{ words || currency(price * 0.9) }} {{ item }}</h1></section>`))
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}

	outputs := []map[string]any{{"name": "plain"}, {"name": "dark", "theme": "dark"}, {"name": "german", "locale": "de-DE", "currency": "EUR"}, {"name": "second", "page": 2}}
	job := p.batch("card", map[string]any{"outputs": outputs, "variables": []map[string]any{
		{"price": 49, "items": []string{"a", "b"}}, {"price": 49, "items": []string{"a"}},
	}})
	if len(job.Errors) != 1 || job.Errors[0].Index != 1 || job.Errors[0].Code != "no_such_page" || job.Errors[0].Field != "outputs.second" {
		t.Errorf("errors are %+v, want no_such_page of the row with one item", job.Errors)
	}
	row, seen := job.row(t, 0), map[string]string{}
	for _, o := range row.Outputs {
		if before, twice := seen[o.ContentHash]; twice {
			t.Errorf("%s and %s are the same picture", before, o.Output)
		}
		seen[o.ContentHash] = o.Output
	}
	literal := p.batch("card", map[string]any{"outputs": outputs[:2], "variables": []map[string]any{
		{"words": "$44.10", "items": []string{"a"}}, {"words": "44,10\u00a0€", "items": []string{"a"}}, {"words": "$44.10", "items": []string{"b"}},
	}})
	for output, want := range map[string]string{
		"plain": literal.row(t, 0).hash(t, "plain"), "dark": literal.row(t, 0).hash(t, "dark"),
		"german": literal.row(t, 1).hash(t, "plain"), "second": literal.row(t, 2).hash(t, "plain"),
	} {
		if row.hash(t, output) != want {
			t.Errorf("%s does not show what it should", output)
		}
	}
}

func TestRowChangesLayersAndHidesWhatItLacks(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	s.write("templates/card.html", page(`"vars": { "title": { "type": "text" }, "note": { "type": "text", "missing": "hide" } }`,
		`#note { left: 20px; top: 120px; width: 200px; height: 40px; background: #fc0 }`,
		`<section id="card" class="p-page"><h1 id="title" p-name="Title">{{ title }}</h1><p id="note" p-name="Note">{{ note }}</p></section>`))
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}

	change := func(fields map[string]any) []map[string]any { return []map[string]any{fields} }
	job := p.batch("card", variables(
		map[string]any{"title": "One", "note": "n"},
		map[string]any{"title": "Two", "note": "n"},
		map[string]any{"title": "One", "note": "n", "modifications": change(map[string]any{"name": "title", "text": "Two"})},
		map[string]any{"title": "One", "note": "n", "modifications": change(map[string]any{"name": "Title", "color": "#f00"})},
		map[string]any{"title": "One", "note": "n", "modifications": change(map[string]any{"name": "note", "hide": true})},
		map[string]any{"title": "One"},
		map[string]any{"title": "One", "note": "n", "modifications": change(map[string]any{"name": "titel", "text": "Two"})},
	))
	hash := func(i int) string { return job.row(t, i).ContentHash }
	if hash(2) != hash(1) || hash(2) == hash(0) {
		t.Error("the changed text is not shown")
	}
	if hash(3) == hash(0) || hash(3) == hash(1) {
		t.Error("the changed colour is not shown")
	}
	if hash(5) != hash(4) || hash(5) == hash(0) {
		t.Error("the note that the row lacks is shown")
	}
	if len(job.Errors) != 1 || job.Errors[0].Index != 6 || job.Errors[0].Code != "bad_modification" || job.Errors[0].Field != "modifications[0].name" {
		t.Errorf("errors are %+v, want one of the layer that is not there", job.Errors)
	}
}

func TestClockOfABatchIsItsAcceptance(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	s.write("templates/card.html", page(`"timezone": "UTC", "vars": { "n": { "type": "number" }, "words": { "type": "text" } }`, "",
		`<section id="card" class="p-page"><h1 id="title">{{ words || date(now(), 'YYYY-MM-DD HH:mm:ss') }}</h1></section>`))
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}

	rows := make([]map[string]any, 40)
	for i := range rows {
		rows[i] = map[string]any{"n": i}
	}
	job := p.batch("card", variables(rows...))
	literal := p.batch("card", variables(map[string]any{"words": job.CreatedAt.UTC().Format(time.DateTime)}))
	want := map[string]int{literal.row(t, 0).ContentHash: len(rows)}
	got := map[string]int{}
	for _, r := range job.Results {
		got[r.ContentHash]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pictures of rows, by what they show (-that of %s +got): %s", job.CreatedAt, diff)
	}
}
