package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Copilot edits templates step by step; *copilot.Copilot is one.
type Copilot interface {
	// Models are those there are, the default one first.
	Models() []model.Info
	// Budget is what runs may use up which ask for nothing.
	Budget() copilot.Budget
	// Start begins a run, and returns at once. A template that has an open run is a
	// problem Conflict with the slug copilot_busy.
	Start(ctx context.Context, o copilot.Order) (copilot.Run, error)
	Cancel(ctx context.Context, id string) (copilot.Run, error)
	Answer(ctx context.Context, id, question, answer string) (copilot.Run, error)
	// Accept keeps all steps that wait, Discard takes back all that stand.
	Accept(ctx context.Context, id string) (copilot.Run, error)
	Discard(ctx context.Context, id string) (copilot.Run, error)
	AcceptStep(ctx context.Context, id string, n int) (copilot.Run, error)
	// RejectStep takes a step back, also one that was accepted. Where something later
	// changed the same, the error is a *draft.ConflictError.
	RejectStep(ctx context.Context, id string, n int) (copilot.Run, error)
	// Pick makes a candidate a step, in the place of one that was picked before.
	Pick(ctx context.Context, id, name string) (copilot.Run, error)
}

// CopilotRuns tells about the copilot's runs.
type CopilotRuns interface {
	// Run is one; none is a problem NotFound.
	Run(ctx context.Context, id string) (copilot.Run, error)
	// Runs are those of a template ("": of all), newest first, behind the one with the
	// id before.
	Runs(ctx context.Context, template, before string, limit int) ([]copilot.Run, error)
	// RunEvents are events of a run behind the number after, in their order.
	RunEvents(ctx context.Context, id string, after int64, limit int) ([]copilot.Event, error)
	// Picture is a picture of a run; none is a problem NotFound.
	Picture(ctx context.Context, run, name string) (mediaType string, data []byte, err error)
}

const (
	copilotPage    = 20 // runs of a list where nothing else is said
	copilotPageMax = 100
	maxLayers      = 200 // that a person may have selected
)

// A copilotModel is a model that runs may take.
type copilotModel struct {
	Name     string       `json:"name"`     // as runs name it
	Provider string       `json:"provider"` // rules, openai or anthropic
	Model    string       `json:"model"`    // as the provider calls it; "" of rules, which are none
	Tools    bool         `json:"tools"`    // it calls tools by itself; others are asked for one action at a time
	Vision   bool         `json:"vision"`   // it looks at pictures; others get numbers
	Price    copilotPrice `json:"price"`
	Default  bool         `json:"default"` // that runs take which name none
}

// A copilotPrice is for a million tokens, in the currency of whoever is paid.
type copilotPrice struct {
	In  float64 `json:"in"`
	Out float64 `json:"out"`
}

// copilotModels are all models, and what a run may use up.
type copilotModels struct {
	Models []copilotModel `json:"models"`
	Budget copilot.Budget `json:"budget"`
}

// A copilotOrder is what the copilot is asked.
type copilotOrder struct {
	Template string             `json:"template"`
	Message  string             `json:"message"`
	Size     string             `json:"size,omitempty"`   // that the person looks at; without it the first
	Theme    string             `json:"theme,omitempty"`  // likewise; without it none
	Layers   []string           `json:"layers,omitempty"` // ids of layers that the person has selected
	Model    string             `json:"model,omitempty"`  // without it the default one
	Budget   *copilotAllowance  `json:"budget,omitempty"` // less than the configuration's; more is cut
	Rows     *copilotRowsChoice `json:"rows,omitempty"`   // that its steps are tried with
	Author   string             `json:"author,omitempty"` // whose the run is said to be; without it the key's
}

// A copilotAllowance is what a run may use up. What is left out is the
// configuration's.
type copilotAllowance struct {
	Steps   int   `json:"steps,omitempty"`
	Calls   int   `json:"calls,omitempty"` // of tools
	Tokens  int64 `json:"tokens,omitempty"`
	Seconds int   `json:"seconds,omitempty"`
	Images  int   `json:"images,omitempty"` // that a model looks at
}

// A copilotRowsChoice says where the rows come from.
type copilotRowsChoice struct {
	From string `json:"from,omitempty"` // samples, binding:NAME, source:NAME or job:ID; without it the best that there is
}

const likeCopilotRun = `{"template": "banner", "message": "Make a dark-mode variant", "size": "default"}`

func (s *Server) listCopilotModels(w http.ResponseWriter, _ *http.Request) error {
	list := copilotModels{Models: []copilotModel{}, Budget: s.deps.Copilot.Budget()}
	for i, m := range s.deps.Copilot.Models() {
		list.Models = append(list.Models, copilotModel{m.Name, m.Provider, m.Model, m.Can.Tools, m.Can.Vision, copilotPrice(m.Price), i == 0})
	}
	return answer(w, http.StatusOK, list)
}

// startCopilotRun has the copilot begin.
func (s *Server) startCopilotRun(w http.ResponseWriter, r *http.Request) error {
	p := asker(r.Context())
	if !p.may(RendersWrite) {
		return problem.New(problem.Forbidden, "the key %q has not the scope %s", p.name, RendersWrite).WithSlug(slugScope).
			WithHint("the copilot draws what it does: give the key that scope too, or use another one")
	}
	var o copilotOrder
	if err := decodeBody(w, r, replayBody, &o, likeCopilotRun); err != nil {
		return err
	}
	order, err := s.orderOfRun(r, o)
	if err != nil {
		return err
	}
	run, err := s.deps.Copilot.Start(r.Context(), order)
	if err != nil {
		return fmt.Errorf("start a run of the copilot on template %q: %w", o.Template, err)
	}
	s.log.Info("the copilot was asked", slog.String("run", run.ID), slog.String("template", run.Template), slog.String("model", run.Model), slog.String("by", p.name))
	w.Header().Set("Location", "/copilot/runs/"+url.PathEscape(run.ID))
	return answer(w, http.StatusCreated, run)
}

