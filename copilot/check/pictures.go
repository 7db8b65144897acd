package check

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/render"
)

// Images are found as letters are: once white and once black. What is white in one
// and black in the other is an image that nothing covers and nothing shines through.
const (
	whiteImages = `@layer{img{filter:brightness(0) invert(1)!important}}`
	blackImages = `@layer{img{filter:brightness(0)!important}}`
)

const (
	rim          = 2 // pixels at the edge of an image that do not count
	pictureStep  = 2 // of 255: less is no difference
	changedLeast = 4 // pixels
)

// pictures finds the images that look another way in a theme, after the change, than
// in the plain theme before it. One that also did so in that theme before the change
// is as it was; one that is at another place cannot be compared.
func (c *comparison) pictures(ctx context.Context, v look.View, row string) error {
	plain := v
	plain.Theme = ""
	was, err := c.before.shoot(ctx, plain)
	if _, lacks := lacking(err); lacks {
		return nil // there was no picture
	}
	if err != nil || !hasImages(was.Boxes) {
		return err
	}
	is, err := c.after.shoot(ctx, v)
	if f, lacks := lacking(err); lacks {
		f.Size, f.Theme, f.Row, f.Level = v.Size, v.Theme, row, Error
		c.note(f)
		return nil
	}
	if err != nil || is.Picture.Rect != was.Picture.Rect {
		return err
	}
	var bare *image.NRGBA // of the theme before the change, where there was one
	mask, err := c.imageMask(ctx, plain)
	if err != nil {
		return err
	}
	for _, b := range unmoved(was.Boxes, is.Boxes) {
		n := changedWithin(was.Picture, is.Picture, mask, b)
		if n < changedLeast {
			continue
		}
		if bare == nil && slices.Contains(c.old.Themes(), v.Theme) {
			shot, err := c.before.shoot(ctx, v)
			if err != nil {
				return err
			}
			bare = shot.Picture
		}
		if bare != nil && bare.Rect == is.Picture.Rect && changedWithin(bare, is.Picture, mask, b) < changedLeast {
			continue
		}
		name := c.before.names.layer(named(b))
		c.note(Finding{
			Code: CodePicture, Level: Error, Layer: name, Size: v.Size, Theme: v.Theme, Row: row,
			Message: fmt.Sprintf("the image %s looks another way in the theme %s: %d of its pixels changed, and pictures have to stay as they are", name, v.Theme, n),
		})
	}
	return nil
}

func hasImages(boxes []render.Box) bool {
	for _, b := range boxes {
		if b.Tag == "img" && b.Width > 2*rim && b.Height > 2*rim {
			return true
		}
	}
	return false
}

// imageMask is the pixels of the document before that show nothing but an image,
// without the rims.
func (c *comparison) imageMask(ctx context.Context, v look.View) ([]bool, error) {
	white, err := c.before.shoot(ctx, with(v, whiteImages))
	if err != nil {
		return nil, err
	}
	black, err := c.before.shoot(ctx, with(v, blackImages))
	if err != nil {
		return nil, err
	}
	if err := sameSize(white, black); err != nil {
		return nil, err
	}
	cover := coverage(white.Picture, black.Picture)
	return inner(cover, white.Picture.Rect.Dx()), nil
}

// inner is the pixels that are covered wholly, as are those about them.
func inner(cover []uint8, width int) []bool {
	mask := make([]bool, len(cover))
	for i := range cover {
		mask[i] = cover[i] >= 254
	}
	for range rim {
		next := make([]bool, len(mask))
		for i, in := range mask {
			x := i % width
			next[i] = in && x > 0 && x < width-1 && i >= width && i+width < len(mask) &&
				mask[i-1] && mask[i+1] && mask[i-width] && mask[i+width]
		}
		mask = next
	}
	return mask
}

// unmoved are the images that are at the same places in both pages.
func unmoved(was, is []render.Box) []render.Box {
	var all []render.Box
	for i, b := range was {
		if b.Tag != "img" || i >= len(is) && b.ID == "" {
			continue
		}
		for k, o := range is {
			if o.Tag == "img" && (b.ID != "" && o.ID == b.ID || b.ID == "" && k == i) {
				if math.Abs(o.X-b.X)+math.Abs(o.Y-b.Y)+math.Abs(o.Width-b.Width)+math.Abs(o.Height-b.Height) < 0.1 {
					all = append(all, b)
				}
				break
			}
		}
	}
	return all
}

// changedWithin counts the pixels of the mask within a box that differ.
func changedWithin(a, b *image.NRGBA, mask []bool, box render.Box) int {
	r := image.Rect(int(math.Ceil(box.X)), int(math.Ceil(box.Y)), int(box.X+box.Width), int(box.Y+box.Height)).Intersect(a.Rect)
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			i := y*a.Rect.Dx() + x
			if !mask[i] {
				continue
			}
			for k := range 3 {
				if d := int(a.Pix[4*i+k]) - int(b.Pix[4*i+k]); d > pictureStep || d < -pictureStep {
					n++
					break
				}
			}
		}
	}
	return n
}
