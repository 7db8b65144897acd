package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/sample"
)

// A check draws rows and says what is wrong with them.
type check struct {
	server  *Server
	id      string
	trial   *trial
	drawing *bindings.Drawing
	limit   int
	now     time.Time
	tell    func(name string, value any) error // nil: nobody waits for news

	began time.Time
	known map[[16]byte][]bindings.Warning // of pictures that were drawn, by hashed fingerprint
	wrong map[[16]byte]*bindings.Problem
	view  checkView
	drawn atomic.Int64
	again atomic.Int64
}

// run checks all rows.
func (c *check) run(ctx context.Context) (checkView, error) {
	total, err := c.trial.rows.Total(ctx)
	if err != nil {
		return c.view, fmt.Errorf("count the rows of %s: %w", c.trial.from, err)
	}
	c.view.Total = min(total, c.limit)
	c.view.Complete = true
	var page []sample.Row
	seen, failed := 0, error(nil)
	err = c.trial.rows.Each(ctx, 0, func(row sample.Row) bool {
		if seen++; seen > c.limit {
			c.view.Complete = false
			return false
		}
		if page = append(page, row); len(page) < checkPage {
			return true
		}
		failed = c.page(ctx, page)
		page = page[:0]
		return failed == nil
	})
	if err = errors.Join(err, failed); err == nil {
		err = c.page(ctx, page)
	}
	c.view.Seconds = float64(time.Since(c.began).Milliseconds()) / 1000
	c.count()
	return c.view, err
}

func (c *check) count() {
	c.view.Drawn, c.view.Reused = int(c.drawn.Load()), int(c.again.Load())
}

// page checks some rows: what they want is drawn, then each is judged.
func (c *check) page(ctx context.Context, rows []sample.Row) error {
	proposals := make([]bindings.Proposal, len(rows))
	var wanted []bindings.Want
	for i, row := range rows {
		if row.Skipped || row.Err != nil {
			continue
		}
		proposals[i] = c.drawing.Propose(bindings.Owner(c.id), row.Key, row.Values, c.now, bindings.PriorityNow)
		for _, w := range proposals[i].Wants {
			id := shortOf(w.Fingerprint)
			if _, met := c.known[id]; !met {
				c.known[id] = nil
				wanted = append(wanted, w)
			}
		}
	}
	c.view.Pictures += len(wanted)
	if err := c.draw(ctx, wanted); err != nil {
		return err
	}
	for i, row := range rows {
		if err := c.judge(row, proposals[i]); err != nil {
			return err
		}
	}
	return c.pulse()
}

func shortOf(fingerprint string) [16]byte {
	sum := sha256.Sum256([]byte(fingerprint))
	return [16]byte(sum[:16])
}

func (c *check) pulse() error {
	if c.tell == nil {
		return nil
	}
	c.count()
	return c.tell("progress", c.view.checkProgress)
}

// A sketchResult is how one picture of a check came out.
type sketchResult struct {
	want bindings.Want
	out  Sketched
	err  error
}

// draw draws pictures, several at a time, and tells how far it is meanwhile.
func (c *check) draw(ctx context.Context, wanted []bindings.Want) error {
	ctx, cancel := context.WithCancel(ctx)
	todo, done := make(chan bindings.Want), make(chan sketchResult)
	var drawing sync.WaitGroup
	defer drawing.Wait()
	defer cancel()
	for range min(checkFlight, len(wanted)) {
		drawing.Go(func() {
			for w := range todo {
				out, err := c.server.deps.Trials.Sketch(ctx, Sketch{Want: w, Dry: true, Check: c.id})
				select {
				case done <- sketchResult{w, out, err}:
				case <-ctx.Done():
				}
			}
		})
	}
	drawing.Go(func() {
		defer close(todo)
		for _, w := range wanted {
			select {
			case todo <- w:
			case <-ctx.Done():
				return
			}
		}
	})
	tick := time.NewTicker(checkPulse)
	defer tick.Stop()
	for left := len(wanted); left > 0; {
		select {
		case r := <-done:
			left--
			if r.err != nil {
				return r.err
			}
			c.keep(r)
		case <-tick.C:
			if err := c.pulse(); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *check) keep(r sketchResult) {
	if r.out.Known {
		c.again.Add(1)
	} else {
		c.drawn.Add(1)
	}
	id := shortOf(r.want.Fingerprint)
	c.known[id] = r.out.Fitting.Warnings(r.want.Output)
	if r.out.Problem != nil {
		c.wrong[id] = r.out.Problem
	}
}

// judge says what is wrong with a row.
func (c *check) judge(row sample.Row, p bindings.Proposal) error {
	if row.Skipped {
		c.view.Counts.Skipped++
		return nil
	}
	c.view.Checked++
	base := checkFinding{At: row.At, Key: row.Key}
	if row.Key != "" {
		base.Name = bindings.KeyText(row.Key)
	}
	var found []checkFinding
	fault := func(size string, q bindings.Problem) {
		f := base
		f.Size, f.Code, f.Level, f.Field, f.Message = size, q.Code, "error", q.Field, q.Message
		found = append(found, f)
	}
	if row.Err != nil {
		q := problem.All(row.Err)[0]
		fault("", bindings.Problem{Code: q.Kind(), Field: q.Path, Message: q.Message})
	}
	if p.Problem != nil {
		fault("", *p.Problem)
	}
	for _, w := range p.Wants {
		id := shortOf(w.Fingerprint)
		if q := c.wrong[id]; q != nil {
			fault(w.Output, *q)
		}
		for _, warning := range c.known[id] {
			f := base
			f.Size, f.Code, f.Level, f.Layer, f.Message = w.Output, warning.Code, "warning", warning.Layer, warning.Message
			found = append(found, f)
		}
	}
	c.view.Counts.add(found)
	return c.add(found)
}

func (c *check) add(found []checkFinding) error {
	for _, f := range found {
		if len(c.view.Findings) == shownFindings {
			c.view.Truncated = true
			return nil
		}
		c.view.Findings = append(c.view.Findings, f)
		if c.tell != nil {
			if err := c.tell("finding", f); err != nil {
				return err
			}
		}
	}
	return nil
}

// add counts a row with what is wrong with it.
func (n *checkCounts) add(found []checkFinding) {
	if len(found) == 0 {
		n.OK++
		return
	}
	has := func(is func(checkFinding) bool) int {
		if slices.ContainsFunc(found, is) {
			return 1
		}
		return 0
	}
	code := func(codes ...string) int {
		return has(func(f checkFinding) bool { return slices.Contains(codes, f.Code) })
	}
	n.Errors += has(func(f checkFinding) bool { return f.Level == "error" })
	n.MissingImages += has(func(f checkFinding) bool { return f.Level == "error" && strings.HasPrefix(f.Code, "asset_") })
	n.Clipped += code(bindings.TextClipped)
	n.Fallback += code(bindings.ImageInstead)
	n.Glyphs += code(bindings.GlyphMissing)
	n.Ignored += code(bindings.LayoutIgnored)
}
