package animation

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"io"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// What WebP can hold and browsers show.
const (
	webpEdge     = 16383
	webpTicks    = 1<<24 - 1             // milliseconds
	webpShortest = 11 * time.Millisecond // below, browsers take 100ms
	webpMost     = 4_000_000_000         // bytes, below what a RIFF file can count
)

// A WebP is an animation being put together. It is not safe for use by several
// goroutines.
type WebP struct {
	film
	alpha   bool
	profile []byte
	frames  []piece
}

// A piece is a still and where it goes.
type piece struct {
	ticks int
	area  image.Rectangle
	image []byte
}

// NewWebP is a WebP of width by height without frames.
func NewWebP(width, height int, opts Options) (*WebP, error) {
	opts, err := opts.withDefaults("a WebP", width, height, webpEdge)
	if err != nil {
		return nil, err
	}
	opts.Memory = min(opts.Memory, webpMost)
	return &WebP{film: film{
		opts: opts, width: width, height: height,
		times: clock{tick: time.Millisecond}, shortest: webpShortest, longest: webpTicks,
	}}, nil
}

// Add appends a frame that lasts d: a still WebP file of the animation's size,
// lossy or lossless, with or without alpha. Its picture is not decoded; whether
// the file is whole is checked as far as its headers say. All stills need the
// same colour profile, or none.
func (w *WebP) Add(file []byte, d time.Duration) error { return w.AddAt(file, image.Point{}, d) }

// AddAt is Add for a still that shows only what changed. It takes the place of
// what is there, alpha included. WebP counts places in twos, so at must be even;
// the first frame can't be in part.
func (w *WebP) AddAt(file []byte, at image.Point, d time.Duration) error {
	ticks, err := w.begin(d, false)
	if err != nil {
		return err
	}
	s, err := readStill(file)
	if err != nil {
		return w.refuse(problem.New(problem.Invalid, "the frame can't be read: %w", err).WithSlug(SlugFrame))
	}
	area := image.Rectangle{Min: at, Max: at.Add(image.Pt(s.width, s.height))}
	if err := w.place(s, area); err != nil {
		return err
	}
	if n := len(w.frames); n > 0 && area == w.frames[n-1].area && bytes.Equal(s.image, w.frames[n-1].image) && w.extend(ticks) {
		return nil
	}
	w.alpha = w.alpha || s.alpha
	w.frames = append(w.frames, piece{ticks: ticks, area: area, image: bytes.Clone(s.image)})
	return w.keep(len(s.image) + pieceHeader)
}

// place checks that a still fits into the animation.
func (w *WebP) place(s still, area image.Rectangle) error {
	whole := image.Rect(0, 0, w.width, w.height)
	switch first := len(w.frames) == 0; {
	case first && area != whole:
		return w.refuse(problem.New(problem.Invalid, "the first frame is %dx%d at %v and the animation %dx%d",
			s.width, s.height, area.Min, w.width, w.height).WithSlug(SlugFrame))
	case !area.In(whole):
		return w.refuse(problem.New(problem.Invalid, "the frame of %dx%d at %v does not fit into %dx%d",
			s.width, s.height, area.Min, w.width, w.height).WithSlug(SlugFrame))
	case area.Min.X%2 != 0 || area.Min.Y%2 != 0:
		return w.refuse(problem.New(problem.Invalid, "a frame can't be at %v", area.Min).WithSlug(SlugFrame).
			WithHint("use even places"))
	case first:
		w.profile = bytes.Clone(s.profile)
	case !bytes.Equal(s.profile, w.profile):
		return w.refuse(problem.New(problem.Invalid, "the frame has another colour profile than the first one").WithSlug(SlugFrame))
	}
	return nil
}

// Hold shows what is there for d more.
func (w *WebP) Hold(d time.Duration) error {
	ticks, err := w.begin(d, true)
	if err != nil || w.extend(ticks) {
		return err
	}
	again := w.frames[len(w.frames)-1]
	again.ticks = ticks
	w.frames = append(w.frames, again)
	return w.keep(len(again.image) + pieceHeader)
}

// extend makes the last frame longer, if it may be so long.
func (w *WebP) extend(ticks int) bool {
	last := &w.frames[len(w.frames)-1]
	if last.ticks+ticks > webpTicks {
		return false
	}
	last.ticks += ticks
	return true
}

const pieceHeader = 24

// Encode writes the WebP. It may be called again, and frames may be added between.
func (w *WebP) Encode(ctx context.Context, to io.Writer) error {
	if err := w.finished(); err != nil {
		return err
	}
	head := w.header()
	size := len(head) - 8
	for _, f := range w.frames {
		size += pieceHeader + len(f.image)
	}
	binary.LittleEndian.PutUint32(head[4:], uint32(size))
	out := bufio.NewWriter(to)
	out.Write(head) //nolint:errcheck // kept by out until it is flushed
	for _, f := range w.frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		out.Write(f.header()) //nolint:errcheck // kept by out until it is flushed
		out.Write(f.image)    //nolint:errcheck // kept by out until it is flushed
	}
	return out.Flush()
}

// header is everything before the frames, without the size of the file.
func (w *WebP) header() []byte {
	flags := byte(0x02) // animation
	if w.alpha {
		flags |= 0x10
	}
	if len(w.profile) > 0 {
		flags |= 0x20
	}
	b := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00")
	b = append(b, flags, 0, 0, 0)
	b = appendUint24(b, w.width-1, w.height-1)
	if n := len(w.profile); n > 0 {
		b = binary.LittleEndian.AppendUint32(append(b, "ICCP"...), uint32(n))
		b = append(append(b, w.profile...), make([]byte, n&1)...)
	}
	c := w.opts.Background
	b = append(b, "ANIM\x06\x00\x00\x00"...)
	b = append(b, c.B, c.G, c.R, c.A)
	return binary.LittleEndian.AppendUint16(b, uint16(w.opts.Loop))
}

func (p piece) header() []byte {
	const replace = 0x02 // what is there, instead of being laid over it
	b := binary.LittleEndian.AppendUint32([]byte("ANMF"), uint32(pieceHeader-8+len(p.image)))
	b = appendUint24(b, p.area.Min.X/2, p.area.Min.Y/2, p.area.Dx()-1, p.area.Dy()-1, p.ticks)
	return append(b, replace)
}

func appendUint24(b []byte, values ...int) []byte {
	for _, v := range values {
		b = append(b, byte(v), byte(v>>8), byte(v>>16))
	}
	return b
}
