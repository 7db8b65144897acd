package check

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/render"
)

// Letters are filled by a property of their own: color would also colour borders,
// icons and marks. In a layer of the cascade, !important is stronger than outside
// of one. SVG text has a fill and an opacity of that. Lines under and through
// letters, and marks above them, are no letters. Nothing here may move a letter: a
// rule for ::first-line would, for Chrome balances no lines of a text that has one.
const fillSheet = `@layer{*,::before,::after,::marker,::placeholder{` +
	`-webkit-text-fill-color:%[1]s!important;text-decoration-color:transparent!important;text-emphasis-color:transparent!important;` +
	`caret-color:transparent!important;transition:none!important%[2]s}` +
	`text,tspan,textPath{fill:%[1]s!important;fill-opacity:1!important;text-shadow:none!important}}`

// shadowedSheet makes letters clear and leaves their shadows: most are there for
// letters to stand out from.
func shadowedSheet() string { return fmt.Sprintf(fillSheet, "transparent", "") }

func plainSheet(colour string) string {
	return fmt.Sprintf(fillSheet, colour, ";text-shadow:none!important")
}

// unclipped takes away the backgrounds that are shown by letters.
func unclipped(texts []text) string {
	var b strings.Builder
	for _, t := range texts {
		if t.Clipped && t.Path != "" {
			fmt.Fprintf(&b, "@layer{%s{background:none!important}}", t.Path)
		}
	}
	return b.String()
}

// A text is an element that shows one.
type text struct {
	*render.TextMeasure
	box render.Box
}

func textsOf(boxes []render.Box) []text {
	var all []text
	for _, b := range boxes {
		if b.Text != nil {
			all = append(all, text{b.Text, b})
		}
	}
	return all
}

func (t text) bold() bool { return t.Weight >= boldWeight }

// faint is an opacity at which nobody sees that there is something.
const faint = 0.05

// seen reports whether somebody is to read it.
func (t text) seen() bool { return !t.Decorative && t.Opacity >= faint }

// letters are where the letters of a view are.
type letters struct {
	texts []text
	cover []uint8 // of each pixel, 0 to 255
	owner []int16 // the text that a pixel belongs to, -1 for none
	width int
}

// lettersOf draws a view with white and with black letters. shot is the same view as it is.
func lettersOf(ctx context.Context, s shooter, v look.View, shot look.Shot) (*letters, error) {
	texts := textsOf(shot.Boxes)
	if len(texts) == 0 {
		return &letters{}, nil
	}
	white, err := s.shoot(ctx, with(v, plainSheet("#fff")))
	if err != nil {
		return nil, err
	}
	black, err := s.shoot(ctx, with(v, plainSheet("#000")))
	if err != nil {
		return nil, err
	}
	if err := sameSize(shot, white, black); err != nil {
		return nil, err
	}
	l := &letters{texts: texts, width: shot.Picture.Rect.Dx()}
	l.cover = coverage(white.Picture, black.Picture)
	l.owner = owners(texts, shot.Picture.Rect.Size(), scaleOf(v))
	return l, nil
}

func with(v look.View, css string) look.View {
	v.CSS += css
	return v
}

func scaleOf(v look.View) float64 {
	if v.Scale == 0 {
		return 1
	}
	return v.Scale
}

func sameSize(shots ...look.Shot) error {
	for _, s := range shots[1:] {
		if s.Picture.Rect.Size() != shots[0].Picture.Rect.Size() {
			return fmt.Errorf("measure letters: two pictures of one view are %v and %v large", shots[0].Picture.Rect.Size(), s.Picture.Rect.Size())
		}
	}
	return nil
}

// coverage is how much of each pixel is letters: (white - black) / 255, of the
// channel that tells least, for what blends into its ground may colour it.
func coverage(white, black *image.NRGBA) []uint8 {
	n := len(white.Pix) / 4
	cover := make([]uint8, n)
	for i := range cover {
		w, b := white.Pix[4*i:4*i+3], black.Pix[4*i:4*i+3]
		least := 255
		for c := range 3 {
			least = min(least, int(w[c])-int(b[c]))
		}
		cover[i] = uint8(max(least, 0)) // at most 255
	}
	return cover
}

// owners says which text a pixel may be a letter of: the one with the smallest
// piece there. Letters also reach a little beyond their pieces.
func owners(texts []text, size image.Point, scale float64) []int16 {
	type piece struct {
		rect image.Rectangle
		area float64
		text int16
	}
	page := image.Rectangle{Max: size}
	var exact, wide []piece
	for i, t := range texts {
		for _, l := range t.Lines {
			reach := 0.2 * l.Height
			exact = append(exact, piece{pixelsOf(l, 0, scale).Intersect(page), l.Width * l.Height, int16(i)})
			wide = append(wide, piece{pixelsOf(l, reach, scale).Intersect(page), l.Width * l.Height, int16(i)})
		}
	}
	owner := make([]int16, size.X*size.Y)
	for i := range owner {
		owner[i] = -1
	}
	for _, pieces := range [][]piece{wide, exact} {
		slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(b.area, a.area) })
		for _, p := range pieces {
			for y := p.rect.Min.Y; y < p.rect.Max.Y; y++ {
				row := owner[y*size.X+p.rect.Min.X : y*size.X+p.rect.Max.X]
				for x := range row {
					row[x] = p.text
				}
			}
		}
	}
	return owner
}

// pixelsOf are the pixels that a piece of text touches, and reach more about it.
func pixelsOf(l render.Line, reach, scale float64) image.Rectangle {
	at := func(v float64) int { return int(max(-1e6, min(1e6, v*scale))) }
	return image.Rect(at(math.Floor(l.X-reach)), at(math.Floor(l.Y-reach)), at(math.Ceil(l.X+l.Width+reach)), at(math.Ceil(l.Y+l.Height+reach)))
}
