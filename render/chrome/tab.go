package chrome

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/inspector"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/pictifyd/pictifyd/render"
)

var (
	//go:embed page.js
	rowScript string
	//go:embed stage.js
	stageScript string
	//go:embed texts.js
	textScript string
)

// A pageKey is what requests share that may use one tab, one after another.
type pageKey struct {
	page          string
	width, height int
	scale         float64
	transparent   bool
	layout        string
	print         bool // for PDFs
}

func keyOf(r render.Request) pageKey {
	print := r.Format == render.PDF
	return pageKey{r.Page, r.Width, r.Height, scaleOf(r), r.Transparent && !print, r.Layout, print}
}

// scaleOf is how many pixels of the picture a CSS pixel is.
func scaleOf(r render.Request) float64 {
	if r.Scale == 0 || r.Format == render.PDF {
		return 1
	}
	return r.Scale
}

// pixels is the size of a picture of the page.
func (k pageKey) pixels() (width, height int) {
	return int(math.Round(float64(k.width) * k.scale)), int(math.Round(float64(k.height) * k.scale))
}

// A sessionKey says what a tab was opened for.
type sessionKey struct {
	pageKey
	stage bool // several rows at a time
}

// A session is a tab with a page of one key: loaded once, then given row after
// row. It serves one row at a time, and none after an error.
type session struct {
	key    sessionKey
	slots  int        // of a stage
	prints printState // of a tab of sheets
	origin *origin
	tab    *chromedp.Target
	world  runtime.ExecutionContextID
	cancel context.CancelFunc // closes the tab, and waits for it
	done   <-chan struct{}    // closed when the tab is
	crash  <-chan struct{}    // closed when its renderer crashed
}

// openSession opens a tab in a browser context of its own, so that nothing is
// shared with other pages, loads the shell, and makes it quiet. root is the
// browser's context. The tab outlives ctx, which bounds only the opening.
func openSession(ctx, root context.Context, e *egress, key sessionKey) (s *session, err error) {
	tabCtx, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	stop := context.AfterFunc(ctx, cancel)
	s = &session{key: key, origin: e.open(), cancel: cancel, done: tabCtx.Done()}
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			s.close()
			s, err = nil, fmt.Errorf("open a tab: %w", errors.Join(context.Cause(ctx), err))
		}
	}()
	s.tab, err = chromedp.Run(tabCtx, func(_ context.Context, t *chromedp.Target) (*chromedp.Target, error) { return t, nil })
	if err != nil {
		return s, err
	}
	s.crash = s.watchCrash()
	if err := s.quiet(ctx, dom.Disable.Method, css.Disable.Method, network.Disable.Method, cdplog.Disable.Method); err != nil {
		return s, err
	}
	return s, s.load(ctx)
}

// quiet ends domains that chromedp enables for automation: each would tell us
// of every change that a row makes.
func (s *session) quiet(ctx context.Context, methods ...string) error {
	for _, method := range methods {
		if err := s.tab.Call(ctx, method, cdp.Empty{}, nil); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
	}
	return nil
}

// load brings the tab to its origin's shell in its size, with the row script.
func (s *session) load(ctx context.Context) error {
	width, height := s.key.width, s.key.height
	if s.key.print { // its frames have sizes of their own, and what nobody sees is not painted
		width, height = 16, 16
	}
	if _, err := cdp.Call(ctx, s.tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(width), Height: int64(height), DeviceScaleFactor: s.key.scale,
	}); err != nil {
		return fmt.Errorf("set the size: %w", err)
	}
	if s.key.transparent {
		// The generated type leaves zeros out, and an opacity that is left out is 1.
		clear := map[string]map[string]int{"color": {"r": 0, "g": 0, "b": 0, "a": 0}}
		if err := s.tab.Call(ctx, emulation.SetDefaultBackgroundColorOverride.Method, clear, nil); err != nil {
			return fmt.Errorf("clear the background: %w", err)
		}
	}
	loaded, stop := s.tab.Subscribe(page.LoadEventFired.Method)
	defer stop()
	nav, err := cdp.Call(ctx, s.tab, page.Navigate, page.NavigateParams{URL: s.address()})
	if err != nil {
		return fmt.Errorf("navigate: %w", err)
	}
	if nav.ErrorText != "" {
		return fmt.Errorf("navigate: %s", nav.ErrorText)
	}
	select {
	case <-loaded:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return errTabGone
	}
	if err := s.enter(ctx, nav.FrameID); err != nil {
		return err
	}
	off := target.SetDiscoverTargetsParams{Discover: false}
	if err := s.tab.Call(ctx, target.SetDiscoverTargets.Method, off, nil); err != nil {
		return fmt.Errorf("stop discovery: %w", err)
	}
	return s.quiet(ctx, page.Disable.Method, runtime.Disable.Method)
}

