package rendertest

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
)

var (
	red  = color.RGBA{255, 0, 0, 255}
	blue = color.RGBA{0, 0, 255, 255}
)

// Run holds a renderer that draws to the promise of render.Renderer. It asks
// newRenderer once for one that takes its assets from files, and uses it for
// every part, as a daemon would: what one row leaves behind shows in the next.
func Run(t *testing.T, newRenderer func(tb testing.TB, files Files) render.Renderer) {
	files := Files{
		"red":     {ContentType: "image/png", Bytes: PNG(t, 8, 8, red)},
		"blue":    {ContentType: "image/png", Bytes: PNG(t, 8, 8, blue)},
		"css":     {ContentType: "text/css", Bytes: []byte("body{background:url(/assets/red.png)}")},
		"broken":  {ContentType: "image/png", Bytes: []byte("no picture at all")},
		"offline": {Err: errors.New("the library is offline")},
	}
	s := &suite{newRenderer(t, files)}
	t.Run("SameRequestSamePixels", s.sameRequestSamePixels)
	t.Run("PictureHasTheSizeOfTheViewport", s.pictureHasTheSizeOfTheViewport)
	t.Run("EveryFormatDecodes", s.everyFormatDecodes)
	t.Run("LowerQualityIsSmaller", s.lowerQualityIsSmaller)
	t.Run("AssetsAreShown", s.assetsAreShown)
	t.Run("AssetThatCannotBeShownIsTheRowsFault", s.assetThatCannotBeShownIsTheRowsFault)
	t.Run("LibraryThatCannotBeReadIsTheMachinesFault", s.libraryThatCannotBeReadIsTheMachinesFault)
	t.Run("PathWithOtherBytesShowsThem", s.pathWithOtherBytesShowsThem)
	t.Run("RowsDoNotLeakIntoEachOther", s.rowsDoNotLeakIntoEachOther)
	t.Run("ParallelRowsKeepTheirPixels", s.parallelRowsKeepTheirPixels)
	t.Run("ImpossibleRequestIsTheRowsFault", s.impossibleRequestIsTheRowsFault)
	t.Run("LayoutScriptIsRunWhereThePageAsksForIt", s.layoutScriptIsRunWhereThePageAsksForIt)
	t.Run("CanceledContextEndsTheWait", s.canceledContextEndsTheWait)
}

type suite struct{ renderer render.Renderer }

// page is a request for a picture of 200x120.
func page(name, head, body string, assets ...render.Asset) render.Request {
	return render.Request{
		Page: name, Width: 200, Height: 120, Format: render.PNG, Assets: assets,
		HTML: "<!doctype html><html><head><meta charset=\"utf-8\">" + head + "</head>" + body + "</html>",
	}
}

func (s *suite) mustRender(t *testing.T, r render.Request) render.Output {
	t.Helper()
	out, err := s.renderer.Render(t.Context(), r)
	if err != nil {
		t.Fatalf("render %.300s: %v", r.HTML, err)
	}
	return out
}

func (s *suite) sameRequestSamePixels(t *testing.T) {
	r := page("same", "<style>h1{background:linear-gradient(red,blue);animation:x 1s infinite} @keyframes x{to{opacity:0}}</style>",
		"<body><h1>Ünïcode 漢字 😀</h1></body>")
	first := Decode(t, s.mustRender(t, r).Bytes)
	for range 4 {
		if n := Difference(first, Decode(t, s.mustRender(t, r).Bytes)); n > 0 {
			t.Errorf("the same request differs in %d pixels", n)
		}
	}
}

func (s *suite) pictureHasTheSizeOfTheViewport(t *testing.T) {
	for _, want := range [][2]int{{1, 1}, {320, 100}, {1200, 630}, {1080, 1920}, {801, 3}} {
		r := page("size", "", "<body><div style='width:5000px;height:5000px'>")
		r.Width, r.Height = want[0], want[1]
		out := s.mustRender(t, r)
		width, height, err := size(r.Format, out.Bytes)
		if err != nil || width != want[0] || height != want[1] || out.Width != width || out.Height != height {
			t.Errorf("want %v: got a picture of %dx%d that says it has %dx%d, %v", want, width, height, out.Width, out.Height, err)
		}
	}
}

func (s *suite) everyFormatDecodes(t *testing.T) {
	for _, format := range []render.Format{render.PNG, render.JPEG, render.WebP} {
		r := page("format", "", "<body style='background:red'>text")
		r.Format = format
		out := s.mustRender(t, r)
		width, height, err := size(format, out.Bytes)
		if err != nil || width != r.Width || height != r.Height {
			t.Errorf("%s: %dx%d, %v", format, width, height, err)
		}
		if out.Duration <= 0 {
			t.Errorf("%s took %v", format, out.Duration)
		}
	}
}

