package element

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var chartKind = Kind{
	Name:    "chart",
	Summary: "a chart of numbers, of {label, value} objects, or of several series as {name, values}",
	Options: []Option{
		choice("kind", "how it is drawn", "line", "area", "bar", "donut", "sparkline"),
		{Name: "labels", Summary: "the words below the points, between commas or as a list"},
		{Name: "min", Summary: "where the scale begins", valid: isNumber},
		{Name: "max", Summary: "where the scale ends", valid: isNumber},
		{Name: "format", Summary: "how numbers are written: number, number:2, percent, percent:1, currency:EUR, compact", Default: "number", valid: isFormat},
		yesNo("stacked", false, "bars and areas of several series on top of each other"),
		yesNo("axis", true, "the scale and the words along the axes"),
		choice("legend", "the names of the series, or of the parts of a donut; auto: where there are several", "auto", "true", "false"),
		choice("values", "the numbers at bars, along a single line, or beside a donut; auto: only beside a donut", "auto", "true", "false"),
		yesNo("total", false, "the sum in the middle of a donut"),
	},
	read: readChart,
	draw: drawChart,
}

const (
	chartPoints = 1000
	chartSeries = 12
	// Beyond these a difference or a sum of two numbers can leave what a float holds.
	chartLargest  = 1e100
	chartSmallest = 1e-100
)

func drawable(f float64) bool { return math.Abs(f) <= chartLargest }

type chartData struct {
	Kind    string   `json:"kind"`
	Series  []series `json:"series"`
	Labels  []string `json:"labels,omitempty"`
	Min     *float64 `json:"min,omitempty"`
	Max     *float64 `json:"max,omitempty"`
	Format  string   `json:"format"`
	Locale  string   `json:"locale,omitempty"`
	Stacked bool     `json:"stacked,omitempty"`
	Axis    bool     `json:"axis,omitempty"`
	Legend  bool     `json:"legend,omitempty"`
	Values  bool     `json:"values,omitempty"`
	Total   bool     `json:"total,omitempty"`
}

// A series is one line, or one colour of bars. A nil is a gap.
type series struct {
	Name   string     `json:"name,omitempty"`
	Values []*float64 `json:"values"`
}

func readChart(r *reading) (any, error) {
	if empty(r.value) {
		return nil, nil
	}
	all, labels, err := readSeries(r.value)
	if err != nil {
		return nil, err
	}
	if r.settings["labels"] != "" {
		labels = readList(r.settings["labels"])
	}
	d := chartData{
		Kind: r.settings["kind"], Series: all, Labels: labels, Format: r.settings["format"], Locale: r.env.Locale,
		Min: bound(r.settings["min"]), Max: bound(r.settings["max"]),
		Stacked: r.on("stacked"), Axis: r.on("axis"), Total: r.on("total"),
	}
	donut := d.Kind == "donut"
	d.Legend = r.on("legend") || r.settings["legend"] == "auto" && (donut && len(labels) > 0 || !donut && len(all) > 1)
	d.Values = r.on("values") || r.settings["values"] == "auto" && donut
	d.level()
	if p := d.check(); p != nil {
		return nil, p
	}
	if d.points() == 0 {
		return nil, nil
	}
	return d, nil
}

// check says why d cannot be drawn.
func (d *chartData) check() *problem.Error {
	switch n := d.points(); {
	case n > chartPoints:
		return bad("a chart has at most %d points, and this one has %d", chartPoints, n)
	case len(d.Series) > chartSeries:
		return bad("a chart has at most %d series, and this one has %d", chartSeries, len(d.Series))
	case d.Min != nil && d.Max != nil && *d.Min >= *d.Max:
		return bad("p-min %s is not below p-max %s", exact(*d.Min), exact(*d.Max))
	case d.Kind == "donut":
		return d.checkDonut()
	}
	return nil
}

func (d *chartData) checkDonut() *problem.Error {
	if len(d.Series) > 1 {
		return bad("a donut shows one series, and there are %d", len(d.Series)).WithHint("use p-kind=\"bar\"")
	}
	for _, v := range d.Series[0].Values {
		if v != nil && *v < 0 {
			return bad("a donut cannot show %s: its parts are of a whole, and none is negative", exact(*v)).WithHint("use p-kind=\"bar\"")
		}
	}
	return nil
}

// points is how many places there are along the chart.
func (d *chartData) points() int {
	n := len(d.Labels)
	for _, s := range d.Series {
		n = max(n, len(s.Values))
	}
	return n
}

// level gives all series as many points as the longest, or as there are labels:
// a year that is not over has twelve months and fewer numbers.
func (d *chartData) level() {
	n := d.points()
	if n > chartPoints {
		return
	}
	for i, s := range d.Series {
		d.Series[i].Values = slices.Concat(s.Values, make([]*float64, n-len(s.Values)))
	}
}

func (d *chartData) label(i int) string {
	if i < len(d.Labels) {
		return d.Labels[i]
	}
	return ""
}

func drawChart(data []byte) string {
	d, ok := decode[chartData](data)
	if !ok || len(d.Series) == 0 || d.points() == 0 {
		return ""
	}
	d.level()
	if d.check() != nil || isFormat("format", d.Format) != nil || !d.finite() {
		return ""
	}
	switch d.Kind {
	case "line", "area":
		return d.axes((*plot).lines)
	case "bar":
		return d.axes((*plot).bars)
	case "donut":
		return d.donut()
	case "sparkline":
		return d.sparkline()
	}
	return ""
}

// finite reports whether all numbers are among those that readSeries lets pass.
func (d *chartData) finite() bool {
	bounds := series{Values: []*float64{d.Min, d.Max}}
	for _, s := range append([]series{bounds}, d.Series...) {
		for _, v := range s.Values {
			if v != nil && !drawable(*v) {
				return false
			}
		}
	}
	return true
}

func bound(s string) *float64 {
	if f, ok := expr.Number(s); ok {
		return &f
	}
	return nil
}

// readList is a list that came as JSON, or as text between commas.
func readList(s string) []string {
	var items []any
	if v, err := expr.ParseJSON(s); err == nil {
		items, _ = v.([]any)
	}
	var out []string
	for _, item := range items {
		out = append(out, expr.Text(item))
	}
	if items == nil {
		for _, item := range strings.Split(s, ",") {
			out = append(out, strings.TrimSpace(item))
		}
	}
	return out
}

func exact(f float64) string {
	b, _ := json.Marshal(f)
	return string(b)
}
