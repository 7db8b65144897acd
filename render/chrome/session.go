package chrome

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

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

//go:embed page.js
var rowScript string

// drawRow calls what rowScript left in the tab's world.
const drawRow = `(row) => globalThis.pictifydDraw(row.html, row.paths)`

// A sessionKey is what requests share that may use one tab, one after another.
type sessionKey struct {
	page          string
	width, height int
	layout        string
}

func keyOf(r render.Request) sessionKey { return sessionKey{r.Page, r.Width, r.Height, r.Layout} }

// A session is a tab with a page of one key: loaded once, then given row after
// row. It serves one row at a time, and none after an error.
type session struct {
	key    sessionKey
	origin *origin
	tab    *chromedp.Target
	world  runtime.ExecutionContextID
	cancel context.CancelFunc // closes the tab, and waits for it
	done   <-chan struct{}    // closed when the tab is
	crash  <-chan struct{}    // closed when its renderer crashed
}

// A prepared row is ready to be captured.
type prepared struct {
	Failed                    []string `json:"failed"`
	Width, Height             int
	ScrollWidth, ScrollHeight int
	Report                    struct {
		Layers   []render.LayerReport `json:"layers"`
		Problems []render.Warning     `json:"problems"`
	} `json:"report"`
	Glyphs []missingGlyphs `json:"glyphs"`
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
	if _, err := cdp.Call(ctx, s.tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(s.key.width), Height: int64(s.key.height), DeviceScaleFactor: 1,
	}); err != nil {
		return fmt.Errorf("set the size: %w", err)
	}
	loaded, stop := s.tab.Subscribe(page.LoadEventFired.Method)
	defer stop()
	nav, err := cdp.Call(ctx, s.tab, page.Navigate, page.NavigateParams{URL: s.origin.url()})
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
	if err := s.evaluate(ctx, glyphScript); err != nil {
		return fmt.Errorf("load the glyph script: %w", err)
	}
	if s.key.layout == "" {
		return nil
	}
	if err := s.evaluate(ctx, s.key.layout); err != nil {
		return fmt.Errorf("load the layout script: %w", err)
	}
	return nil
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

// draw is one row from request to picture.
func (s *session) draw(ctx context.Context, r render.Request) (render.Output, error) {
	ctx, cancel := s.until(ctx)
	defer cancel()
	row, err := s.prepare(ctx, r)
	if err != nil {
		return render.Output{}, causeOf(ctx, err)
	}
	bytes, err := s.capture(ctx, r.Format, r.Quality)
	if err != nil {
		return render.Output{}, causeOf(ctx, err)
	}
	return render.Output{
		Bytes: bytes, Width: r.Width, Height: r.Height,
		Layout: row.Report.Layers, Warnings: append(row.Report.Problems, glyphWarnings(row.Glyphs)...),
	}, nil
}

// causeOf is why ctx ended where that is what err is about.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// prepare puts the row's document into the page and waits until it is ready
// to be captured.
func (s *session) prepare(ctx context.Context, r render.Request) (prepared, error) {
	if err := s.origin.admit(r.Assets); err != nil {
		return prepared{}, err
	}
	row, err := rowArgument(r)
	if err != nil {
		return prepared{}, err
	}
	yes := true
	res, err := cdp.Call(ctx, s.tab, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: drawRow, Arguments: []*runtime.CallArgument{row}, ExecutionContextID: s.world,
		AwaitPromise: &yes, ReturnByValue: &yes, Silent: &yes,
	})
	if err != nil {
		return prepared{}, fmt.Errorf("put the row into the page: %w", err)
	}
	if res.ExceptionDetails != nil {
		return prepared{}, pageFault(&chromedp.ExceptionError{ExceptionDetails: res.ExceptionDetails})
	}
	var done prepared
	if err := json.Unmarshal(res.Result.Value, &done); err != nil {
		return prepared{}, fmt.Errorf("read the row script's answer: %w", err)
	}
	if len(done.Failed) > 0 {
		return prepared{}, s.assetFault(done.Failed, r.Assets)
	}
	if done.Width != r.Width || done.Height != r.Height {
		return prepared{}, fmt.Errorf("the page is %dx%d, not %dx%d", done.Width, done.Height, r.Width, r.Height)
	}
	return done, nil
}

// rowArgument is what the row script is called with. It is one object: an
// argument that is an empty list or text would be left out of the message.
func rowArgument(r render.Request) (*runtime.CallArgument, error) {
	row := struct {
		HTML  string   `json:"html"`
		Paths []string `json:"paths"`
	}{HTML: r.HTML, Paths: make([]string, len(r.Assets))}
	for i, a := range r.Assets {
		row.Paths[i] = a.Path
	}
	text, err := json.Marshal(row)
	if err != nil {
		return nil, fmt.Errorf("encode the row: %w", err)
	}
	return &runtime.CallArgument{Value: text}, nil
}

// assetFault is the error for files that the page did not get. It is the row's
// own, unless the library could not be read.
func (s *session) assetFault(urls []string, assets []render.Asset) error {
	slices.Sort(urls)
	own := "http://" + s.origin.host
	for i, u := range urls {
		parsed, err := url.Parse(u)
		if err != nil || parsed.Scheme+"://"+parsed.Host != own {
			continue
		}
		urls[i] = spelled(parsed, assets)
		if err := s.origin.fault(parsed.Path); err != nil && !notFound(err) {
			return fmt.Errorf("serve the asset %s: %w", urls[i], err)
		}
	}
	return assetsFailed(urls)
}

// spelled is the path of u as the request spells it.
func spelled(u *url.URL, assets []render.Asset) string {
	for _, a := range assets {
		if cleanPath(a.Path) == u.Path {
			return a.Path
		}
	}
	return u.EscapedPath()
}

const defaultQuality = 85

// capture is the picture of the viewport as it is.
func (s *session) capture(ctx context.Context, format render.Format, quality int) ([]byte, error) {
	yes, no := true, false
	params := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormat(format), CaptureBeyondViewport: &no}
	if format == render.PNG {
		params.OptimizeForSpeed = &yes
	} else {
		if quality == 0 {
			quality = defaultQuality
		}
		q := int64(quality)
		params.Quality = &q
	}
	res, err := cdp.Call(ctx, s.tab, page.CaptureScreenshot, params)
	if err != nil {
		return nil, fmt.Errorf("capture the page: %w", err)
	}
	if len(res.Data) == 0 {
		return nil, errors.New("capture the page: no bytes")
	}
	return res.Data, nil
}

// close closes the tab and forgets its origin. It takes a few seconds at most.
func (s *session) close() {
	s.cancel()
	s.origin.close()
}
