package element

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
)

var countdownKind = Kind{
	Name:    "countdown",
	Summary: "the days, hours and minutes left until a moment; zeros once it is past",
	Options: []Option{
		choice("smallest", "the last unit shown; the picture changes with it", "minutes", "hours", "days"),
		{Name: "days", Summary: "the word below the days, for one and for other numbers", Default: "day|days"},
		{Name: "hours", Summary: "the word below the hours", Default: "hour|hours"},
		{Name: "minutes", Summary: "the word below the minutes", Default: "minute|minutes"},
	},
	read:  readCountdown,
	draw:  drawCountdown,
	clock: true,
}

type countdownData struct {
	Parts []countdownPart `json:"parts"`
}

type countdownPart struct {
	Number int    `json:"number"`
	Word   string `json:"word"`
}

var countdownUnits = []struct {
	name   string
	length time.Duration
}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}}

func readCountdown(r *reading) (any, error) {
	if empty(r.value) {
		return nil, nil
	}
	zone := r.env.Zone
	if zone == nil {
		zone = time.UTC
	}
	end, ok := expr.Time(r.value, zone)
	if !ok {
		return nil, bad("a countdown needs a date, but the value is %s", describe(r.value)).
			WithHint("dates look like 2026-03-05 or 2026-03-05T14:00:00Z")
	}
	left := max(0, end.Sub(r.env.Now))
	var d countdownData
	for _, unit := range countdownUnits {
		n := int(left / unit.length)
		left -= time.Duration(n) * unit.length
		d.Parts = append(d.Parts, countdownPart{n, word(r.settings[unit.name], n)})
		if unit.name == r.settings["smallest"] {
			break
		}
	}
	return d, nil
}

// word picks from "day|days".
func word(words string, n int) string {
	one, other, both := strings.Cut(words, "|")
	if n == 1 || !both {
		return one
	}
	return other
}

func drawCountdown(data []byte) string {
	d, ok := decode[countdownData](data)
	if !ok || len(d.Parts) == 0 || len(d.Parts) > len(countdownUnits) ||
		slices.ContainsFunc(d.Parts, func(p countdownPart) bool { return p.Number < 0 }) {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<span class="p-countdown-parts" style="display:flex;gap:var(--countdown-gap, 1em);line-height:1.15;font-variant-numeric:tabular-nums">`)
	for i, p := range d.Parts {
		number := fmt.Sprintf("%02d", p.Number)
		if i == 0 {
			number = fmt.Sprint(p.Number)
		}
		fmt.Fprintf(&b, `<span class="p-countdown-part" style="display:flex;flex-direction:column;align-items:center">`+
			`<b class="p-countdown-number" style="font-size:var(--countdown-number, 2em)">%s</b>`+
			`<span class="p-countdown-word" style="opacity:.7">%s</span></span>`, number, escape(p.Word))
	}
	b.WriteString("</span>")
	return b.String()
}
