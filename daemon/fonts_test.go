package daemon

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestFontOfADraftIsOneStep(t *testing.T) {
	data, err := os.ReadFile("../template/starter/templates/assets/fonts/inter-latin.woff2")
	if err != nil {
		t.Fatal(err)
	}
	url, _ := newSite(t, "").run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	status, body := p.ask(http.MethodPost, "/templates/card/draft/fonts?author=Ada", string(data), "If-Match", `"1"`, "Content-Type", "application/octet-stream")
	if status != http.StatusOK || !strings.Contains(body, `"family":"Inter`) || !strings.Contains(body, `"revision":2`) {
		t.Fatalf("the font: %d %.500s", status, body)
	}
	if d := p.draft(); !strings.Contains(d.HTML, "@font-face { font-family: \"Inter") || !strings.Contains(d.HTML, "font-display: block") {
		t.Errorf("the draft is %.600s", d.HTML)
	}
	if status, body := p.ask(http.MethodGet, "/fonts?template=card", ""); status != http.StatusOK || !strings.Contains(body, `"origin":"template"`) {
		t.Errorf("the families: %d %.300s", status, body)
	}
	if status, _ := p.ask(http.MethodPost, "/templates/card/draft/undo", `{"author":"Ada"}`, "Content-Type", "application/json"); status != http.StatusOK {
		t.Fatalf("undo: %d", status)
	}
	if d := p.draft(); d.HTML != cardTemplate {
		t.Error("undone, the document is not what it was")
	}
}

func TestFamiliesAreReadFromTheList(t *testing.T) {
	got := familiesOf([]byte("B Sans\tBold\t200\t0\t/none.ttf\t0\nB Sans\tRegular\t80\t0\t/none.ttf\t0\nA\tItalic\t[0 210]\t100\t/none.ttf\t65536\nbroken\n"))
	if len(got) != 2 || got[0].Family != "A" || got[0].Styles[0].Weight != "100 900" || !got[0].Styles[0].Italic || len(got[1].Styles) != 2 || got[1].Styles[0].Weight != "400" || got[1].Styles[1].Weight != "700" {
		t.Errorf("read as %+v", got)
	}
}
