package element

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
)

var ratingKind = Kind{
	Name:    "rating",
	Summary: "stars, filled up to a number",
	Options: []Option{
		{Name: "of", Summary: "how many stars there are, 1 to 20", Default: "5", valid: isCount(mostStars)},
		choice("round", "what the number is rounded to before it is drawn", "exact", "half", "whole"),
		choice("align", "where the stars stand in a box that is wider", "left", "center", "right"),
	},
	read: readRating,
	draw: drawRating,
}

const (
	star      = "M12 1.8l3.15 6.39 7.05 1.02-5.1 4.97 1.2 7.02-6.3-3.31-6.3 3.31 1.2-7.02-5.1-4.97 7.05-1.02z"
	starSize  = 24
	starPitch = 27
	mostStars = 20
)

// starPaths are the stars of a row, from the left.
var starPaths = func() (paths [mostStars]string) {
	for i := range paths {
		paths[i] = strings.Replace(star, "M12", "M"+strconv.Itoa(12+i*starPitch), 1)
	}
	return paths
}()

type ratingData struct {
	Stars float64 `json:"stars"`
	Of    int     `json:"of"`
	Align string  `json:"align"`
}

func readRating(r *reading) (any, error) {
	if empty(r.value) {
		return nil, nil
	}
	stars, ok := expr.Number(r.value)
	if !ok {
		return nil, bad("a rating needs a number, but the value is %s", describe(r.value))
	}
	of, err := strconv.Atoi(r.settings["of"])
	if err != nil || stars < 0 || stars > float64(of) {
		return nil, bad("the rating %s is not between 0 and %d", describe(r.value), of).WithHint("p-of is the number of stars")
	}
	parts := map[string]float64{"exact": 100, "half": 2, "whole": 1}[r.settings["round"]]
	return ratingData{math.Round(stars*parts) / parts, of, r.settings["align"]}, nil
}

var ratingAlign = map[string]string{"left": "xMinYMid", "center": "xMidYMid", "right": "xMaxYMid"}

func drawRating(data []byte) string {
	d, ok := decode[ratingData](data)
	align := ratingAlign[d.Align]
	if !ok || align == "" || d.Of < 1 || d.Of > mostStars || d.Stars < 0 || d.Stars > float64(d.Of) {
		return ""
	}
	whole, part := math.Modf(d.Stars)
	var b strings.Builder
	b.Grow(600 + d.Of*len(starPaths[0]))
	fmt.Fprintf(&b, `<svg class="p-rating-stars" viewBox="0 0 %d %d" width="100%%" height="100%%" preserveAspectRatio="%s" role="img" aria-label="%s / %d">`,
		(d.Of-1)*starPitch+starSize, starSize, align, num(d.Stars), d.Of)
	row := func(class, paint string, from, count int) {
		if count <= 0 {
			return
		}
		b.WriteString(`<path class="` + class + `" ` + paint + ` d="`)
		for _, path := range starPaths[from : from+count] {
			b.WriteString(path)
		}
		b.WriteString(`"/>`)
	}
	full := int(whole)
	row("p-star-empty", `fill="var(--rating-empty, currentColor)" fill-opacity="var(--rating-empty-opacity, .18)"`, full, d.Of-full)
	row("p-star", ratingFill, 0, full)
	if part > 0 {
		// A nested svg cuts its content at its edge; a clip path would need an
		// id, and a page may hold many ratings.
		fmt.Fprintf(&b, `<svg x="%d" width="%s" height="%d"><path class="p-star" %s d="%s"/></svg>`,
			full*starPitch, num(part*starSize), starSize, ratingFill, star)
	}
	b.WriteString("</svg>")
	return b.String()
}

const ratingFill = `fill="var(--rating, var(--accent, currentColor))"`
