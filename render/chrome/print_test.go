package chrome

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/layout"
	"github.com/pictifyd/pictifyd/template/starter"
)

// A starterSet is a starter template with its rows and files.
type starterSet struct {
	template *template.Template
	rows     []map[string]any
	files    rendertest.Files
}

func newStarter(tb testing.TB, name string) starterSet {
	tb.Helper()
	all, err := starter.Files(name)
	if err != nil {
		tb.Fatal(err)
	}
	set := starterSet{files: rendertest.Files{}}
	digests := map[string]string{}
	for path, content := range all {
		if strings.HasPrefix(path, "assets/") {
			sum := sha256.Sum256(content)
			digests[path] = hex.EncodeToString(sum[:])
			set.files[digests[path]] = rendertest.File{ContentType: typeOf(path), Bytes: content}
		}
	}
	if set.template, err = template.Parse(name, all[name+".html"], digests); err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(all[name+".rows.json"], &set.rows); err != nil {
		tb.Fatal(err)
	}
	return set
}

func typeOf(path string) string {
	return map[string]string{".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".woff2": "font/woff2"}[filepath.Ext(path)]
}

// request is a row of the starter in a view, with further values.
func (s starterSet) request(tb testing.TB, row map[string]any, v template.View, f render.Format) render.Request {
	tb.Helper()
	values, err := s.template.ResolveIn(row, expr.Env{Now: clock})
	if err != nil {
		tb.Fatal(err)
	}
	p, err := s.template.Page(v)
	if err != nil {
		tb.Fatal(err)
	}
	doc := p.Fill(values)
	r := render.Request{Page: p.Digest, HTML: doc.HTML, Width: doc.Width, Height: doc.Height, Format: f}
	if p.Layout {
		r.Layout = layout.Script
	}
	for _, sheet := range doc.Sheets {
		r.Sheets = append(r.Sheets, render.Sheet(sheet))
	}
	for _, a := range doc.Assets {
		r.Assets = append(r.Assets, render.Asset{Path: a.Path, Digest: a.Digest})
	}
	return r
}

// poppler runs a program of poppler-utils on a PDF.
func poppler(tb testing.TB, pdf []byte, program string, args ...string) string {
	tb.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal(err)
		}
		tb.Skipf("%s of poppler-utils is not installed", program)
	}
	file := filepath.Join(tb.TempDir(), "file.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		tb.Fatal(err)
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "FILE", file)
	}
	out, err := exec.CommandContext(tb.Context(), path, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v: %s", program, err, out)
	}
	return string(out)
}

