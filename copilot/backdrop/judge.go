package backdrop

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template/edit"
)

// A judge says how strong a backdrop may be, by what is behind the letters.
type judge struct {
	cam    look.Camera
	plates []*plate
}

// A plate is a view of the document without a backdrop.
type plate struct {
	view   look.View
	behind *image.NRGBA // without letters
	texts  []letters
	// rows are plates of the same view with other rows: a backdrop does to their
	// ground what it does to the one of this row.
	rows []*plate
}

// letters are those of one text.
type letters struct {
	need      float64
	luminance float64
	at        []int32 // pixels that they cover, by their place in Pix
}

// clear makes letters transparent, and nothing else: color is what lines are drawn
// in, too. In a layer of the cascade, !important is stronger than outside of one.
const clear = `@layer{*,::before,::after,::first-letter,::first-line,::marker{-webkit-text-fill-color:transparent!important;` +
	`text-decoration-color:transparent!important;text-shadow:none!important}text,tspan{fill:transparent!important}}`

const (
	mostViews = 14 // of a document of many pages
	moreRows  = 5  // whose letters are looked at too, on the first page
)

// begin measures the texts of d, the document without a backdrop: all sizes, themes
// and pages with the hardest row, the letters of some more rows, and the rows whose
// colours are the darkest and the lightest in the main size.
func (j *judge) begin(ctx context.Context, s *stage, d look.Doc) error {
	j.cam = s.cam
	var views []look.View
	for page := range s.pages() {
		for _, size := range s.sizes {
			for _, theme := range s.themes {
				views = append(views, look.View{Size: size.Name, Theme: theme, Page: page + 1, Row: s.rows[0]})
			}
		}
	}
	views = views[:min(len(views), mostViews)]
	for _, theme := range s.themes {
		for _, row := range s.extremes() {
			views = append(views, look.View{Size: s.main, Theme: theme, Page: 1, Row: row})
		}
	}
	leads := len(views)
	var of []int // the lead of each that follows
	for i, v := range views[:leads] {
		if v.Page > 1 {
			continue
		}
		for _, row := range s.rows[1:min(len(s.rows), 1+moreRows)] {
			v.Row = row
			views, of = append(views, v), append(of, i)
		}
	}
	plates := make([]*plate, len(views))
	err := each(len(views), func(i int) (err error) {
		plates[i], err = newPlate(ctx, j.cam, d, views[i])
		return err
	})
	if err != nil {
		return err
	}
	j.plates = plates[:leads]
	for n, i := range of {
		j.plates[i].rows = append(j.plates[i].rows, plates[leads+n])
	}
	return nil
}

// extremes are the rows, besides the first, with the darkest and the lightest value
// of a variable that is a colour.
func (s *stage) extremes() []map[string]any {
	var found []map[string]any
	for _, name := range s.colors {
		dark, light := -1, -1
		var low, high float64
		for i, row := range s.rows {
			text, _ := row[name].(string)
			c, ok := hex(text)
			if !ok {
				continue
			}
			l := luminance([]uint8{c.R, c.G, c.B})
			if dark < 0 || l < low {
				dark, low = i, l
			}
			if light < 0 || l > high {
				light, high = i, l
			}
		}
		for _, i := range []int{dark, light} {
			if i > 0 && len(found) < 2 {
				found = append(found, s.rows[i])
			}
		}
	}
	return found
}

// hex is the colour of #rgb or #rrggbb.
func hex(s string) (c color.NRGBA, ok bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "#")
	if len(s) == 3 {
		s = string([]byte{s[0], s[0], s[1], s[1], s[2], s[2]})
	}
	v, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) != 6 {
		return c, false
	}
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff}, true
}

func newPlate(ctx context.Context, cam look.Camera, d look.Doc, v look.View) (*plate, error) {
	shown, err := cam.Shoot(ctx, d, v)
	if err != nil {
		return nil, err
	}
	v.CSS = clear
	bare, err := cam.Shoot(ctx, d, v)
	if err != nil {
		return nil, err
	}
	return &plate{view: v, behind: bare.Picture, texts: textsOf(shown, bare.Picture)}, nil
}

