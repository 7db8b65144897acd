package animation_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/animation"
)

func mustGIF(tb testing.TB, width, height int, opts animation.Options) *animation.GIF {
	tb.Helper()
	g, err := animation.NewGIF(width, height, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func mustEncode(tb testing.TB, g *animation.GIF) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := g.Encode(tb.Context(), &b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// plain is a picture of one colour.
func plain(width, height int, c color.Color) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(m, m.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return m
}

// with is m with a rectangle of another colour.
func with(m *image.NRGBA, area image.Rectangle, c color.Color) *image.NRGBA {
	n := *m
	n.Pix = bytes.Clone(m.Pix)
	draw.Draw(&n, area, image.NewUniform(c), image.Point{}, draw.Src)
	return &n
}

var (
	white = color.NRGBA{255, 255, 255, 255}
	red   = color.NRGBA{200, 10, 20, 255}
	blue  = color.NRGBA{10, 20, 200, 255}
	none  = color.NRGBA{}
)

// dots is 16x16 pixels of so many colours.
func dots(colours int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		n := i % colours
		m.SetNRGBA(i%16, i/16, color.NRGBA{uint8(n), uint8(3 * n), uint8(255 - n), 255})
	}
	return m
}

func TestGIFShowsFewColoursExactly(t *testing.T) {
	dot := image.Rect(2, 2, 5, 6)
	for name, frames := range map[string][]*image.NRGBA{
		"one frame":                         {plain(9, 7, red)},
		"one frame of 256 colours":          {dots(256)},
		"a change":                          {plain(9, 7, white), with(plain(9, 7, white), dot, red)},
		"255 colours":                       {dots(255), with(dots(255), dot, color.NRGBA{0, 0, 255, 255}), dots(255)},
		"256 colours that move":             {dots(256), with(dots(256), dot, color.NRGBA{0, 0, 255, 255}), dots(256)},
		"there and back":                    {plain(9, 7, white), with(plain(9, 7, white), dot, red), plain(9, 7, white)},
		"nothing at all":                    {plain(9, 7, none), plain(9, 7, none)},
		"something on nothing":              {plain(9, 7, none), with(plain(9, 7, none), dot, red)},
		"something goes":                    {with(plain(9, 7, none), dot, red), plain(9, 7, none)},
		"something moves over nothing":      {with(plain(9, 7, none), dot, red), with(plain(9, 7, none), dot.Add(image.Pt(2, 0)), red), with(plain(9, 7, none), dot.Add(image.Pt(4, 0)), red)},
		"some goes while other comes":       {with(plain(9, 7, none), image.Rect(0, 0, 2, 2), red), with(plain(9, 7, none), image.Rect(7, 5, 9, 7), blue)},
		"a hole opens, and something stays": {with(plain(9, 7, white), dot, red), with(with(plain(9, 7, white), dot, red), image.Rect(4, 4, 8, 6), none), with(plain(9, 7, white), image.Rect(4, 4, 8, 6), none)},
	} {
		size := frames[0].Rect.Size()
		g := mustGIF(t, size.X, size.Y, animation.Options{})
		for _, m := range frames {
			if err := g.Add(m, 50*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		shots := play(t, mustEncode(t, g))
		for i, m := range frames {
			if !same(at(t, shots, 5*i), m) {
				t.Errorf("%s: frame %d is another picture", name, i)
			}
		}
	}
}

// film is frames that data asks for, a byte each for what a rectangle becomes.
func film(data []byte) (frames []*image.NRGBA) {
	inks := []color.Color{white, red, blue, none, color.NRGBA{200, 10, 21, 255}}
	m := plain(8, 6, inks[len(data)%len(inks)])
	for _, b := range data {
		x, y := int(b)%8, int(b)/8%6
		m = with(m, image.Rect(x, y, x+1+int(b)/48%3, y+1+int(b)/5%4), inks[int(b)/7%len(inks)])
		if b%3 != 0 { // several changes in a frame
			frames = append(frames, m)
		}
	}
	return frames
}

// Property: at each moment a player shows the frame of that moment.
func checkFilm(t *testing.T, data []byte) {
	frames := film(data[:min(len(data), 200)])
	if len(frames) == 0 {
		return
	}
	g := mustGIF(t, 8, 6, animation.Options{Loop: len(data) % 3, Dither: len(data)%2 == 1}) // few colours are exact in any case
	for i, m := range frames {
		if err := g.Add(m, time.Duration(20+10*(i%4))*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	file := mustEncode(t, g)
	shots, tick := play(t, file), 0
	for i, m := range frames {
		if !same(at(t, shots, tick), m) {
			t.Fatalf("frame %d of %d is another picture; data %v", i, len(frames), data)
		}
		tick += 2 + i%4
	}
	if got := length(shots); got != tick {
		t.Fatalf("the film lasts %d ticks, want %d; data %v", got, tick, data)
	}
	if again := mustEncode(t, g); !bytes.Equal(again, file) {
		t.Fatalf("the second file differs; data %v", data)
	}
}

func FuzzGIFShowsItsFrames(f *testing.F) {
	f.Add([]byte{1, 2, 4, 5, 200, 100, 50, 25})
	f.Fuzz(checkFilm)
}

func TestGIFShowsItsFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		data := make([]byte, 1+r.IntN(24))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		checkFilm(t, data)
	}
}

// wrapped hides what an image is.
type wrapped struct{ image.Image }

func TestGIFTakesEveryKindOfImage(t *testing.T) {
	want := with(with(plain(9, 7, white), image.Rect(1, 1, 4, 4), red), image.Rect(5, 0, 9, 3), none)
	rgba, larger := image.NewRGBA(want.Rect), image.NewNRGBA(image.Rect(-3, -3, 20, 20))
	draw.Draw(rgba, rgba.Rect, want, image.Point{}, draw.Src)
	draw.Draw(larger, want.Rect.Add(image.Pt(4, 5)), want, image.Point{}, draw.Src)
	paletted := image.NewPaletted(image.Rect(2, 1, 11, 8), color.Palette{red, none, white})
	draw.Draw(paletted, paletted.Rect, want, image.Point{}, draw.Src)
	for name, m := range map[string]image.Image{
		"NRGBA": want, "RGBA": rgba, "paletted": paletted, "part": larger.SubImage(want.Rect.Add(image.Pt(4, 5))), "any other": wrapped{larger.SubImage(want.Rect.Add(image.Pt(4, 5)))},
	} {
		g := mustGIF(t, 9, 7, animation.Options{})
		if err := g.Add(m, time.Second); err != nil {
			t.Fatal(err)
		}
		if got := play(t, mustEncode(t, g)); len(got) != 1 || !same(got[0], want) {
			t.Errorf("%s: another picture", name)
		}
	}
}

func TestGIFPutsHalfTransparentPixelsOnTheBackground(t *testing.T) {
	half, faint := color.NRGBA{200, 100, 0, 128}, color.NRGBA{200, 100, 0, 127}
	for _, m := range []image.Image{plain(2, 2, half), premultiplied(half)} {
		for _, c := range []struct {
			opts animation.Options
			want color.NRGBA
		}{
			{animation.Options{}, color.NRGBA{200, 100, 0, 255}},
			{animation.Options{Background: color.NRGBA{0, 0, 255, 255}}, color.NRGBA{100, 50, 127, 255}},
		} {
			g := mustGIF(t, 2, 2, c.opts)
			if err := g.Add(m, time.Second); err != nil {
				t.Fatal(err)
			}
			got := play(t, mustEncode(t, g))[0].NRGBAAt(0, 0)
			if apart := max(int(got.R)-int(c.want.R), int(c.want.R)-int(got.R), int(got.G)-int(c.want.G)); got.A != 255 || got.B != c.want.B || apart > 1 {
				t.Errorf("%T on %v: got %v, want %v", m, c.opts.Background, got, c.want)
			}
		}
	}
	g := mustGIF(t, 2, 2, animation.Options{})
	if err := g.Add(plain(2, 2, faint), time.Second); err != nil {
		t.Fatal(err)
	}
	if got := play(t, mustEncode(t, g))[0].NRGBAAt(0, 0); got != none {
		t.Errorf("less than half became %v", got)
	}
}

func premultiplied(c color.Color) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 2, 2))
	draw.Draw(m, m.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return m
}

func TestGIFLastsAsLongAsItsFrames(t *testing.T) {
	one, two := plain(4, 4, red), plain(4, 4, blue)
	const third = time.Second / 30
	g := mustGIF(t, 4, 4, animation.Options{})
	for i := range 30 {
		if err := g.Add([]image.Image{one, two}[i%2], third); err != nil {
			t.Fatal(err)
		}
	}
	shots := play(t, mustEncode(t, g))
	if got := length(shots); got != 100 || len(shots) != 30 {
		t.Errorf("%d frames of a thirtieth of a second last %d hundredths", len(shots), got)
	}
	for _, s := range shots {
		if s.ticks < 3 || s.ticks > 4 {
			t.Errorf("a frame of %d hundredths", s.ticks)
		}
	}
}

func TestGIFJoinsFramesThatStay(t *testing.T) {
	one, two := plain(4, 4, red), plain(4, 4, blue)
	g := mustGIF(t, 4, 4, animation.Options{})
	for _, add := range []func() error{
		func() error { return g.Add(one, 100*time.Millisecond) },
		func() error { return g.Add(one, 100*time.Millisecond) },
		func() error { return g.Hold(100 * time.Millisecond) },
		func() error { return g.Add(two, 10*time.Minute) },
		func() error { return g.Add(two, 10*time.Minute) }, // more than a frame can last
		func() error { return g.Hold(10 * time.Minute) },
	} {
		if err := add(); err != nil {
			t.Fatal(err)
		}
	}
	all, err := gif.DecodeAll(bytes.NewReader(mustEncode(t, g)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{30, 60000, 60000, 60000}, all.Delay); diff != "" {
		t.Errorf("hundredths of the frames (-want +got):\n%s", diff)
	}
	for i, m := range all.Image {
		if m.Rect.Empty() {
			t.Errorf("frame %d has no pixels, which players refuse", i)
		}
	}
}

func TestGIFPlaysAsOftenAsTold(t *testing.T) {
	for loop, want := range map[int]int{0: 0, 1: -1, 2: 1, 65535: 65534} { // the file counts repetitions, -1 is none
		g := mustGIF(t, 2, 2, animation.Options{Loop: loop})
		for _, c := range []color.Color{red, blue} {
			if err := g.Add(plain(2, 2, c), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		all, err := gif.DecodeAll(bytes.NewReader(mustEncode(t, g)))
		if err != nil || all.LoopCount != want {
			t.Errorf("%d times: the file repeats %d, want %d; %v", loop, all.LoopCount, want, err)
		}
	}
}

func TestGIFEndsOnAClearScreenOnlyWhereItBeginsAnew(t *testing.T) {
	dot := with(plain(9, 7, none), image.Rect(2, 2, 5, 6), red)
	for loop, want := range map[int]byte{0: gif.DisposalBackground, 1: gif.DisposalNone} {
		g := mustGIF(t, 9, 7, animation.Options{Loop: loop})
		for _, m := range []image.Image{plain(9, 7, none), dot} {
			if err := g.Add(m, time.Second); err != nil {
				t.Fatal(err)
			}
		}
		all, err := gif.DecodeAll(bytes.NewReader(mustEncode(t, g)))
		if err != nil || all.Disposal[1] != want {
			t.Errorf("played %d times: the last frame ends with %v, want %d; %v", loop, all.Disposal, want, err)
		}
	}
}

func TestGIFFramesAreTheRectanglesThatChange(t *testing.T) {
	g := mustGIF(t, 40, 30, animation.Options{})
	base := plain(40, 30, white)
	for _, m := range []image.Image{base, with(base, image.Rect(10, 5, 20, 9), red), with(base, image.Rect(12, 5, 20, 9), red)} {
		if err := g.Add(m, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	file := mustEncode(t, g)
	all, err := gif.DecodeAll(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []image.Rectangle{base.Rect, image.Rect(10, 5, 20, 9), image.Rect(10, 5, 12, 9)} {
		if got := all.Image[i].Rect; got != want {
			t.Errorf("frame %d is %v, want %v", i, got, want)
		}
	}
	// 13 of header, 4 colours, 19 to loop, 18 and data for a frame, 1 at the end.
	if len(file) > 13+12+19+3*(18+40)+1 {
		t.Errorf("the file takes %d bytes", len(file))
	}
}

func TestGIFLeavesOrPaintsWhatIsThereWhicheverIsShorter(t *testing.T) {
	grain := plain(64, 64, red)
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		grain.Set(r.IntN(64), r.IntN(64), white)
	}
	alone := len(encoded(t, []*image.NRGBA{grain}, animation.Options{}))
	for name, next := range map[string]*image.NRGBA{
		"all becomes red": plain(64, 64, red),
		"dots in corners": with(with(grain, image.Rect(0, 0, 1, 1), blue), image.Rect(63, 63, 64, 64), blue),
	} {
		if more := len(encoded(t, []*image.NRGBA{grain, next, next}, animation.Options{})) - alone; more > 180 {
			t.Errorf("%s: the frame takes %d bytes of %d", name, more, alone)
		}
	}
}

func TestGIFRefuses(t *testing.T) {
	m := plain(4, 4, red)
	noise := func(seed uint64) image.Image {
		r, m := rand.New(rand.NewPCG(seed, 0)), plain(4, 4, white)
		for i := range m.Pix {
			if i%4 != 3 {
				m.Pix[i] = byte(r.Uint32())
			}
		}
		return m
	}
	for name, c := range map[string]struct {
		opts animation.Options
		fill func(*animation.GIF) error
		want string // slug
		at   string
	}{
		"another size":    {fill: func(g *animation.GIF) error { _ = g.Add(m, time.Second); return g.Add(plain(4, 5, red), time.Second) }, want: animation.SlugFrame, at: "frames[1]"},
		"too short":       {fill: func(g *animation.GIF) error { return g.Add(m, 19*time.Millisecond) }, want: animation.SlugDelay, at: "frames[0]"},
		"too long":        {fill: func(g *animation.GIF) error { return g.Add(m, 656*time.Second) }, want: animation.SlugDelay, at: "frames[0]"},
		"hold of nothing": {fill: func(g *animation.GIF) error { return g.Hold(time.Second) }, want: animation.SlugFrames, at: "frames[0]"},
		"too many": {opts: animation.Options{Frames: 2}, fill: func(g *animation.GIF) error {
			_, _ = g.Add(m, time.Second), g.Hold(time.Second)
			return g.Add(m, time.Second)
		}, want: animation.SlugFrames, at: "frames[2]"},
		"too much": {opts: animation.Options{Memory: 60}, fill: func(g *animation.GIF) error {
			_ = g.Add(m, time.Second)
			_ = g.Add(noise(1), time.Second)
			return g.Add(noise(2), time.Second)
		}, want: animation.SlugMemory, at: "frames[2]"},
	} {
		g := mustGIF(t, 4, 4, c.opts)
		err := c.fill(g)
		var p *problem.Error
		if !errors.As(err, &p) || p.Slug != c.want || p.Path != c.at {
			t.Errorf("%s: got %v, want %s at %s", name, err, c.want, c.at)
			continue
		}
		if again := g.Add(m, time.Second); !errors.Is(again, err) {
			t.Errorf("%s: the next frame was taken: %v", name, again)
		}
		if end := g.Encode(t.Context(), new(bytes.Buffer)); !errors.Is(end, err) {
			t.Errorf("%s: a film with a hole was written: %v", name, end)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		width, height int
		opts          animation.Options
		gif, webp     string // slugs
	}{
		"fine":                  {1, 1, animation.Options{Loop: 65535, Background: white}, "", ""},
		"as large as may be":    {4000, 4000, animation.Options{}, "", ""},
		"too many pixels":       {4000, 4001, animation.Options{}, animation.SlugSize, animation.SlugSize},
		"no width":              {0, 5, animation.Options{}, animation.SlugSize, animation.SlugSize},
		"a negative height":     {5, -1, animation.Options{}, animation.SlugSize, animation.SlugSize},
		"the widest WebP":       {16383, 1, animation.Options{}, "", ""},
		"wider":                 {16384, 1, animation.Options{}, "", animation.SlugSize},
		"the highest GIF":       {1, 65535, animation.Options{}, "", animation.SlugSize},
		"higher":                {1, 65536, animation.Options{}, animation.SlugSize, animation.SlugSize},
		"a product over an int": {1 << 62, 1 << 62, animation.Options{}, animation.SlugSize, animation.SlugSize},
		"a smaller limit":       {10, 10, animation.Options{Pixels: 99}, animation.SlugSize, animation.SlugSize},
		"too often":             {10, 10, animation.Options{Loop: 65536}, animation.SlugOptions, animation.SlugOptions},
		"less than never":       {10, 10, animation.Options{Loop: -1}, animation.SlugOptions, animation.SlugOptions},
		"a background of glass": {10, 10, animation.Options{Background: color.NRGBA{A: 100}}, animation.SlugOptions, animation.SlugOptions},
		"a negative limit":      {10, 10, animation.Options{Frames: -1}, animation.SlugOptions, animation.SlugOptions},
	} {
		_, err := animation.NewGIF(c.width, c.height, c.opts)
		if got := slug(err); got != c.gif {
			t.Errorf("%s: GIF: %v, want %q", name, err, c.gif)
		}
		_, err = animation.NewWebP(c.width, c.height, c.opts)
		if got := slug(err); got != c.webp {
			t.Errorf("%s: WebP: %v, want %q", name, err, c.webp)
		}
	}
}

func slug(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Slug
	}
	return ""
}

// full is a disk without room.
type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWritingEnds(t *testing.T) {
	g, w := mustGIF(t, 100, 100, animation.Options{}), mustWebP(t, animation.Options{})
	for i := range 20 {
		if err := errors.Join(g.Add(plain(100, 100, color.NRGBA{uint8(i), 0, 0, 255}), time.Second), w.Add(mustRead(t, []string{"lossy-1.webp", "lossy-2.webp"}[i%2]), time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, a := range map[string]interface {
		Encode(ctx context.Context, w io.Writer) error
	}{"GIF": g, "WebP": w} {
		if err := a.Encode(ctx, io.Discard); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, when nobody waits any more: %v", name, err)
		}
		var whole bytes.Buffer
		if err := a.Encode(t.Context(), &whole); err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, whole.Len() / 2, whole.Len() - 1} {
			if err := a.Encode(t.Context(), &full{room}); !errors.Is(err, errFull) {
				t.Errorf("%s, with room for %d bytes of %d: %v", name, room, whole.Len(), err)
			}
		}
	}
}

func TestAnAnimationOfNothingIsRefused(t *testing.T) {
	if err := mustGIF(t, 2, 2, animation.Options{}).Encode(t.Context(), io.Discard); slug(err) != animation.SlugFrames {
		t.Errorf("GIF: %v", err)
	}
	if err := mustWebP(t, animation.Options{}).Encode(t.Context(), io.Discard); slug(err) != animation.SlugFrames {
		t.Errorf("WebP: %v", err)
	}
}