// rasterised is a page of a PDF as a picture with so many dots per inch.
func rasterised(tb testing.TB, pdf []byte, page, dpi int) image.Image {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "page")
	number := fmt.Sprint(page)
	poppler(tb, pdf, "pdftoppm", "-png", "-singlefile", "-r", fmt.Sprint(dpi), "-f", number, "-l", number, "FILE", out)
	data, err := os.ReadFile(out + ".png")
	if err != nil {
		tb.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// finer is how many dots of a rasterised page lie in a pixel of its picture in each
// direction: rasterisers set edges to whole dots, each in its way.
const finer = 2

// apartness is the share of small squares in which a picture and the page that was
// rasterised finer differ by more than shades of edges.
func apartness(tb testing.TB, a, b image.Image) float64 {
	tb.Helper()
	const side = 4
	size, differ, squares := a.Bounds().Size(), 0, 0
	if b.Bounds().Size() != size.Mul(finer) {
		tb.Fatalf("the page is %v, the picture %v", b.Bounds().Size(), size)
	}
	for y := 0; y+side <= size.Y; y += side {
		for x := 0; x+side <= size.X; x += side {
			p, q := mean(a, x, y, side), mean(b, x*finer, y*finer, side*finer)
			squares++
			for i := range p {
				if d := p[i] - q[i]; d > 40 || d < -40 {
					differ++
					break
				}
			}
		}
	}
	return float64(differ) / float64(squares)
}

func mean(m image.Image, x, y, side int) (sum [3]int) {
	for dy := range side {
		for dx := range side {
			r, g, b, _ := m.At(x+dx, y+dy).RGBA()
			sum[0], sum[1], sum[2] = sum[0]+int(r>>8), sum[1]+int(g>>8), sum[2]+int(b>>8)
		}
	}
	for i := range sum {
		sum[i] /= side * side
	}
	return sum
}

// keepFile keeps a file for people to look at.
func keepFile(tb testing.TB, name string, data []byte) {
	tb.Helper()
	if dir := os.Getenv("PICTIFYD_TEST_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(tb.Name(), "/", "_")+name), data, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

// sheet is a request for a PDF of one page.
func sheet(width, height int, head, body string, assets ...render.Asset) render.Request {
	return render.Request{
		Page: "sheet", Width: width, Height: height, Format: render.PDF, Assets: assets,
		HTML: `<!doctype html><html lang="en"><head><meta charset="utf-8"><style>body{margin:0;font:16px "Noto Sans","Noto Sans Arabic","Noto Sans CJK JP","Noto Color Emoji"}</style>` +
			head + `</head><body>` + body + `</body></html>`,
	}
}

func TestAPDFLooksLikeThePicture(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("Chrome's work, and little of ours: runs in the pass without -short")
	}
	photo := rendertest.File{ContentType: "image/png", Bytes: rendertest.PNG(t, 60, 40, rgb(200, 30, 90))}
	pages := map[string]render.Request{
		"texts": sheet(600, 300, "", `<h1>A headline</h1><p>日本語の文章と、مرحبا بالعالم, नमस्ते, 👩‍👩‍👧‍👦🇩🇪</p><p style="transform:rotate(-4deg);width:300px">turned</p>`),
		"effects": sheet(600, 300, "", `<div style="margin:40px;width:200px;height:80px;border-radius:20px;background:conic-gradient(red,blue,red);box-shadow:0 10px 30px #0008"></div>`+
			`<img src="/photo.png" style="filter:grayscale(1);width:90px"><img src="/photo.png" style="mix-blend-mode:multiply;margin-left:-40px">`+
			`<b style="font-size:50px;background:linear-gradient(90deg,red,blue);background-clip:text;color:transparent">clipped</b>`+
			`<svg width="80" height="60"><defs><linearGradient id="g"><stop stop-color="red"/><stop offset="1" stop-color="lime"/></linearGradient></defs><rect width="80" height="60" fill="url(#g)"/></svg>`,
			render.Asset{Path: "/photo.png", Digest: "photo"}),
		"larger than itself": sheet(400, 200, `<style>html,body{width:400px;height:200px;overflow:hidden}</style>`,
			`<div style="position:absolute;left:300px;top:150px;width:5000px;height:5000px;background:#fc0"></div><div style="position:fixed;right:0;top:0;width:10vw;height:10vh;background:#00f"></div>`),
		"media": sheet(400, 200, `<style>@page{size:A4;margin:2cm} @media print{body{background:red}} @media screen and (width:400px){body{background:#9f9}}</style>`, "as on a screen"),
	}
	all := rendertest.Files{"photo": photo}
	for _, name := range []string{"invoice", "usage-report", "certificate", "event-ticket"} {
		set := newStarter(t, name)
		maps.Copy(all, set.files)
		for _, i := range []int{0, 3}[:map[bool]int{true: 1, false: 2}[name == "certificate"]] { // whose lines take long to rasterise
			pages[fmt.Sprintf("%s %d", name, i)] = set.request(t, set.rows[i], template.View{}, render.PDF)
		}
	}
	p := newPool(t, all, withTabs(1))
	for name, r := range pages {
		t.Run(name, func(t *testing.T) {
			out := mustRender(t, p, r)
			keepFile(t, ".pdf", out.Bytes)
			r.Format = render.PNG
			picture := mustRender(t, p, r)
			want, err := png.Decode(bytes.NewReader(picture.Bytes))
			if err != nil {
				t.Fatal(err)
			}
			if share := apartness(t, want, rasterised(t, out.Bytes, 1, 96*finer)); share > 0.005 {
				t.Errorf("%.2f %% of it differ", 100*share)
			} else {
				t.Logf("%.2f %% of it differ", 100*share)
			}
			if diff := cmp.Diff(picture.Layout, out.Layout); diff != "" {
				t.Errorf("the texts came out differently (-picture +pdf):\n%s", diff)
			}
		})
	}
}

func TestAPDFTellsOfAllItsPages(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	r := sheet(200, 100, "", "\uE000")
	r.Sheets = []render.Sheet{{HTML: strings.Replace(r.HTML, "\uE000", "\uE001", 1), Width: 200, Height: 100}}
	out := mustRender(t, p, r)
	if len(out.Warnings) != 2 || !strings.Contains(out.Warnings[0].Problem, "U+E000") || !strings.Contains(out.Warnings[1].Problem, "U+E001") {
		t.Errorf("got %+v", out.Warnings)
	}
}

func TestTextsOfAPDFCanBeSelected(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	words := []string{"Ärger über Größe", "日本語の文章", "office", "🦊"}
	out := mustRender(t, p, sheet(600, 200, "<title>Zoë’s page</title>", "<p>"+strings.Join(words, "<p>")))
	got := poppler(t, out.Bytes, "pdftotext", "FILE", "-")
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in %q", w, got)
		}
	}
	arabic := poppler(t, mustRender(t, p, sheet(600, 200, "", "<p dir=rtl>مرحبا بالعالم")).Bytes, "pdftotext", "FILE", "-")
	if !strings.Contains(arabic, "مرحبا") || !strings.Contains(arabic, "بالعالم") {
		t.Errorf("the Arabic text is %q", arabic)
	}
	fonts := strings.Split(strings.TrimSpace(poppler(t, out.Bytes, "pdffonts", "FILE")), "\n")[2:]
	if len(fonts) < 2 {
		t.Errorf("the fonts are %q", fonts)
	}
	embedded := regexp.MustCompile(` yes (yes|no ) yes +\d+ +\d+$`) // embedded, a subset or not, with what its characters mean
	for _, f := range fonts {
		if !embedded.MatchString(f) {
			t.Errorf("a font is not embedded: %s", f)
		}
	}
	info := poppler(t, out.Bytes, "pdfinfo", "FILE")
	for _, want := range []string{"Zoë’s page", "Tagged:          no", "Pages:           1", "Page size:       450 x 150 pts"} {
		if !strings.Contains(info, want) {
			t.Errorf("no %q in %s", want, info)
		}
	}
}

