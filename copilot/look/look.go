// Package look draws a template while it is being changed: as it stands in the
// hands of whoever changes it, in any size and theme, with any row.
package look

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/layout"
)

// A Doc is a template as it stands.
type Doc struct {
	Name   string
	Source []byte
	Assets map[string]string // path ("assets/shoe.jpg") to digest in the assets library
}

// With is d with another text.
func (d Doc) With(source []byte) Doc {
	d.Source = source
	return d
}

// A View is one picture of a document.
type View struct {
	Size, Theme string         // "" is the first size, and no theme
	Page        int            // from 1; 0 is the first
	Row         map[string]any // nil: the examples of the manifest
	Scale       float64        // pixels per CSS pixel; 0 is 1
	CSS         string         // is added behind the document's own, for what is measured; "" for none
}

// A Shot is what a picture shows.
type Shot struct {
	Picture       *image.NRGBA
	PNG           []byte
	Width, Height int                  // of the page, in CSS pixels
	Boxes         []render.Box         // of all elements of the body, in the order of the document, at most render.MaxBoxes
	Texts         []render.LayerReport // that were fitted
	Warnings      []render.Warning
	Instead       []template.Instead // images that do not show what the row names
}

// A Camera draws documents. What is wrong with the document or the row is a problem
// Invalid; any other error is the machine's. Safe for use by several goroutines.
type Camera interface {
	Shoot(ctx context.Context, d Doc, v View) (Shot, error)
}

// A FetchFunc has the file behind an address in the assets library, and says its
// digest.
type FetchFunc func(ctx context.Context, r template.Remote) (digest string, err error)

// A Studio is a Camera of a Renderer.
type Studio struct {
	Renderer render.Renderer
	// FetchFunc gets files of the network; nil: none can be had.
	FetchFunc FetchFunc
	// Now is what a template reads as the time; the zero value is the present.
	Now time.Time
}

var errNoNetwork = errors.New("files of the network are not fetched here")

// Shoot implements Camera.
func (s Studio) Shoot(ctx context.Context, d Doc, v View) (Shot, error) {
	t, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		return Shot{}, fmt.Errorf("template %q: %w", d.Name, err)
	}
	page, err := t.Page(template.View{Size: v.Size, Theme: v.Theme, Page: v.Page})
	if err != nil {
		return Shot{}, err
	}
	row, now := v.Row, s.Now
	if row == nil {
		row = t.Examples()
	}
	if now.IsZero() {
		now = time.Now()
	}
	values, err := t.Resolve(row, now)
	if err != nil {
		return Shot{}, err
	}
	doc, files, err := s.fill(ctx, page, values)
	if err != nil {
		return Shot{}, err
	}
	request := render.Request{
		Page: page.Digest, HTML: doc.HTML, Width: doc.Width, Height: doc.Height, Scale: v.Scale, Assets: files,
		Boxes: true, Format: render.PNG, Urgent: true,
	}
	if page.Layout {
		request.Layout = layout.Script
	}
	if v.CSS != "" {
		request.HTML = styled(doc.HTML, v.CSS)
	}
	out, err := s.Renderer.Render(ctx, request)
	if err != nil {
		return Shot{}, err
	}
	picture, err := decode(out.Bytes)
	if err != nil {
		return Shot{}, problem.New(problem.Internal, "the engine's picture cannot be read: %w", err)
	}
	return Shot{
		Picture: picture, PNG: out.Bytes, Width: doc.Width, Height: doc.Height,
		Boxes: out.Boxes, Texts: out.Layout, Warnings: out.Warnings, Instead: doc.Instead,
	}, nil
}

// fill puts values into the page. Each file of the network that cannot be had, and
// that the page can do without, makes another one.
func (s Studio) fill(ctx context.Context, page *template.Page, values template.Values) (template.Document, []render.Asset, error) {
	failed := map[string]string{}
	for {
		doc := page.FillWithout(values, failed)
		var files []render.Asset
		for _, a := range doc.Assets {
			files = append(files, render.Asset{Path: a.Path, Digest: a.Digest})
		}
		again := false
		for _, r := range doc.Remote {
			digest, err := s.fetch(ctx, r)
			switch {
			case err == nil:
				files = append(files, render.Asset{Path: r.Path, Digest: digest})
			case ctx.Err() != nil:
				return doc, nil, ctx.Err()
			case !r.Optional:
				return doc, nil, problem.New(problem.Invalid, "%s could not be had: %w", r.URL, err).WithSlug("asset_failed").At(r.Var).
					WithHint("correct the address in the row, or try it with another row")
			default:
				failed[r.Path], again = err.Error(), true
			}
		}
		if !again {
			return doc, files, nil
		}
	}
}

func (s Studio) fetch(ctx context.Context, r template.Remote) (string, error) {
	if s.FetchFunc == nil {
		return "", errNoNetwork
	}
	return s.FetchFunc(ctx, r)
}

// styled is html with css as the last of its style sheets.
func styled(html, css string) string {
	style := "<style>" + css + "</style>"
	if i := strings.LastIndex(html, "</head>"); i >= 0 {
		return html[:i] + style + html[i:]
	}
	return html + style
}

func decode(data []byte) (*image.NRGBA, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch m := img.(type) {
	case *image.NRGBA:
		return m, nil
	case *image.RGBA:
		if m.Opaque() { // a page is: its bytes are the same
			return &image.NRGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}, nil
		}
	}
	n := image.NewNRGBA(img.Bounds())
	draw.Draw(n, n.Bounds(), img, img.Bounds().Min, draw.Src)
	return n, nil
}

// Views are all sizes and themes of a document, the plain theme first: of each size
// one for each theme. Every view's Row is row.
func Views(t *template.Template, row map[string]any) []View {
	var all []View
	for _, size := range t.Sizes() {
		for _, theme := range append([]string{""}, slices.Clone(t.Themes())...) {
			all = append(all, View{Size: size.Name, Theme: theme, Row: maps.Clone(row)})
		}
	}
	return all
}
