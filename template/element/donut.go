package element

import (
	"fmt"
	"strings"
)

// The ring of a donut in a box of 100 by 100.
const (
	donutRadius = 41.0
	donutWidth  = 17.0
	donutHole   = 52.0 // what a text may take of the hole
	donutText   = 13.0
	donutGap    = .6 // between two parts, in hundredths of the ring
)

// donut draws the parts of a whole, clockwise from the top.
func (d *chartData) donut() string {
	sum := 0.0
	parts := 0
	for _, v := range d.Series[0].Values {
		if v != nil && *v > 0 {
			sum += *v
			parts++
		}
	}
	f := d.numbers()
	centre := ""
	if d.Total {
		text := f.value(sum)
		size := min(donutText, donutHole/max(1, ems(text)))
		centre = fmt.Sprintf(`<text class="p-chart-total" x="50" y="50" dy=".36em" text-anchor="middle" font-size="%s" font-weight="600" fill="currentColor">%s</text>`, num(size), escape(text))
	}
	return fmt.Sprintf(`<span class="p-chart-box p-chart-donut" style="display:flex;align-items:center;gap:1.3em;width:100%%;height:100%%;line-height:1.2;font-variant-numeric:tabular-nums">`+
		`<span style="position:relative;height:100%%;aspect-ratio:1;max-width:100%%;flex:0 1 auto;min-width:25%%">`+
		`<svg viewBox="0 0 100 100" width="100%%" height="100%%" style="position:absolute;inset:0" fill="none" aria-hidden="true">%s%s</svg></span>%s</span>`,
		d.ring(sum, parts), centre, d.donutLegend(f))
}

func (d *chartData) ring(sum float64, parts int) string {
	circle := fmt.Sprintf(`cx="50" cy="50" r="%s" stroke-width="%s" pathLength="100"`, num(donutRadius), num(donutWidth))
	if sum == 0 {
		return fmt.Sprintf(`<circle class="p-chart-empty" %s stroke="var(--grid, currentColor)" stroke-opacity=".14"/>`, circle)
	}
	gap := donutGap
	if parts == 1 {
		gap = 0
	}
	var b strings.Builder
	b.WriteString(`<g transform="rotate(-90 50 50)">`)
	start := 0.0
	for i, v := range d.Series[0].Values {
		if v == nil || *v == 0 {
			continue
		}
		share := *v / sum * 100
		// A part thinner than the gap is still there.
		long := max(share-gap, share*.3)
		fmt.Fprintf(&b, `<circle class="p-chart-part" %s stroke="%s" stroke-dasharray="%s %s" stroke-dashoffset="%s"/>`,
			circle, colour(i), num(long), num(100-long), num(-start-(share-long)/2))
		start += share
	}
	b.WriteString("</g>")
	return b.String()
}

func (d *chartData) donutLegend(f format) string {
	if !d.Legend {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<span class="p-chart-legend" style="flex:0 4 auto;min-width:min-content;display:grid;grid-template-columns:auto minmax(2em,max-content) auto;gap:.45em .6em;align-items:center;justify-content:start;white-space:nowrap">`)
	for i, v := range d.Series[0].Values {
		if v == nil {
			continue
		}
		value := ""
		if d.Values {
			value = f.value(*v)
		}
		fmt.Fprintf(&b, `%s<span dir="auto" style="overflow:hidden;text-overflow:ellipsis">%s</span><span style="text-align:right;padding-left:.6em">%s</span>`,
			swatch(colour(i)), escape(d.label(i)), escape(value))
	}
	b.WriteString("</span>")
	return b.String()
}
