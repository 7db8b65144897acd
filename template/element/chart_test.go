package element

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/expr"
)

func TestScalesStandOnRoundSteps(t *testing.T) {
	set := func(f float64) *float64 { return &f }
	tests := []struct {
		low, high   float64
		least, most *float64
		want        string
	}{
		{0, 60, nil, nil, "0 20 40 60"},
		{0, 10, nil, nil, "0 2 4 6 8 10"},
		{0, 12, nil, nil, "0 2.5 5 7.5 10 12.5"},
		{-3, 18, nil, nil, "-5 0 5 10 15 20"},
		{0, 0, nil, nil, "0 0.2 0.4 0.6 0.8 1"},
		{7, 7, nil, nil, "0 2 4 6 8"},
		{-7, -7, nil, nil, "-8 -6 -4 -2 0"},
		{1200, 1900, nil, nil, "1200 1400 1600 1800 2000"},
		{0, 97, set(0), set(97), "0 20 40 60 80"},
		{5, 9, set(10), nil, "10 12 14 16 18 20"},
		{5, 9, nil, set(3), "0 1 2 3"},
		{0, 2.5e-7, nil, nil, "0 5e-08 1e-07 1.5e-07 2e-07 2.5e-07"},
	}
	for _, tt := range tests {
		s := newScale(tt.low, tt.high, tt.least, tt.most)
		var got []string
		for _, v := range s.ticks {
			got = append(got, strconv.FormatFloat(v, 'g', 6, 64))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("from %v to %v: %v, not %s", tt.low, tt.high, got, tt.want)
		}
	}
}

func TestScalesHoldTheirNumbersOnFewTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(-chartLargest, chartLargest)
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		low, high := math.Min(a, b), math.Max(a, b)
		s := newScale(low, high, nil, nil)
		slack := 1e-6
		if s.at(low) < -slack || s.at(high) > 1+slack || s.at(low) > s.at(high) {
			t.Fatalf("%v to %v stand at %v to %v", low, high, s.at(low), s.at(high))
		}
		if n := len(s.ticks); n < 2 || n > 9 {
			t.Fatalf("%d ticks: %v", n, s.ticks)
		}
	})
}

func TestNumbersAreWrittenByTheFormatAndTheLocale(t *testing.T) {
	tests := []struct {
		format, locale string
		v              float64
		want           string
	}{
		{"number", "", 1234567.891, "1,234,567.891"},
		{"number", "de-DE", 1234.5, "1.234,5"},
		{"number:2", "", 3, "3.00"},
		{"number", "", 0.1 + 0.2, "0.3"},
		{"number", "", 2.5e20, "2.5e+20"},
		{"number", "", -2.5e-9, "-2.5e-09"},
		{"percent", "", 0.256, "26%"},
		{"percent:1", "de-DE", 0.256, "25,6\u00a0%"},
		{"currency", "", 49.5, "$49.50"},
		{"currency:EUR", "de-DE", 49.5, "49,50\u00a0€"},
		{"currency:JPY", "ja-JP", 1200, "￥1,200"},
		{"compact", "", 1234, "1.23K"},
		{"compact", "", 999, "999"},
		{"compact", "", 999_999, "1M"},
		{"compact", "de-DE", -2_500_000, "-2,5M"},
		{"compact", "", 3e13, "30T"},
	}
	for _, tt := range tests {
		if got := newFormat(tt.format, tt.locale).value(tt.v); got != tt.want {
			t.Errorf("%s of %v in %q: %q, not %q", tt.format, tt.v, tt.locale, got, tt.want)
		}
	}
}

func TestAScaleIsWrittenWithTheDecimalsOfItsSteps(t *testing.T) {
	tests := []struct {
		format string
		high   float64
		want   string
	}{
		{"number", 12, "0.0 2.5 5.0 7.5 10.0 12.5"},
		{"number", 60, "0 20 40 60"},
		{"percent", 1, "0% 20% 40% 60% 80% 100%"},
		{"percent", .04, "0% 1% 2% 3% 4%"},
		{"currency:EUR", 4000, "€0 €1,000 €2,000 €3,000 €4,000"},
		{"currency:EUR", 2, "€0.00 €0.50 €1.00 €1.50 €2.00"},
		{"compact", 4000, "0 1K 2K 3K 4K"},
	}
	for _, tt := range tests {
		got := strings.Join(newFormat(tt.format, "").ticks(newScale(0, tt.high, nil, nil)), " ")
		if got != tt.want {
			t.Errorf("%s up to %v: %s, not %s", tt.format, tt.high, got, tt.want)
		}
	}
}

func TestSeriesComeInSeveralForms(t *testing.T) {
	tests := []struct{ value, want string }{
		{`[1,"2.5",null,""]`, `[{"values":[1,2.5,null,null]}]`},
		{`[{"label":"a","value":1},{"label":7,"value":null}]`, `[{"values":[1,null]}],"labels":["a","7"]`},
		{`[{"name":"x","values":[1]},{"name":"y","values":[2,3]}]`, `[{"name":"x","values":[1,null]},{"name":"y","values":[2,3]}]`},
		{`{"name":"x","values":[1]}`, `[{"name":"x","values":[1]}]`},
		{`[[1,2],[3]]`, `[{"values":[1,2]},{"values":[3,null]}]`},
	}
	for _, tt := range tests {
		_, data := sample{kind: "chart", value: tt.value}.data(t)
		if !strings.Contains(data, `"series":`+tt.want+`,"`) {
			t.Errorf("%s: %s", tt.value, data)
		}
	}
}

