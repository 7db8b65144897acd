package mcp

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // pictures of copilot runs may be

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	usualPixels = 768
	mostPixels  = 1568 // more is scaled down by those who look
	heavyPNG    = 600 << 10
	mostDecoded = 64 << 20 // pixels
)

// show is a picture for a model: no side longer than most, and not heavier than need be.
func show(data []byte, most int) ([]sdk.Content, string, error) {
	if most == 0 {
		most = usualPixels
	}
	most = min(max(64, most), mostPixels)
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err == nil && config.Width*config.Height > mostDecoded {
		return nil, "", problem.New(problem.TooLarge, "the picture has %d by %d pixels", config.Width, config.Height).WithHint("look at a smaller size")
	}
	if err != nil {
		return nil, "", problem.New(problem.Upstream, "read the picture: %w", err)
	}
	picture, kind, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, "", problem.New(problem.Upstream, "read the picture: %w", err)
	}
	small := scaled(picture, most)
	bounds := small.Bounds()
	shown := fmt.Sprintf("%dx%d", bounds.Dx(), bounds.Dy())
	if small == picture && kind == "png" && len(data) <= heavyPNG {
		return []sdk.Content{&sdk.ImageContent{Data: data, MIMEType: "image/png"}}, shown, nil
	}
	var out bytes.Buffer
	if err := png.Encode(&out, small); err != nil {
		return nil, "", fmt.Errorf("write a picture: %w", err)
	}
	media := "image/png"
	if out.Len() > heavyPNG { // a photograph
		media = "image/jpeg"
		out.Reset()
		if err := jpeg.Encode(&out, onWhite(small), &jpeg.Options{Quality: 85}); err != nil {
			return nil, "", fmt.Errorf("write a picture: %w", err)
		}
	}
	return []sdk.Content{&sdk.ImageContent{Data: out.Bytes(), MIMEType: media}}, shown, nil
}

func scaled(picture image.Image, most int) image.Image {
	w, h := picture.Bounds().Dx(), picture.Bounds().Dy()
	long := max(w, h)
	if long <= most {
		return picture
	}
	small := image.NewNRGBA(image.Rect(0, 0, max(1, w*most/long), max(1, h*most/long)))
	draw.CatmullRom.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	return small
}

// onWhite is a picture without anything clear in it.
func onWhite(picture image.Image) image.Image {
	full := image.NewRGBA(picture.Bounds())
	draw.Draw(full, full.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(full, full.Bounds(), picture, picture.Bounds().Min, draw.Over)
	return full
}
