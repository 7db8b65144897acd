package relayout

import "math"

// A rect is a box in CSS pixels.
type rect struct{ X, Y, W, H float64 }

func (r rect) right() float64  { return r.X + r.W }
func (r rect) bottom() float64 { return r.Y + r.H }
func (r rect) area() float64   { return r.W * r.H }

// within reports whether r is in o, but for so many pixels.
func (r rect) within(o rect, slack float64) bool {
	return r.X >= o.X-slack && r.Y >= o.Y-slack && r.right() <= o.right()+slack && r.bottom() <= o.bottom()+slack
}

// meets is what r and o have in common.
func (r rect) meets(o rect) rect {
	m := rect{X: math.Max(r.X, o.X), Y: math.Max(r.Y, o.Y)}
	m.W, m.H = math.Max(0, math.Min(r.right(), o.right())-m.X), math.Max(0, math.Min(r.bottom(), o.bottom())-m.Y)
	return m
}

// hull is the smallest box around both.
func (r rect) hull(o rect) rect {
	if r.W == 0 && r.H == 0 {
		return o
	}
	x, y := math.Min(r.X, o.X), math.Min(r.Y, o.Y)
	return rect{x, y, math.Max(r.right(), o.right()) - x, math.Max(r.bottom(), o.bottom()) - y}
}

// same reports whether both are one box, but for so many pixels.
func (r rect) same(o rect, slack float64) bool {
	return math.Abs(r.X-o.X) <= slack && math.Abs(r.Y-o.Y) <= slack && math.Abs(r.W-o.W) <= slack && math.Abs(r.H-o.H) <= slack
}

// inset is r without so much at each edge.
func (r rect) inset(top, right, bottom, left float64) rect {
	return rect{r.X + left, r.Y + top, math.Max(1, r.W-left-right), math.Max(1, r.H-top-bottom)}
}

func clamp(v, low, high float64) float64 {
	if high < low {
		return low
	}
	return math.Min(high, math.Max(low, v))
}
