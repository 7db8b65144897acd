package chrome

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// BenchmarkLayout is the layout script in a page of texts, without the drawing.
func BenchmarkLayout(b *testing.B) {
	for _, texts := range []int{1, 4, 40} {
		for name, attributes := range map[string]string{
			"short/shrink": `p-fit="shrink"`, "long/shrink": `p-fit="shrink"`, "short/fit": `p-fit="fit"`, "long/ellipsis": `p-fit="ellipsis"`,
		} {
			text := "Short"
			if strings.HasPrefix(name, "long") {
				text = long
			}
			b.Run(fmt.Sprintf("%s/texts=%d", name, texts), func(b *testing.B) {
				benchmarkLayout(b, texts, strings.Repeat(h(attributes, text), texts))
			})
		}
	}
	b.Run("10,000 letters/shrink", func(b *testing.B) { benchmarkLayout(b, 1, h(`p-fit="shrink"`, strings.Repeat("lorem ipsum ", 834))) })
	b.Run("10,000 letters/ellipsis", func(b *testing.B) { benchmarkLayout(b, 1, h(`p-fit="ellipsis"`, strings.Repeat("lorem ipsum ", 834))) })
	b.Run("focus/auto", func(b *testing.B) {
		benchmarkLayout(b, 1, `<img id="t" p-focus="auto" src="/assets/ramp.png" style="width:9px;height:9px;object-fit:cover">`)
	})
}

func benchmarkLayout(b *testing.B, texts int, body string) {
	photo := rendertest.PNG(b, 1600, 1200, rgb(10, 200, 30))
	p := newPool(b, rendertest.Files{"ramp": {ContentType: "image/png", Bytes: photo}}, withTabs(1), quietly, plainly)
	if _, err := p.Render(b.Context(), fitted(body, render.Asset{Path: "/assets/ramp.png", Digest: "ramp"})); err != nil {
		b.Fatal(err)
	}
	s, yes := p.places[0].browser.seats[0].session, true
	b.ResetTimer()
	res, err := cdp.Call(b.Context(), s.tab, runtime.Evaluate, runtime.EvaluateParams{
		Expression: `(async () => { let ms = 0; for (let i = 0; i < ` + strconv.Itoa(b.N) + `; i++) {
			await pictifydLayout(document, {restore: true}); document.body.replaceWith(document.body.cloneNode(true));
			await Promise.all([...document.images].map((i) => i.decode())); document.body.getBoundingClientRect();
			const began = performance.now(); await pictifydLayout(document); ms += performance.now() - began; } return ms })()`,
		ContextID: s.world, AwaitPromise: &yes, ReturnByValue: &yes,
	})
	if err != nil || res.ExceptionDetails != nil {
		b.Fatal(err, res.ExceptionDetails)
	}
	ms, err := strconv.ParseFloat(string(res.Result.Value), 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(ms/float64(b.N), "ms/page")
	b.ReportMetric(ms/float64(b.N*texts), "ms/element")
}
