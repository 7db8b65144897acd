package copilot

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/template/draft"
)

// The slugs of this room's problems.
const (
	Busy        = "copilot_busy"          // the template has an open run
	NotOpen     = "copilot_not_open"      // the run has ended
	NotEnded    = "copilot_not_ended"     // the run is still at work
	NoStep      = "copilot_no_step"       // there is no such step, candidate or question
	Interrupted = "copilot_interrupted"   // the process ended in the middle of the run
	OutOfBudget = "copilot_budget"        // the run used up what it was given
	Stuck       = "copilot_stuck"         // the model does not get on
	NoModel     = "copilot_no_model"      // there is no model of that name
	Refusal     = "copilot_refused"       // the model does not want to
	NotFound    = "copilot_run_not_found" // there is no such run
)

// A Ledger keeps runs. Safe for use by several goroutines.
type Ledger interface {
	// AddRun keeps a new run. Where its template has an open one it is a problem
	// Conflict with the slug Busy, which names that.
	AddRun(ctx context.Context, r Run) error
	// SaveRun keeps a run as it is now, with what happened, in one transaction. The
	// events get their Seq and their time there, in their order.
	SaveRun(ctx context.Context, r Run, events ...Event) error
	// Run is a run as it was saved. None is a problem NotFound with the slug NotFound.
	Run(ctx context.Context, id string) (Run, error)
	// Runs are runs of a template ("": of all), newest first, behind the one with the
	// id before ("": from the newest).
	Runs(ctx context.Context, template, before string, limit int) ([]Run, error)
	// OpenRuns are those that a process left which is not there any more.
	OpenRuns(ctx context.Context) ([]Run, error)
	// RunEvents are events of a run by Seq, behind after.
	RunEvents(ctx context.Context, id string, after int64, limit int) ([]Event, error)
	// PutPicture keeps a picture of a run under a name, once.
	PutPicture(ctx context.Context, run, name, mediaType string, data []byte) error
	// Picture is one of them. None is a problem NotFound.
	Picture(ctx context.Context, run, name string) (mediaType string, data []byte, err error)
	// SweepRuns forgets runs that ended before, with their events and pictures.
	SweepRuns(ctx context.Context, before time.Time) (int, error)
}

// A Desk takes steps of drafts; *draft.Desk and its ledger are one.
type Desk interface {
	Draft(ctx context.Context, name string) (draft.Draft, error)
	DraftSteps(ctx context.Context, name string, after int64) ([]draft.Step, error)
	Edit(ctx context.Context, e draft.Edit) (draft.Done, error)
	// UndoStep takes back the step that led to a revision. Where others changed the
	// same since, the error is a *draft.ConflictError.
	UndoStep(ctx context.Context, name string, revision int64, author string) (draft.Done, error)
}

// author is whom the draft says a run's steps are by.
func author(run string) string { return "copilot/" + run }
