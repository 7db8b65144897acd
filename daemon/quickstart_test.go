package daemon

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// newQuickstart is the example as a newcomer has it, in a folder of its own.
func newQuickstart(t *testing.T) *site {
	t.Helper()
	s := &site{tb: t, dir: t.TempDir(), receiver: newReceiver(t)}
	const example = "../examples/quickstart"
	err := filepath.WalkDir(example, func(path string, e fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(example, path)
		if err != nil || relErr != nil {
			return fmt.Errorf("%w%w", err, relErr)
		}
		if e.IsDir() && (rel == "data" || rel == "out") {
			return fs.SkipDir
		}
		if e.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			s.write(rel, string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.receiver.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PORT", "0")
	t.Setenv("HOOK_PORT", port)
	// The example's own public_url names its port, which is chosen here.
	yaml := s.read("pictifyd.yaml")
	yaml = strings.Replace(yaml, `  public_url: "http://127.0.0.1:${PORT:-8080}"`+"\n", "", 1)
	yaml = strings.Replace(yaml, "url: \"http://127.0.0.1:${HOOK_PORT:-8081}/hooks/images\"", "url: "+s.receiver.server.URL, 1)
	s.write("pictifyd.yaml", yaml+"\nrender: { chrome: "+os.Getenv("PICTIFYD_TEST_CHROME")+" }\n")
	return s
}

func (s *site) read(name string) string {
	s.tb.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.tb.Fatal(err)
	}
	return string(text)
}

// The story that the README tells: rendered images of a real CSV in the page;
// one cell changes, one image changes, one webhook arrives; a column that no
// image shows changes nothing.
func TestQuickstartShowsItsImagesAndOneChange(t *testing.T) {
	needChrome(t)
	s := newQuickstart(t)
	url, _ := s.run(Options{})
	p := &process{tb: t, url: url}
	eventually(t, "twelve cards and webhooks", func() bool {
		return p.ready("product-cards") == 12 && len(s.receiver.all("render.completed")) == 12
	})

	page := newBrowser(t)
	page.open(url)
	page.until("the live mark", `document.querySelector(".live")?.dataset.live === "live"`)
	page.until("the way to the gallery", `(link => link && (link.click(), true))(document.querySelector("nav a[href='/studio/images']"))`)
	page.until("twelve images", `document.querySelectorAll("main a.shot").length === 12`)
	page.until("the first of them drawn", `document.querySelector("main a.shot img").naturalWidth > 0`)
	before := page.text(`document.querySelector("main a.shot img").src`)

	csv := s.read("products.csv")
	s.write("products.csv", strings.Replace(csv, "14.90", "15.90", 1))
	eventually(t, "the thirteenth webhook", func() bool { return len(s.receiver.all("render.completed")) == 13 })
	page.until("the new image before the others", fmt.Sprintf(`document.querySelector("main a.shot img").src !== %q`, before))

	s.write("products.csv", strings.Replace(strings.Replace(csv, "14.90", "15.90", 1), ",230\n", ",229\n", 1))
	eventually(t, "the stock is read", func() bool { return strings.Contains(p.row("product-cards", "EM-330"), `"stock":"229"`) })
	if got := len(s.receiver.all("")); got != 13 {
		t.Errorf("%d webhooks, want 13: nothing shows the stock", got)
	}
	for _, shot := range []struct {
		name          string
		width, height int64
		scheme        string
	}{{"light", 1440, 1000, "light"}, {"dark", 1440, 1000, "dark"}, {"phone", 360, 800, "light"}} {
		page.size(shot.width, shot.height, shot.scheme)
		if over := page.text(`String(document.documentElement.scrollWidth > innerWidth)`); over == "true" {
			t.Errorf("at %d px the page is wider than the screen", shot.width)
		}
		page.shoot(shot.name)
	}
}

// A browser looks at the first page as a person would.
type browser struct {
	tb  testing.TB
	ctx context.Context
}

func newBrowser(tb testing.TB) *browser {
	tb.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(os.Getenv("PICTIFYD_TEST_CHROME")))
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(alloc)
	ctx, cancelTime := context.WithTimeout(ctx, time.Minute)
	tb.Cleanup(func() { cancelTime(); cancel(); cancelAlloc() })
	return &browser{tb, ctx}
}

func (b *browser) open(url string) {
	b.tb.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(1440, 1000), chromedp.Navigate(url)); err != nil {
		b.tb.Fatalf("open %s: %v", url, err)
	}
}

func (b *browser) until(what, expression string) {
	b.tb.Helper()
	eventually(b.tb, what, func() bool {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		if err != nil {
			b.tb.Fatalf("%s: %v", what, err)
		}
		return ok
	})
}

func (b *browser) text(expression string) string {
	b.tb.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		b.tb.Fatal(err)
	}
	return text
}

func (b *browser) size(width, height int64, scheme string) {
	b.tb.Helper()
	media := func(ctx context.Context, t *chromedp.Target) (v chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return v, err
	}
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height), media); err != nil {
		b.tb.Fatal(err)
	}
}

// shoot keeps a picture of the page where PICTIFYD_TEST_SHOTS names a folder.
func (b *browser) shoot(name string) {
	b.tb.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.tb.Fatal(err)
	}
	if dir := os.Getenv("PICTIFYD_TEST_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
			b.tb.Fatal(err)
		}
	}
}
