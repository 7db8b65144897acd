package chrome

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"math"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/animation"
)

const (
	// MaxFrames is how many frames a moving picture may have.
	MaxFrames = 300
	// defaultFPS is that of a GIF that says nothing of it.
	defaultFPS = 15
)

// moves reports whether r is a moving picture.
func moves(r render.Request) bool {
	return r.Format == render.GIF || r.Format == render.WebP && r.Motion.Moves()
}

// A film is the frames of a moving picture: when they are, and for how long.
type film struct {
	step   time.Duration
	frames int
}

// filmOf is how a page whose animations go round in so many milliseconds is
// filmed. A page without any is one frame.
func filmOf(m render.Motion, round float64) (film, error) {
	fps := m.FPS
	if fps == 0 {
		fps = defaultFPS
	}
	length := m.Duration
	if length == 0 {
		length = milliseconds(round)
	}
	f := film{step: time.Second / time.Duration(fps), frames: max(1, int(math.Round(length.Seconds()*float64(fps))))}
	if f.frames > MaxFrames {
		return f, retry.Permanent(problem.New(problem.TooLarge, "%s at %d frames a second are %d frames, more than %d", length, fps, f.frames, MaxFrames).
			WithSlug(SlugRenderFrames).WithHint("give the output a duration, or fewer fps"))
	}
	return f, nil
}

// An animator takes frames and makes a file of them.
type animator interface {
	add(still []byte, d time.Duration) error
	file(ctx context.Context) ([]byte, error)
}

// film makes the moving picture of the prepared page. The page's clock does not
// run: each frame is sought, so that the same page makes the same frames.
func (s *session) film(ctx context.Context, r render.Request, round float64) ([]byte, error) {
	f, err := filmOf(r.Motion, round)
	if err != nil {
		return nil, err
	}
	a, format, err := s.animator(r)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	for i := range f.frames {
		at := float64(i) * f.step.Seconds() * 1000
		if _, err := s.call(ctx, `(ms) => globalThis.pictifydTab.seek(ms)`, strconv.AppendFloat(nil, at, 'f', 3, 64)); err != nil {
			return nil, fmt.Errorf("seek frame %d: %w", i, err)
		}
		still, err := s.capture(ctx, format, qualityOf(r))
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", i, err)
		}
		if err := a.add(still, f.step); err != nil {
			return nil, retry.Permanent(err)
		}
	}
	data, err := a.file(ctx)
	if err == nil && r.MaxBytes > 0 && int64(len(data)) > r.MaxBytes {
		return nil, tooManyBytes(r, int64(len(data)))
	}
	return data, err
}

// animator is who makes r, and the format of the stills that it takes.
func (s *session) animator(r render.Request) (animator, render.Format, error) {
	width, height := s.key.pixels()
	// A gradient of a card has bands in 256 colours, unless it is dithered.
	options := animation.Options{Loop: r.Motion.Loops, Frames: MaxFrames, Pixels: maxPixels, Dither: true}
	if r.Format == render.GIF {
		g, err := animation.NewGIF(width, height, options)
		return &gifAnimator{gif: g}, render.PNG, err
	}
	w, err := animation.NewWebP(width, height, options)
	return &webpAnimator{webp: w}, render.WebP, err
}

type gifAnimator struct {
	gif  *animation.GIF
	last []byte
}

func (a *gifAnimator) add(still []byte, d time.Duration) error {
	if bytes.Equal(still, a.last) {
		return a.gif.Hold(d)
	}
	a.last = still
	frame, err := png.Decode(bytes.NewReader(still))
	if err != nil {
		return fmt.Errorf("decode a frame: %w", err)
	}
	return a.gif.Add(frame, d)
}

func (a *gifAnimator) file(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	err := a.gif.Encode(ctx, &out)
	return out.Bytes(), err
}

type webpAnimator struct{ webp *animation.WebP }

func (a *webpAnimator) add(still []byte, d time.Duration) error { return a.webp.Add(still, d) }

func (a *webpAnimator) file(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	err := a.webp.Encode(ctx, &out)
	return out.Bytes(), err
}
