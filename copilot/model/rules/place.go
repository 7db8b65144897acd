package rules

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A measured is how a layer is drawn.
type measured struct {
	x, y, width, height float64
	font                float64 // px; 0 where nothing says
	pageW, pageH        float64
}

// measure is how previews show a layer: of the last one its place, of all the
// largest letters.
func measure(id string, previews ...result) measured {
	var m measured
	for _, r := range previews {
		var p struct {
			Width, Height float64
			Boxes         []struct {
				ID                  string
				X, Y, Width, Height float64
				Text                *struct{ FontPx float64 }
			}
			Texts []struct {
				Layer  string
				FontPx float64
			}
		}
		if r.failed || json.Unmarshal([]byte(r.text), &p) != nil {
			continue
		}
		for _, b := range p.Boxes {
			if b.ID != id || b.Width <= 0 {
				continue
			}
			m.x, m.y, m.width, m.height, m.pageW, m.pageH = b.X, b.Y, b.Width, b.Height, p.Width, p.Height
			if b.Text != nil {
				m.font = max(m.font, b.Text.FontPx)
			}
		}
		for _, x := range p.Texts {
			if x.Layer == id {
				m.font = max(m.font, x.FontPx)
			}
		}
	}
	return m
}

// attr is an attribute in the answer of get_layer.
func attr(r result, name string) string {
	m, _ := r.value().(map[string]any)
	attrs, _ := m["attrs"].(map[string]any)
	v, _ := attrs[name].(string)
	return v
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

func px(v float64) string { return strconv.FormatFloat(round(v), 'f', -1, 64) + "px" }

// place moves a layer to a side of its page, as far from it as it was from the other
// one, or by so many pixels.
func (t *talk) place(l layer, side string, by float64, size string, refused func(string)) (done, ok bool) {
	if t.inStack(l) {
		refused("it stands in a stack, where its place follows from the order and the alignment of the stack")
		return false, true
	}
	sizes := t.sizesFor(size)
	var looks []want
	for _, s := range sizes {
		looks = append(looks, want{"render_preview", sized(map[string]any{"scale": 0.2}, s)})
	}
	all, ok := t.do(looks...)
	if !ok {
		return false, false
	}
	var wants []want
	for i, s := range sizes {
		m := measure(l.ID, all[i])
		if m.width == 0 {
			continue
		}
		scope := s
		if i == 0 && size == "" {
			scope = ""
		}
		wants = append(wants, want{"set_box", sized(map[string]any{"id": l.ID, "box": m.moved(side, by)}, scope)})
	}
	if len(wants) == 0 { // nothing says where it is: the tool that aligns looks itself
		wants = append(wants, want{"align", sized(map[string]any{"ids": []string{l.ID}, "edge": side}, size)})
	}
	results, ok := t.do(wants...)
	if !ok {
		return false, false
	}
	for _, r := range results {
		if r.failed {
			refused(r.why())
			continue
		}
		done = true
	}
	return done, true
}

// moved is where a layer goes.
func (m measured) moved(side string, by float64) map[string]any {
	margin := func(near, far float64) float64 {
		if d := min(near, far); d >= 0 {
			return d
		}
		return 0
	}
	h, v := margin(m.x, m.pageW-m.x-m.width), margin(m.y, m.pageH-m.y-m.height)
	switch {
	case side == "left" && by > 0:
		return map[string]any{"left": round(m.x - by)}
	case side == "right" && by > 0:
		return map[string]any{"left": round(m.x + by)}
	case side == "top" && by > 0:
		return map[string]any{"top": round(m.y - by)}
	case side == "bottom" && by > 0:
		return map[string]any{"top": round(m.y + by)}
	case side == "left":
		return map[string]any{"left": round(h)}
	case side == "right":
		return map[string]any{"left": round(m.pageW - m.width - h)}
	case side == "top":
		return map[string]any{"top": round(v)}
	case side == "bottom":
		return map[string]any{"top": round(m.pageH - m.height - v)}
	}
	return map[string]any{"left": round((m.pageW - m.width) / 2)}
}

// inStack reports whether the layer's place follows from its parent.
func (t *talk) inStack(l layer) bool {
	return slices.ContainsFunc(t.layers(), func(p layer) bool {
		return p.ID != "" && (p.ID == l.Parent || p.Path == l.Parent) && slices.Contains(strings.Fields(p.Class), "p-stack")
	})
}
