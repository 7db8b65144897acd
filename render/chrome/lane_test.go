package chrome

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"io"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/template"
)

// states are the proofs that the pool has made, by page.
func states(p *Pool) map[string]proofState {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]proofState{}
	for k, proof := range p.ledger.proofs {
		all[k.page] = proof.state
	}
	return all
}

func stateOf(p *Pool, r render.Request) proofState { return states(p)[r.Page] }

// starterRequests is the first row of every template of this repository, in
// every view.
func starterRequests(t *testing.T, files rendertest.Files) (requests []render.Request, names map[string]string) {
	t.Helper()
	files[anyPicture] = rendertest.File{ContentType: "image/png", Bytes: rendertest.PNG(t, 40, 30, color.RGBA{40, 90, 200, 255})}
	names = map[string]string{}
	for _, one := range specimens(t, files) {
		row := one.rows[0]
		for _, v := range append([]template.View{{}}, views(t, one.Template, row)...) {
			r := request(t, one.Template, row, v)
			r.Format = []render.Format{render.PNG, render.JPEG, render.WebP}[len(requests)%3]
			requests = append(requests, r)
			names[r.Page] = fmt.Sprintf("%s %+v", one.Name(), v)
		}
	}
	return requests, names
}

func renderAll(t *testing.T, p *Pool, requests []render.Request) []render.Output {
	t.Helper()
	outs := make([]render.Output, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() {
			var err error
			if outs[i], err = p.Render(t.Context(), r); err != nil {
				t.Errorf("%.60s: %v", r.Page, err)
			}
		})
	}
	all.Wait()
	return outs
}

// Nearly all that the starters are made of comes out of the fast lane, and what
// comes of them is the same, byte for byte, in one pool and in another.
func TestStartersComeOutOfTheFastLaneAlike(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("draws every template in every view: runs in the pass without -short")
	}
	files := rendertest.Files{}
	requests, names := starterRequests(t, files)
	first := newPool(t, files, withBrowsers("2"), quietly)
	want := renderAll(t, first, requests)
	slow := 0
	for page, state := range states(first) {
		if state != agreed {
			t.Logf("%s is drawn in the plain lane", names[page])
			slow++
		}
	}
	// Gradients in SVG files come in other bands where Chrome cuts a page into tiles.
	if slow*10 > len(requests) {
		t.Errorf("%d of %d pages are not drawn in the fast lane", slow, len(requests))
	}
	got := renderAll(t, newPool(t, files, quietly), requests)
	for i, r := range requests {
		if !bytes.Equal(want[i].Bytes, got[i].Bytes) {
			t.Errorf("%s has other bytes the second time", names[r.Page])
		}
	}
}

// disturb makes every document that is put into the stage of the pool's first
// seat look otherwise, as what a row left behind would.
func disturb(t *testing.T, p *Pool) {
	t.Helper()
	tab := p.places[0].browser.seats[0].session.tab
	res, err := cdp.Call(t.Context(), tab, runtime.Evaluate, runtime.EvaluateParams{Expression: `
		for (const frame of document.querySelectorAll("iframe")) {
			const sheet = new frame.contentWindow.CSSStyleSheet();
			sheet.insertRule("body { filter: invert(1) }");
			frame.contentDocument.adoptedStyleSheets = [sheet];
		}`})
	if err != nil || res.ExceptionDetails != nil {
		t.Fatal(err, res.ExceptionDetails)
	}
}

func TestSampleThatDiffersEndsTheFastLane(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	r := card("as it should be")
	want := rendertest.Decode(t, mustRender(t, p, r).Bytes)
	if got := stateOf(p, r); got != agreed {
		t.Fatalf("after the first row the proof is %d", got)
	}
	disturb(t, p)
	p.mu.Lock()
	p.ledger.of(keyOf(r)).sample = 0 // now
	p.mu.Unlock()
	if n := rendertest.Difference(want, rendertest.Decode(t, mustRender(t, p, r).Bytes)); n > 0 {
		t.Errorf("the row got the wrong picture: %d pixels differ", n)
	}
	if got := stateOf(p, r); got != refused {
		t.Errorf("the page goes on in the fast lane: the proof is %d", got)
	}
	if n := rendertest.Difference(want, rendertest.Decode(t, mustRender(t, p, r).Bytes)); n > 0 {
		t.Errorf("the next row got the wrong picture: %d pixels differ", n)
	}
}

