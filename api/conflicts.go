package api

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/template/draft"
)

// A conflictView is one thing that two people changed.
type conflictView struct {
	Touched string          `json:"touched"`
	Yours   json.RawMessage `json:"yours"`
	Theirs  json.RawMessage `json:"theirs"` // null: the whole document was replaced
	By      stepView        `json:"by"`
}

// A textsView is a document and what stands where it would go.
type textsView struct {
	Theirs  string `json:"theirs"`
	Yours   string `json:"yours"`
	Version int64  `json:"version,omitempty"` // theirs; without one it is a broken file
	Digest  string `json:"digest"`            // of theirs: publishing over it names this
}

// conflictsOf are those of an error that is of such.
func conflictsOf(err error) []conflictView {
	var e *draft.ConflictError
	if !errors.As(err, &e) {
		return nil
	}
	views := make([]conflictView, len(e.Conflicts))
	for i, c := range e.Conflicts {
		views[i] = conflictView{c.Touched, c.Yours, c.Theirs, viewOfStep(c.By)}
	}
	return views
}

func textsOf(err error) *textsView {
	var e *draft.VersionError
	if !errors.As(err, &e) {
		return nil
	}
	return &textsView{string(e.Theirs), string(e.Yours), e.Number, e.Digest}
}

// A stepView is a step of a draft.
type stepView struct {
	Revision int64             `json:"revision"`
	Kind     draft.Kind        `json:"kind"`
	Ops      []json.RawMessage `json:"ops"`
	Touched  []string          `json:"touched"`
	Author   string            `json:"author"`
	At       time.Time         `json:"at"`
}

func viewOfStep(s draft.Step) stepView {
	return stepView{s.Revision, s.Kind, list(s.Ops), list(s.Touched), s.Author, s.At.UTC()}
}
