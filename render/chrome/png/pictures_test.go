package png

import (
	"image"
	"math"
	"math/rand/v2"
)

// A painter makes a picture of a size; the same one each time.
type painter func(width, height int) *image.NRGBA

var painters = map[string]painter{
	"flat": flat, "few colours": few, "gradient": gradient, "card": card, "photo": photo, "noise": noise,
	"alpha": alpha, "noise with alpha": alphaNoise, "clear": func(w, h int) *image.NRGBA { return image.NewNRGBA(image.Rect(0, 0, w, h)) },
}

func paint(width, height int, at func(x, y int) [4]uint8) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := at(x, y)
			copy(img.Pix[4*(y*width+x):], c[:])
		}
	}
	return img
}

func flat(width, height int) *image.NRGBA {
	return paint(width, height, func(int, int) [4]uint8 { return [4]uint8{49, 46, 129, 255} })
}

// few has 200 colours.
func few(width, height int) *image.NRGBA {
	return paint(width, height, func(x, y int) [4]uint8 {
		v := uint8((x/5 + y/3*7) % 200)
		return [4]uint8{v, 255 - v, v ^ 0x5A, 255}
	})
}

// bayer is the threshold of the 8x8 ordered dither, from 0 to 63.
func bayer(x, y int) float64 {
	v := 0
	for bit := range 3 {
		v = v<<2 | (x^y)>>bit&1<<1 | y>>bit&1
	}
	return float64(v)
}

// gradient runs from corner to corner, dithered as Chrome dithers.
func gradient(width, height int) *image.NRGBA {
	from, to := [3]float64{15, 23, 42}, [3]float64{124, 58, 237}
	return paint(width, height, func(x, y int) [4]uint8 {
		t := float64(x+y) / float64(width+height)
		c := [4]uint8{3: 255}
		for i := range from {
			c[i] = uint8(from[i] + (to[i]-from[i])*t + (bayer(x, y)+0.5)/64)
		}
		return c
	})
}

// card is a gradient with flat boxes, a soft ring and something like text.
func card(width, height int) *image.NRGBA {
	img := gradient(width, height)
	for y := range height {
		for x := range width {
			p := img.Pix[4*(y*width+x):]
			d := math.Abs(math.Hypot(float64(x-width*3/4), float64(y-height/4))-float64(height)/3) - 20
			ring := math.Max(0, math.Min(1, -d)) * 0.15
			text := 0.0
			if y > height/2 && y < height*3/4 && x > width/10 && x < width/2 {
				text = math.Max(0, math.Min(1, 1.5*math.Sin(float64(x)/3+float64(y*y)/90)))
			}
			for i := range 3 {
				v := float64(p[i])
				v += (255 - v) * ring
				v += (255 - v) * text
				p[i] = uint8(v)
			}
		}
	}
	return img
}

// photo is smooth shapes with the grain of a camera.
func photo(width, height int) *image.NRGBA {
	r := rand.New(rand.NewPCG(1, 2))
	return paint(width, height, func(x, y int) [4]uint8 {
		a, b := float64(x)/37, float64(y)/29
		base := 120 + 60*math.Sin(a+math.Sin(b)) + 40*math.Sin(b*1.7-a/3)
		grain := r.NormFloat64() * 2
		return [4]uint8{uint8(base + grain), uint8(base*0.8 + 20 + grain), uint8(200 - base*0.6 + grain), 255}
	})
}

func noise(width, height int) *image.NRGBA {
	r := rand.New(rand.NewPCG(3, 4))
	return paint(width, height, func(int, int) [4]uint8 {
		v := r.Uint32()
		return [4]uint8{uint8(v), uint8(v >> 8), uint8(v >> 16), 255}
	})
}

func alphaNoise(width, height int) *image.NRGBA {
	r := rand.New(rand.NewPCG(5, 6))
	return paint(width, height, func(int, int) [4]uint8 {
		v := r.Uint32()
		return [4]uint8{uint8(v), uint8(v >> 8), uint8(v >> 16), uint8(v >> 24)}
	})
}

// alpha is the card in a disc with a soft edge; what is clear has no colour.
func alpha(width, height int) *image.NRGBA {
	img := card(width, height)
	for y := range height {
		for x := range width {
			p := img.Pix[4*(y*width+x):]
			d := math.Hypot(float64(x-width/2), float64(y-height/2)) - float64(min(width, height))*0.4
			a := math.Max(0, math.Min(1, 0.5-d/8))
			p[3] = uint8(255*a + 0.5)
			if p[3] == 0 {
				clear(p[:3])
			}
		}
	}
	return img
}
