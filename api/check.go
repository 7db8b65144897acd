package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/template/sample"
)

// A checkRequest asks how rows come out with a draft.
type checkRequest struct {
	From  string           `json:"from,omitempty"`  // samples, binding:NAME, source:NAME or job:ID
	Rows  []map[string]any `json:"rows,omitempty"`  // instead: the rows themselves
	Sizes []string         `json:"sizes,omitempty"` // all of the template, where none is named
	Theme string           `json:"theme,omitempty"`
	Limit int              `json:"limit,omitempty"` // rows at most, up to 100,000; 10,000 where nothing is said

	bindings.Language
}

// A checkFinding is one thing that is wrong with a row's picture.
type checkFinding struct {
	At      int    `json:"at"` // the row's place
	Key     string `json:"key,omitempty"`
	Name    string `json:"name,omitempty"` // the key for people
	Size    string `json:"size,omitempty"` // none where no size could be drawn
	Code    string `json:"code"`
	Level   string `json:"level"` // error: there is no picture; or warning
	Layer   string `json:"layer,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// checkCounts count rows, each once in every count that it belongs to.
type checkCounts struct {
	OK            int `json:"ok"` // nothing is wrong
	Errors        int `json:"errors"`
	Clipped       int `json:"clipped"`
	MissingImages int `json:"missingImages"` // of the errors
	Fallback      int `json:"fallback"`
	Glyphs        int `json:"glyphs"`
	Ignored       int `json:"ignored"` // attributes of layers that were left out
	Skipped       int `json:"skipped"` // that the binding draws no picture of; not checked
}

// A checkProgress is how far a check is.
type checkProgress struct {
	Checked  int         `json:"checked"` // rows
	Total    int         `json:"total"`
	Pictures int         `json:"pictures"` // different ones
	Drawn    int         `json:"drawn"`
	Reused   int         `json:"reused"` // that were made before
	Counts   checkCounts `json:"counts"`
}

// A checkView is how a check came out.
type checkView struct {
	Revision int64  `json:"revision"`
	From     string `json:"from"`
	checkProgress
	Seconds   float64        `json:"seconds"`
	Complete  bool           `json:"complete"` // there are no more rows
	Findings  []checkFinding `json:"findings"` // the first of them
	Truncated bool           `json:"truncated"`
}

const (
	checkedRows   = 10_000
	maxChecked    = 100_000
	maxCheckBody  = 8 << 20
	shownFindings = 1000
	checkPage     = 200 // rows that are drawn together
	checkFlight   = 8   // pictures of a check in the renderer
	checksAtOnce  = 2
	checkPulse    = 250 * time.Millisecond
)

// checkDraft draws rows with the draft as the renderer would, keeps no picture, and
// tells what is wrong with each. It ends when the client goes.
func (s *Server) checkDraft(w http.ResponseWriter, r *http.Request) error {
	var body checkRequest
	if err := decodeExact(w, r, maxCheckBody, &body, `{"from": "binding:cards", "limit": 1000}`); err != nil {
		return err
	}
	c, err := s.newCheck(r, body)
	if err != nil {
		return err
	}
	select {
	case s.checks <- struct{}{}:
		defer func() { <-s.checks }()
	default:
		return retry.After(problem.New(problem.Overloaded, "%d checks of rows are under way, and no more are begun", cap(s.checks)).
			WithSlug(slugBusy).WithHint("wait for one of them, or end it by leaving its page"), 5*time.Second)
	}
	ctx, stop := s.untilClosing(r.Context())
	defer stop()
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		view, err := c.run(ctx)
		if ctx.Err() != nil && r.Context().Err() == nil {
			return retry.After(problem.New(problem.Overloaded, "the check was ended: pictifyd stops").WithHint("begin it again"), time.Second)
		}
		if err != nil {
			return err
		}
		return answer(w, http.StatusOK, view)
	}
	out, err := newStream(w)
	if err != nil {
		return nil
	}
	c.tell = func(name string, value any) error {
		data, err := json.Marshal(value)
		if err != nil {
			return err
		}
		return out.send(event{name: name, data: data})
	}
	view, err := c.run(ctx)
	switch {
	case ctx.Err() != nil: // nobody hears it
	case err != nil:
		list := problem.All(err)
		s.ended(r, c.tell("failed", documentOf(list, statusOf(list[0]), r)))
	default:
		s.ended(r, c.tell("done", view))
	}
	return nil
}

// untilClosing is ctx that ends with the server or with the asker's key, too.
func (s *Server) untilClosing(ctx context.Context) (context.Context, func()) {
	ctx, cancel := untilExpiry(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-s.closing:
		case <-asker(ctx).revoked:
		case <-ctx.Done():
		}
		cancel()
	})
	return ctx, func() {
		cancel()
		watching.Wait()
	}
}

func (s *Server) newCheck(r *http.Request, body checkRequest) (*check, error) {
	t, err := s.checkedTrial(r, body)
	if err != nil {
		return nil, err
	}
	if body.Limit < 0 || body.Limit > maxChecked {
		return nil, problem.New(problem.Invalid, "limit is %d, it must be from 1 to %d", body.Limit, maxChecked).WithSlug("out_of_range").At("limit")
	}
	if body.Limit == 0 {
		body.Limit = checkedRows
	}
	if len(body.Sizes) == 0 {
		for _, size := range t.form.Sizes() {
			body.Sizes = append(body.Sizes, size.Name)
		}
	}
	epoch, err := s.deps.Easel.Epoch(r.Context())
	if err != nil {
		return nil, fmt.Errorf("read the epoch: %w", err)
	}
	var outs []bindings.Output
	for _, size := range slices.Compact(body.Sizes) {
		outs = append(outs, bindings.Output{Name: size, Size: size, Theme: body.Theme, Language: body.Language})
	}
	version := t.draft.Base
	if t.doc != nil {
		version = 0
	}
	drawing, err := bindings.NewDrawing(t.form, version, epoch, outs)
	if err != nil {
		return nil, err
	}
	if t.doc != nil {
		drawing = drawing.Of(t.doc)
	}
	return &check{
		server: s, id: newID("check_"), trial: t, drawing: drawing, limit: body.Limit, now: time.Now(), began: time.Now(),
		known: map[[16]byte][]bindings.Warning{}, wrong: map[[16]byte]*bindings.Problem{},
		view: checkView{Revision: t.draft.Revision, From: t.from, Findings: []checkFinding{}},
	}, nil
}

func (s *Server) checkedTrial(r *http.Request, body checkRequest) (*trial, error) {
	if body.Rows == nil {
		return s.trialOf(r, body.From)
	}
	if body.From != "" {
		return nil, problem.New(problem.Invalid, "the rows come from one place").WithSlug("given_twice").At("from").WithHint("give either from or rows")
	}
	t, err := s.draftOf(r)
	if err == nil {
		t.from, t.rows = fromPasted, sample.NewList(body.Rows)
	}
	return t, err
}