func TestSamplesGetRarer(t *testing.T) {
	var l ledger
	p := l.of(pageKey{page: "a"})
	var samples []int64
	for row := int64(0); row < 5000; row++ {
		way, ok := p.lane()
		if !ok {
			t.Fatal("nobody settles the proof")
		}
		p.begin(way, 1)
		if way == proving {
			samples = append(samples, row)
			p.settle(agreed)
		}
	}
	if got := fmt.Sprint(samples); got != "[0 2 30 310 1311 2312 3313 4314]" {
		t.Errorf("rows %s are drawn in both lanes", got)
	}
}

func TestRowThatIsLateHoldsUpNoOther(t *testing.T) {
	g := newGate(t, 0)
	p := newPool(t, g, withTabs(1), withDeadline(4*time.Second))
	mustRender(t, p, gated()) // the proof
	held := gate1(t, g)
	late := background(t, p, held)
	<-g.opened
	began := time.Now()
	var rows []render.Request
	for i := range 12 {
		r := card(fmt.Sprint("row ", i))
		r.Page = held.Page
		rows = append(rows, r)
	}
	renderAll(t, p, rows)
	if _, err := late(); err != nil {
		t.Errorf("the late row: %v", err)
	}
	t.Logf("twelve rows beside it took %v", time.Since(began))
}

// gate1 is a row of a page that the gate stops once, for a file that no other row has.
func gate1(t *testing.T, g *gate) render.Request {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stop = 1
	g.Files["late"] = maps.Clone(g.Files)["dot"]
	r := card(`<img src="/assets/late.png">`)
	r.Page = "gated"
	r.Assets = []render.Asset{{Path: "/assets/late.png", Digest: "late"}}
	return r
}

func TestPicturesOfOneDocumentAreDrawnTogether(t *testing.T) {
	a, b := card("a"), card("b")
	jpeg := a
	jpeg.Format = render.JPEG
	rows, taken := stageRows([]render.Request{a, b, jpeg}, 2)
	if taken != 3 || len(rows) != 2 || len(rows[0].Pictures) != 2 || rows[0].Pictures[1].ID != 2 {
		t.Errorf("%d pictures are on %d slots: %+v", taken, len(rows), rows)
	}
	if _, taken := stageRows([]render.Request{a, b, jpeg}, 1); taken != 1 {
		t.Errorf("%d pictures are on one slot", taken)
	}
}

func TestByteBudgetIsKeptOrTheRowSaysWhy(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("Chrome's work, and little of ours: runs in the pass without -short")
	}
	noise := `<body style="margin:0;width:300px;height:200px;background:conic-gradient(red,lime,blue,red),#123"><h1>Words and a gradient</h1><p>` + strings.Repeat("text ", 60)
	for _, plain := range []bool{false, true} {
		p := newPool(t, rendertest.Files{}, func(_ *Config, o *Options) { o.Plain = plain })
		for _, format := range []render.Format{render.PNG, render.JPEG, render.WebP} {
			r := render.Request{Page: "budget", HTML: "<!doctype html>" + noise, Width: 300, Height: 200, Format: format, Quality: 95}
			whole := mustRender(t, p, r)
			r.MaxBytes = int64(len(whole.Bytes)) * 2 / 3
			if out := mustRender(t, p, r); int64(len(out.Bytes)) > r.MaxBytes {
				t.Errorf("plain %t: a %s of %d bytes is over %d", plain, format, len(out.Bytes), r.MaxBytes)
			}
			r.MaxBytes = 100
			if _, err := p.Render(t.Context(), r); !retry.IsPermanent(err) || !strings.Contains(err.Error(), "bytes") {
				t.Errorf("plain %t: %s in 100 bytes: %v", plain, format, err)
			}
		}
	}
}

func TestTransparentPicturesAreClear(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p := newPool(t, rendertest.Files{}, func(_ *Config, o *Options) { o.Plain = plain })
		r := card(`<div style="position:absolute;left:0;top:0;width:50px;height:50px;background:#ff000080"></div>`)
		r.Transparent = true
		picture := rendertest.Decode(t, mustRender(t, p, r).Bytes)
		if _, _, _, a := picture.At(90, 90).RGBA(); a != 0 {
			t.Errorf("plain %t: the ground has the alpha %d", plain, a>>8)
		}
		if got := color.NRGBAModel.Convert(picture.At(20, 20)).(color.NRGBA); got.A < 127 || got.A > 129 || got.R < 253 || got.G > 2 {
			t.Errorf("plain %t: half a red is %v", plain, got)
		}
		if !plain && stateOf(p, r) != agreed {
			t.Error("a transparent page is not drawn in the fast lane")
		}
	}
}