func TestLinksOfAPDFLeadOut(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	out := mustRender(t, p, sheet(600, 200, "", `<a href="https://example.com/a?b=1&amp;c=ü">one</a> <a href="mailto:a@example.com">two</a> `+
		`<a href="/inside">three</a> <a href="#here">four</a> <a href="javascript:alert(1)">five</a> <a href="file:///etc/passwd">six</a>`))
	got := poppler(t, out.Bytes, "pdfinfo", "-url", "FILE")
	for _, want := range []string{"https://example.com/a?b=1&c=%C3%BC", "mailto:a@example.com"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if n := strings.Count(got, "Annotation"); n != 2 || bytes.Contains(out.Bytes, []byte("localhost")) {
		t.Errorf("%d links: %s", n, got)
	}
}

func TestPagesOfAPDFComeFromTheRow(t *testing.T) {
	tpl, err := template.Parse("doc", []byte(`<!doctype html><html><head><script type="application/json" id="p-template">{"sizes": {"default": {"w": 400, "h": 300}, "tall": {"w": 200, "h": 500}}}</script></head>
<body><section class="p-page" style="background:#eef"><h1>Cover of {{ n }}</h1></section>
<section class="p-page" p-for="m in months" p-size="tall" style="background:#fee"><h1>{{ m }}</h1></section></body></html>`), nil)
	if err != nil {
		t.Fatal(err)
	}
	set := starterSet{template: tpl}
	months := make([]any, 2*maxSheets+3)
	for i := range months {
		months[i] = fmt.Sprintf("Month %d", i)
	}
	p := newPool(t, rendertest.Files{}, withTabs(1))
	out := mustRender(t, p, set.request(t, map[string]any{"n": len(months), "months": months}, template.View{Page: template.AllPages}, render.PDF))
	if out.Width != 400 || out.Height != 300 {
		t.Errorf("it is %dx%d", out.Width, out.Height)
	}
	info := poppler(t, out.Bytes, "pdfinfo", "-l", "99", "FILE")
	sizes := regexp.MustCompile(`Page +(\d+) size: +(.*) pts`).FindAllStringSubmatch(info, -1)
	if len(sizes) != len(months)+1 {
		t.Fatalf("%d pages: %s", len(sizes), info)
	}
	for i, size := range sizes {
		if want := map[bool]string{true: "300 x 225", false: "150 x 375"}[i == 0]; size[2] != want {
			t.Errorf("page %d is %s, want %s", i+1, size[2], want)
		}
	}
	pages := strings.Split(poppler(t, out.Bytes, "pdftotext", "FILE", "-"), "\f")
	for i := range months {
		if text := strings.TrimSpace(pages[i+1]); text != months[i] {
			t.Errorf("page %d says %q", i+2, text)
		}
	}
	if one := mustRender(t, p, set.request(t, map[string]any{"n": 1, "months": months[:1]}, template.View{Page: 2}, render.PDF)); poppler(t, one.Bytes, "pdftotext", "FILE", "-") != "Month 0\n\n\f" {
		t.Error("the view of page 2 is not page 2 alone")
	}
}

func TestPagesLieOnPaper(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	r := sheet(480, 960, `<style>body{background:linear-gradient(#00f,#f00);height:960px}</style>`, `<a href="https://example.com">x</a>`)
	inside := func(m image.Image, x, y int) bool {
		r, g, b, _ := m.At(x, y).RGBA()
		return r>>8 < 250 || g>>8 < 250 || b>>8 < 250
	}
	for name, tt := range map[string]struct {
		print         render.Print
		size          string // in points
		width, height int    // of the paper, with 96 dots to the inch
		left, top     int    // of the page
		right, bottom int
	}{
		"letter":       {render.Print{Paper: "letter"}, "612 x 792 pts (letter)", 816, 1056, 168, 48, 648, 1008},
		"on its side":  {render.Print{Paper: "letter", Landscape: true}, "792 x 612 pts (letter)", 1056, 816, 324, 0, 732, 816},
		"margins":      {render.Print{Paper: "letter", Margins: [4]float64{96, 48, 480, 48}}, "612 x 792 pts (letter)", 816, 1056, 288, 96, 528, 576},
		"its own size": {render.Print{Margins: [4]float64{10, 20, 30, 40}}, "405 x 750 pts", 540, 1000, 40, 10, 520, 970},
		"a4":           {render.Print{Paper: "a4"}, "595.276 x 841.89 pts (A4)", 794, 1123, 157, 81, 636, 1041},
	} {
		t.Run(name, func(t *testing.T) {
			r.Print = tt.print
			out := mustRender(t, p, r)
			keepFile(t, ".pdf", out.Bytes)
			if info := poppler(t, out.Bytes, "pdfinfo", "FILE"); !strings.Contains(info, tt.size) {
				t.Errorf("no %s in %s", tt.size, info)
			}
			m := rasterised(t, out.Bytes, 1, 96)
			if m.Bounds().Dx() != tt.width || m.Bounds().Dy() != tt.height {
				t.Fatalf("the paper is %v", m.Bounds())
			}
			for _, c := range []struct {
				x, y int
				want bool
			}{
				{tt.left + 2, tt.top + 2, true}, {tt.right - 2, tt.bottom - 2, true}, {tt.left - 3, tt.top + 9, false},
				{tt.left + 9, tt.top - 3, false}, {tt.right + 3, tt.top + 9, false}, {tt.left + 9, tt.bottom + 3, false},
			} {
				if c.x >= 0 && c.y >= 0 && c.x < tt.width && c.y < tt.height && inside(m, c.x, c.y) != c.want {
					t.Errorf("at %d, %d: the page is there: %t", c.x, c.y, !c.want)
				}
			}
		})
	}
}

// restless keeps Chromes although nothing goes through the pool.
func restless(c *Config, _ *Options) { c.Idle = 0 }

// printedTogether prints all requests in one tab at a time, as rows that wait do.
func printedTogether(t *testing.T, p *Pool, requests []render.Request) ([][]byte, []error) {
	t.Helper()
	s, err := openSession(t.Context(), p.places[0].browser.root, p.launcher.egress, sessionKey{pageKey: keyOf(requests[0])})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	files, faults := make([][]byte, len(requests)), make([]error, len(requests))
	if err := s.print(t.Context(), requests, func(i int, out render.Output, err error) { files[i], faults[i] = out.Bytes, err }); err != nil {
		t.Fatal(err)
	}
	if s.prints == separate {
		t.Error("the requests were printed one by one")
	}
	return files, faults
}

func TestRowsOfOnePrintDoNotSeeEachOther(t *testing.T) {
	font, err := os.ReadFile("../../template/starter/templates/assets/fonts/inter-latin.woff2")
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, rendertest.Files{"inter": {ContentType: "font/woff2", Bytes: font}}, withTabs(1), restless)
	colours := []string{"red", "lime", "blue", "#fa0"}
	names := []string{"Ada", "山田 花子", "ليلى", "Zoë 🦊"}
	requests := make([]render.Request, 60)
	for i := range requests {
		c, name := colours[i%4], names[i%4]
		requests[i] = sheet(300+i%3, 200, `<style>@font-face{font-family:Inter;src:url(/inter.woff2)} :root{--c:`+c+`} h1{color:var(--c);font-family:Inter} @page{size:99px}</style><title>`+name+`</title>`,
			fmt.Sprintf(`<h1 id="t">%s %d</h1><svg width="80" height="60"><defs><radialGradient id="g"><stop stop-color="%s"/><stop offset="1"/></radialGradient></defs><rect width="80" height="60" fill="url(#g)"/></svg><p style="box-shadow:0 0 9px %s">%s</p>`, name, i, c, c, strings.Repeat("x ", i%7)),
			render.Asset{Path: "/inter.woff2", Digest: "inter"})
		requests[i].Width = 300
	}
	comeOutAlone(t, p, requests)
	cards := make([]render.Request, 30)
	for i := range cards {
		cards[i] = openGraphCard(i, render.PDF)
	}
	comeOutAlone(t, p, cards)
}

