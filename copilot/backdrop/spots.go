package backdrop

import (
	"context"
	"image"
	"math"
	"slices"

	"github.com/pictifyd/pictifyd/copilot/look"
)

// A spot is a place on the page for what is strongest in a backdrop.
type spot struct {
	point

	calm float64 // 1 where nothing stands that is hard to read, less around what is
}

const (
	mesh   = 24   // cells of a map, along each side
	around = 0.48 // how far a spot reaches, in parts of the page
)

// A chart is a map of a page, in parts of its width and height.
type chart [mesh][mesh]float64

// survey finds, for each page, where its ground can be seen and nothing stands on it
// that is hard to read, in all sizes. It reports how much of the ground is to be seen
// in the main size.
func (s *studio) survey(ctx context.Context) (share float64, err error) {
	probe := s.withBase("#ff00ff")
	for i := range s.grounds {
		g := &s.grounds[i]
		seen, tender := chart{}, chart{}
		for _, size := range s.sizes {
			v := look.View{Size: size.Name, Page: g.number, Row: s.rows[0]}
			shot, err := s.cam.Shoot(ctx, probe, v)
			if err != nil {
				return 0, err
			}
			part := seen.add(shot.Picture, 1/float64(len(s.sizes)))
			if size.Name == s.main && g.number == 1 {
				share = part
			}
		}
		for _, p := range s.judge.plates {
			if p.view.Page == g.number {
				p.mark(&tender)
			}
		}
		g.spots = spots(seen, tender)
	}
	return share, nil
}

// add notes where a picture shows the colour of the probe, and says on how much of it.
func (c *chart) add(picture *image.NRGBA, weight float64) (share float64) {
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	var hits, all [mesh][mesh]float64
	total, found := 0.0, 0.0
	for y := 0; y < h; y += 3 {
		for x := 0; x < w; x += 3 {
			i := picture.PixOffset(x, y)
			r, g, b := int(picture.Pix[i]), int(picture.Pix[i+1]), int(picture.Pix[i+2])
			cx, cy := x*mesh/w, y*mesh/h
			all[cx][cy]++
			total++
			if min(r, b)-g > 50 && max(r-b, b-r) < 60 { // magenta, also under a scrim
				hits[cx][cy]++
				found++
			}
		}
	}
	for i := range c {
		for j := range c[i] {
			c[i][j] += weight * hits[i][j] / max(all[i][j], 1)
		}
	}
	return found / max(total, 1)
}

// mark notes how hard the texts of a plate are to read, where they stand.
func (p *plate) mark(c *chart) {
	w, h := p.behind.Rect.Dx(), p.behind.Rect.Dy()
	for _, t := range p.texts {
		room := max(t.ratio(p.behind, p.behind, 0)/t.need, 1)
		weight := min(3, 2.1/room*2.1/room)
		for _, at := range t.at {
			x, y := int(at)%p.behind.Stride/4, int(at)/p.behind.Stride
			cell := &c[x*mesh/w][y*mesh/h]
			*cell = max(*cell, weight)
		}
	}
}

// spots are places, best first, that are not too near to each other.
func spots(seen, tender chart) []spot {
	var all []spot
	value := map[point]float64{}
	for _, x := range []float64{0, 0.25, 0.5, 0.75, 1} {
		for _, y := range []float64{0, 0.25, 0.5, 0.75, 1} {
			if x > 0 && x < 1 && y > 0 && y < 1 && (x == 0.5 || y == 0.5) {
				continue // the middle belongs to what is said
			}
			p := point{x, y}
			gain, cost, room := 0.0, 0.0, 0.0
			for i := range mesh {
				for j := range mesh {
					d := math.Hypot((float64(i)+0.5)/mesh-x, (float64(j)+0.5)/mesh-y) / around
					if d >= 1 {
						continue
					}
					k := (1 - d) * (1 - d)
					gain += k * seen[i][j]
					cost += k * tender[i][j]
					room += k
				}
			}
			value[p] = gain/room - 0.9*cost/room
			all = append(all, spot{p, 1 / (1 + 2.2*cost/room)})
		}
	}
	slices.SortStableFunc(all, func(a, b spot) int {
		switch x, y := value[a.point], value[b.point]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	var out []spot
	for _, a := range all {
		if !slices.ContainsFunc(out, func(o spot) bool { return math.Hypot(o.x-a.x, o.y-a.y) < 0.5 }) {
			out = append(out, a)
		}
	}
	return out[:min(len(out), 5)]
}
