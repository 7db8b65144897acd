package chrome

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"log/slog"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
)

// startLimit is how long a Chrome may take from its start to its first picture.
const startLimit = 30 * time.Second

var errNotAnswering = errors.New("it does not answer")

// A chromium is one running Chrome with its seats. The pool's lock guards the
// second group of fields.
type chromium struct {
	place   int
	version string
	proc    *process
	root    context.Context // chromedp keeps its connection in a context; ends with the browser
	cancel  context.CancelFunc
	lost    <-chan struct{} // closed when the connection is

	stages bool // it draws pages in canvases

	seats    []*seat
	busy     int
	pictures int
	retired  bool    // gets no more work, and ends with the last in hand
	dead     bool    // has ended
	killedBy *seat   // whose row it was killed for
	reserved *waiter // the row that it is, or will be, alone with
}

// A seat is a tab's worth of work: one row at a time. Its session belongs to
// the row that has the seat; key says what the session was opened for.
type seat struct {
	browser *chromium
	session *session

	key   sessionKey
	bound bool
	busy  bool
	used  int64 // the pool's count of turns when last given away
}

// transport is an Allocator of chromedp that starts nothing: the process is ours.
type transport struct{ conn chromedp.Transport }

func (t transport) Allocate(ctx context.Context, opts ...chromedp.BrowserOption) (*chromedp.Browser, error) {
	return chromedp.NewBrowserTransport(ctx, t.conn, opts...)
}
func (t transport) Wait()          {}
func (t transport) Attaches() bool { return true }

// A launcher starts Chromes that are all alike.
type launcher struct {
	path    string
	account account
	sandbox bool
	dir     string
	tabs    int
	limit   time.Duration // for a start
	egress  *egress
	log     *slog.Logger
}

// launch starts a Chrome, has it draw a picture, and looks at its sandbox. The
// caller must stop it.
func (l *launcher) launch(ctx context.Context, place int) (b *chromium, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.limit, errNotAnswering)
	defer cancel()
	proc, err := l.start()
	if err != nil {
		return nil, err
	}
	b = l.connect(proc, place)
	kill := context.AfterFunc(ctx, proc.kill) // ends every call below
	if err = b.hello(); err == nil {
		err = l.prove(ctx, b)
	}
	if !kill() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		b.stop()
		return nil, l.explain(ctx, err, proc.output.String())
	}
	return b, nil
}

func (l *launcher) start() (*process, error) {
	profile, err := newProfile(l.dir, l.account)
	if err != nil {
		return nil, err
	}
	args := commandFlags(profile, l.egress.addr(), l.sandbox)
	if err := checkFlags(args, l.sandbox); err != nil {
		return nil, errors.Join(err, removeProfile(profile))
	}
	proc, err := startProcess(l.path, args, profile, l.account)
	if err != nil {
		return nil, errors.Join(err, removeProfile(profile))
	}
	return proc, nil
}

// connect gives the process to chromedp, which has nothing to say about its
// life.
func (l *launcher) connect(proc *process, place int) *chromium {
	b := &chromium{place: place, proc: proc}
	note := func(format string, args ...any) {
		l.log.Debug("chromedp", slog.Int("pid", proc.pid), slog.String("says", fmt.Sprintf(format, args...)))
	}
	allocated, cancelAllocated := chromedp.NewAllocatorContext(context.Background(), transport{proc.conn})
	root, cancelRoot := chromedp.NewContext(allocated, chromedp.WithLogf(note), chromedp.WithErrorf(note))
	b.root, b.cancel = root, func() { cancelRoot(); cancelAllocated() }
	for range l.tabs {
		b.seats = append(b.seats, &seat{browser: b})
	}
	return b
}

// hello opens the connection.
func (b *chromium) hello() error {
	v, err := chromedp.CallBrowser(b.root, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return fmt.Errorf("ask Chrome for its version: %w", err)
	}
	b.version = v.Product
	b.lost = chromedp.FromContext(b.root).Browser.LostConnection
	return nil
}