// comeOutAlone checks some of requests, printed together, against the files that
// they make alone.
func comeOutAlone(t *testing.T, p *Pool, requests []render.Request) {
	t.Helper()
	files, faults := printedTogether(t, p, requests)
	for i, r := range requests {
		if faults[i] != nil {
			t.Fatal(faults[i])
		}
		if i%7 != 0 {
			continue
		}
		if alone := mustRender(t, p, r); !bytes.Equal(alone.Bytes, files[i]) {
			keepFile(t, "-together.pdf", files[i])
			keepFile(t, "-alone.pdf", alone.Bytes)
			t.Errorf("row %d comes out differently alone: %d bytes instead of %d", i, len(alone.Bytes), len(files[i]))
		}
	}
}

func TestARowOfAPrintFailsAlone(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), restless)
	requests := make([]render.Request, 5)
	for i := range requests {
		requests[i] = sheet(300, 200, "", fmt.Sprintf("row %d", i))
	}
	requests[1].HTML = strings.Replace(requests[1].HTML, "row 1", `<img src="/none.png">`, 1)
	requests[2].MaxBytes = 100
	requests[3].Sheets = []render.Sheet{{HTML: requests[1].HTML, Width: 10, Height: 10}}
	files, faults := printedTogether(t, p, requests)
	for i, want := range []string{"", "could not load /none.png", "more than its limit of 100", "could not load /none.png", ""} {
		switch {
		case want == "" && (faults[i] != nil || poppler(t, files[i], "pdftotext", "FILE", "-") != fmt.Sprintf("row %d\n\n\f", i)):
			t.Errorf("row %d: %v", i, faults[i])
		case want != "" && (faults[i] == nil || !strings.Contains(faults[i].Error(), want) || !retry.IsPermanent(faults[i])):
			t.Errorf("row %d: got %v, want %s", i, faults[i], want)
		}
	}
}

