package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/template/starter"
)

func TestTemplateBeginsAsAStarter(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	out := post("/templates", `{"name":"words","from":"quote","author":"Ada"}`).to(t, s)
	if out.Code != http.StatusCreated {
		t.Fatalf("status %d: %s", out.Code, out.Body)
	}
	push := w.pushed[0]
	if push.Name != "words" || push.Author != "Ada" || push.IfNumber != 0 || !strings.Contains(string(push.Source), `"name": "words"`) {
		t.Errorf("pushed %s by %q over %d:\n%.300s", push.Name, push.Author, push.IfNumber, push.Source)
	}
	fonts := 0
	for path := range push.Assets {
		if !strings.HasPrefix(path, "assets/") {
			t.Errorf("%s is pushed as an asset", path)
		}
		if strings.HasSuffix(path, ".woff2") {
			fonts++
		}
	}
	if fonts == 0 {
		t.Error("its fonts are not pushed")
	}
}

func TestStartersAreListed(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	got := mustAnswer[struct{ Starters []starter.Starter }](t, get("/starters").to(t, s), 200)
	if len(got.Starters) == 0 || got.Starters[0].Summary == "" || len(got.Starters[0].Sizes) == 0 {
		t.Errorf("starters %+v", got.Starters)
	}
}

func TestStarterThatCannotBeIsRefused(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for body, want := range map[string]string{
		`{"name":"words","from":"quoet"}`:              `did you mean \"quote\"?`,
		`{"name":"words","from":"quote","html":"<p>"}`: "not both",
		`{"name":"../words","from":"quote"}`:           "cannot be the name",
		`{"from":"quote"}`:                             "cannot be the name",
	} {
		out := post("/templates", body).to(t, s)
		if out.Code < 400 || out.Code > 499 || !strings.Contains(out.Body.String(), want) {
			t.Errorf("%s: status %d, want %q in %s", body, out.Code, want, out.Body)
		}
	}
}
