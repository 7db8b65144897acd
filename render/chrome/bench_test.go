package chrome

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/pictifyd/pictifyd/render"
)

// openGraphCard is a card of 1200x630 with a gradient, a ring, a shadow and
// four texts, different in every row.
func openGraphCard(i int, format render.Format) render.Request {
	return render.Request{
		Page: "card", Width: 1200, Height: 630, Format: format,
		HTML: fmt.Sprintf(`<!doctype html><html lang="en"><head><meta charset="utf-8"><style>
*{box-sizing:border-box} body{margin:0;width:1200px;height:630px;font-family:Inter,"Noto Sans",sans-serif;color:#fff;
background:linear-gradient(135deg,#1b2a6b,#b3325a);overflow:hidden;position:relative}
.ring{position:absolute;right:-120px;top:-120px;width:520px;height:520px;border:60px solid #ffffff22;border-radius:50%%}
.box{position:absolute;left:80px;top:90px;width:760px;padding:48px;border-radius:24px;background:#00000055;box-shadow:0 30px 60px #0008}
h1{margin:0 0 16px;font-size:64px;line-height:1.1} p{margin:0 0 12px;font-size:28px} b{font-size:40px}
</style></head><body><div class="ring"></div><div class="box"><h1>Product number %d</h1><p>A line about it, with the figure %d</p>
<b>%d.99 €</b><p>pictifyd.example/%d</p></div></body></html>`, i, i*7, i%500, i),
	}
}

func benchmarkPool(b *testing.B, browsers, tabs int, format render.Format, plainOnly bool) {
	p := newPool(b, nil, withBrowsers(strconv.Itoa(browsers)), withTabs(tabs), quietly, func(_ *Config, o *Options) { o.Plain = plainOnly })
	warm(b, p, format)
	var row atomic.Int64
	b.ResetTimer()
	before := cpuOf(p)
	var group sync.WaitGroup
	for range p.Slots() {
		group.Go(func() {
			for {
				i := int(row.Add(1))
				if i > b.N {
					return
				}
				if _, err := p.Render(context.Background(), openGraphCard(i, format)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
	b.ReportMetric((cpuOf(p)-before).Seconds()*1000/float64(b.N), "cpu-ms/picture")
}

// cpuOf is the time that the pool's Chromes and this process have had on a core.
func cpuOf(p *Pool) (sum time.Duration) {
	pids := []int{os.Getpid()}
	for _, s := range p.Status() {
		pids = append(pids, groupMembers(s.PID)...)
	}
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		for _, ticks := range fields[11:13] { // user and system, in hundredths of a second
			n, _ := strconv.ParseInt(ticks, 10, 64)
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum
}

// warm fills every seat.
func warm(b *testing.B, p *Pool, format render.Format) {
	b.Helper()
	var group sync.WaitGroup
	for i := range 8 * p.Slots() {
		group.Go(func() {
			if _, err := p.Render(context.Background(), openGraphCard(i, format)); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
}

// BenchmarkRender is the pool beside the loop of a tutorial, in one run.
func BenchmarkRender(b *testing.B) {
	for _, format := range []render.Format{render.PNG, render.JPEG, render.WebP} {
		b.Run(fmt.Sprintf("tutorial/%s", format), func(b *testing.B) { benchmarkTutorial(b, format) })
		for _, browsers := range []int{1, 2} {
			for _, tabs := range []int{1, 2, 3} {
				for _, only := range []bool{false, true} {
					b.Run(fmt.Sprintf("pool/%s/browsers=%d/tabs=%d/plain=%t", format, browsers, tabs, only), func(b *testing.B) {
						benchmarkPool(b, browsers, tabs, format, only)
					})
				}
			}
		}
	}
}

// benchmarkTutorial opens a tab for each picture, navigates, captures.
func benchmarkTutorial(b *testing.B, format render.Format) {
	p := newPool(b, nil, quietly)
	root := p.places[0].browser.root
	b.ResetTimer()
	for i := range b.N {
		if err := tutorialPicture(root, openGraphCard(i, format)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
}

func tutorialPicture(root context.Context, r render.Request) error {
	ctx, cancel := chromedp.NewContext(root)
	defer cancel()
	return chromedp.Do(ctx,
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
				Width: int64(r.Width), Height: int64(r.Height), DeviceScaleFactor: 1,
			})
			return err
		}),
		chromedp.Navigate("data:text/html;charset=utf-8;base64,"+base64.StdEncoding.EncodeToString([]byte(r.HTML))),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormat(r.Format)})
			return err
		}),
	)
}
