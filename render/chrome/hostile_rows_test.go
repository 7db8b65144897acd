package chrome

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image/color"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/layout"
)

// rowDeadline is for any hostile row, the longest too; it is that of the pool.
const rowDeadline = 30 * time.Second

var clock = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// A specimen is a template of this repository with its sample rows.
type specimen struct {
	*template.Template
	rows []map[string]any
}

// specimens are all of them; their files go into files.
func specimens(t *testing.T, files rendertest.Files) (all []specimen) {
	t.Helper()
	folders, err := filepath.Glob("../../examples/*/templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range append(folders, "../../template/starter/templates") {
		fsys := os.DirFS(folder)
		names, err := template.List(fsys)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			src, own, err := template.Load(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			tpl, err := template.Parse(name, src, keep(files, own))
			if err != nil {
				t.Fatal(err)
			}
			rows, err := template.LoadRows(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				rows = []map[string]any{tpl.Examples()}
			}
			all = append(all, specimen{tpl, rows})
		}
	}
	return all
}

func keep(files rendertest.Files, own map[string][]byte) map[string]string {
	digests := map[string]string{}
	for name, data := range own {
		sum := sha256.Sum256(data)
		digests[name] = hex.EncodeToString(sum[:])
		contentType := mime.TypeByExtension(path.Ext(name))
		if contentType == "" {
			contentType = http.DetectContentType(data)
		}
		files[digests[name]] = rendertest.File{ContentType: contentType, Bytes: data}
	}
	return digests
}

// A stage is where hostile rows are shown: in the pool, as any row, and in the
// open, where nothing but their own text keeps them quiet.
type stage struct {
	pool   *Pool
	open   *openTab
	clean  map[string]bool // structures of harmless documents, by template and view
	drawn  int
	opened int
	took   time.Duration // of the slowest row
}

const anyPicture = "any picture"

func newStage(t *testing.T, files rendertest.Files) *stage {
	t.Helper()
	files[anyPicture] = rendertest.File{ContentType: "image/png", Bytes: rendertest.PNG(t, 40, 30, color.RGBA{40, 90, 200, 255})}
	pool := newPool(t, files, withTabs(1), withDeadline(rowDeadline), quietly)
	return &stage{pool: pool, open: newOpenTab(t, pool, files), clean: map[string]bool{}}
}

// Whatever a row says, the page of any template runs nothing, asks for nothing, is
// built as it always is, and is drawn in time.
func TestHostileRowsAreInertInEveryTemplate(t *testing.T) {
	if testing.Short() {
		t.Skip("draws every template with every payload: runs in the pass without -short")
	}
	files := rendertest.Files{}
	all := specimens(t, files)
	s := newStage(t, files)
	began := time.Now()
	for _, one := range all {
		t.Run(one.Name(), func(t *testing.T) {
			for _, p := range payloads {
				for _, a := range attempts(t, one.Template, one.rows[0], p.text) {
					s.show(t, one.Template, a, template.View{}, p.name)
				}
			}
			for _, row := range one.rows[1:] {
				for _, a := range attempts(t, one.Template, row, polyglot) {
					s.show(t, one.Template, a, template.View{}, "polyglot")
				}
			}
			for _, a := range attempts(t, one.Template, one.rows[0], polyglot) {
				for _, v := range views(t, one.Template, a.hostile) {
					s.show(t, one.Template, a, v, "polyglot")
				}
			}
		})
	}
	if f := s.open.open(t, "<!doctype html><p>x", nil); len(f.heard) > 0 {
		t.Errorf("late, a page asked for %.200q", f.heard)
	}
	if len(all) < 3 || s.drawn < len(all)*10 {
		t.Errorf("%d templates, %d pictures: that is not all", len(all), s.drawn)
	}
	t.Logf("%d templates, %d pictures, %d pages in the open in %v; the slowest row took %v", len(all), s.drawn, s.opened, time.Since(began), s.took)
}

// views are the sizes in every theme, and the pages, but for the first.
func views(t *testing.T, tpl *template.Template, row map[string]any) (all []template.View) {
	t.Helper()
	for _, size := range tpl.Sizes() {
		for _, theme := range append([]string{""}, tpl.Themes()...) {
			all = append(all, template.View{Size: size.Name, Theme: theme})
		}
	}
	values, page := resolved(t, tpl, row, template.View{})
	for n := 2; n <= min(page.Pages(values), 12); n++ {
		all = append(all, template.View{Page: n})
	}
	return all[1:]
}

func resolved(t *testing.T, tpl *template.Template, row map[string]any, v template.View) (template.Values, *template.Page) {
	t.Helper()
	values, err := tpl.ResolveIn(row, expr.Env{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	page, err := tpl.Page(v)
	if err != nil {
		t.Fatal(err)
	}
	return values, page
}

func (s *stage) show(t *testing.T, tpl *template.Template, a attempt, v template.View, name string) {
	t.Helper()
	what := fmt.Sprintf("%s: %s in %v, view %+v", tpl.Name(), name, a.spots, v)
	hostile := request(t, tpl, a.hostile, v)
	s.draw(t, hostile, what)
	if len(hostile.HTML) > 1<<20 {
		return // nothing but long
	}
	f := s.open.open(t, hostile.HTML, hostile.Assets)
	s.opened++
	if f.Pwned {
		t.Errorf("%s ran", what)
	}
	if len(f.heard) > 0 {
		t.Errorf("%s asked for %.200q", what, f.heard)
	}
	s.compare(t, tpl, a, v, f.Structure, what)
}

// compare holds a structure against those that the same view of the template had
// with harmless values.
func (s *stage) compare(t *testing.T, tpl *template.Template, a attempt, v template.View, got, what string) {
	t.Helper()
	of := fmt.Sprintf("%s %+v ", tpl.Name(), v)
	if s.clean[of+got] {
		return
	}
	plain := request(t, tpl, a.harmless, v)
	want := s.open.open(t, plain.HTML, plain.Assets).Structure
	s.clean[of+want] = true
	s.opened++
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is built in another way (-harmless +hostile):\n%.2000s", what, diff)
	}
}

// draw makes the picture of a row in the pool.
func (s *stage) draw(t *testing.T, r render.Request, what string) {
	t.Helper()
	began := time.Now()
	if _, err := s.pool.Render(t.Context(), r); err != nil {
		t.Errorf("%s: %.300v", what, err)
		return
	}
	s.drawn++
	s.took = max(s.took, time.Since(began))
	if got := mainWorld(t, s.pool, `document.documentElement.hasAttribute("data-pwned")`); got != "false" {
		t.Errorf("%s ran in the pool", what)
	}
}

// request is the row as the daemon would have it drawn; remote files are there.
func request(t *testing.T, tpl *template.Template, row map[string]any, v template.View) render.Request {
	t.Helper()
	values, page := resolved(t, tpl, row, v)
	doc := page.Fill(values)
	r := render.Request{Page: page.Digest, HTML: doc.HTML, Width: doc.Width, Height: doc.Height, Format: render.JPEG, Quality: 40}
	if page.Layout {
		r.Layout = layout.Script
	}
	for _, a := range doc.Assets {
		r.Assets = append(r.Assets, render.Asset{Path: a.Path, Digest: a.Digest})
	}
	for _, remote := range doc.Remote {
		if !slices.ContainsFunc(r.Assets, func(a render.Asset) bool { return a.Path == remote.Path }) {
			r.Assets = append(r.Assets, render.Asset{Path: remote.Path, Digest: anyPicture})
		}
	}
	return r
}
