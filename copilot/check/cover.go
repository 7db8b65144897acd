package check

import (
	"context"
	"image"
	"math"
	"slices"

	"github.com/pictifyd/pictifyd/copilot/look"
)

// A measured view is its letters, what they look like and what is behind them.
type measured struct {
	texts []text
	owner []int16 // the text that a pixel may be a letter of, -1 for none
	cover []uint8 // how much of a pixel letters cover, 0 to 255

	shown, behind *image.NRGBA
	bare          *image.NRGBA // behind without the shadows of letters
	scale         float64
	width         int
}

// measure finds the letters of a view, of which shot is the picture. Beside that it
// draws what is behind them, and the letters in white, in black, or in both: Chrome
// draws the edges of dark letters stronger than those of light ones, so letters
// are looked for in the one that their own colour is nearer to, except where that
// cannot be told from the ground.
func measure(ctx context.Context, s shooter, v look.View, shot look.Shot) (measured, error) {
	m := measured{texts: textsOf(shot.Boxes), shown: shot.Picture, scale: scaleOf(v), width: shot.Picture.Rect.Dx()}
	if len(m.texts) == 0 {
		return m, nil
	}
	bare, err := s.shoot(ctx, with(v, plainSheet("transparent")+unclipped(m.texts)))
	if err != nil {
		return m, err
	}
	m.behind, m.bare = bare.Picture, bare.Picture
	shots := []look.Shot{shot, bare}
	if slices.ContainsFunc(m.texts, func(t text) bool { return t.Shadowed }) {
		shadowed, err := s.shoot(ctx, with(v, shadowedSheet()+unclipped(m.texts)))
		if err != nil {
			return m, err
		}
		m.behind, shots = shadowed.Picture, append(shots, shadowed)
	}
	if err := sameSize(shots...); err != nil {
		return m, err
	}
	m.owner = owners(m.texts, m.shown.Rect.Size(), m.scale)
	inks := m.inks()
	for i, colour := range []string{"#000", "#fff"} {
		if !inks.wanted[i] {
			continue
		}
		drawn, err := s.shoot(ctx, with(v, plainSheet(colour)+unclipped(m.texts)))
		if err != nil {
			return m, err
		}
		if err := sameSize(shot, drawn); err != nil {
			return m, err
		}
		inks.drawn[i] = drawn.Picture
	}
	m.cover = m.covered(inks)
	return m, nil
}

// The two inks that letters are drawn in.
const (
	black = iota
	white
)

var inkStep = [2]int{black: 0, white: 255}

type inks struct {
	of     []int // the ink that the letters of each text are nearer to
	wanted [2]bool
	drawn  [2]*image.NRGBA
}

// told is how much an ink and a ground have to be apart for letters to be told.
const told = 48

// inks chooses the ink for each text: white for what is lighter than its ground.
func (m measured) inks() inks {
	all := inks{of: make([]int, len(m.texts))}
	balance, ground, count := make([]int, len(m.texts)), make([]int, len(m.texts)), make([]int, len(m.texts))
	for i, o := range m.owner {
		if o < 0 {
			continue
		}
		a, b := light(m.shown.Pix[4*i:4*i+3]), light(m.behind.Pix[4*i:4*i+3])
		balance[o], ground[o], count[o] = balance[o]+a-b, ground[o]+b, count[o]+1
	}
	for t := range m.texts {
		if balance[t] > 0 || balance[t] == 0 && ground[t] < 128*count[t] {
			all.of[t] = white
		}
	}
	for i, o := range m.owner {
		if o < 0 {
			continue
		}
		ink := all.of[o]
		all.wanted[ink] = true
		if apart(m.bare.Pix[4*i:4*i+3], ink) < told {
			all.wanted[1-ink] = true
		}
	}
	return all
}

// light is about how light a pixel is, 0 to 255.
func light(p []uint8) int { return (54*int(p[0]) + 183*int(p[1]) + 18*int(p[2])) / 255 }

// apart is how far a ground is from an ink, in the channel where it is the farthest.
func apart(ground []uint8, ink int) (most int) {
	for c := range 3 {
		d := int(ground[c]) - inkStep[ink]
		most = max(most, d, -d)
	}
	return most
}

// covered is how much of each pixel letters cover.
func (m measured) covered(inks inks) []uint8 {
	cover := make([]uint8, len(m.owner))
	for i, o := range m.owner {
		if o < 0 {
			continue
		}
		ground, ink := m.bare.Pix[4*i:4*i+3], inks.of[o]
		if apart(ground, ink) < told {
			ink = 1 - ink
		}
		cover[i] = way(ground, inks.drawn[ink].Pix[4*i:4*i+3], inkStep[ink])
	}
	return cover
}

// way is how far a pixel went from the ground to an ink, in 255 parts: the least
// of its channels, for what is no letter and has colours of its own, as emoji have,
// goes another way.
func way(ground, drawn []uint8, ink int) uint8 {
	least := 255.0
	for c := range 3 {
		if whole := ink - int(ground[c]); whole >= told/2 || whole <= -told/2 {
			least = min(least, math.Round(255*float64(int(drawn[c])-int(ground[c]))/float64(whole)))
		}
	}
	return uint8(max(0, least))
}
