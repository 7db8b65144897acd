package chrome

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image/color"
	"maps"
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
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/layout"
)

// rowDeadline is for any hostile row, the longest too; it is that of the pool.
const rowDeadline = 30 * time.Second

var clock = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

// everywhere is a template with a variable in every context that there is: those
// of the starters take no text in their styles.
const everywhere = `<!doctype html><html lang="{{ a }}"><head><meta charset="utf-8"><title>{{ a }} b</title>
<script type="application/json" id="p-template">{ "vars": {
	"a": {}, "b": {}, "c": {}, "d": {}, "e": {}, "f": {}, "g": {}, "h": {}, "i": {}, "j": {}, "k": {}, "l": {}, "m": {}, "n": {}, "list": { "type": "array" } } }</script>
<style>:root { --a: {{ b }}; } p { background: {{ c }}; width: {{ d }}px; margin: 1px {{ e }} 2px/{{ e }} } p::before { content: "{{ f }}" '{{ f }}' } @media screen { b { color: {{ g }} } }</style>
<style>em { background: url({{ h }}) }</style></head>
<body class="x {{ a }}"><section class="p-page" id="card"><p id="text" title="{{ i }}" data-x='{{ i }}{{ j }}' style="color: {{ c }}; font-family: '{{ f }}', &quot;{{ f }}&quot;" p-style-border-color="g" p-attr-aria-label="j">{{ i }}<b>{{ j }}</b></p>
<img id="picture" src="{{ k }}" alt="{{ i }}"><a href="{{ l }}">{{ l }}</a><em style="mask: url('{{ h }}')">x</em><img alt="" p-src="{{ m }}" p-fallback="{{ k }}"><img alt="" src="https://photos.test/{{ n }}/b?q={{ n }}">
<svg viewBox="0 0 9 9"><title>{{ i }}</title><rect width="9" height="9" fill="{{ g }}"/><text font-family="{{ f }}">{{ j }}</text><image href="{{ m }}"/><use href="#{{ n }}"/></svg>
<textarea>{{ j }}</textarea><select><option value="{{ i }}">{{ j }}</option></select><table><tr><td p-for="item in list" title="{{ item.x }}" style="color: {{ item.c }}">{{ item.x }}{{ item.y[0] }}</td></tr></table>
<i p-qr="{{ a }}"></i>{{#if a}}<u>{{ a }}</u>{{/if}}</section></body></html>`

var everywhereRow = map[string]any{
	"a": "a", "b": "b", "c": "red", "d": "9", "e": "2px", "f": "f", "g": "blue", "h": "https://photos.test/h.png", "i": "i", "j": "j",
	"k": "https://photos.test/k.png", "l": "https://photos.test/l", "m": "https://photos.test/m.png", "n": "n",
	"list": []any{map[string]any{"x": "x", "c": "red", "y": []any{"y"}}},
	"modifications": []any{
		map[string]any{"name": "text", "text": "t"}, map[string]any{"name": "text", "color": "red"},
		map[string]any{"name": "picture", "src": "https://photos.test/p.png"},
	},
}

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
	tpl, err := template.Parse("everywhere", []byte(everywhere), nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(all, specimen{tpl, []map[string]any{everywhereRow, without(everywhereRow, "modifications")}})
}

func without(row map[string]any, name string) map[string]any {
	out := maps.Clone(row)
	delete(out, name)
	return out
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

// campaignShare: in a short campaign a starter gets each twelfth of the payloads, which
// are others for each; the template with a variable in every place gets all.
const campaignShare = 12

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
	if campaign.Leaves(t) {
		t.Skip("draws every template with every payload: runs in the pass without -short")
	}
	files := rendertest.Files{}
	all := specimens(t, files)
	s := newStage(t, files)
	began := time.Now()
	for number, one := range all {
		t.Run(one.Name(), func(t *testing.T) {
			taken := 0 // payloads that some variable has room for
			for _, p := range payloads {
				if len(p.text) > 500_000 && one.Name() == "everywhere" { // many times in one page; the starters have it
					continue
				}
				tries := attempts(t, one.Template, one.rows[0], p.text)
				if len(tries) == 0 {
					continue
				}
				taken++
				if one.Name() != "everywhere" && !campaign.Takes(number+taken, campaignShare) { // each template has others
					continue
				}
				for _, a := range tries {
					s.show(t, one.Template, a, template.View{}, p.name)
				}
			}
			for i, row := range one.rows[1:] {
				if !campaign.Takes(number+i, campaignShare) {
					continue
				}
				for _, a := range attempts(t, one.Template, row, polyglot) {
					s.show(t, one.Template, a, template.View{}, "polyglot")
				}
			}
			for _, a := range attempts(t, one.Template, one.rows[0], polyglot) {
				for i, v := range views(t, one.Template, a.hostile) {
					if !campaign.Takes(number+i, campaignShare) {
						continue
					}
					s.show(t, one.Template, a, v, "polyglot")
				}
			}
			if taken < len(payloads)/10 {
				t.Errorf("it takes %d of %d payloads only", taken, len(payloads))
			}
			t.Logf("it takes %d of %d payloads", taken, len(payloads))
		})
	}
	if f := s.open.open(t, "<!doctype html><p>x", nil); len(f.heard) > 0 {
		t.Errorf("late, a page asked for %.200q", f.heard)
	}
	if len(all) < 15 {
		t.Errorf("there are only %d templates", len(all))
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
	for n := 2; n <= min(page.Pages(values), 4); n++ {
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
	drawn := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := s.pool.Render(t.Context(), hostile)
		drawn <- err
	}()
	long := len(hostile.HTML) > 1<<20 // in the open that would take long, and say no more
	var f found
	if !long {
		f = s.open.open(t, hostile.HTML, hostile.Assets)
		s.opened++
	}
	s.judge(t, <-drawn, time.Since(began), what)
	if long {
		return
	}
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

// judge looks at what the pool made of a row.
func (s *stage) judge(t *testing.T, err error, took time.Duration, what string) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %.300v", what, err)
		return
	}
	s.drawn++
	s.took = max(s.took, took)
	if got := mainWorlds(t, s.pool, `w => w.document.documentElement.hasAttribute("data-pwned")`); got != "false" {
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