// probe is a picture whose every pixel is known.
var probe = render.Request{
	Page: "probe", Width: 16, Height: 16, Format: render.PNG,
	HTML: `<!doctype html><html><body style="margin:0;background:#0a84ff"></body></html>`,
}

// prove has b draw a picture in a sandbox.
func (l *launcher) prove(ctx context.Context, b *chromium) error {
	s, err := openSession(ctx, b.root, l.egress, sessionKey{pageKey: keyOf(probe)})
	if err != nil {
		return err
	}
	defer s.close()
	out, err := s.draw(ctx, probe)
	if err != nil {
		return fmt.Errorf("draw a first picture: %w", err)
	}
	if err := checkProbe(out.Bytes); err != nil {
		return err
	}
	b.stages = l.probeStage(ctx, b)
	if l.sandbox {
		return checkSandbox(ctx, b.proc.pid)
	}
	return nil
}

// checkProbe looks at a picture of the probe.
func checkProbe(data []byte) error {
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("decode the first picture: %w", err)
	}
	size := picture.Bounds().Size()
	red, green, blue, _ := picture.At(8, 8).RGBA()
	if size.X != probe.Width || size.Y != probe.Height || red>>8 != 0x0a || green>>8 != 0x84 || blue>>8 != 0xff {
		return fmt.Errorf("the first picture is %v of #%02x%02x%02x, not what was drawn", size, red>>8, green>>8, blue>>8)
	}
	return nil
}

// probeStage reports whether b draws pages in canvases.
func (l *launcher) probeStage(ctx context.Context, b *chromium) bool {
	ctx, cancel := context.WithTimeout(ctx, stageProbeLimit)
	defer cancel()
	s, err := openSession(ctx, b.root, l.egress, sessionKey{keyOf(probe), true})
	if err == nil {
		defer s.close()
		var fault error
		err = s.play(ctx, []render.Request{probe}, func(_ int, out render.Output, err error) {
			if fault = err; err == nil {
				fault = checkProbe(out.Bytes)
			}
		})
		err = errors.Join(err, fault)
	}
	if err != nil {
		l.log.Info("this Chrome has no fast lane", slog.String("version", b.version), slog.Any("err", err))
	}
	return err == nil
}

// stageProbeLimit is how long a first picture on a stage may take.
const stageProbeLimit = 5 * time.Second

// explain makes of a failed start what a person needs to know.
func (l *launcher) explain(ctx context.Context, err error, output string) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return err
	}
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		return err
	}
	if mentionsSandbox(output) {
		return noSandbox(errors.New(lastLine(output)))
	}
	if words := lastLine(output); words != "" {
		err = fmt.Errorf("%w: %s", err, words)
	}
	return problem.New(problem.Surroundings, "%s does not work: %w", l.path, err).WithSlug(SlugChromeStart).
		WithHint("run it by hand with --headless --dump-dom about:blank as an ordinary user, or " + installHint)
}

// lastLine is the most telling line of Chrome's output: the first fatal one,
// else the last that is not just a remark.
func lastLine(output string) string {
	last := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "FATAL") {
			return line
		}
		if line != "" && !strings.Contains(line, "WARNING:") && !strings.Contains(line, "INFO:") {
			last = line
		}
	}
	return last
}

// alive reports whether the browser can be worked with.
func (b *chromium) alive() bool {
	select {
	case <-b.lost:
		return false
	case <-b.proc.done:
		return false
	default:
		return true
	}
}

// answers reports whether the browser does what it is told within a time.
func (b *chromium) answers(within time.Duration) bool {
	ctx, cancel := context.WithTimeout(b.root, within)
	defer cancel()
	_, err := chromedp.CallBrowser(ctx, browser.GetVersion, cdp.Empty{})
	return err == nil
}

// usable reports whether b, which may be nil, can be given more work.
func (b *chromium) usable() bool {
	return b != nil && !b.dead && !b.retired && b.killedBy == nil && b.alive()
}

// stop ends the browser with all its processes, and waits for that.
func (b *chromium) stop() {
	b.proc.kill()
	b.cancel()
	<-b.proc.done
}
