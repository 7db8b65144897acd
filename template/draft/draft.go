package draft

import (
	"context"
	"encoding/json"
	"time"

	"github.com/pictifyd/pictifyd/template"
)

// The slugs of this room's problems.
const (
	StaleRevision = "stale_revision" // the draft has another revision than the one that was named
	RevisionGone  = "revision_gone"  // nothing can be gone on with from the revision that was named
	EditConflict  = "edit_conflict"  // somebody else touched the same
	NothingToUndo = "nothing_to_undo"
	AlreadyUndone = "already_undone"
	StepReplaced  = "step_replaced" // the whole document was replaced since
	NoSuchStep    = "step_not_found"
	FileGone      = "file_gone"     // the bytes of a file were swept away
	VersionMoved  = "version_moved" // the template has another version than the one begun with
)

// A Draft is the state of a template that is being changed. One that is not
// open is the newest version as it stands.
type Draft struct {
	Name      string
	Base      int64 // the version that it began with
	Revision  int64
	Open      bool
	Source    []byte
	Assets    map[string]string // path ("assets/shoe.jpg") to digest in the assets library
	Author    string            // of the newest step
	UpdatedAt time.Time
}

// A Kind says what a step did.
type Kind string

// The kinds of steps. All but edits and undos replace the whole document, or
// change nothing in it.
const (
	Edits     Kind = "edit"
	Undoes    Kind = "undo"
	Restores  Kind = "restore" // the draft became a version as it was
	Publishes Kind = "publish" // the draft became a version; the document stayed
	Discards  Kind = "discard"
	Arrives   Kind = "version" // a version came through the folder, or was pushed
)

// Everything is what steps touch that replace the whole document.
const Everything = "*"

// A Step is one change of a draft.
type Step struct {
	Revision int64 // that it led to
	Kind     Kind
	Ops      []json.RawMessage
	Inverse  []json.RawMessage // takes it back, in this order
	Touched  []string
	Undoes   int64 // of an undo: the revision whose step it took back
	Author   string
	At       time.Time
}

// A Ledger keeps drafts and their chains of steps.
type Ledger interface {
	// Draft is the draft of a template; when there is none, the newest version as
	// one, without writing. No template of that name is a problem NotFound.
	Draft(ctx context.Context, name string) (Draft, error)
	// DraftSteps are the steps behind a revision, oldest first. Very old ones are
	// not kept.
	DraftSteps(ctx context.Context, name string, after int64) ([]Step, error)
	// AppendDraft makes source and assets the draft by a step, when its revision
	// is ifRevision; else it is a problem Conflict with the slug StaleRevision.
	// Revision and At of the step are given there.
	AppendDraft(ctx context.Context, name string, ifRevision int64, s Step, source []byte, assets map[string]string) (Draft, error)
	// Template is a version of a template; number 0 is the newest.
	Template(ctx context.Context, name string, number int64) (template.Version, error)
}

// A Result is what operations make of a document.
type Result struct {
	Source  []byte
	Inverse []json.RawMessage
	Touched []string
}
