package daemon

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A checkSeen is what the tests read of a check.
type checkSeen struct {
	Checked, Total, Pictures, Drawn, Reused int
	Complete                                bool
	Counts                                  struct{ OK, Errors, Clipped, Fallback, MissingImages, Skipped int }
	Findings                                []struct {
		At               int
		Code, Size, Name string
		Layer            string
	}
	Code string
}

func (p *process) check(body map[string]any) (v checkSeen) {
	p.tb.Helper()
	if status := p.send(http.MethodPost, "/templates/card/draft/check", body, &v); status != http.StatusOK {
		p.tb.Fatalf("check: %d %+v", status, v)
	}
	return v
}

func TestCheckOfRowsKeepsNothing(t *testing.T) {
	s := newSite(t, `
sources: { shop: { kind: static, key: sku, rows: [{ sku: 1, title: Mug, price: 3 }, { sku: 2, title: Mug, price: 3 }, { sku: 3, title: Cup }, { sku: 4, price: x }] } }
`)
	null := &rendertest.Null{}
	url, d := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the source is read", func() bool {
		n, err := d.store.CountRows(t.Context(), "shop")
		return err == nil && n == 4
	})
	v := p.check(map[string]any{"from": "source:shop"})
	if v.Checked != 4 || v.Pictures != 2 || v.Drawn != 2 || v.Counts.OK != 3 || v.Counts.Errors != 1 || v.Findings[0].Name != "4" {
		t.Errorf("the check is %+v", v)
	}
	for _, r := range null.Requests() {
		if !r.Dry || r.Urgent {
			t.Errorf("a check draws with dry %v, urgent %v", r.Dry, r.Urgent)
		}
	}
	for _, table := range []string{"renders", "jobs", "job_rows"} {
		if n := s.count(t, table); n != 0 {
			t.Errorf("%d %s are kept", n, table)
		}
	}
	p.send(http.MethodPost, "/templates/card/render", map[string]any{"variables": map[string]any{"title": "Cup"}}, nil)
	if v := p.check(map[string]any{"from": "source:shop"}); v.Drawn != 1 || v.Reused != 1 {
		t.Errorf("a picture that is made is drawn again for a check: %+v", v)
	}
}

func TestDraftIsDrawnWithItsBoxes(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}
	if status, done := p.patch(1, "Ada", `[{"op":"set_style","id":"title","property":"left","value":"100px"}]`); status != http.StatusOK {
		t.Fatalf("the edit: %d %+v", status, done)
	}
	var v struct {
		Revision, Version int64
		Width, Height     int
		Image             string
		Boxes             []struct {
			ID, Tag             string
			X, Y, Width, Height float64
		}
		Difference *struct {
			Agree, SameSize bool
			Share           float64
			Marks           string
		}
	}
	body := map[string]any{"variables": map[string]any{"title": "Mug"}, "against": "published"}
	if status := p.send(http.MethodPost, "/templates/card/draft/render", body, &v); status != http.StatusOK {
		t.Fatalf("the draft: %d", status)
	}
	if v.Revision != 2 || v.Version != 0 || v.Width != 400 || v.Height != 200 || !strings.HasPrefix(v.Image, "data:image/png;base64,") {
		t.Errorf("the picture is %d %d of %dx%d", v.Revision, v.Version, v.Width, v.Height)
	}
	var ids []string
	for _, box := range v.Boxes {
		ids = append(ids, box.ID)
		if box.ID == "title" && (box.X != 100 || box.Y != 20 || box.Width == 0) {
			t.Errorf("the title is at %+v", box)
		}
	}
	if got := strings.Join(ids, " "); got != "card photo title price" {
		t.Errorf("the boxes are of %s", got)
	}
	if d := v.Difference; d == nil || d.Agree || !d.SameSize || d.Share == 0 || d.Marks == "" {
		t.Errorf("a title that has moved differs by %+v", d)
	}
	v.Difference = nil
	body["version"] = "published"
	if p.send(http.MethodPost, "/templates/card/draft/render", body, &v); v.Difference == nil || !v.Difference.Agree || v.Version != 1 {
		t.Errorf("a version differs from itself by %+v", v.Difference)
	}
}

func TestClippedTextsOfRowsAreFound(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	s.write("templates/card.html", strings.Replace(cardTemplate, `id="title" style="`, `id="title" p-fit="none" style="width: 120px; height: 40px; `, 1))
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}
	v := p.check(map[string]any{"rows": []map[string]any{{"title": "Mug"}, {"title": strings.Repeat("A mug that is far too long ", 4)}}})
	if v.Counts.OK != 1 || v.Counts.Clipped != 1 || len(v.Findings) != 1 || v.Findings[0].At != 1 || v.Findings[0].Layer != "title" || v.Findings[0].Code != "text_clipped" {
		t.Errorf("the check is %+v", v)
	}
}
