package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/template/drafttest"
)

const catalogOfCards = `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, public: true } ]
`

// send makes a request with a JSON body and pairs of a header and its value, and
// decodes the answer.
func (p *process) send(method, path string, body any, into any, headers ...string) int {
	p.tb.Helper()
	text, kind := "", "application/json"
	switch b := body.(type) {
	case nil:
	case string:
		text, kind = b, "text/html"
	default:
		data, err := json.Marshal(b)
		if err != nil {
			p.tb.Fatal(err)
		}
		text = string(data)
	}
	req, err := http.NewRequestWithContext(p.tb.Context(), method, p.url+path, strings.NewReader(text))
	if err != nil {
		p.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.tb.Logf("%s %s: %v", method, path, err)
		return 0
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.tb.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			p.tb.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
	if res.StatusCode >= 400 {
		p.tb.Logf("%s %s: %s %.300s", method, path, res.Status, answer)
	}
	return res.StatusCode
}

// draftSeen is what the tests read of a draft.
type draftSeen struct {
	Revision, Base int64
	Open           bool
	HTML           string
}

func (p *process) draft() draftSeen {
	p.tb.Helper()
	var v struct{ Draft draftSeen }
	p.get("/templates/card/draft", &v)
	return v.Draft
}

// edit sets the text of an element in the draft of card.
func (p *process) edit(id, text string) {
	p.tb.Helper()
	body := map[string]any{"ops": []json.RawMessage{drafttest.SetText(id, text)}, "author": "Ada"}
	if status := p.send(http.MethodPatch, "/templates/card/draft", body, nil, "If-Match", strconv.FormatInt(p.draft().Revision, 10)); status != 200 {
		p.tb.Fatalf("the edit answers %d", status)
	}
}

// publishedSeen is what the tests read of a publication, or of why it was none.
type publishedSeen struct {
	Version   struct{ Version int64 }
	Changed   bool
	FileError string
	Code      string
	Texts     struct{ Theirs, Yours, Digest string }
}

// publish publishes the draft of card.
func (p *process) publish(over string) (status int, v publishedSeen) {
	p.tb.Helper()
	status = p.send(http.MethodPost, "/templates/card/publish", map[string]any{"over": over, "author": "Ada"}, &v, "If-Match", strconv.FormatInt(p.draft().Revision, 10))
	return status, v
}

// put pushes a whole document over the newest version of card.
func (p *process) put(html string) publishedSeen {
	p.tb.Helper()
	var v publishedSeen
	if status := p.send(http.MethodPut, "/templates/card", html, &v, "If-Match", strconv.FormatInt(p.version(), 10)); status != 200 {
		p.tb.Fatalf("the push answers %d", status)
	}
	return v
}

// version is the number of the newest version of card.
func (p *process) version() int64 {
	p.tb.Helper()
	var v struct{ Template struct{ Version int64 } }
	p.get("/templates/card", &v)
	return v.Template.Version
}

type forecastSeen struct {
	Images, Reused, Unchanged, FailingRows int
	Bindings                               []struct {
		Name, Error string
		Images      int
		Failures    []struct{ Key, Code, Field string }
	}
}

func (p *process) forecast() (v forecastSeen) {
	p.tb.Helper()
	p.get("/templates/card/publish", &v)
	return v
}

// file is the text of the file of card.
func (s *site) file() string {
	s.tb.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "templates", "card.html"))
	if err != nil {
		s.tb.Fatal(err)
	}
	return string(text)
}

// folderIsRead waits until whatever happened to the folder has been seen.
func (s *site) folderIsRead(p *process) {
	s.tb.Helper()
	name := fmt.Sprint("marker", time.Now().UnixNano())
	s.write("templates/"+name+".html", cardTemplate)
	eventually(s.tb, "the folder is read", func() bool { return p.get("/templates/"+name, nil) == 200 })
}

