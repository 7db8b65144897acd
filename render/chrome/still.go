package chrome

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/animation"
)

// lesserQualities are what a JPEG or WebP falls back to when it is too large.
var lesserQualities = []int{85, 75, 65, 55, 45, 35, 25, 15, 10}

// still is the picture of the viewport as it is, in Chrome's own encoding, or in
// ours where Chrome has none such.
func (s *session) still(ctx context.Context, r render.Request) ([]byte, error) {
	data, err := s.capture(ctx, r.Format, qualityOf(r))
	if err != nil {
		return nil, err
	}
	if r.Format == render.PNG && (r.Compression != "" && r.Compression != render.Fast || tooLarge(r, data)) {
		return recode(r, data)
	}
	least := int64(len(data))
	for _, quality := range lesserQualities {
		if !tooLarge(r, data) {
			return data, nil
		}
		if quality >= qualityOf(r) {
			continue
		}
		if data, err = s.capture(ctx, r.Format, quality); err != nil {
			return nil, err
		}
		least = min(least, int64(len(data)))
	}
	if tooLarge(r, data) {
		return nil, tooManyBytes(r, least)
	}
	return data, nil
}

func tooLarge(r render.Request, data []byte) bool {
	return r.MaxBytes > 0 && int64(len(data)) > r.MaxBytes
}

// recode is the PNG in the compression that r wants, or the first one that fits.
func recode(r render.Request, data []byte) ([]byte, error) {
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decode a capture: %w", err)
	}
	var ways []image.Image
	if r.Compression != render.Palette {
		ways = append(ways, picture)
	}
	if r.Compression == render.Palette || r.MaxBytes > 0 {
		for _, colours := range []int{256, 128, 64, 32, 16} {
			paletted, err := animation.Paletted(picture, colours)
			if err != nil {
				return nil, fmt.Errorf("choose colours: %w", err)
			}
			ways = append(ways, paletted)
		}
	}
	least := int64(len(data))
	for _, way := range ways {
		var out bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, way); err != nil {
			return nil, fmt.Errorf("encode a PNG: %w", err)
		}
		if !tooLarge(r, out.Bytes()) {
			return out.Bytes(), nil
		}
		least = min(least, int64(out.Len()))
	}
	return nil, tooManyBytes(r, least)
}