// orderOfRun is what o asks, as far as the asker may.
func (s *Server) orderOfRun(r *http.Request, o copilotOrder) (copilot.Order, error) {
	order := copilot.Order{Template: o.Template, Message: o.Message, Model: o.Model, Size: o.Size, Theme: o.Theme, Layers: o.Layers}
	if o.Template == "" {
		return order, problem.New(problem.Invalid, "there is no template").WithSlug("required").At("template").WithHint("GET /templates lists them")
	}
	if !asker(r.Context()).uses(o.Template) {
		return order, noTemplate(o.Template)
	}
	if len(o.Layers) > maxLayers {
		return order, problem.New(problem.Invalid, "%d layers are selected, and at most %d may be", len(o.Layers), maxLayers).WithSlug("out_of_range").At("layers")
	}
	if o.Rows != nil && o.Rows.From != "" {
		place, err := ReadRowPlace(o.Rows.From)
		if err != nil {
			return order, err
		}
		if err := s.mayTryWith(r.Context(), place); err != nil {
			return order, err
		}
		order.From = place.String()
	} else if !asker(r.Context()).may(BindingsRead) || len(asker(r.Context()).templates) > 0 {
		order.From = FromSamples // the best that there is may be a binding's, which the asker may not see
	}
	var err error
	if order.Budget, err = o.Budget.budget(); err != nil {
		return order, err
	}
	order.Author, err = authorOf(r, o.Author)
	return order, err
}

func (a *copilotAllowance) budget() (b copilot.Budget, err error) {
	if a == nil {
		return b, nil
	}
	b = copilot.Budget{Steps: a.Steps, Calls: a.Calls, Tokens: a.Tokens, Seconds: a.Seconds, Images: a.Images}
	if min(int64(b.Steps), int64(b.Calls), b.Tokens, int64(b.Seconds), int64(b.Images)) < 0 {
		return b, problem.New(problem.Invalid, "a budget cannot be negative").WithSlug("out_of_range").At("budget").WithHint("leave out what shall be the configuration's")
	}
	return b, nil
}

// copilotRunOf is the run of the path, if the asker may see it.
func (s *Server) copilotRunOf(r *http.Request) (copilot.Run, error) {
	id := r.PathValue("id")
	run, err := s.deps.CopilotRuns.Run(r.Context(), id)
	if err == nil && !asker(r.Context()).uses(run.Template) {
		err = problem.New(problem.NotFound, "there is no run %q of the copilot", id).WithSlug(copilot.NotFound)
	}
	return run, err
}

// A copilotRunList is a page of runs.
type copilotRunList struct {
	Runs      []copilot.Run `json:"runs"`
	NextAfter *string       `json:"nextAfter"` // of the next page; null: there is none
}

func (s *Server) listCopilotRuns(w http.ResponseWriter, r *http.Request) error {
	runs, next, err := s.copilotRunPage(r)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, copilotRunList{runs, next})
}

// copilotRunPage is the page that r asks for, of those that the asker may see.
func (s *Server) copilotRunPage(r *http.Request) (runs []copilot.Run, next *string, err error) {
	q := r.URL.Query()
	limit, err := intParam(r, "limit", copilotPage, 1, copilotPageMax)
	if err != nil {
		return nil, nil, err
	}
	if t := q.Get("template"); t != "" && !asker(r.Context()).uses(t) {
		return nil, nil, noTemplate(t)
	}
	runs = []copilot.Run{}
	size := max(limit, copilotPage) // of which the asker may see few
	for after := q.Get("after"); ; {
		page, err := s.deps.CopilotRuns.Runs(r.Context(), q.Get("template"), after, size)
		if err != nil {
			return nil, nil, fmt.Errorf("list runs of the copilot: %w", err)
		}
		for _, run := range page {
			if after = run.ID; !asker(r.Context()).uses(run.Template) {
				continue
			}
			if runs = append(runs, run); len(runs) == limit {
				return runs, &after, nil
			}
		}
		if len(page) < size {
			return runs, nil, nil
		}
	}
}

func (s *Server) showCopilotRun(w http.ResponseWriter, r *http.Request) error {
	run, err := s.copilotRunOf(r)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, run)
}

// sendRunPicture sends a picture of a run, which never changes.
func (s *Server) sendRunPicture(w http.ResponseWriter, r *http.Request) error {
	run, err := s.copilotRunOf(r)
	if err != nil {
		return err
	}
	kind, data, err := s.deps.CopilotRuns.Picture(r.Context(), run.ID, r.PathValue("name"))
	if err != nil {
		return err
	}
	switch kind {
	case "image/png", "image/jpeg", "image/webp":
	default: // nothing that a browser would run
		kind = "application/octet-stream"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "private, max-age=31536000, immutable") // rows are in it: not for caches that others share
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	digest := sha256.Sum256(data)
	h.Set("ETag", etagOfBytes(hex.EncodeToString(digest[:])))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}
