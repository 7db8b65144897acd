// Command tutorial makes pictures as the first page of most tutorials does: with
// chromedp's default flags, a new tab for each picture, navigate, capture, close.
// It draws an exported workload and prints a line of JSON, as the peers do.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/bench"
)

func main() {
	var l loop
	flag.StringVar(&l.dir, "dir", "", "the exported workload")
	flag.StringVar(&l.format, "format", "png", "png or jpeg")
	flag.StringVar(&l.keep, "keep", "", "the folder that the first pictures are written to")
	flag.IntVar(&l.inFlight, "in-flight", 1, "pictures at a time")
	seconds := flag.Float64("seconds", 0, "no picture is begun after it; 0: all rows are drawn")
	warm := flag.Float64("warm", 2, "seconds of drawing before anything is measured")
	flag.Parse()
	result, err := l.measure(context.Background(), duration(*warm), duration(*seconds))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tutorial:", err)
		os.Exit(1)
	}
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// A loop is one tab after another, or so many at a time.
type loop struct {
	dir, format, keep string
	inFlight          int

	url           string
	width, height int64
	rows          int
	bytes         atomic.Int64
}

func (l *loop) measure(ctx context.Context, warm, limit time.Duration) (bench.Result, error) {
	text, err := os.ReadFile(filepath.Join(l.dir, "workload.json"))
	if err != nil {
		return bench.Result{}, err
	}
	var m bench.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return bench.Result{}, fmt.Errorf("read the workload: %w", err)
	}
	l.width, l.height, l.rows = int64(m.Width), int64(m.Height), m.Rows
	server := httptest.NewServer(http.FileServer(http.Dir(l.dir)))
	defer server.Close()
	l.url = server.URL

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(os.Getenv("CHROME")))
	if os.Getuid() == 0 { // Chrome refuses to start otherwise; without the sandbox it is no slower
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		return bench.Result{}, fmt.Errorf("start Chrome: %w", err)
	}
	if _, _, err := l.draw(ctx, warm, true); err != nil {
		return bench.Result{}, err
	}
	l.bytes.Store(0)
	images, took, err := l.draw(ctx, limit, false)
	if err != nil {
		return bench.Result{}, err
	}
	peer := "chromedp tutorial"
	if l.inFlight > 1 {
		peer += ", " + strconv.Itoa(l.inFlight) + " at once"
	}
	return bench.Result{
		Peer: peer, Version: version(), Workload: m.Name, Format: l.format, Images: images, Seconds: took.Seconds(),
		ImagesPerSecond: float64(images) / took.Seconds(), MeanBytes: float64(l.bytes.Load()) / float64(images),
	}, nil
}

// version is that of chromedp in this program.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/chromedp/chromedp" {
				return m.Version
			}
		}
	}
	return ""
}

// draw makes pictures until the time is over, or, unless they come again, the rows are.
func (l *loop) draw(ctx context.Context, limit time.Duration, again bool) (images int, took time.Duration, err error) {
	var next, done atomic.Int64
	began := time.Now()
	var g errgroup.Group
	for range l.inFlight {
		g.Go(func() error {
			for limit == 0 || time.Since(began) < limit {
				n := int(next.Add(1)) - 1
				if n >= l.rows && !again {
					return nil
				}
				if err := l.picture(ctx, n%l.rows, !again); err != nil {
					return fmt.Errorf("row %d: %w", n, err)
				}
				done.Add(1)
			}
			return nil
		})
	}
	err = g.Wait()
	return int(done.Load()), time.Since(began), err
}

// picture is the tutorial's part.
func (l *loop) picture(ctx context.Context, n int, counted bool) error {
	ctx, cancel := chromedp.NewContext(ctx)
	defer cancel()
	err := chromedp.Do(ctx,
		chromedp.EmulateViewport(l.width, l.height),
		chromedp.Navigate(l.url+"/rows/"+strconv.Itoa(n)+".html"),
		ready,
	)
	if err != nil {
		return err
	}
	data, err := chromedp.Run(ctx, l.capture)
	if err != nil || !counted {
		return err
	}
	l.bytes.Add(int64(len(data)))
	if l.keep == "" || n >= 3 {
		return nil
	}
	name := fmt.Sprintf("tutorial-%s-%d.%s", filepath.Base(l.dir), n, l.format)
	return os.WriteFile(filepath.Join(l.keep, name), data, 0o644)
}

// ready waits for fonts, and for the layout script of documents that have it:
// otherwise the picture would be another one.
func ready(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	_, err := chromedp.Evaluate[bool](`(window.fitted ?? document.fonts.ready).then(() => true)`, chromedp.EvalAwaitPromise)(ctx, t)
	return chromedp.Void{}, err
}

func (l *loop) capture(ctx context.Context, t *chromedp.Target) ([]byte, error) {
	switch l.format {
	case "png":
		return chromedp.CaptureScreenshot()(ctx, t)
	case "jpeg":
		quality := int64(85)
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Format: page.CaptureScreenshotFormatJpeg, Quality: &quality,
		})
		if err != nil {
			return nil, err
		}
		return shot.Data, nil
	}
	return nil, errors.New("the tutorial makes png and jpeg only, not " + l.format)
}
