package relayout

import (
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
)

// A judge says what is wrong with a layout that was right in the size that it was
// made from.
type judge struct {
	g     *design
	known map[string]bool // what was so before
}

// A fault is what is wrong in the new size and was not before.
type fault struct {
	key, says string
	clipped   string // the id of a text that has too little room
}

func (j *judge) faults(a *album, to target) []fault {
	var faults []fault
	seen := map[string]bool{}
	j.judge(a, to, func(f fault) {
		if !j.known[f.key] && !seen[f.key] {
			seen[f.key] = true
			faults = append(faults, f)
		}
	})
	return faults
}

func (j *judge) judge(a *album, to target, found func(fault)) {
	for i, pages := range a.shots {
		for number, shot := range pages {
			j.boxes(shot, j.g.pages[number], to, i, found)
			for _, t := range shot.Texts {
				if t.Clipped {
					found(fault{fmt.Sprintf("clipped %s %d", t.Layer, i), fmt.Sprintf("The text of %q does not fit in row %d.", t.Layer, i+1), copies(t.Layer)})
				}
			}
		}
	}
}

// copies is the id of an element without the numbers of its copies.
func copies(id string) string {
	id, _, _ = strings.Cut(id, "--")
	return id
}

func (j *judge) boxes(shot look.Shot, p *page, to target, row int, found func(fault)) {
	at := map[string]rect{}
	for _, b := range shot.Boxes {
		if id := copies(b.ID); id != "" && b.Width > 0 && b.Height > 0 {
			if _, ok := at[id]; !ok {
				at[id] = rect{b.X, b.Y, b.Width, b.Height}
			}
		}
	}
	whole := rect{0, 0, to.w, to.h}
	for i, l := range p.layers {
		b, ok := at[l.id]
		if !ok || !said(l) && !shown(l) {
			continue
		}
		if said(l) && !b.within(whole, 2) {
			found(fault{fmt.Sprintf("off %s %d", l.id, row), fmt.Sprintf("%q is partly off the page in row %d.", l.id, row+1), ""})
		}
		for _, o := range p.layers[i+1:] {
			c, ok := at[o.id]
			if !ok || !said(o) && !(shown(o) && said(l)) {
				continue
			}
			if m := b.meets(c); m.W > 2 && m.H > 2 {
				found(fault{fmt.Sprintf("lap %s %s %d", l.id, o.id, row), fmt.Sprintf("%q and %q lie on each other in row %d.", l.id, o.id, row+1), ""})
			}
		}
	}
}

func said(l *layer) bool { return l.kind == isText || l.kind == isStack }

func shown(l *layer) bool { return l.kind == isPicture && l.role == "image" }
