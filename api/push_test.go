package api

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// packed is a ZIP of pairs of a path and its content.
func packed(tb testing.TB, pairs ...string) string {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		f, err := w.Create(pairs[i])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := f.Write([]byte(pairs[i+1])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// put is a document for a template.
func put(name, kind, body string) call {
	return call{method: http.MethodPut, path: "/templates/" + name, body: body, header: map[string]string{"Content-Type": kind}}
}

func TestPushedDocumentIsThePublishersToJudge(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	type published struct{ Version versionView }
	archive := packed(t, "badge.html", "<p>zip", "assets/", "", "assets/a b.png", "picture", "assets/fonts/x.woff2", "font")
	mustAnswer[published](t, put("badge", "text/html; charset=utf-8", "<p>html").with("If-Match", `"2"`).to(t, s), 200)
	mustAnswer[published](t, put("badge", "application/zip", archive).with("If-Match", `"3"`).to(t, s), 200)
	out := put("label", "application/json", `{"html":"<p>json","author":"Bob"}`).with("If-None-Match", "*").to(t, s)
	mustAnswer[published](t, out, 201)
	if out.Header().Get("Location") != "/templates/label" || out.Header().Get("ETag") != `"1"` {
		t.Errorf("headers %v", out.Header())
	}
	mustAnswer[published](t, post("/templates", `{"name":"stamp","html":"<p>post"}`).to(t, s), 201)
	named := post("/templates?name=ticket&author=Ada", "<p>query").with("Content-Type", "text/html")
	mustAnswer[published](t, named.to(t, s), 201)
	want := []draft.Push{
		{Name: "badge", IfNumber: 2, Source: []byte("<p>html"), Author: "api"},
		{Name: "badge", IfNumber: 3, Source: []byte("<p>zip"), Author: "api",
			Assets: map[string][]byte{"assets/a b.png": []byte("picture"), "assets/fonts/x.woff2": []byte("font")}},
		{Name: "label", Source: []byte("<p>json"), Author: "Bob"},
		{Name: "stamp", Source: []byte("<p>post"), Author: "api"},
		{Name: "ticket", Source: []byte("<p>query"), Author: "Ada"},
	}
	if diff := cmp.Diff(want, w.pushed); diff != "" {
		t.Errorf("pushed (-want +got):\n%s", diff)
	}
}

func TestPushThatIsNoTemplateIsRefused(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	archive := func(pairs ...string) call {
		return put("badge", "application/zip", packed(t, pairs...)).with("If-Match", `"1"`)
	}
	bomb := packed(t, "badge.html", strings.Repeat("x", draft.MaxDocument+1))
	for name, c := range map[string]struct {
		call   call
		status int
		slug   string
	}{
		"no precondition":        {put("badge", "text/html", "<p>"), 428, "if_match_missing"},
		"no type":                {put("badge", "", "<p>").with("If-Match", `"1"`), 415, "unsupported"},
		"no ZIP":                 {put("badge", "application/zip", "PK").with("If-Match", `"1"`), 400, "bad_archive"},
		"no document":            {archive("assets/a.png", "x"), 400, "bad_archive"},
		"two documents":          {archive("a.html", "x", "b.html", "y"), 400, "bad_archive"},
		"a file elsewhere":       {archive("a.html", "x", "readme.txt", "y"), 400, "bad_archive"},
		"a path out of it":       {archive("a.html", "x", "assets/../../etc/passwd", "y"), 400, "bad_archive"},
		"a hidden file":          {archive("a.html", "x", "assets/.pictifyd-a.png", "y"), 400, "bad_archive"},
		"a document in a folder": {archive("sub/a.html", "x"), 400, "bad_archive"},
		"a bomb":                 {put("badge", "application/zip", bomb).with("If-Match", `"1"`), 413, "too_large"},
		"too large a text":       {put("badge", "text/html", strings.Repeat("x", draft.MaxDocument+1)).with("If-Match", `"1"`), 413, "too_large"},
		"a taken word":           {post("/templates", `{"name":"batch","html":"<p>"}`), 422, "bad_name"},
		"a name with a slash":    {post("/templates", `{"name":"../x","html":"<p>"}`), 422, "bad_name"},
		"no name":                {post("/templates", `{"html":"<p>"}`), 422, "bad_name"},
		"a hidden name":          {put(".x", "text/html", "<p>").with("If-None-Match", "*"), 422, "bad_name"},
		"an unknown key":         {post("/templates", `{"nam":"x","html":"<p>"}`), 400, "malformed_body"},
	} {
		t.Run(name, func(t *testing.T) { mustProblem(t, c.call.to(t, s), c.status, c.slug) })
	}
	if len(w.pushed) != 0 {
		t.Errorf("pushed was %+v", w.pushed)
	}
}

func TestArchiveHoldsTheTemplateAndItsAssets(t *testing.T) {
	w := newWorld()
	picture := w.put("cards", "SKU-1", "card", "png", []byte("picture"))
	w.templates["badge"] = template.Version{Name: "badge", Number: 2, Source: []byte("<p>badge"), Assets: map[string]string{"assets/sub/a.png": picture}}
	s := mustServer(t, open(), w)
	out := get("/templates/badge/archive.zip").to(t, s)
	if out.Code != 200 || out.Header().Get("ETag") != `"2"` || !strings.Contains(out.Header().Get("Content-Disposition"), "badge.zip") {
		t.Fatalf("status %d, headers %v: %s", out.Code, out.Header(), out.Body)
	}
	got, err := draft.Unpack(out.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := draft.Push{Name: "badge", Source: []byte("<p>badge"), Assets: map[string][]byte{"assets/sub/a.png": []byte("picture")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unpacked (-want +got):\n%s", diff)
	}
	if again := get("/templates/badge/archive.zip").to(t, s); again.Body.String() != out.Body.String() {
		t.Error("the same version gives other bytes")
	}
	older := get("/templates/"+testTemplate+"/archive.zip?version=1").to(t, s)
	if got, err := draft.Unpack(older.Body.Bytes()); err != nil || !strings.Contains(string(got.Source), "version 1") {
		t.Errorf("the older version is %s, %v", got.Source, err)
	}
}
