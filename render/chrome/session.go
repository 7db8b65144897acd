package chrome

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/pictifyd/pictifyd/render"
)

// A prepared row is ready to be captured.
type prepared struct {
	Failed                    []string `json:"failed"`
	Width, Height             int
	ScrollWidth, ScrollHeight int
	Round                     float64 // of its animations, in milliseconds, where the row moves
	Report                    struct {
		Layers   []render.LayerReport `json:"layers"`
		Problems []render.Warning     `json:"problems"`
	} `json:"report"`
	Glyphs []missingGlyphs `json:"glyphs"`
}

// output is the picture that r became.
func (p prepared) output(r render.Request, bytes []byte) render.Output {
	width, height := keyOf(r).pixels()
	return render.Output{Bytes: bytes, Width: width, Height: height, Lane: lanePlain, Layout: p.Report.Layers, Warnings: append(p.Report.Problems, glyphWarnings(p.Glyphs)...)}
}

// draw is one row from request to picture.
func (s *session) draw(ctx context.Context, r render.Request) (render.Output, error) {
	ctx, cancel := s.until(ctx)
	defer cancel()
	row, err := s.prepare(ctx, r)
	if err != nil {
		return render.Output{}, causeOf(ctx, err)
	}
	var boxes []render.Box
	if r.Boxes {
		if boxes, err = s.boxes(ctx); err != nil {
			return render.Output{}, causeOf(ctx, err)
		}
	}
	var bytes []byte
	if !r.Dry || moves(r) {
		if bytes, err = s.encode(ctx, r, row); err != nil {
			return render.Output{}, causeOf(ctx, err)
		}
	}
	out := row.output(r, bytes)
	out.Boxes = boxes
	return out, nil
}

// boxes is where the elements of the prepared row are.
func (s *session) boxes(ctx context.Context) (boxes []render.Box, err error) {
	answer, err := s.call(ctx, `(most) => globalThis.pictifydTab.boxes(most)`, []byte(strconv.Itoa(render.MaxBoxes)))
	if err != nil {
		return nil, fmt.Errorf("measure the elements: %w", err)
	}
	if err := json.Unmarshal(answer, &boxes); err != nil {
		return nil, fmt.Errorf("read where the elements are: %w", err)
	}
	return boxes, nil
}

// encode makes the bytes of a prepared row.
func (s *session) encode(ctx context.Context, r render.Request, row prepared) ([]byte, error) {
	if moves(r) {
		return s.film(ctx, r, row.Round)
	}
	return s.still(ctx, r)
}

// prepare puts the row's document into the page and waits until it is ready
// to be captured.
func (s *session) prepare(ctx context.Context, r render.Request) (prepared, error) {
	if err := s.origin.admit(r.Assets); err != nil {
		return prepared{}, err
	}
	row, err := rowArgument(r)
	if err != nil {
		return prepared{}, err
	}
	answer, err := s.call(ctx, `(row) => globalThis.pictifydTab.draw(row.html, row.paths, row.moves)`, row)
	if thrown := (*chromedp.ExceptionError)(nil); errors.As(err, &thrown) {
		return prepared{}, pageFault(err)
	}
	if err != nil {
		return prepared{}, fmt.Errorf("put the row into the page: %w", err)
	}
	var done prepared
	if err := json.Unmarshal(answer, &done); err != nil {
		return prepared{}, fmt.Errorf("read the row script's answer: %w", err)
	}
	return done, s.judge(done, r)
}

// judge is the reason why r can't be captured as it came out.
func (s *session) judge(row prepared, r render.Request) error {
	if len(row.Failed) > 0 {
		return s.assetFault(row.Failed, r.Assets)
	}
	if row.Width != r.Width || row.Height != r.Height {
		return fmt.Errorf("the page is %dx%d, not %dx%d", row.Width, row.Height, r.Width, r.Height)
	}
	return nil
}

// rowArgument is what the row script is called with. It is one object: an
// argument that is an empty list or text would be left out of the message.
func rowArgument(r render.Request) ([]byte, error) {
	text, err := json.Marshal(rowOf(r))
	if err != nil {
		return nil, fmt.Errorf("encode the row: %w", err)
	}
	return text, nil
}

// A scriptRow is a document as the scripts take it.
type scriptRow struct {
	HTML  string   `json:"html"`
	Paths []string `json:"paths"`
	Moves bool     `json:"moves,omitempty"`
}

func rowOf(r render.Request) scriptRow {
	row := scriptRow{HTML: r.HTML, Paths: make([]string, len(r.Assets)), Moves: moves(r)}
	for i, a := range r.Assets {
		row.Paths[i] = a.Path
	}
	return row
}

// assetFault is the error for files that the page did not get. It is the row's
// own, unless the library could not be read.
func (s *session) assetFault(urls []string, assets []render.Asset) error {
	slices.Sort(urls)
	own := "http://" + s.origin.host
	for i, u := range urls {
		parsed, err := url.Parse(u)
		if err != nil || parsed.Scheme+"://"+parsed.Host != own {
			continue
		}
		urls[i] = spelled(parsed, assets)
		if err := s.origin.fault(parsed.Path); err != nil && !notFound(err) {
			return fmt.Errorf("serve the asset %s: %w", urls[i], err)
		}
	}
	return assetsFailed(urls)
}

// spelled is the path of u as the request spells it.
func spelled(u *url.URL, assets []render.Asset) string {
	for _, a := range assets {
		if cleanPath(a.Path) == u.Path {
			return a.Path
		}
	}
	return u.EscapedPath()
}

const defaultQuality = 85

func qualityOf(r render.Request) int {
	if r.Quality == 0 {
		return defaultQuality
	}
	return r.Quality
}

// capture is the picture of the viewport as it is, encoded by Chrome.
func (s *session) capture(ctx context.Context, format render.Format, quality int) ([]byte, error) {
	yes, no := true, false
	params := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormat(format), CaptureBeyondViewport: &no}
	if format == render.PNG {
		params.OptimizeForSpeed = &yes
	} else {
		q := int64(quality)
		params.Quality = &q
	}
	res, err := cdp.Call(ctx, s.tab, page.CaptureScreenshot, params)
	if err != nil {
		return nil, fmt.Errorf("capture the page: %w", err)
	}
	if len(res.Data) == 0 {
		return nil, errors.New("capture the page: no bytes")
	}
	return res.Data, nil
}
