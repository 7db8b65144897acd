package chrome

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/template"
)

// BenchmarkPDF is one file a row, in one run: as Chrome's own print makes them in
// tabs that stay open, one print each; one print each as pictifyd makes them; and
// pictifyd's rows in one print, taken apart.
//
//	go test ./render/chrome -run '^$' -bench PDF -benchtime 200x
func BenchmarkPDF(b *testing.B) {
	invoice := newStarter(b, "invoice")
	invoices := make([]render.Request, len(invoice.rows))
	for i, row := range invoice.rows {
		invoices[i] = invoice.request(b, row, template.View{Page: 1}, render.PDF)
	}
	for name, kind := range map[string]struct {
		files rendertest.Files
		row   func(i int) render.Request
	}{
		"card": {nil, func(i int) render.Request { return openGraphCard(i, render.PDF) }},
		"text": {nil, func(i int) render.Request {
			return sheet(600, 400, "", fmt.Sprintf("<h1>Row %d</h1><p>a line of text", i))
		}},
		"invoice": {invoice.files, func(i int) render.Request { return invoices[i%len(invoices)] }},
	} {
		for _, tabs := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/chrome/browsers=2/tabs=%d", name, tabs), func(b *testing.B) { benchmarkPrints(b, kind.files, tabs, false, kind.row, chromesPrint) })
		}
		b.Run(name+"/alone/browsers=2/tabs=2", func(b *testing.B) { benchmarkPrints(b, kind.files, 2, true, kind.row, ownPrint) })
		b.Run(name+"/together/browsers=2/tabs=2", func(b *testing.B) { benchmarkTogether(b, kind.files, kind.row) })
	}
}

// startAll has all Chromes of a pool running.
func startAll(b *testing.B, p *Pool) {
	b.Helper()
	started := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return !slices.ContainsFunc(p.places, func(pl *place) bool { return pl.browser == nil })
	}
	for i := 0; !started(); i++ {
		if i == 100 {
			b.Fatal("not all Chromes start")
		}
		var group sync.WaitGroup
		for k := range 2 * p.Slots() {
			group.Go(func() {
				if _, err := p.Render(b.Context(), openGraphCard(k, render.JPEG)); err != nil {
					b.Error(err)
				}
			})
		}
		group.Wait()
	}
}

// benchmarkPrints makes a file at a time in each tab.
func benchmarkPrints(b *testing.B, files Files, tabs int, own bool, row func(i int) render.Request, printed func(context.Context, *session, render.Request) (int, error)) {
	p := newPool(b, files, withBrowsers("2"), withTabs(tabs), quietly, plainly, restless)
	startAll(b, p)
	key := sessionKey{pageKey: keyOf(row(0))}
	key.print = own
	var open []*session
	for _, pl := range p.places {
		for range tabs {
			s, err := openSession(b.Context(), pl.browser.root, p.launcher.egress, key)
			if err != nil {
				b.Fatal(err)
			}
			defer s.close()
			open = append(open, s)
		}
	}
	var next, size atomic.Int64
	work := func(s *session, rows int64) {
		for i := next.Add(1); i <= rows; i = next.Add(1) {
			n, err := printed(b.Context(), s, row(int(i)))
			if err != nil {
				b.Error(err)
				return
			}
			size.Add(int64(n))
		}
	}
	for _, s := range open { // what is slow once
		next.Store(0)
		work(s, 3)
	}
	next.Store(0)
	size.Store(0)
	b.ResetTimer()
	var group sync.WaitGroup
	before := cpu(p)
	for _, s := range open {
		group.Go(func() { work(s, int64(b.N)) })
	}
	group.Wait()
	b.StopTimer()
	reportFiles(b, size.Load(), cpu(p)-before)
}

// cpu is the processor time of this process and of the pool's Chromes, where /proc
// tells. It is what to compare on a machine that does other work too.
func cpu(p *Pool) (spent time.Duration) {
	groups := map[string]bool{}
	for _, pl := range p.places {
		if pl.browser != nil {
			groups[strconv.Itoa(pl.browser.proc.pid)] = true
		}
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		id, rest, _ := strings.Cut(string(stat), " ")
		fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:])
		if !groups[fields[2]] && id != strconv.Itoa(os.Getpid()) {
			continue
		}
		for _, ticks := range fields[11:13] {
			n, _ := strconv.Atoi(ticks)
			spent += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return spent
}

func reportFiles(b *testing.B, size int64, spent time.Duration) {
	b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "cpu-ms/file")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "files/s")
	b.ReportMetric(float64(size)/float64(b.N)/1000, "KB/file")
	b.ReportMetric(0, "ns/op")
}

// chromesPrint is Chrome's print of the whole tab, in the row's size.
func chromesPrint(ctx context.Context, s *session, r render.Request) (int, error) {
	if _, err := s.prepare(ctx, r); err != nil {
		return 0, err
	}
	yes, no, none := true, false, 0.0
	res, err := cdp.Call(ctx, s.tab, page.PrintToPDF, page.PrintToPDFParams{
		PrintBackground: &yes, GenerateTaggedPDF: &no, PaperWidth: float64(r.Width) / 96, PaperHeight: float64(r.Height) / 96,
		MarginTop: &none, MarginRight: &none, MarginBottom: &none, MarginLeft: &none,
	})
	if err != nil {
		return 0, err
	}
	return len(res.Data), nil
}

func ownPrint(ctx context.Context, s *session, r render.Request) (int, error) {
	size := 0
	var fault error
	err := s.print(ctx, []render.Request{r}, func(_ int, out render.Output, err error) { size, fault = len(out.Bytes), err })
	if err == nil {
		err = fault
	}
	return size, err
}

// benchmarkTogether has as many rows waiting as a batch has.
func benchmarkTogether(b *testing.B, files Files, row func(i int) render.Request) {
	p := newPool(b, files, withBrowsers("2"), withTabs(2), quietly, plainly)
	var next, size atomic.Int64
	run := func(rows int64) {
		next.Store(0)
		var group sync.WaitGroup
		for range maxSheets * p.Slots() {
			group.Go(func() {
				for i := next.Add(1); i <= rows; i = next.Add(1) {
					out, err := p.Render(b.Context(), row(int(i)))
					if err != nil {
						b.Error(err)
						return
					}
					size.Add(int64(len(out.Bytes)))
				}
			})
		}
		group.Wait()
	}
	run(int64(4 * maxSheets))
	size.Store(0)
	b.ResetTimer()
	before := cpu(p)
	run(int64(b.N))
	b.StopTimer()
	reportFiles(b, size.Load(), cpu(p)-before)
}