func TestTheSameRowIsTheSamePDF(t *testing.T) {
	set := newStarter(t, "invoice")
	var first [][]byte
	for range 2 {
		p := newPool(t, set.files, withTabs(2))
		files := make([][]byte, len(set.rows))
		var group sync.WaitGroup
		for i, row := range set.rows {
			group.Go(func() {
				out, err := p.Render(t.Context(), set.request(t, row, template.View{Page: template.AllPages}, render.PDF))
				if err != nil {
					t.Error(err)
				}
				files[i] = out.Bytes
			})
		}
		group.Wait()
		if first == nil {
			first = files
			continue
		}
		for i := range files {
			if !bytes.Equal(files[i], first[i]) {
				t.Errorf("row %d: %d bytes, then %d others", i, len(first[i]), len(files[i]))
			}
		}
	}
}

func TestWhatCannotBePrintedIsRefused(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	ok := sheet(100, 100, "", "x")
	with := func(change func(r *render.Request)) render.Request {
		r := ok
		change(&r)
		return r
	}
	for want, r := range map[string]render.Request{
		"more than the 1000 that a PDF may have": with(func(r *render.Request) {
			r.Sheets = slices.Repeat([]render.Sheet{{HTML: "x", Width: 1, Height: 1}}, 1000)
		}),
		"page 2 has no document":     with(func(r *render.Request) { r.Sheets = []render.Sheet{{Width: 1, Height: 1}} }),
		"a picture of 0x1":           with(func(r *render.Request) { r.Sheets = []render.Sheet{{HTML: "x", Width: 0, Height: 1}} }),
		"paper of 19982x4708 pixels": with(func(r *render.Request) { r.Width, r.Print.Margins = 16383, [4]float64{2304, 1800, 2304, 1799} }),
		`there is no paper "b9"`:     with(func(r *render.Request) { r.Print.Paper = "b9" }),
	} {
		_, err := p.Render(t.Context(), r)
		if err == nil || !strings.Contains(err.Error(), want) || !retry.IsPermanent(err) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