func TestPublishingRendersJustWhatItChanges(t *testing.T) {
	s := newSite(t, catalogOfCards)
	const rows = 40
	s.write("rows.csv", csvRows(rows, "one"))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == rows })

	// A comment and a layer's name are in no picture.
	p.put(strings.Replace(cardTemplate, `<h1 id="title"`, `<!-- the name --><h1 p-name="Name" id="title"`, 1))
	// A style is in all of them; more than the guard lets through.
	p.edit("price", "now {{ price * 0.9 | currency }}")
	if f := p.forecast(); f.Images != rows || f.Unchanged != 0 || len(f.Bindings) != 1 || f.Bindings[0].Images != rows {
		t.Errorf("foreseen %+v, want %d images", f, rows)
	}
	if got := null.Count(); got != rows {
		t.Errorf("%d pictures were made, want %d: none for a comment, a name or a draft", got, rows)
	}
	if status, v := p.publish(""); status != 200 || v.Version.Version != 3 || !v.Changed || v.FileError != "" {
		t.Errorf("published: %d %+v", status, v)
	}
	eventually(t, "the images are new", func() bool { return null.Count() == 2*rows && p.ready("cards") == rows })
	if v := p.binding("cards"); v.Held.Changes != 0 {
		t.Errorf("the guard holds %d", v.Held.Changes)
	}
	if f := p.forecast(); f.Images != 0 || f.Unchanged != rows {
		t.Errorf("after it was published %+v is foreseen", f)
	}

	// Back at the version before, every picture is there already.
	if status := p.send(http.MethodPost, "/templates/card/versions/1/restore", map[string]any{}, nil); status != 200 {
		t.Fatalf("restore answers %d", status)
	}
	if f := p.forecast(); f.Images != 0 || f.Reused != rows {
		t.Errorf("for the version before %+v is foreseen", f)
	}
	if status, v := p.publish(""); status != 200 || v.Version.Version != 4 {
		t.Errorf("published: %d %+v", status, v)
	}
	eventually(t, "the images are those before", func() bool { return p.ready("cards") == rows && p.forecast().Unchanged == rows })
	if got := null.Count(); got != 2*rows {
		t.Errorf("%d pictures were made, want none for a version that was there before", got)
	}
	if s.file() != cardTemplate {
		t.Errorf("the file is\n%s", s.file())
	}
}

func TestForecastNamesTheRowsThatWouldFail(t *testing.T) {
	s := newSite(t, catalogOfCards)
	s.write("rows.csv", csvRows(3, "one"))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 3 })
	// The photo is no column of the rows.
	required := strings.Replace(cardTemplate, `"photo": { "type": "image" }`, `"photo": { "type": "image", "required": true }`, 1)
	d := p.put(required)
	eventually(t, "the rows fail", func() bool { return p.binding("cards").Failed == 3 })
	if status := p.send(http.MethodPost, "/templates/card/versions/1/restore", map[string]any{}, nil); status != 200 {
		t.Fatal("not restored")
	}
	if status, _ := p.publish(""); status != 200 {
		t.Fatal("not published")
	}
	eventually(t, "the images are back", func() bool { return p.ready("cards") == 3 })
	if status := p.send(http.MethodPost, fmt.Sprintf("/templates/card/versions/%d/restore", d.Version.Version), map[string]any{}, nil); status != 200 {
		t.Fatal("not restored")
	}
	f := p.forecast()
	if f.FailingRows != 3 || f.Images != 0 || len(f.Bindings[0].Failures) != 3 {
		t.Fatalf("foreseen %+v", f)
	}
	if first := f.Bindings[0].Failures[0]; first.Key != "SKU-000" || first.Code != "missing_variable" || first.Field != "variables.photo" {
		t.Errorf("the first failure is %+v", first)
	}
}

func TestForecastSaysThatABindingCouldNotWork(t *testing.T) {
	s := newSite(t, catalogOfCards)
	s.write("rows.csv", csvRows(1, "one"))
	s.write("templates/card.html", strings.ReplaceAll(strings.Replace(cardTemplate, `    "title": { "type": "text", "required": true, "example": "Mug" },`+"\n", "", 1), "{{ title }}", "Mug"))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	if f := p.forecast(); len(f.Bindings) != 1 || !strings.Contains(f.Bindings[0].Error, `no variable "title"`) {
		t.Errorf("foreseen %+v", f)
	}
}

