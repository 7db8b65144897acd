package element

import "math"

// A scale maps numbers to heights from 0, at the bottom, to 1.
type scale struct {
	low, high float64
	step      float64
	ticks     []float64 // from low to high
}

// newScale holds the numbers from low to high on round steps. A bound that the
// author set stays as it is.
func newScale(low, high float64, least, most *float64) scale {
	low, high = noDust(low), noDust(high)
	if least != nil {
		low = *least
		high = math.Max(high, low)
	}
	if most != nil {
		high = *most
		low = math.Min(low, high)
	}
	if size := math.Max(math.Abs(low), math.Abs(high)); high-low <= size*1e-9 || high-low < chartSmallest {
		low, high = apart(low, high, least, most)
	}
	s := scale{low: low, high: high, step: niceStep((high - low) / 5)}
	first, last := math.Floor(low/s.step+1e-9), math.Ceil(high/s.step-1e-9)
	if least == nil {
		s.low = first * s.step
	} else {
		first = math.Ceil(low/s.step - 1e-9)
	}
	if most == nil {
		s.high = last * s.step
	} else {
		last = math.Floor(high/s.step + 1e-9)
	}
	for i := 0.0; first+i <= last && i <= 12; i++ {
		s.ticks = append(s.ticks, (first+i)*s.step)
	}
	return s
}

// noDust is zero for what is too small to draw.
func noDust(f float64) float64 {
	if math.Abs(f) < chartSmallest {
		return 0
	}
	return f
}

// apart makes room around numbers that are all the same.
func apart(low, high float64, least, most *float64) (float64, float64) {
	size := math.Abs(high)
	if size == 0 {
		size = 1
	}
	switch {
	case most != nil && least == nil:
		return high - size, high
	case least != nil || low == 0:
		return low, low + size
	case low > 0:
		return 0, high
	}
	return low, 0
}

// niceStep is the smallest of 1, 2, 2.5 and 5 times a power of ten that is not
// below rough.
func niceStep(rough float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= rough*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// at is the height of v. What lies far outside is drawn just outside, where the
// plot is cut.
func (s scale) at(v float64) float64 {
	return math.Max(-1, math.Min(2, (v-s.low)/(s.high-s.low)))
}

// zero is the height of the line that bars grow from.
func (s scale) zero() float64 { return math.Max(0, math.Min(1, s.at(0))) }
