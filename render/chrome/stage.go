package chrome

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/chrome/png"
)

const (
	// maxSlots is how many rows are on a stage at a time. More of them gain
	// nothing, and cost memory.
	maxSlots = 8
	// stagePixels is about how many pixels all canvases of a stage have together,
	// and slotPixels how many one may have: each pixel costs some 40 bytes.
	stagePixels = 8_000_000
	slotPixels  = 24_000_000
)

// slotsFor is how many pictures of a page a stage takes, 0 where they are too
// large for one.
func slotsFor(k pageKey) int {
	width, height := k.pixels()
	if width*height > slotPixels {
		return 0
	}
	return min(max(stagePixels/(width*height), 1), maxSlots)
}

// raise makes the tab a stage.
func (s *session) raise(ctx context.Context) error {
	if err := s.evaluate(ctx, png.Script+stageScript); err != nil {
		return fmt.Errorf("load the stage script: %w", err)
	}
	s.slots = slotsFor(s.key.pageKey)
	options, err := json.Marshal(struct {
		Slots       int     `json:"slots"`
		Width       int     `json:"width"`
		Height      int     `json:"height"`
		Scale       float64 `json:"scale"`
		Transparent bool    `json:"transparent"`
	}{s.slots, s.key.width, s.key.height, s.key.scale, s.key.transparent})
	if err != nil {
		return fmt.Errorf("encode the options of a stage: %w", err)
	}
	answer, err := s.call(ctx, `(options) => globalThis.pictifydStage(options)`, options)
	if err != nil {
		return fmt.Errorf("raise a stage: %w", err)
	}
	if string(answer) != "true" {
		return errNoStage
	}
	return nil
}

// errNoStage is why a Chrome draws no pages in canvases.
var errNoStage = errors.New("this Chrome can't draw a page in a canvas")

// A stageRow is a document and the pictures that are made of it.
type stageRow struct {
	scriptRow
	Pictures []stagePicture `json:"pictures"`
}

// A stagePicture is an encoding of a row as the stage takes it.
type stagePicture struct {
	ID          int           `json:"id"`
	Format      render.Format `json:"format"`
	Quality     int           `json:"quality"`
	Compression string        `json:"compression,omitempty"`
	MaxBytes    int64         `json:"maxBytes,omitempty"`
}

// stageRows puts requests of one page on the slots of a stage: those of the
// same document together. taken are as many as there is room for.
func stageRows(requests []render.Request, slots int) (rows []stageRow, taken int) {
	for i, r := range requests {
		at := slices.IndexFunc(rows, func(row stageRow) bool { return row.HTML == r.HTML && slices.Equal(row.Paths, rowOf(r).Paths) })
		if at < 0 {
			if len(rows) == slots {
				return rows, i
			}
			at = len(rows)
			rows = append(rows, stageRow{scriptRow: rowOf(r)})
		}
		rows[at].Pictures = append(rows[at].Pictures, stagePicture{
			ID: i, Format: r.Format, Quality: qualityOf(r), Compression: string(r.Compression), MaxBytes: r.MaxBytes,
		})
	}
	return rows, len(requests)
}

// play draws requests, which share the stage's page, all at a time. each is
// called with how each came out, as soon as that is known; those for which it
// was not called when play returns shared its error.
func (s *session) play(ctx context.Context, requests []render.Request, each func(i int, out render.Output, err error)) error {
	ctx, cancel := s.until(ctx)
	defer cancel()
	rows, taken := stageRows(requests, s.slots)
	if taken < len(requests) {
		return fmt.Errorf("%d pictures have more than %d documents", len(requests), s.slots)
	}
	var assets []render.Asset
	for _, r := range requests {
		assets = append(assets, r.Assets...)
	}
	if err := s.origin.admit(assets); err != nil {
		return err
	}
	box := newMailbox(len(requests), s.largest())
	s.origin.use(box)
	defer s.origin.use(nil)
	job, err := json.Marshal(struct {
		Out  string     `json:"out"`
		Rows []stageRow `json:"rows"`
	}{box.address(), rows})
	if err != nil {
		return fmt.Errorf("encode the rows: %w", err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := s.call(ctx, `(job) => globalThis.pictifydPlay(job)`, job)
		ended <- err
	}()
	return s.collect(ctx, requests, box, ended, each)
}

// collect hands on the letters of a play until it has ended.
func (s *session) collect(ctx context.Context, requests []render.Request, box *mailbox, ended <-chan error,
	each func(i int, out render.Output, err error),
) error {
	missing := len(requests)
	hand := func(l letter) {
		missing--
		out, err := s.open(l, requests[l.picture])
		each(l.picture, out, err)
	}
	for {
		select {
		case l := <-box.letters:
			hand(l)
		case err := <-ended:
			for len(box.letters) > 0 { // each was there before the script ended
				hand(<-box.letters)
			}
			switch {
			case err != nil:
				return causeOf(ctx, fmt.Errorf("play rows: %w", err))
			case missing > 0:
				return fmt.Errorf("%d pictures did not come from the stage", missing)
			}
			return nil
		}
	}
}

// largest is how long a letter of the stage may be: a picture that does not
// compress, and its head.
func (s *session) largest() int64 {
	width, height := s.key.pixels()
	return int64(width)*int64(height)*5 + headLimit
}

// open is what came of r.
func (s *session) open(l letter, r render.Request) (render.Output, error) {
	switch {
	case l.err != nil:
		return render.Output{}, l.err
	case l.head.Error != "":
		return render.Output{}, pageFault(errors.New(l.head.Error))
	case l.head.Short > 0:
		return render.Output{}, tooManyBytes(r, l.head.Short)
	case l.head.Row == nil:
		return render.Output{}, errors.New("the stage sent no report")
	}
	if err := s.judge(*l.head.Row, r); err != nil {
		return render.Output{}, err
	}
	if len(l.bytes) == 0 {
		return render.Output{}, errors.New("the stage sent no bytes")
	}
	out := l.head.Row.output(r, l.bytes)
	out.Stages, out.Lane = l.head.MS.stages(), laneStaged
	return out, nil
}

// tooManyBytes is the row's permanent error for a picture that no encoding
// brings below its limit.
func tooManyBytes(r render.Request, least int64) error {
	return retry.Permanent(problem.New(problem.TooLarge, "the picture has at least %d bytes as %s, more than its limit of %d", least, r.Format, r.MaxBytes).
		WithSlug(SlugRenderBytes).WithHint("raise max_bytes, lower the size or the scale, or use jpeg or webp"))
}