func TestPublishedVersionIsWrittenToTheFolder(t *testing.T) {
	s := newSite(t, catalogOfCards)
	s.write("rows.csv", csvRows(1, "one"))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	p.edit("title", "Hi {{ title }}")
	if status, v := p.publish(""); status != 200 || v.FileError != "" {
		t.Fatalf("published: %d %+v", status, v)
	}
	want := strings.Replace(cardTemplate, ">{{ title }}<", ">Hi {{ title }}<", 1)
	if s.file() != want {
		t.Errorf("the file is\n%s", s.file())
	}
	s.folderIsRead(p)
	if v := p.version(); v != 2 {
		t.Errorf("the version that was written came back as version %d", v)
	}
	// A template that was made over the API has its file as well.
	if status := p.send(http.MethodPost, "/templates", map[string]any{"name": "badge", "html": cardTemplate}, nil); status != 201 {
		t.Errorf("made: %d", status)
	}
	if text, err := os.ReadFile(filepath.Join(s.dir, "templates", "badge.html")); err != nil || string(text) != cardTemplate {
		t.Errorf("its file is %s, %v", text, err)
	}
	// What is saved there afterwards is a version.
	s.write("templates/card.html", cardTemplate)
	eventually(t, "the file is version 3", func() bool { return p.version() == 3 })
}

// Two elements with one id compile, but operations and sizes would hit the wrong one.
func TestWhatLintForbidsIsNoVersion(t *testing.T) {
	s := newSite(t, "")
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	twice := strings.Replace(cardTemplate, `<p id="price"`, `<p id="title"`, 1)
	var v publishedSeen
	if status := p.send(http.MethodPut, "/templates/card", twice, &v, "If-Match", "1"); status != 422 || v.Code != "duplicate_id" {
		t.Errorf("pushed: %d %+v", status, v)
	}
	// Copies of a placed layer cover each other.
	if status, v := p.patch(1, "Ada", `[{"op":"set_binding","id":"price","target":"for","expr":"n in [1, 2]"}]`); status != 200 {
		t.Fatalf("the edit: %d %+v", status, v)
	}
	if status, v := p.publish(""); status != 422 || v.Code != "loop_outside_stack" {
		t.Errorf("published: %d %+v", status, v)
	}
	s.write("templates/card.html", twice)
	eventually(t, "the file is refused", func() bool { return d.templates.problem("card") != nil })
	if v := p.version(); v != 1 {
		t.Errorf("the newest version is %d", v)
	}
}

// Where a value decides which asset is shown, every asset of the folder belongs
// to the file, and none to a version that came without.
func TestAssetsOfOtherTemplatesMakeNoVersionOfOneThatWasWritten(t *testing.T) {
	s := newSite(t, "")
	s.write("templates/assets/brand/logo.gif", pixel)
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	if status := p.send(http.MethodPost, "/templates", map[string]any{"name": "badge", "html": cardTemplate}, nil); status != 201 {
		t.Fatalf("made: %d", status)
	}
	s.folderIsRead(p)
	if v := p.text("/templates/badge"); !strings.Contains(v, `"version":1,`) {
		t.Errorf("the template is %s", v)
	}
}

