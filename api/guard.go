package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/pictifyd/pictifyd/bindings"
)

// A Guarded says what the guard of a binding holds.
type Guarded struct {
	Guard    bindings.Guard
	Accepted int // removals that a person has accepted and that did not come yet
	Sample   []HeldRow
}

// A HeldRow is a row of whose images something is held.
type HeldRow struct {
	Key     string // canonical
	Becomes string // new, changed, removed, failing, gone
	Row     json.RawMessage
	Texts   []HeldText
	Problem *bindings.Problem
}

// A HeldText is a text of a picture that would be another one.
type HeldText struct{ Output, Before, After string }

// Guards tells what guards hold.
type Guards interface {
	// Guarded is what the guard of a binding holds, with at most limit rows of
	// changes and as many of removals, by key behind after.
	Guarded(ctx context.Context, binding, after string, limit int) (Guarded, error)
}

// A guardView is what the guard of a binding holds.
type guardView struct {
	Binding  string      `json:"binding"`
	Held     *heldView   `json:"held"`     // null: nothing
	Accepted int         `json:"accepted"` // removals that were accepted and did not come yet; more than that is asked again
	Limits   guardLimits `json:"limits"`
	Sample   []heldRow   `json:"sample"` // by key, changes before removals
	Next     string      `json:"next,omitempty"`
}

// guardLimits are from where on the guard holds.
type guardLimits struct {
	MaxChanged float64 `json:"maxChanged"` // a share of the images
	MaxDeleted float64 `json:"maxDeleted"`
	Floor      int     `json:"floor"` // so many may always change, and go
}

// A heldRow is a row of whose images something is held.
type heldRow struct {
	Key     string          `json:"key"`
	Name    string          `json:"name"`
	Becomes string          `json:"becomes"`         // new, changed, removed, failing, gone
	Row     json.RawMessage `json:"row"`             // its columns by now; null: it is gone
	Texts   []heldText      `json:"texts,omitempty"` // that its pictures would show instead
	Error   string          `json:"error,omitempty"`
}

// A heldText is a text of a picture before and after.
type heldText struct {
	Output string `json:"output"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// showGuard says what the guard holds, with a sample of it.
func (s *Server) showGuard(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	limit, err := intParam(r, "limit", 20, 1, maxPage)
	if err != nil {
		return err
	}
	guarded, err := s.deps.Guards.Guarded(r.Context(), b.Name, r.URL.Query().Get("after"), limit)
	if err != nil {
		return fmt.Errorf("look at the guard of %q: %w", b.Name, err)
	}
	views, err := s.bindingViews(r.Context(), []Binding{b})
	if err != nil {
		return err
	}
	v := guardView{
		Binding: b.Name, Held: views[0].Held, Accepted: guarded.Accepted, Sample: []heldRow{},
		Limits: guardLimits{float64(guarded.Guard.MaxChanged), float64(guarded.Guard.MaxDeleted), guarded.Guard.Floor},
	}
	changes := 0
	for _, h := range guarded.Sample {
		row := heldRow{Key: h.Key, Name: bindings.KeyText(h.Key), Becomes: h.Becomes, Row: h.Row}
		for _, t := range h.Texts {
			row.Texts = append(row.Texts, heldText(t))
		}
		if h.Problem != nil {
			row.Error = h.Problem.Message
		}
		if v.Sample = append(v.Sample, row); h.Becomes != heldGone {
			if changes++; changes == limit {
				v.Next = h.Key
			}
		}
	}
	return answer(w, http.StatusOK, map[string]any{"guard": v})
}

// heldGone is what becomes of a row that the source does not have any more.
const heldGone = "gone"
