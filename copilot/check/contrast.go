package check

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"

	"github.com/pictifyd/pictifyd/copilot/look"
)

// A Span is how well the text of one layer stands out.
type Span struct {
	Layer  string
	Ratio  float64 // the contrast that 95 % of its letters' pixels have at least
	Need   float64 // that WCAG AA asks for
	FontPx float64 // as it is seen, in CSS pixels
	Bold   bool
	At     image.Rectangle // around its letters, in CSS pixels of the page
}

// Passes reports whether the text can be read. Ratios are judged as they are, not
// rounded.
func (s Span) Passes() bool { return s.Ratio >= s.Need }

// Contrast is how well each text of a view stands out from what is behind it,
// measured on pixels: the worst first, of a layer that is there several times the
// worst one. What says nothing (without a letter or digit, or aria-hidden),
// colourful characters and text within pictures are not in it, nor are letters
// with an outline of their own, which stand out from that.
func Contrast(ctx context.Context, cam look.Camera, d look.Doc, v look.View) ([]Span, error) {
	s := newPlates(cam, d)
	shot, err := s.shoot(ctx, v)
	if err != nil {
		return nil, err
	}
	l, err := lettersOf(ctx, s, v, shot)
	if err != nil {
		return nil, err
	}
	m, err := measure(ctx, s, v, shot, l)
	if err != nil {
		return nil, err
	}
	return m.spans(), nil
}

// A measured view is its letters, what they look like and what is behind them.
type measured struct {
	*letters
	shown, behind *image.NRGBA
	bare          *image.NRGBA // behind without the shadows of letters; nil where there are none
	scale         float64
}

// measure draws what is behind the letters of a view, of which shot is the picture.
func measure(ctx context.Context, s shooter, v look.View, shot look.Shot, l *letters) (measured, error) {
	if len(l.texts) == 0 {
		return measured{letters: l}, nil
	}
	m := measured{letters: l, shown: shot.Picture, scale: scaleOf(v)}
	bare, err := s.shoot(ctx, with(v, plainSheet("transparent")+unclipped(l.texts)))
	if err != nil {
		return m, err
	}
	m.behind = bare.Picture
	if slices.ContainsFunc(l.texts, func(t text) bool { return t.Shadowed }) {
		shadowed, err := s.shoot(ctx, with(v, shadowedSheet()+unclipped(l.texts)))
		if err != nil {
			return m, err
		}
		m.behind, m.bare = shadowed.Picture, bare.Picture
	}
	return m, sameSize(shot, bare)
}

// The least cover of pixels that are looked at, the best first. Chrome draws the
// edges of letters a little stronger or weaker by their colour, so only the inside
// of letters has their colour to the step; thin ones have little of it.
var covers = []float64{1, 0.95, 0.85, 0.7, 0.5}

const (
	enoughPixels = 24   // that are the inside of a text's letters
	enoughShare  = 0.05 // of its pixels
	percentile   = 0.05
)

func (m measured) spans() []Span {
	byText := make([][]int, len(m.texts))
	for i, o := range m.owner {
		if o >= 0 && m.cover[i] > 0 {
			byText[o] = append(byText[o], i)
		}
	}
	worst := map[string]Span{}
	for i, t := range m.texts {
		if !t.seen() || t.Outlined {
			continue
		}
		ratio, at, ok := m.text(t, byText[i])
		if !ok {
			continue
		}
		span := Span{Layer: t.Layer, Ratio: ratio, Need: Need(t.FontPx, t.bold()), FontPx: t.FontPx, Bold: t.bold(), At: at}
		if old, has := worst[t.Layer]; !has || span.Ratio/span.Need < old.Ratio/old.Need {
			worst[t.Layer] = span
		}
	}
	all := make([]Span, 0, len(worst))
	for _, s := range worst {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Ratio/a.Need, b.Ratio/b.Need), cmp.Compare(a.Layer, b.Layer))
	})
	return all
}

// text is the contrast of a text of which pixels have some of its letters.
func (m measured) text(t text, pixels []int) (worst float64, at image.Rectangle, ok bool) {
	// Of what is half transparent, letters cover half.
	cover := func(i int) float64 { return min(1, float64(m.cover[i])/255/min(1, t.Opacity)) }
	seen := pixels[:0:0]
	for _, i := range pixels {
		if cover(i) >= covers[len(covers)-1] {
			seen = append(seen, i)
			at = at.Union(image.Rect(i%m.width, i/m.width, i%m.width+1, i/m.width+1))
		}
	}
	if len(seen) < 3 {
		return 0, at, false // a dot
	}
	at = image.Rect(scaled(at.Min.X, m.scale), scaled(at.Min.Y, m.scale), scaled(at.Max.X, m.scale), scaled(at.Max.Y, m.scale))
	worst = m.percentile(seen, cover, m.behind)
	if t.Shadowed && m.bare != nil {
		// A shadow of the letters' own colour is a glow: they stand out with it.
		worst = max(worst, m.percentile(seen, cover, m.bare))
	}
	return worst, at, true
}

// percentile is the contrast with what is behind that 95 % of the pixels have.
func (m measured) percentile(pixels []int, cover func(int) float64, behind *image.NRGBA) float64 {
	var ratios []float64
	for _, least := range covers {
		ratios = ratios[:0]
		for _, i := range pixels {
			if c := cover(i); c >= least-0.002 {
				ratios = append(ratios, m.ratio(i, c, behind))
			}
		}
		if len(ratios) >= enoughPixels && float64(len(ratios)) >= enoughShare*float64(len(pixels)) {
			break
		}
	}
	slices.Sort(ratios)
	return ratios[int(percentile*float64(len(ratios)))]
}

func scaled(v int, scale float64) int { return int(math.Round(float64(v) / scale)) }

// ratio is the contrast of a pixel that letters cover to a part: their own colour
// is F = (shown - (1 - cover) behind) / cover. The shadow that is in what is shown
// is in what was behind, too.
func (m measured) ratio(i int, cover float64, against *image.NRGBA) float64 {
	shown, behind, ground := m.shown.Pix[4*i:4*i+3], m.behind.Pix[4*i:4*i+3], against.Pix[4*i:4*i+3]
	var letter [3]float64
	for c := range letter {
		f := (float64(shown[c]) - (1-cover)*float64(behind[c])) / cover
		letter[c] = linear[uint8(math.Round(max(0, min(255, f))))]
	}
	return ratio(luminance(letter[0], letter[1], letter[2]), luminance(linear[ground[0]], linear[ground[1]], linear[ground[2]]))
}