// each calls do for 0 to n-1, a few at once.
func each(n int, do func(i int) error) error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	free := make(chan struct{}, 3)
	for i := range n {
		free <- struct{}{}
		wait.Go(func() {
			errs[i] = do(i)
			<-free
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

const (
	boldWeight = 700
	mostPixels = 3000 // of a text that are looked at
)

// textsOf finds the letters of a picture: what is otherwise without them.
func textsOf(shown look.Shot, behind *image.NRGBA) []letters {
	if shown.Picture.Rect != behind.Rect {
		return nil
	}
	var all []letters
	for _, b := range shown.Boxes {
		t := b.Text
		if t == nil || t.Decorative || t.Outlined || t.Clipped || t.Opacity < 0.05 {
			continue
		}
		if l, ok := lettersOf(shown.Picture, behind, t.Lines); ok {
			l.need = check.Need(t.FontPx, t.Weight >= boldWeight)
			all = append(all, l)
		}
	}
	return all
}

func lettersOf(shown, behind *image.NRGBA, lines []render.Line) (letters, bool) {
	type pixel struct {
		at   int32
		diff int
	}
	var found []pixel
	for _, l := range lines {
		area := image.Rect(int(l.X), int(l.Y), int(l.X+l.Width)+1, int(l.Y+l.Height)+1).Intersect(shown.Rect)
		for y := area.Min.Y; y < area.Max.Y; y++ {
			for x := area.Min.X; x < area.Max.X; x++ {
				i := shown.PixOffset(x, y)
				diff := 0
				for c := range 3 {
					diff = max(diff, absDiff(shown.Pix[i+c], behind.Pix[i+c]))
				}
				if diff > 12 {
					found = append(found, pixel{int32(i), diff})
				}
			}
		}
	}
	if len(found) < 3 {
		return letters{}, false
	}
	slices.SortFunc(found, func(a, b pixel) int { return b.diff - a.diff })
	// The inside of letters has their colour; of the others, half are enough.
	inside := found[:len(found)/40+1]
	at := inside[len(inside)/2].at
	l := letters{luminance: luminance(shown.Pix[at : at+3])}
	half := found[:len(found)/2+1]
	step := len(half)/mostPixels + 1
	for i := 0; i < len(half); i += step {
		l.at = append(l.at, half[i].at)
	}
	return l, true
}

// margin is how much better than needed a text must be: the judge looks at fewer
// pixels than the check does.
const margin = 1.06

// closest is the margin of a text that had less than margin before: what pixels of a
// sample and all of them differ by.
const closest = 1.02

// strengths are tried from the strongest on, as parts of the one that was drawn.
var strengths = []float64{1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.42, 0.35, 0.28, 0.22, 0.17, 0.12, 0.08}

// A bound is a text that leaves a backdrop less than its strength.
type bound struct {
	plate *plate
	text  letters
	part  float64
}

// holds is the strength at which all texts of d can be read, which has a backdrop of
// strength amp: amp itself where they can already. on are the plates to look at, nil
// is all; tight are those in which less would be needed, by the texts of bounds.
func (j *judge) holds(ctx context.Context, d look.Doc, amp float64, on []*plate) (least float64, tight []*plate, bounds []bound, err error) {
	if on == nil {
		on = j.plates
	}
	found := make([][]bound, len(on))
	err = each(len(on), func(i int) (err error) {
		found[i], err = on[i].bounds(func(v look.View) (*image.NRGBA, error) {
			shot, err := j.cam.Shoot(ctx, d, v)
			return shot.Picture, err
		})
		return err
	})
	least = 1
	for i, of := range found {
		for _, b := range of {
			least = min(least, b.part)
		}
		if len(of) > 0 {
			tight = append(tight, on[i])
			bounds = append(bounds, of...)
		}
	}
	return amp * least, tight, bounds, err
}

// bounds are the texts of the plate, and of its rows, that could be read on less of a
// backdrop only. shoot draws a view with it. Where all others can be read, rows without
// margin are drawn themselves: what is a backdrop's share of their ground is a guess.
func (p *plate) bounds(shoot func(look.View) (*image.NRGBA, error)) ([]bound, error) {
	with, err := shoot(p.view)
	if err != nil {
		return nil, err
	}
	if with.Rect != p.behind.Rect {
		return []bound{{plate: p}}, nil
	}
	all := p.of(with)
	for _, r := range p.rows {
		if r.behind.Rect == with.Rect {
			all = append(all, r.of(p.transfer(with, r.behind))...)
		}
	}
	for _, r := range p.rows {
		if len(all) > 0 || !r.tender() {
			continue
		}
		ground, err := shoot(r.view)
		if err != nil {
			return nil, err
		}
		if ground.Rect == r.behind.Rect {
			all = append(all, r.of(ground)...)
		}
	}
	return all, nil
}

// tender reports whether a text of the plate has little contrast to lose.
func (p *plate) tender() bool {
	return slices.ContainsFunc(p.texts, func(t letters) bool { return t.ratio(p.behind, p.behind, 0) < t.need*margin })
}

// of are the bounds in a picture without letters.
func (p *plate) of(with *image.NRGBA) (all []bound) {
	for _, t := range p.texts {
		part := 0.0
		for holds, i := t.holds(p.behind), 0; i < len(strengths); i++ {
			if holds(with, strengths[i]) {
				part = strengths[i]
				break
			}
		}
		if part < 1 {
			all = append(all, bound{p, t, part})
		}
	}
	return all
}

// transfer is the ground of another row with what the backdrop did to this one's,
// where they were the same.
func (p *plate) transfer(with, other *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(other.Rect)
	copy(out.Pix, other.Pix)
	const same = 6
	for i := 0; i+3 < len(out.Pix); i += 4 {
		a, b := p.behind.Pix[i:i+3], other.Pix[i:i+3]
		if absDiff(a[0], b[0])+absDiff(a[1], b[1])+absDiff(a[2], b[2]) <= same {
			copy(out.Pix[i:i+3], with.Pix[i:i+3])
		}
	}
	return out
}

// ratio is the contrast that 95 % of a text's pixels have, with so much of a backdrop.
func (l letters) ratio(without, with *image.NRGBA, part float64) float64 {
	return l.share(without, with, part, 0.05)
}

// holds is the question whether a text can be read on so much of a backdrop. One that
// was hard to read without may be hardly harder to, and no fault where it was none;
// nor may a line cross it then: of a small text the check looks at a few dozen pixels,
// and the line can be in many of those.
func (l letters) holds(without *image.NRGBA) func(with *image.NRGBA, part float64) bool {
	before, least := l.ratio(without, without, 0), 0.0
	need := l.need * margin
	if before < need {
		need = max(before*0.98, min(before, l.need*closest))
		least = min(need, 0.98*l.share(without, without, 0, 0))
	}
	return func(with *image.NRGBA, part float64) bool {
		return l.ratio(without, with, part) >= need && (least == 0 || l.share(without, with, part, 0) >= least)
	}
}

// share is the contrast that a text's pixels have, but for that part of them.
func (l letters) share(without, with *image.NRGBA, part, but float64) float64 {
	ratios := make([]float64, len(l.at))
	for n, i := range l.at {
		var c [3]uint8
		for k := range c {
			a, b := float64(without.Pix[int(i)+k]), float64(with.Pix[int(i)+k])
			c[k] = uint8(math.Round(a + (b-a)*part))
		}
		y := luminance(c[:])
		ratios[n] = (max(y, l.luminance) + 0.05) / (min(y, l.luminance) + 0.05)
	}
	slices.Sort(ratios)
	return ratios[int(but*float64(len(ratios)))]
}

var linear = func() (all [256]float64) {
	for i := range all {
		f := float64(i) / 255
		if all[i] = f / 12.92; f > 0.04045 {
			all[i] = math.Pow((f+0.055)/1.055, 2.4)
		}
	}
	return all
}()

// luminance is WCAG's.
func luminance(rgb []uint8) float64 {
	return 0.2126*linear[rgb[0]] + 0.7152*linear[rgb[1]] + 0.0722*linear[rgb[2]]
}

// tellApart reports whether people see that two pictures of a view are different,
// on the share of it where a backdrop can be: by many pixels a little, or by some a
// lot, as lines are.
func tellApart(a, b image.Image, share float64) bool {
	one, ok := a.(*image.NRGBA)
	two, same := b.(*image.NRGBA)
	if !ok || !same || one.Bounds() != two.Bounds() {
		return true
	}
	total, much, n := 0, 0, 0
	for y := 0; y < one.Rect.Dy(); y += 2 {
		for x := 0; x < one.Rect.Dx(); x += 2 {
			i, j := y*one.Stride+4*x, y*two.Stride+4*x
			most := 0
			for c := range 3 {
				d := absDiff(one.Pix[i+c], two.Pix[j+c])
				total += d
				most = max(most, d)
			}
			if most >= marked {
				much++
			}
			n++
		}
	}
	return float64(total) >= washed*share*float64(3*n) || float64(much) >= drawn*share*float64(n)
}

const (
	washed = 1.3  // mean difference of channels, in steps of 255
	marked = 12   // steps that a line is to be seen by
	drawn  = 0.03 // of the pixels are in lines
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// bases chooses a colour for the backdrops that stand in for a photograph, on which
// the texts can be read that were made for it.
func (s *studio) bases(ctx context.Context, given look.Doc) error {
	for i := range s.grounds {
		g := &s.grounds[i]
		if kept := formerBase(given, g.number); kept != "" {
			g.base = kept
			continue
		}
		if len(g.photos) == 0 {
			continue
		}
		// The lightest that the texts leave, for a scrim may darken it.
		var bases []string
		for _, l := range []string{"0.56", "0.44", "0.34", "0.25", "0.17"} {
			bases = append(bases, fmt.Sprintf("oklch(from %s %s min(c, 0.12) h)", s.inks[0].css, l))
		}
		bases = append(bases, "", fmt.Sprintf("oklch(from %s 0.96 min(c, 0.02) h)", s.inks[0].css))
		best, least := "", 0.0
		for _, base := range bases {
			g.base = base
			ratio, err := s.worst(ctx, s.plain(), g.number)
			if err != nil {
				return err
			}
			if ratio > least {
				best, least = base, ratio
			}
			if least >= 1.25 {
				break
			}
		}
		g.base = best
	}
	return nil
}

// worst is the least contrast of a page in parts of what it needs, with the first
// row in each size and theme.
func (s *studio) worst(ctx context.Context, d look.Doc, page int) (float64, error) {
	var views []look.View
	for _, size := range s.sizes {
		for _, theme := range s.themes {
			views = append(views, look.View{Size: size.Name, Theme: theme, Page: page, Row: s.rows[0]})
		}
	}
	ratios := make([]float64, len(views))
	err := each(len(views), func(i int) error {
		p, err := newPlate(ctx, s.cam, d, views[i])
		if err != nil {
			return err
		}
		ratios[i] = 10
		for _, t := range p.texts {
			ratios[i] = min(ratios[i], t.ratio(p.behind, p.behind, 0)/t.need)
		}
		return nil
	})
	return slices.Min(ratios), err
}

// formerBase is the colour of the backdrop that a page has already.
func formerBase(d look.Doc, page int) string {
	pages := edit.Outline(d.Source)
	if page > len(pages) {
		return ""
	}
	for _, l := range pages[page-1].Children {
		if isBackdrop(l) {
			return l.Style["background-color"]
		}
	}
	return ""
}
