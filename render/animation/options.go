package animation

import (
	"image/color"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of the problems that an animation raises.
const (
	SlugOptions = "animation_options" // the options make no sense
	SlugSize    = "animation_size"    // the picture is too small or too large for the format
	SlugFrames  = "animation_frames"  // too many frames, or none
	SlugDelay   = "animation_delay"   // a frame is shown too short or too long
	SlugFrame   = "animation_frame"   // a frame does not belong here, or is damaged
	SlugMemory  = "animation_memory"  // the frames differ so much that they take too much memory
)

// What an animation may be when Options don't say.
const (
	DefaultFrames = 600
	DefaultPixels = 16_000_000
	DefaultMemory = 128 << 20
)

// MaxLoop is the most that an animation can be told to play.
const MaxLoop = 65535

// Options say how an animation plays and how large it may get.
type Options struct {
	Loop int // how often it plays; 0 is forever

	// Background is the colour behind what is transparent, which must be opaque
	// itself. The zero value is none: what is transparent stays so. A GIF knows
	// no half: without a background, a pixel is opaque from half opacity on. In
	// a WebP it is a hint that most viewers ignore.
	Background color.NRGBA

	// Dither shows a colour that a GIF has no room for as a pattern of two others.
	// Gradients then have no bands; files get larger. What does not change in the
	// pictures does not change in the pattern.
	Dither bool

	Frames int // most that may be added; 0 is DefaultFrames
	Pixels int // most of one frame; 0 is DefaultPixels
	Memory int // most bytes that the frames may take until they are written; 0 is DefaultMemory
}

// withDefaults is o with a number for every limit, or what is wrong with it for
// pictures of w by h whose format allows edges up to edge.
func (o Options) withDefaults(format string, w, h, edge int) (Options, error) {
	for _, limit := range []struct {
		value    *int
		standard int
		name     string
	}{{&o.Frames, DefaultFrames, "frames"}, {&o.Pixels, DefaultPixels, "pixels"}, {&o.Memory, DefaultMemory, "memory"}} {
		if *limit.value < 0 {
			return o, problem.New(problem.Invalid, "%d is less than nothing", *limit.value).WithSlug(SlugOptions).At(limit.name)
		}
		if *limit.value == 0 {
			*limit.value = limit.standard
		}
	}
	if o.Loop < 0 || o.Loop > MaxLoop {
		return o, problem.New(problem.Invalid, "an animation can't play %d times", o.Loop).WithSlug(SlugOptions).At("loop").
			WithHint("use 0 for without end, or 1 to %d", MaxLoop)
	}
	if o.Background.A != 0 && o.Background.A != 255 {
		return o, problem.New(problem.Invalid, "the background is half transparent").WithSlug(SlugOptions).At("background").
			WithHint("use an opaque colour, or none")
	}
	// Divided, because the product of the largest edges may not fit an int.
	if w < 1 || h < 1 || w > edge || h > edge || w > o.Pixels/h {
		return o, problem.New(problem.Invalid, "%s of %dx%d can't be made", format, w, h).WithSlug(SlugSize).
			WithHint("use edges of 1 to %d pixels and at most %d pixels in all", edge, o.Pixels)
	}
	return o, nil
}
