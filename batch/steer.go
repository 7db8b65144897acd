package batch

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Move is what somebody may do to a job.
type Move string

// The moves.
const (
	MoveCancel Move = "cancel"
	MovePause  Move = "pause"
	MoveResume Move = "resume"
	MoveRetry  Move = "retry"
)

// RowCancelled is the code of a row that ended because its job was stopped.
const RowCancelled = "cancelled"

// A Stop is why the rows of a job end that have not ended by themselves.
type Stop struct {
	Status  Status `json:"status"` // that the job ends with
	Message string `json:"message"`
	Code    string `json:"code,omitempty"` // of a run that has no rows
}

// Moves are what may be done to j now.
func (j Job) Moves() []Move {
	switch {
	case j.Status.Ended():
		if j.Failed > 0 {
			return []Move{MoveRetry}
		}
	case j.Stop != nil: // it is about to end
	case j.Status == Paused:
		return []Move{MoveResume, MoveCancel}
	default:
		return []Move{MovePause, MoveCancel}
	}
	return nil
}

// May is nil when m is one of the moves, else a problem of code Conflict that
// names the job's state and what may be done instead.
func (j Job) May(m Move) error {
	var allowed []string
	for _, one := range j.Moves() {
		if one == m {
			return nil
		}
		allowed = append(allowed, string(one))
	}
	state := string(j.Status)
	if j.Stop != nil && !j.Status.Ended() {
		state = "about to end as " + string(j.Stop.Status)
	}
	p := problem.New(problem.Conflict, "the job is %s, and takes no %s", state, m).WithSlug("job_state")
	if m == MoveRetry && j.Status.Ended() {
		p = problem.New(problem.Conflict, "the job is %s: it has no failed rows that could be retried", state).WithSlug("nothing_to_retry")
	}
	if len(allowed) == 0 {
		return p.WithHint("nothing more can be done to it")
	}
	return p.WithHint("it takes %s", strings.Join(allowed, " and "))
}
