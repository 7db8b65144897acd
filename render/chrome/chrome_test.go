package chrome

import (
	"context"
	"image/color"
	"log/slog"
	"os"

	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render"
)

// realChrome is the path of the Chrome to test with.
func realChrome(tb testing.TB) string {
	tb.Helper()
	path := os.Getenv("PICTIFYD_TEST_CHROME")
	if path == "" {
		tb.Skip("PICTIFYD_TEST_CHROME names no Chrome")
	}
	return path
}

// newDir is a folder that Chrome's user may pass through, unlike TempDir's.
func newDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp(profileFolder(), "p")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func testLog(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type poolOption func(*Config, *Options)

func withBrowsers(n string) poolOption { return func(c *Config, _ *Options) { c.Browsers = n } }
func withTabs(n int) poolOption        { return func(_ *Config, o *Options) { o.Tabs = n } }
func withDeadline(d time.Duration) poolOption {
	return func(_ *Config, o *Options) { o.Deadline = d }
}
func plainly(_ *Config, o *Options) { o.Plain = true }
func quietly(_ *Config, o *Options) { o.Log = nil }

func newPool(tb testing.TB, files Files, opts ...poolOption) *Pool {
	tb.Helper()
	cfg := DefaultConfig()
	cfg.Chrome = realChrome(tb)
	cfg.Browsers = "1"
	o := Options{Dir: newDir(tb), Log: testLog(tb)}
	for _, opt := range opts {
		opt(&cfg, &o)
	}
	p, err := Open(context.Background(), cfg, files, o)
	if err != nil {
		tb.Fatalf("open pool: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			tb.Errorf("close pool: %v", err)
		}
	})
	return p
}

func rgb(r, g, b uint8) color.RGBA { return color.RGBA{r, g, b, 255} }

func card(html string) render.Request {
	return render.Request{Page: "page", HTML: "<!doctype html><html><head></head><body>" + html + "</body></html>",
		Width: 320, Height: 200, Format: render.PNG}
}