func TestFolderThatMayNotBeWrittenIsNot(t *testing.T) {
	s := newSite(t, catalogOfCards)
	config, err := os.ReadFile(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("pictifyd.yaml", strings.Replace(string(config), "templates: templates\n", "templates: { path: templates, write: false }\n", 1))
	s.write("rows.csv", csvRows(1, "one"))
	p := s.start()
	p.edit("title", "Hi {{ title }}")
	if status, v := p.publish(""); status != 200 || v.FileError != "" {
		t.Fatalf("published: %d %+v", status, v)
	}
	s.folderIsRead(p)
	p.terminate()
	p = s.start()
	s.folderIsRead(p)
	if v := p.version(); v != 2 || s.file() != cardTemplate {
		t.Errorf("after a restart the newest version is %d, and the file\n%s", v, s.file())
	}
}

func TestFolderThatCouldNotBeWrittenIsBroughtUpToDateLater(t *testing.T) {
	s := newSite(t, catalogOfCards)
	s.write("rows.csv", csvRows(1, "one"))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	inTheWay := filepath.Join(s.dir, "templates", ".pictifyd-card.html")
	if err := os.Mkdir(inTheWay, 0o755); err != nil {
		t.Fatal(err)
	}
	p.edit("title", "Hi {{ title }}")
	if status, v := p.publish(""); status != 200 || v.Version.Version != 2 || v.FileError == "" || s.file() != cardTemplate {
		t.Fatalf("published: %d %+v", status, v)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	s.folderIsRead(p)
	eventually(t, "the file is the version", func() bool { return strings.Contains(s.file(), "Hi {{ title }}") })
	if v := p.version(); v != 2 {
		t.Errorf("the newest version is %d", v)
	}
}

func TestFileThatChangedUnderTheDraftIsNotOverwrittenUnseen(t *testing.T) {
	s := newSite(t, catalogOfCards)
	s.write("rows.csv", csvRows(1, "one"))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	p.edit("title", "Hi {{ title }}")

	// Saved a moment ago, and most likely not noticed yet.
	theirs := strings.Replace(cardTemplate, "700 32px", "700 40px", 1)
	s.write("templates/card.html", theirs)
	status, v := p.publish("")
	if status != 409 || v.Code != "version_moved" || v.Texts.Theirs != theirs || !strings.Contains(v.Texts.Yours, "Hi {{ title }}") {
		t.Fatalf("published: %d %+v", status, v)
	}
	if s.file() != theirs || p.version() != 2 {
		t.Errorf("version %d, and the file is\n%s", p.version(), s.file())
	}
	status, v = p.publish(v.Texts.Digest)
	if status != 200 || v.Version.Version != 3 || !strings.Contains(s.file(), "Hi {{ title }}") || strings.Contains(s.file(), "40px") {
		t.Errorf("published over it: %d %+v\n%s", status, v, s.file())
	}
}

func TestBrokenFileIsNotOverwrittenUnseen(t *testing.T) {
	s := newSite(t, catalogOfCards)
	s.write("rows.csv", csvRows(1, "one"))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	p.edit("title", "Hi {{ title }}")
	broken := strings.Replace(cardTemplate, "{{ title }}", "{{ title", 1)
	s.write("templates/card.html", broken)
	status, v := p.publish("")
	if status != 409 || v.Code != "version_moved" || v.Texts.Theirs != broken {
		t.Fatalf("published: %d %+v", status, v)
	}
	if status := p.send(http.MethodPut, "/templates/card", cardTemplate, nil, "If-Match", "1"); status != 409 {
		t.Errorf("pushed: %d", status)
	}
	if status, v = p.publish(v.Texts.Digest); status != 200 || v.Version.Version != 2 || !strings.Contains(s.file(), "Hi {{ title }}") {
		t.Errorf("published over it: %d %+v\n%s", status, v, s.file())
	}
}

// The process dies between the commit of a version and the writing of its file,
// and between that and remembering it. The older file is no newer version.
func TestPublishingSurvivesKillAt(t *testing.T) {
	for _, point := range []string{"template.published", "template.written"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, catalogOfCards)
			s.write("rows.csv", csvRows(5, "one"))
			p := s.start(childCrash + "=" + point + ":1")
			eventually(t, "the images", func() bool { return p.ready("cards") == 5 })
			before := etag(t, p.url+"/b/cards/SKU-001.png")
			p.edit("title", "Hi {{ title }}")
			if status, _ := p.publish(""); status != 0 {
				t.Errorf("the publication was answered with %d", status)
			}
			p.mustDie(point)
			if written := s.file() != cardTemplate; written != (point == "template.written") {
				t.Errorf("the file was written: %v", written)
			}

			p = s.start()
			eventually(t, "the images are of the version", func() bool {
				return p.ready("cards") == 5 && etag(t, p.url+"/b/cards/SKU-001.png") != before
			})
			s.folderIsRead(p)
			if v := p.version(); v != 2 {
				t.Errorf("the newest version is %d, want 2", v)
			}
			if !strings.Contains(s.file(), "Hi {{ title }}") {
				t.Errorf("the file is not brought up to date:\n%s", s.file())
			}
			if d := p.draft(); d.Open || d.Base != 2 {
				t.Errorf("the draft is %+v", d)
			}
		})
	}
}

func TestForecastOfManyRowsIsQuick(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("ten thousand rows")
	}
	const rows = 10000
	s := newSite(t, catalogOfCards)
	s.write("rows.csv", csvRows(rows, "one"))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == rows })
	p.edit("title", "Hi {{ title }}")
	began := time.Now()
	f := p.forecast()
	t.Logf("%d rows were counted in %s", rows, time.Since(began))
	if f.Images != rows || time.Since(began) > 5*time.Second {
		t.Errorf("foreseen %+v in %s", f, time.Since(began))
	}
}
