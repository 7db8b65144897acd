package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Refresher asks for single rows, and has images drawn again.
type Refresher interface {
	// RefreshRows asks the source for the rows of these canonical keys, or has all
	// of it read where it cannot be asked for one.
	RefreshRows(ctx context.Context, binding string, keys []string) (Refreshed, error)
	// Redraw has images drawn again although nothing changed: of the rows of these
	// canonical keys, or of all where keys is nil.
	Redraw(ctx context.Context, binding string, keys []string) (Refreshed, error)
	// Resnapshot has all rows of a source that is a stream be read again; streams is
	// false where it is none.
	Resnapshot(ctx context.Context, source string) (streams bool, err error)
}

// A Refreshed says what was asked for.
type Refreshed struct {
	Rows    int      // that the source was asked for, one by one
	Missing []string // keys of rows that there are not
	Reading bool     // the whole source is read
	Images  int      // that are drawn again
}

// maxRefreshed is how many rows one request may name.
const maxRefreshed = 1000

// A refreshRequest is the body of a refresh.
type refreshRequest struct {
	Keys  []string `json:"keys,omitempty"`  // only these rows; as they stand in the paths of images
	Force bool     `json:"force,omitempty"` // draw again although nothing changed
}

// A refreshView is the answer to a refresh of some rows, or to one that is forced.
type refreshView struct {
	Status  string   `json:"status"` // refreshing or redrawing
	Binding string   `json:"binding"`
	Source  string   `json:"source"`
	Rows    int      `json:"rows"`    // that the source was asked for, one by one
	Missing []string `json:"missing"` // keys of rows that there are not
	Reading bool     `json:"reading"` // the whole source is read
	Images  int      `json:"images"`  // that are drawn again
}

// refreshes looks into the body: a refresh of the whole source is next's.
func refreshes(next handler) handler {
	return func(s *Server, w http.ResponseWriter, r *http.Request) error {
		body, err := resourceBody(w, r)
		if err != nil {
			return err
		}
		asked, err := readRefresh(body)
		if err != nil {
			return err
		}
		if asked.Keys == nil && !asked.Force {
			r.Body = io.NopCloser(bytes.NewReader(body))
			return next(s, w, r)
		}
		return s.refreshSome(w, r, asked)
	}
}

func readRefresh(body []byte) (refreshRequest, error) {
	var asked refreshRequest
	if len(bytes.TrimSpace(body)) == 0 {
		return asked, nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&asked); err != nil {
		return asked, problem.New(problem.Invalid, `the body is not JSON of the form {"keys": ["SKU-1"], "force": true}: %w`, err).WithSlug(slugMalformed)
	}
	if asked.Keys != nil && len(asked.Keys) == 0 {
		return asked, problem.New(problem.Invalid, "there is no key").At("keys").WithHint("name rows, or leave keys out for all of them")
	}
	if len(asked.Keys) > maxRefreshed {
		return asked, problem.New(problem.TooLarge, "%d rows are more than the %d allowed", len(asked.Keys), maxRefreshed).At("keys").
			WithHint("send several requests, or leave keys out for all rows")
	}
	for i, key := range asked.Keys {
		normal, err := bindings.NormalKey(key)
		if err != nil {
			return asked, problem.New(problem.Invalid, "%q is not a key: %w", key, err).At("keys[" + strconv.Itoa(i) + "]")
		}
		asked.Keys[i] = normal
	}
	return asked, nil
}

func (s *Server) refreshSome(w http.ResponseWriter, r *http.Request, asked refreshRequest) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	act, status := s.deps.Refresher.RefreshRows, "refreshing"
	if asked.Force {
		act, status = s.deps.Refresher.Redraw, "redrawing"
	}
	done, err := act(r.Context(), b.Name, asked.Keys)
	if err != nil {
		return fmt.Errorf("refresh rows of the binding %q: %w", b.Name, err)
	}
	return answer(w, http.StatusAccepted, refreshView{
		Status: status, Binding: b.Name, Source: b.Source,
		Rows: done.Rows, Missing: list(done.Missing), Reading: done.Reading, Images: done.Images,
	})
}
