package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/campaign"
)

// productCard is the template that the figures are promised for.
func productCard(tb testing.TB) *Template {
	tb.Helper()
	src, files, err := Load(os.DirFS("starter/templates"), "product-card")
	if err != nil {
		tb.Fatal(err)
	}
	digests := map[string]string{}
	for path := range files {
		digests[path] = "digest"
	}
	t, err := Parse("product-card", src, digests)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// productRow is row i of a catalogue; one in a hundred has something wrong.
func productRow(i int) map[string]any {
	row := map[string]any{
		"title": "Trail Runner " + strconv.Itoa(i), "brand": "Fieldwork & Sons", "tagline": "Light on the stones & quick on the grass",
		"price": fmt.Sprintf("%d.95", 20+i%400), "was": strconv.Itoa(60 + i%500), "rating": "4.6", "reviews": strconv.Itoa(1 + i%3000),
		"photo": "https://cdn.example/p/" + strconv.Itoa(i) + ".jpg", "accent": "#0f766e", "currency": "EUR", "locale": "de-DE",
	}
	switch i % 400 {
	case 100:
		delete(row, "title")
	case 200:
		row["price"] = "a lot"
	case 300:
		row["titel"] = "Trail"
	}
	return row
}

// BenchmarkRow resolves a row of the product card and prints its page, beside
// html/template with an equivalent template.
func BenchmarkRow(b *testing.B) {
	b.Run("pictifyd", func(b *testing.B) {
		t := productCard(b)
		page, err := t.Page(View{})
		if err != nil {
			b.Fatal(err)
		}
		row := productRow(2)
		size := 0
		b.ReportAllocs()
		for b.Loop() {
			values, err := t.ResolveIn(row, expr.Env{Now: noon})
			if err != nil {
				b.Fatal(err)
			}
			size = len(page.Fill(values).HTML)
		}
		b.ReportMetric(float64(size), "bytes")
	})
	b.Run("html-template", func(b *testing.B) {
		t := equivalent(b)
		row := productRow(2)
		var out bytes.Buffer
		b.ReportAllocs()
		for b.Loop() {
			out.Reset()
			if err := t.Execute(&out, row); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(out.Len()), "bytes")
	})
}

func TestRowOfTheProductCardTakesAtMost200Allocations(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("the race detector allocates too: runs in the pass without it")
	}
	tpl := productCard(t)
	page := mustPage(t, tpl, "")
	row := productRow(2)
	got := testing.AllocsPerRun(100, func() {
		values, err := tpl.ResolveIn(row, expr.Env{Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		page.Fill(values)
	})
	if got > 200 {
		t.Errorf("%v allocations, want at most 200", got)
	}
}

// equivalent is the product card for html/template: its page with an action where
// an expression stands. Money is computed in floating point and printed by printf.
func equivalent(tb testing.TB) *htmltemplate.Template {
	tb.Helper()
	photo := "https://cdn.example/p.jpg"
	text := mustFill(tb, productCard(tb), map[string]any{
		"title": "QQtitle", "brand": "QQbrand", "tagline": "QQtagline", "price": 10, "was": 13, "rating": 4.2, "reviews": 7, "photo": photo, "accent": "#123456",
	}).HTML
	actions := map[string]string{
		"QQtitle": "{{.title}}", "QQbrand": "{{.brand}}", "QQtagline": "{{.tagline}}", "#123456": "{{.accent}}", newRemote(photo).Path: "{{.photo}}",
		"$10.00": "{{money .price}}", "$13.00": "{{money .was}}", "$3.00": "{{saved .price .was}}", "23%": "{{reduction .price .was}}", "(7)": "({{.reviews}})",
	}
	for shown, action := range actions {
		if !strings.Contains(text, shown) {
			tb.Fatalf("the page has no %s", shown)
		}
		text = strings.ReplaceAll(text, shown, action)
	}
	number := func(text string) float64 { f, _ := strconv.ParseFloat(text, 64); return f }
	money := func(f float64) string { return strings.Replace(fmt.Sprintf("%.2f €", f), ".", ",", 1) }
	t, err := htmltemplate.New("card").Funcs(htmltemplate.FuncMap{
		"money": func(price string) string { return money(number(price)) },
		"saved": func(price, was string) string { return money(number(was) - number(price)) },
		"reduction": func(price, was string) string {
			return fmt.Sprintf("%.0f %%", 100*(number(was)-number(price))/number(was))
		},
	}).Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// BenchmarkCheck50000Rows checks a catalogue on all cores, beside decoding the
// same rows with encoding/json on one.
func BenchmarkCheck50000Rows(b *testing.B) {
	const count = 50_000
	rows := make([]map[string]any, count)
	text := make([][]byte, count)
	for i := range rows {
		rows[i] = productRow(i)
		text[i], _ = json.Marshal(rows[i]) // of what JSON holds
	}
	rate := func(b *testing.B) {
		seconds := b.Elapsed().Seconds() / float64(b.N)
		b.ReportMetric(seconds, "s")
		b.ReportMetric(count/seconds, "rows/s")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("check", func(b *testing.B) {
		t := productCard(b)
		for b.Loop() {
			if faults, warnings := checkAll(t, rows); faults != count/200 || warnings != count/400 {
				b.Fatalf("%d rows are at fault and %d have unknown values, want %d and %d", faults, warnings, count/200, count/400)
			}
		}
		rate(b)
	})
	b.Run("encoding-json", func(b *testing.B) {
		for b.Loop() {
			for _, line := range text {
				var row map[string]any
				if err := json.Unmarshal(line, &row); err != nil {
					b.Fatal(err)
				}
			}
		}
		rate(b)
	})
}

// checkAll is how many rows are at fault, and how many have values that no
// variable takes.
func checkAll(t *Template, rows []map[string]any) (faults, warnings int) {
	workers := runtime.GOMAXPROCS(0)
	found := make([][2]int, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(rows); i += workers {
				unknown, err := t.Check(rows[i], expr.Env{Now: noon})
				if err != nil {
					found[w][0]++
				}
				if len(unknown) > 0 {
					found[w][1]++
				}
			}
		})
	}
	group.Wait()
	for _, f := range found {
		faults, warnings = faults+f[0], warnings+f[1]
	}
	return faults, warnings
}
