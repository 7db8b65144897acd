package animation

import "math"

// A lab is a colour in a space in which equal distances look about equally
// different: lightness, green to red, blue to yellow, in whole numbers so that
// sums have no order. It is OKLab with a straight line near black, where a cube
// root would tell apart what no screen shows.
type lab [3]int32

const labUnit = 4096 // of lightness, from black to white

func toLab(p pixel) lab {
	r, g, b := linear[p&255], linear[p>>8&255], linear[p>>16&255]
	l := root(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := root(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := root(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return lab{
		unit(0.2104542553*l + 0.7936177850*m - 0.0040720468*s),
		unit(1.9779984951*l - 2.4285922050*m + 0.4505937099*s),
		unit(0.0259040371*l + 0.7827717662*m - 0.8086757660*s),
	}
}

func unit(v float64) int32 { return int32(math.Round(v * labUnit)) }

// root is the cube root, or its tangent's line of CIE Lab where x is small,
// shifted so that black is zero.
func root(x float64) float64 {
	const edge = 216.0 / 24389
	y := (24389.0/27*x + 16) / 116
	if x > edge {
		y = math.Cbrt(x)
	}
	return (y - 16.0/116) / (1 - 16.0/116)
}

// linear is light by the value of a channel.
var linear = func() (table [256]float64) {
	for i := range table {
		if v := float64(i) / 255; v <= 0.04045 {
			table[i] = v / 12.92
		} else {
			table[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return table
}()

// apart is the square of the distance.
func (a lab) apart(b lab) int64 {
	x, y, z := int64(a[0]-b[0]), int64(a[1]-b[1]), int64(a[2]-b[2])
	return x*x + y*y + z*z
}