func (s *suite) lowerQualityIsSmaller(t *testing.T) {
	for _, format := range []render.Format{render.JPEG, render.WebP} {
		r := page("quality", "", "<body style='background:conic-gradient(red,lime,blue,red)'><h1>Quality</h1>")
		r.Format, r.Quality = format, 10
		low := s.mustRender(t, r)
		r.Quality = 100
		if high := s.mustRender(t, r); len(high.Bytes) <= len(low.Bytes) {
			t.Errorf("%s: %d bytes at quality 100, %d at 10", format, len(high.Bytes), len(low.Bytes))
		}
	}
}

func (s *suite) assetsAreShown(t *testing.T) {
	red1 := render.Asset{Path: "/assets/red.png", Digest: "red"}
	css := render.Asset{Path: "/assets/page.css", Digest: "css"}
	for name, r := range map[string]render.Request{
		"img":        page("img", "", `<body><img src="/assets/red.png" style="width:300px;height:300px;position:absolute;inset:0">`, red1),
		"lazy":       page("lazy", "", `<body><div style="position:absolute;inset:0;overflow:hidden"><img loading=lazy src="assets/red.png" width=300 height=300>`, red1),
		"srcset":     page("srcset", "", `<body><img srcset="/assets/red.png 1x" style="width:300px;height:300px;position:absolute;inset:0">`, red1),
		"background": page("background", "<style>body{background:url(/assets/red.png)}</style>", "<body>", red1),
		"before":     page("before", "<style>body::before{content:'';position:absolute;inset:0;background:url(/assets/red.png)}</style>", "<body>", red1),
		"svg":        page("svg", "", `<body><svg style="position:absolute;inset:0" width=300 height=300><image href="/assets/red.png" width=300 height=300 preserveAspectRatio=none></svg>`, red1),
		"sheet":      page("sheet", `<link rel=stylesheet href="/assets/page.css">`, "<body>", red1, css),
		"import":     page("import", `<style>@import "/assets/page.css";</style>`, "<body>", red1, css),
	} {
		for range 2 {
			if got := At(Decode(t, s.mustRender(t, r).Bytes), 100, 60); got != red {
				t.Errorf("%s: the pixel is %v, not red", name, got)
			}
		}
	}
}

func (s *suite) assetThatCannotBeShownIsTheRowsFault(t *testing.T) {
	image := `<body><img src="/assets/a.png">`
	for name, r := range map[string]render.Request{
		"not named":      page("missing", "", image),
		"not kept":       page("missing", "", image, render.Asset{Path: "/assets/a.png", Digest: "nowhere"}),
		"not an image":   page("missing", "", image, render.Asset{Path: "/assets/a.png", Digest: "broken"}),
		"background":     page("missing", "<style>body{background:url(/assets/a.png)}</style>", "<body>"),
		"imported sheet": page("missing", `<style>@import url(/assets/a.css);</style>`, "<body>"),
		"style sheet":    page("missing", `<link rel=stylesheet href="/assets/a.css">`, "<body>"),
		"font":           page("missing", "<style>@font-face{font-family:F;src:url(/assets/a.woff2)} body{font-family:F}</style>", "<body>text"),
		"another origin": page("missing", "", `<body><img src="http://127.0.0.1:1/a.png">`),
	} {
		_, err := s.renderer.Render(t.Context(), r)
		var p *problem.Error
		if !retry.IsPermanent(err) || !errors.As(err, &p) {
			t.Errorf("%s: the error is %v, not a permanent problem", name, err)
			continue
		}
		if name != "another origin" && !strings.Contains(p.Message, "/assets/a.") {
			t.Errorf("%s: %q does not name the file", name, p.Message)
		}
		s.mustRender(t, page("missing", "", "<body>the next row is well"))
	}
}

func (s *suite) libraryThatCannotBeReadIsTheMachinesFault(t *testing.T) {
	r := page("offline", "", `<body><img src="/assets/a.png">`, render.Asset{Path: "/assets/a.png", Digest: "offline"})
	if _, err := s.renderer.Render(t.Context(), r); err == nil || retry.IsPermanent(err) {
		t.Errorf("the error is %v, and should ask for another try", err)
	}
}

func (s *suite) pathWithOtherBytesShowsThem(t *testing.T) {
	for digest, want := range map[string]color.RGBA{"red": red, "blue": blue} {
		r := page("other", "<style>body{background:url(/assets/a.png)}</style>", "<body>", render.Asset{Path: "/assets/a.png", Digest: digest})
		if got := At(Decode(t, s.mustRender(t, r).Bytes), 100, 60); got != want {
			t.Errorf("%s: the pixel is %v", digest, got)
		}
	}
}

