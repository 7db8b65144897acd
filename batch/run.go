package batch

import (
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// A Run is what makes a job of a binding: it brings no rows, its binding's source
// is read for it, and its rows are those of that reading.
type Run struct {
	Binding string
	Source  string
	Cause   Cause
	For     time.Time // the moment that it is for; of a schedule, the scheduled time
	Phase   Phase
	Rows    int64  // of the reading, those that the binding draws
	Tries   int    // readings that failed
	Note    string // why the reading is not whole, or why it failed last
}

// A Cause is why there is a run.
type Cause string

// The causes.
const (
	BySchedule Cause = "schedule" // its time had come
	ByAsking   Cause = "run"      // somebody asked for it
	ByRefresh  Cause = "refresh"  // somebody asked for a reading
)

// Told reports whether the sinks of on_run hear of the run's end.
func (c Cause) Told() bool { return c == BySchedule || c == ByAsking }

// A Phase is how far a run is that has not ended.
type Phase string

// The phases.
const (
	RunWaiting Phase = "waiting" // for its turn to be read
	RunReading Phase = "reading" // or its rows are being staged
	RunDrawing Phase = "drawing" // its rows are known
)

// Unread reports whether the rows of j are not known yet.
func (j Job) Unread() bool {
	return j.Origin != nil && (j.Origin.Phase == RunWaiting || j.Origin.Phase == RunReading)
}

// MaxRunRows is how many rows of a reading a run has at most. Of more, it has
// those that need another picture than before, and counts the others.
const MaxRunRows = 100_000

// NewRunPlanner plans the rows of a run as its binding does, at that moment: they
// want the same pictures as its images. The rows are stored rows of the source.
func NewRunPlanner(job Job, b *bindings.Binding, now time.Time) *Planner {
	return &Planner{job: job, now: now, binding: b}
}

// Join tells p what the rows that it is given next join, and the variants of their
// units: what joinFunc reads for the binding of a run. Of a batch it is nothing.
func (p *Planner) Join(rows []Row, joinFunc func(b *bindings.Binding, rows ...map[string]any) (*bindings.Joined, error)) (err error) {
	if p.binding == nil || !p.binding.Joins() && !p.binding.Assigns() {
		return nil
	}
	var values []map[string]any
	for _, r := range rows {
		if row, err := decodeValues(r.Values); err == nil {
			values = append(values, row)
		}
	}
	p.joined, err = joinFunc(p.binding, values...)
	return err
}

// proposeBound is what the binding of a run wants of a row, for the job.
func (p *Planner) proposeBound(r Row) bindings.Proposal {
	owner := bindings.JobOwner(p.job.ID)
	values, err := decodeValues(r.Values)
	if err != nil {
		return bindings.Refused(owner, r.Key, bindings.Problem{Code: "bad_row", Message: err.Error()})
	}
	proposal := p.binding.Propose(r.Key, values, p.joined, p.now, p.job.Priority.OfRenders())
	if proposal.Remove {
		proposal = bindings.Refused(owner, r.Key, bindings.Problem{Code: "not_drawn", Message: "the binding was changed since the reading, and does not draw this row any more"})
	}
	proposal.Owner, proposal.Reads = owner, nil // a job's rows stay as they are
	return proposal
}

// Why a run ends without its rows.
const (
	SourceFailed  = "source_failed"  // it could not be read
	SourceGone    = "source_gone"    // it is no more
	GuardHeld     = "guard_held"     // what the reading changed waits for a person
	BindingUnable = "binding_unable" // it can't work, or is paused, or is no more
)

// A RunView is what is shown of a run beside its job.
type RunView struct {
	Binding      string    `json:"binding"`
	Source       string    `json:"source"`
	Cause        Cause     `json:"cause"` // schedule, run, refresh
	ScheduledFor time.Time `json:"scheduledFor"`
	Phase        string    `json:"phase"`     // waiting, reading, drawing, ended
	Rows         int64     `json:"rows"`      // of the reading, those that the binding draws
	Changed      int64     `json:"changed"`   // of those, that needed another picture than before
	Unchanged    int64     `json:"unchanged"` // and that did not
	Note         string    `json:"note,omitempty"`
	Error        string    `json:"error,omitempty"`     // why it ended without its rows, and what to do
	ErrorCode    string    `json:"errorCode,omitempty"` // source_failed, source_gone, guard_held, binding_unable
}

func newRunView(j Job) *RunView {
	if j.Origin == nil {
		return nil
	}
	o := *j.Origin
	v := &RunView{
		Binding: o.Binding, Source: o.Source, Cause: o.Cause, ScheduledFor: o.For.UTC(), Phase: string(o.Phase), Rows: o.Rows, Note: o.Note,
		Changed: j.Total - j.Deduped, Unchanged: o.Rows - j.Total + j.Deduped,
	}
	if j.Status.Ended() {
		v.Phase = "ended"
	} else if j.Planned < j.Total { // nobody has counted yet
		v.Changed, v.Unchanged = 0, 0
	}
	if j.Stop != nil && j.Stop.Status == Failed {
		v.Error, v.ErrorCode = j.Stop.Message, j.Stop.Code
	}
	return v
}