// enter makes the world that the row script and the page's layout script live in.
func (s *session) enter(ctx context.Context, frame cdp.FrameID) error {
	world, err := cdp.Call(ctx, s.tab, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: frame, WorldName: "pictifyd"})
	if err != nil {
		return fmt.Errorf("make a world: %w", err)
	}
	s.world = world.ExecutionContextID
	if err := s.evaluate(ctx, rowScript); err != nil {
		return fmt.Errorf("load the row script: %w", err)
	}
	if err := s.evaluate(ctx, textScript); err != nil {
		return fmt.Errorf("load the text script: %w", err)
	}
	if err := s.evaluate(ctx, glyphScript); err != nil {
		return fmt.Errorf("load the glyph script: %w", err)
	}
	if s.key.layout != "" {
		if err := s.evaluate(ctx, s.key.layout); err != nil {
			return fmt.Errorf("load the layout script: %w", err)
		}
	}
	switch {
	case s.key.stage:
		return s.raise(ctx)
	case s.key.print:
		return s.stock(ctx)
	}
	return s.evaluate(ctx, `globalThis.pictifydTab = pictifydPage(document)`)
}

// address is the document that the tab loads.
func (s *session) address() string {
	if s.key.stage || s.key.print {
		return s.origin.at(stagePath)
	}
	return s.origin.at("/")
}

// call calls a function of the world with one argument, given as JSON, and
// waits for its promise. What the page throws is an *chromedp.ExceptionError.
func (s *session) call(ctx context.Context, function string, argument []byte) (json.RawMessage, error) {
	yes := true
	res, err := cdp.Call(ctx, s.tab, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, Arguments: []*runtime.CallArgument{{Value: argument}}, ExecutionContextID: s.world,
		AwaitPromise: &yes, ReturnByValue: &yes, Silent: &yes,
	})
	if err != nil {
		return nil, err
	}
	if res.ExceptionDetails != nil {
		return nil, &chromedp.ExceptionError{ExceptionDetails: res.ExceptionDetails}
	}
	return json.RawMessage(res.Result.Value), nil
}

// evaluate runs a script in the world.
func (s *session) evaluate(ctx context.Context, script string) error {
	res, err := cdp.Call(ctx, s.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: script, ContextID: s.world})
	if err == nil && res.ExceptionDetails != nil {
		err = &chromedp.ExceptionError{ExceptionDetails: res.ExceptionDetails}
	}
	return err
}

// watchCrash tells when the tab's renderer is gone: calls in flight are never
// answered then.
func (s *session) watchCrash() <-chan struct{} {
	crashed := make(chan struct{})
	events, stop := s.tab.Subscribe(inspector.TargetCrashed.Method)
	done := s.done
	go func() {
		defer stop()
		select {
		case _, ok := <-events:
			if ok {
				close(crashed)
			}
		case <-done:
		}
	}()
	return crashed
}

// until is ctx that also ends with the tab, with the reason as its cause.
func (s *session) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-s.crash:
			cancel(errTabCrashed)
		case <-s.done:
			cancel(errTabGone)
		case <-stop:
		}
	}()
	return ctx, func() {
		close(stop)
		<-ended
		cancel(nil)
	}
}

// causeOf is why ctx ended where that is what err is about.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// close closes the tab and forgets its origin. It takes a few seconds at most.
func (s *session) close() {
	s.cancel()
	s.origin.close()
}
