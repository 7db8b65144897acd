package bench

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
)

// photo is a JPEG with what makes photographs dear: soft gradients, edges, and
// grain everywhere. It shows hills under an evening sky.
func photo(rng *rand.Rand, width, height int) ([]byte, error) {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	sky := [2][3]float64{{20 + 60*rng.Float64(), 50 + 50*rng.Float64(), 110 + 60*rng.Float64()}, {240, 150 + 70*rng.Float64(), 110 + 60*rng.Float64()}}
	const hills = 4
	var ridges [hills][]float64
	for i := range ridges {
		ridges[i] = ridge(rng, width, float64(height)*(0.45+0.13*float64(i)), float64(height)*0.12)
	}
	for y := range height {
		for x := range width {
			share := min(float64(y)/float64(height)*1.6, 1)
			shade := 1.0
			for i := range ridges {
				if float64(y) > ridges[i][x] {
					share, shade = 0.2, 0.62-0.13*float64(i)
				}
			}
			grain := 14 * (rng.Float64() - 0.5)
			var c [3]uint8
			for i := range c {
				c[i] = uint8(min(max((sky[0][i]*(1-share)+sky[1][i]*share)*shade+grain, 0), 255))
			}
			m.SetRGBA(x, y, color.RGBA{c[0], c[1], c[2], 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("make a photo: %w", err)
	}
	return b.Bytes(), nil
}

// ridge is the height of a line of hills at each x.
func ridge(rng *rand.Rand, width int, base, swing float64) []float64 {
	line := make([]float64, width)
	for octave := 1.0; octave <= 32; octave *= 2 {
		phase, length := rng.Float64()*2*math.Pi, octave*(0.7+0.6*rng.Float64())*2*math.Pi/float64(width)
		for x := range line {
			line[x] += swing / octave * math.Sin(phase+float64(x)*length)
		}
	}
	for x := range line {
		line[x] += base
	}
	return line
}
