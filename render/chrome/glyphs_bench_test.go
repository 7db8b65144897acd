package chrome

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// BenchmarkGlyphs is the glyph script in rows of a card with four texts, of
// which each row has other ones, without the drawing.
func BenchmarkGlyphs(b *testing.B) {
	for _, c := range []struct {
		name  string
		texts [4]string
	}{
		{"ASCII", [4]string{"Product number", "A line about it, with the figure", "17.99", "pictifyd.example"}},
		{"typographic", [4]string{"Product “number” – new", "A line about it … with the figure", "17.99 €", "pictifyd.example • shop"}},
		{"Japanese", [4]string{"春は曙 やうやう白く なりゆく 山際", "少し明りて 紫だちたる 雲の細く たなびきたる", "夏は 夜", "月の頃は さらなり 闇もなほ 蛍飛びちがひたる"}},
		{"Devanagari", [4]string{"सभी मनुष्यों को", "गौरव और अधिकारों के मामले में", "जन्मजात स्वतन्त्रता", "और समानता प्राप्त है"}},
		{"emoji", [4]string{"Family 👩‍👩‍👧‍👦 and friends", "🇩🇪 🇫🇷 👍🏽 ok", "✅ done", "🔥 hot 🔥"}},
		{"missing", [4]string{"Product \uE000 number", "A line \u0378 about it", "17.99 \uFDD0", "pictifyd.example"}},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkGlyphs(b, c.texts) })
	}
}

func benchmarkGlyphs(b *testing.B, texts [4]string) {
	p := newPool(b, rendertest.Files{}, withTabs(1), quietly, plainly)
	if _, err := p.Render(b.Context(), openGraphCard(1, render.PNG)); err != nil {
		b.Fatal(err)
	}
	list, err := json.Marshal(texts)
	if err != nil {
		b.Fatal(err)
	}
	s := p.places[0].browser.seats[0].session
	if err := s.tab.Call(b.Context(), performance.Enable.Method, performance.EnableParams{}, nil); err != nil {
		b.Fatal(err)
	}
	changeRows(b, s, string(list), 9, true)
	b.ResetTimer()
	without := changeRows(b, s, string(list), b.N, false)
	with := changeRows(b, s, string(list), b.N, true)
	b.ReportMetric(1000*(with-without)/float64(b.N), "ms/row")
}

// changeRows gives a page other texts, with the glyph script or without, and
// returns the seconds of its thread: those of a clock would be the machine's.
func changeRows(b *testing.B, s *session, texts string, rows int, glyphs bool) float64 {
	b.Helper()
	before := threadSeconds(b, s)
	res, err := cdp.Call(b.Context(), s.tab, runtime.Evaluate, runtime.EvaluateParams{
		Expression: `(() => { const texts = ` + texts + `, places = [...document.querySelectorAll('h1, p, b')];
			const turned = (words, i) => [...words.slice(i % words.length), ...words.slice(0, i % words.length), i].join(' ');
			for (let i = 0; i < ` + strconv.Itoa(rows) + `; i++) {
				places.forEach((place, k) => { place.textContent = turned(texts[k].split(' '), i); });
				document.body.getBoundingClientRect();
				if (` + strconv.FormatBool(glyphs) + `) pictifydGlyphs(document); } })()`,
		ContextID: s.world,
	})
	if err != nil || res.ExceptionDetails != nil {
		b.Fatal(err, res.ExceptionDetails)
	}
	return threadSeconds(b, s) - before
}

func threadSeconds(b *testing.B, s *session) float64 {
	b.Helper()
	res, err := cdp.Call(b.Context(), s.tab, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range res.Metrics {
		if m.Name == "ThreadTime" {
			return m.Value
		}
	}
	b.Fatal("Chrome tells no time of its thread")
	return 0
}
