package animation_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"log"
	"time"

	"github.com/pictifyd/pictifyd/render/animation"
)

func ExampleGIF() {
	g, err := animation.NewGIF(120, 60, animation.Options{Loop: 2})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 10 {
		frame := image.NewNRGBA(image.Rect(0, 0, 120, 60))
		frame.Set(i, 30, color.NRGBA{R: 200, A: 255})
		if err := g.Add(frame, 40*time.Millisecond); err != nil {
			log.Fatal(err)
		}
	}
	if err := g.Hold(2 * time.Second); err != nil { // the end stays for a while
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := g.Encode(context.Background(), &file); err != nil {
		log.Fatal(err)
	}
	all, err := gif.DecodeAll(&file)
	fmt.Println(all.Delay, err)
	// Output: [4 4 4 4 4 4 4 4 4 204] <nil>
}
