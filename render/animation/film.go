package animation

import (
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A film is what both formats have in common: how many frames there are, how
// long they last, what they take, and whether one was refused.
type film struct {
	opts          Options
	width, height int
	times         clock
	shortest      time.Duration // that players show as it is
	longest       int           // ticks of one frame
	added         int
	held          int // bytes
	refused       error
}

// begin opens the next frame, which lasts d, and is its length in ticks. Only
// the first may not be a repetition.
func (f *film) begin(d time.Duration, repeats bool) (ticks int, err error) {
	if f.refused != nil {
		return 0, f.refused
	}
	f.added++
	switch longest := time.Duration(f.longest) * f.times.tick; {
	case repeats && f.added == 1:
		return 0, f.refuse(problem.New(problem.Invalid, "there is no frame yet that could stay").WithSlug(SlugFrames))
	case f.added > f.opts.Frames:
		return 0, f.refuse(problem.New(problem.TooLarge, "an animation of more than %d frames can't be made", f.opts.Frames).
			WithSlug(SlugFrames).WithHint("make it shorter, or with fewer frames a second"))
	case d < f.shortest:
		return 0, f.refuse(problem.New(problem.Invalid, "%s is too short: players would show the frame for 100ms", d).
			WithSlug(SlugDelay).WithHint("use %s or more, at most %d frames a second", f.shortest, time.Second/f.shortest))
	case d > longest:
		return 0, f.refuse(problem.New(problem.Invalid, "%s is too long for one frame", d).WithSlug(SlugDelay).
			WithHint("use %s or less", longest))
	}
	return f.times.next(d), nil
}

// keep counts bytes that are kept until the film is written.
func (f *film) keep(bytes int) error {
	if f.held += bytes; f.held > f.opts.Memory {
		return f.refuse(problem.New(problem.TooLarge, "the frames up to this one take more than the %d bytes that they may", f.opts.Memory).
			WithSlug(SlugMemory).WithHint("make the picture smaller, shorter, or with fewer frames a second"))
	}
	return nil
}

// refuse ends the film with a problem of the frame that is being added.
func (f *film) refuse(p *problem.Error) error {
	f.refused = p.At(fmt.Sprintf("frames[%d]", f.added-1))
	return f.refused
}

// finished is nil for a film that can be written.
func (f *film) finished() error {
	if f.refused == nil && f.added == 0 {
		return problem.New(problem.Invalid, "an animation has at least one frame").WithSlug(SlugFrames)
	}
	return f.refused
}

// A clock cuts time into whole ticks. What is lost by rounding one length is
// given to the next, so that the sum is always right to half a tick.
type clock struct {
	tick  time.Duration
	exact time.Duration // so far
	ticks int           // so far
}

func (c *clock) next(d time.Duration) int {
	before := c.ticks
	c.exact += d
	c.ticks = int((c.exact + c.tick/2) / c.tick)
	return c.ticks - before
}