func TestLabelsMayBeMoreThanTheNumbersSoFar(t *testing.T) {
	e := mustNew(t, "chart", "labels={{ months }}")
	data, err := e.Data(mustValue(t, "[1,2]"), map[string]string{"labels": `["Jan, 1st","Feb","Mar"]`}, env)
	want := `{"kind":"line","series":[{"values":[1,2,null]}],"labels":["Jan, 1st","Feb","Mar"],"format":"number","axis":true}`
	if diff := cmp.Diff(want, data); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// shownText is a text along a plot: where its middle is, and from how many ems
// on it is shown.
var shownText = regexp.MustCompile(`left:([\d.]+)%;(?:bottom:[\d.]+%;)?transform:translate\(-50%[^)]*\);[^>]*max-width:(?:clamp\(0px,\(100cqw - ([\d.]+)em\))?`)

func TestLabelsNeverOverlapHoweverNarrowThePlot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "n")
		word := rapid.SampledFrom([]string{"1", "Jan", "September", "日本語のラベル"}).Draw(t, "word")
		kind := rapid.SampledFrom([]string{"line", "bar"}).Draw(t, "kind")
		d := chartData{Kind: kind, Axis: true, Format: "number", Series: []series{{Values: make([]*float64, n)}}, Labels: make([]string, n)}
		for i := range d.Labels {
			d.Labels[i] = word
		}
		svg := drawChart([]byte(canonical(d)))
		if strings.Contains(svg, "-webkit-line-clamp") {
			return // each in the width of its bar
		}
		for _, plot := range []float64{5, 12, 30, 100} {
			mustNotOverlap(t, svg, plot, ems(word))
		}
	})
}

func TestValuesNeverOverlapHoweverNarrowThePlot(t *testing.T) {
	for _, opts := range []string{"kind=line;axis=false;values=true", "kind=bar;axis=false;values=true"} {
		svg := markup(t, "chart", opts, "["+strings.Repeat("1000,", 80)+"1000]")
		for _, plot := range []float64{5, 12, 30, 100} {
			mustNotOverlap(t, svg, plot, ems("1,000"))
		}
	}
}

// mustNotOverlap looks at texts of a width in a plot of a width, both in ems.
func mustNotOverlap(tb rapid.TB, svg string, plot, text float64) {
	tb.Helper()
	end, shown := math.Inf(-1), 0
	for _, m := range shownText.FindAllStringSubmatch(svg, -1) {
		if from, err := strconv.ParseFloat(m[2], 64); err == nil && from >= plot {
			continue
		}
		at, _ := strconv.ParseFloat(m[1], 64)
		middle := at / 100 * plot
		if middle-text/2 < end {
			tb.Fatalf("in a plot of %v ems a text begins at %v, where the one before ends at %v", plot, middle-text/2, end)
		}
		end, shown = middle+text/2, shown+1
	}
	if shown == 0 {
		tb.Fatal("no text is shown")
	}
}

func TestAGapParts(t *testing.T) {
	svg := markup(t, "chart", "axis=false", `[1,2,null,3,null,4,5]`)
	line := regexp.MustCompile(`class="p-chart-stroke" d="([^"]*)"`).FindStringSubmatch(svg)
	if line == nil || strings.Count(line[1], "M") != 2 {
		t.Errorf("the line has not two pieces: %v", line)
	}
	if strings.Count(svg, "p-chart-dot") != 1 {
		t.Error("the point between two gaps is no dot")
	}
}

func TestBarsGrowFromTheZeroLine(t *testing.T) {
	svg := markup(t, "chart", "kind=bar;min=-10;max=30", `[15,-5]`)
	// The upper svg has three quarters of the plot; 15 of its 30 leave a half.
	for _, want := range []string{
		`<svg y="0%" width="100%" height="75%"><rect class="p-chart-bar" x="16.5%" y="50%"`,
		`<svg y="75%" width="100%" height="25%"><rect class="p-chart-bar" x="66.5%" y="-300%" width="17%" height="350%"`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in\n%s", want, svg)
		}
	}
}

func TestTheRingOfADonutIsClosed(t *testing.T) {
	svg := markup(t, "chart", "kind=donut", `[50,25,25]`)
	dash := regexp.MustCompile(`stroke-dasharray="([\d.]+) [\d.]+" stroke-dashoffset="(-?[\d.]+)"`)
	var got []string
	for _, m := range dash.FindAllStringSubmatch(svg, -1) {
		got = append(got, m[1]+" at "+m[2])
	}
	if diff := cmp.Diff([]string{"49.4 at -0.3", "24.4 at -50.3", "24.4 at -75.3"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAThousandPointsOfTwelveSeriesAreDrawn(t *testing.T) {
	all := make([]any, chartSeries)
	for j := range all {
		values := make([]any, chartPoints)
		for i := range values {
			values[i] = float64(i * (j + 1) % 97)
		}
		all[j] = values
	}
	for _, kind := range []string{"line", "area", "bar", "sparkline"} {
		e := mustNew(t, "chart", "kind="+kind)
		data, err := e.Data(all, nil, expr.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if svg := e.Markup(data); !strings.Contains(svg, "--chart-12") {
			t.Errorf("%s: the last series is not drawn", kind)
		}
	}
}
