package chrome

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// moving is a square that goes from the left to the right in a second and back,
// for ever, and another that arrives once.
func moving(format render.Format, m render.Motion) render.Request {
	return render.Request{
		Page: "moving", Width: 100, Height: 40, Format: format, Motion: m,
		HTML: `<!doctype html><style>body{margin:0;background:#fff} i{position:absolute;width:20px;height:20px;left:0;top:0;background:#f00;
animation:go 1s linear infinite alternate} @keyframes go{to{left:80px}} b{position:absolute;top:20px;width:20px;height:20px;background:#00f;animation:come 500ms linear}
@keyframes come{from{left:60px}to{left:0}}</style><i></i><b></b>`,
	}
}

func TestGIFIsFilmedFrameByFrame(t *testing.T) {
	p := newPool(t, rendertest.Files{})
	out := mustRender(t, p, moving(render.GIF, render.Motion{FPS: 10}))
	film, err := gif.DecodeAll(bytes.NewReader(out.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, d := range film.Delay {
		total += d
	}
	if total != 200 || film.LoopCount != 0 || film.Config.Width != 100 {
		t.Errorf("it lasts %d hundredths, loops %d, is %d wide", total, film.LoopCount, film.Config.Width)
	}
	red, blue := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}
	for frame, at := range map[int]struct{ red, blue int }{0: {0, 60}, 5: {40, 0}, 10: {80, 0}, 15: {40, 0}} {
		picture := compose(film, frame)
		if got := rendertest.At(picture, at.red+10, 10); got != red {
			t.Errorf("frame %d: the red one is not at %d but there is %v", frame, at.red, got)
		}
		if got := rendertest.At(picture, at.blue+10, 30); got != blue {
			t.Errorf("frame %d: the blue one is not at %d but there is %v", frame, at.blue, got)
		}
	}
	if again := mustRender(t, p, moving(render.GIF, render.Motion{FPS: 10})); !bytes.Equal(again.Bytes, out.Bytes) {
		t.Error("the second film has other bytes")
	}
}

func TestAnimatedWebPIsOne(t *testing.T) {
	p := newPool(t, rendertest.Files{})
	out := mustRender(t, p, moving(render.WebP, render.Motion{FPS: 5, Duration: 800 * time.Millisecond, Loops: 3}))
	path := filepath.Join(t.TempDir(), "film.webp")
	if err := os.WriteFile(path, out.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	tool, err := exec.LookPath("webpmux")
	if err != nil {
		t.Fatal("webpmux is needed: make services")
	}
	said, err := exec.CommandContext(t.Context(), tool, "-info", path).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "Number of frames: 4") || !strings.Contains(string(said), "Loop Count : 3") {
		t.Errorf("webpmux says %v: %s", err, said)
	}
}

func TestPageThatDoesNotMoveIsOneFrame(t *testing.T) {
	p := newPool(t, rendertest.Files{})
	r := card("still")
	r.Format = render.GIF
	film, err := gif.DecodeAll(bytes.NewReader(mustRender(t, p, r).Bytes))
	if err != nil || len(film.Image) != 1 {
		t.Errorf("%v; the frames are %d", err, len(film.Image))
	}
}

func TestFilmHasAnEnd(t *testing.T) {
	p := newPool(t, rendertest.Files{})
	for name, r := range map[string]render.Request{
		"an animation of a year": {HTML: `<!doctype html><style>p{animation:a 31536000s} @keyframes a{to{left:9px}}</style><p>x`},
		"too many frames":        moving(render.GIF, render.Motion{FPS: 50, Duration: 7 * time.Second}),
	} {
		r.Page, r.Width, r.Height, r.Format = "long", 50, 50, render.GIF
		if _, err := p.Render(t.Context(), r); !retry.IsPermanent(err) || !strings.Contains(err.Error(), "frames") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// compose is frame i as it is seen.
func compose(film *gif.GIF, i int) image.Image {
	seen := image.NewRGBA(image.Rect(0, 0, film.Config.Width, film.Config.Height))
	at, want := 0, i*10
	for n, frame := range film.Image {
		if at > want {
			break
		}
		draw.Draw(seen, frame.Bounds(), frame, frame.Bounds().Min, draw.Over)
		at += film.Delay[n]
	}
	return seen
}