func (s *suite) rowsDoNotLeakIntoEachOther(t *testing.T) {
	head := "<style>body{font:20px sans-serif} .loud{background:red;color:lime} html.loud{filter:invert(1)}</style>"
	plain := page("fresh", head, `<body><p>Plain</p><ul><li>one<li>two</ul></body>`)
	want := Decode(t, s.mustRender(t, plain).Bytes)
	for name, row := range map[string]render.Request{
		"classes":       {HTML: `<!doctype html><html class="loud" lang="ja" dir="rtl" style="zoom:3"><head>` + head + `</head><body class="loud" id="x">A</body></html>`},
		"a style":       page("", head+"<style>*{display:none}</style>", "<body>A"),
		"style in body": page("", head, "<body><style>*{color:red!important}</style>A"),
		"huge text":     page("", head, "<body>"+strings.Repeat("<p>huge</p>", 5000)),
		"animation":     page("", head, "<body><style>@keyframes x{from{background:blue}} html{animation:x 9s infinite;transition:all 9s}</style>A"),
		"counter":       page("", head+"<style>html{counter-reset:c 9} li{counter-increment:c} li::before{content:counter(c)}</style>", "<body><li>A"),
		"clobbering":    page("", head, `<body><form name=body></form><img name=fonts><form name=head></form><form name=documentElement></form><form name=querySelectorAll></form>`),
		"a dialog":      page("", head, `<body><dialog open>A</dialog><input autofocus value=A><details open>B</details>`),
		"failed":        page("", head, `<body><img src="/assets/none.png">`),
		"quirks":        {HTML: "<body bgcolor=red text=lime><table><tr><td>A"},
		"frames":        {HTML: "<frameset><frame src=/></frameset>"},
		"script":        page("", head, `<body onload="document.title='x'"><script>document.documentElement.className='loud'</script><svg onload="document.documentElement.className='loud'"></svg>A`),
	} {
		row.Page, row.Width, row.Height, row.Format = "used", plain.Width, plain.Height, render.PNG
		if _, err := s.renderer.Render(t.Context(), row); err != nil && name != "failed" {
			t.Errorf("%s: %v", name, err)
		}
		after := plain
		after.Page = "used"
		if n := Difference(want, Decode(t, s.mustRender(t, after).Bytes)); n > 0 {
			t.Errorf("after a row with %s the next differs from a fresh page in %d pixels", name, n)
		}
	}
}

func (s *suite) parallelRowsKeepTheirPixels(t *testing.T) {
	var rows sync.WaitGroup
	for i := range 40 {
		rows.Go(func() {
			want := color.RGBA{uint8(i * 6), uint8(255 - i*6), uint8(i), 255}
			r := page(fmt.Sprint("parallel", i%2), "", fmt.Sprintf(`<body style="background:rgb(%d,%d,%d)">`, want.R, want.G, want.B))
			out, err := s.renderer.Render(t.Context(), r)
			if err != nil {
				t.Errorf("row %d: %v", i, err)
				return
			}
			if got := At(Decode(t, out.Bytes), 100, 60); got != want {
				t.Errorf("row %d: the pixel is %v, not %v", i, got, want)
			}
		})
	}
	rows.Wait()
}

func (s *suite) impossibleRequestIsTheRowsFault(t *testing.T) {
	for name, change := range map[string]func(*render.Request){
		"no width":       func(r *render.Request) { r.Width = 0 },
		"too tall":       func(r *render.Request) { r.Height = 20_000 },
		"unknown format": func(r *render.Request) { r.Format = "bmp" },
		"quality":        func(r *render.Request) { r.Quality = 101 },
	} {
		r := page("impossible", "", "<body>")
		change(&r)
		if _, err := s.renderer.Render(t.Context(), r); !retry.IsPermanent(err) {
			t.Errorf("%s: the error is %v, not a permanent one", name, err)
		}
	}
}

func (s *suite) canceledContextEndsTheWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.renderer.Render(ctx, page("canceled", "", "<body>")); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func (s *suite) layoutScriptIsRunWhereThePageAsksForIt(t *testing.T) {
	asks, silent := page("asks", "", "<body><p p-fit=none>text"), page("silent", "", "<body><p>text")
	asks.Layout = `globalThis.pictifydLayout = async (document) => {
		document.body.style.background = "red";
		return {layers: [{layer: "a", fontPx: 1.5, lines: 2, clipped: true, changed: true, cut: true}], problems: [{layer: "b", problem: "c"}]};
	}`
	silent.Layout = asks.Layout
	for _, r := range []render.Request{asks, silent, asks} {
		out := s.mustRender(t, r)
		var want render.Output
		colour := color.RGBA{255, 255, 255, 255}
		if r.Page == "asks" {
			want.Layout = []render.LayerReport{{Layer: "a", FontPx: 1.5, Lines: 2, Clipped: true, Changed: true, Cut: true}}
			want.Warnings, colour = []render.Warning{{Layer: "b", Problem: "c"}}, red
		}
		if !slices.Equal(out.Layout, want.Layout) || !slices.Equal(out.Warnings, want.Warnings) {
			t.Errorf("%s: reported are %+v and %+v, want %+v and %+v", r.Page, out.Layout, out.Warnings, want.Layout, want.Warnings)
		}
		if got := At(Decode(t, out.Bytes), 150, 100); got != colour {
			t.Errorf("%s: the page is %v, want %v", r.Page, got, colour)
		}
	}
}