func TestScaleMakesMorePixelsOfThePage(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p := newPool(t, rendertest.Files{}, func(_ *Config, o *Options) { o.Plain = plain })
		for _, scale := range []float64{1, 1.5, 2, 3} {
			r := card(`<div style="position:absolute;left:10px;top:10px;width:20px;height:20px;background:#00f"></div><p style="margin-top:60px">sharp text`)
			r.Page, r.Scale = fmt.Sprint("scale ", scale), scale
			out := mustRender(t, p, r)
			picture := rendertest.Decode(t, out.Bytes)
			if got := picture.Bounds().Dx(); got != int(float64(r.Width)*scale) || out.Width != got {
				t.Errorf("plain %t: at %g it is %d wide and says %d", plain, scale, got, out.Width)
			}
			inside, outside := int(29*scale), int(31*scale)
			if rendertest.At(picture, inside, inside) != (color.RGBA{0, 0, 255, 255}) || rendertest.At(picture, outside, outside) != (color.RGBA{255, 255, 255, 255}) {
				t.Errorf("plain %t: at %g the square is not in its place", plain, scale)
			}
			if !plain && stateOf(p, r) != agreed {
				t.Errorf("at %g the page is not drawn in the fast lane", scale)
			}
		}
	}
}

// A path can't have two contents in one row; tabs are not opened for ever for it.
func TestRowWithTwoContentsAtOnePathIsAtFault(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p := newPool(t, rendertest.Files{}, func(_ *Config, o *Options) { o.Plain = plain })
		r := card("x")
		r.Assets = []render.Asset{{Path: "/assets/a.png", Digest: "one"}, {Path: "/assets/a.png", Digest: "two"}}
		if _, err := p.Render(t.Context(), r); !retry.IsPermanent(err) {
			t.Errorf("plain %t: the error is %v", plain, err)
		}
	}
}

func TestRelativeAddressesMeanTheSameInEveryLane(t *testing.T) {
	p := newPool(t, rendertest.Files{"red": {ContentType: "image/png", Bytes: rendertest.PNG(t, 8, 8, color.RGBA{255, 0, 0, 255})}})
	r := card(`<img src="assets/red.png" style="position:absolute;left:0;top:0;width:50px;height:50px">`)
	r.Assets = []render.Asset{{Path: "/assets/red.png", Digest: "red"}}
	if got := rendertest.At(rendertest.Decode(t, mustRender(t, p, r).Bytes), 20, 20); got != (color.RGBA{255, 0, 0, 255}) {
		t.Errorf("the pixel is %v", got)
	}
	if got := stateOf(p, r); got != agreed {
		t.Errorf("the page is not drawn in the fast lane: the proof is %d", got)
	}
}

// A deadlyFiles kills the pool's Chrome when a file is asked for the second time:
// for the stage, after the reference had it.
type deadlyFiles struct {
	rendertest.Files
	opens atomic.Int64
	kill  func()
}

func (d *deadlyFiles) Open(ctx context.Context, digest string) (io.ReadCloser, string, error) {
	if d.opens.Add(1) == 2 {
		d.kill()
	}
	return d.Files.Open(ctx, digest)
}

func TestChromeThatDiesInAProofSaysNothingOfThePage(t *testing.T) {
	files := &deadlyFiles{Files: rendertest.Files{"dot": {ContentType: "image/png", Bytes: rendertest.PNG(t, 4, 4, color.RGBA{9, 99, 199, 255})}}}
	p := newPool(t, files)
	files.kill = func() { _ = syscall.Kill(p.Status()[0].PID, syscall.SIGKILL) }
	mustRender(t, p, gated())
	if got := stateOf(p, gated()); got == refused {
		t.Error("the page was refused for it")
	}
	mustRender(t, p, gated())
	if got := stateOf(p, gated()); got != agreed {
		t.Errorf("the next row did not prove the page: the proof is %d", got)
	}
}

func TestPageThatEndsEveryProofIsRefused(t *testing.T) {
	var l ledger
	p := l.of(pageKey{page: "a"})
	for i := range maxFaults {
		way, _ := p.lane()
		p.begin(way, 1)
		refuse := p.fault()
		if refuse != (i == maxFaults-1) {
			t.Fatalf("after %d proofs without an end it is refused: %t", i+1, refuse)
		}
		p.settle(map[bool]proofState{true: refused}[refuse])
	}
	if way, _ := p.lane(); way != plain {
		t.Errorf("it goes on in lane %d", way)
	}
}

func TestLargePagesHaveFewSlots(t *testing.T) {
	for _, c := range []struct{ width, height, slots int }{{400, 200, 8}, {1200, 630, 8}, {1200, 1500, 4}, {3000, 2500, 1}, {6000, 4000, 1}, {6000, 5000, 0}} {
		if got := slotsFor(pageKey{width: c.width, height: c.height, scale: 1}); got != c.slots {
			t.Errorf("%dx%d has %d slots, want %d", c.width, c.height, got, c.slots)
		}
	}
}
