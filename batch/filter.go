package batch

import (
	"slices"
	"time"
)

// A JobFilter leaves out jobs. Its zero value leaves out none.
type JobFilter struct {
	Status   Status
	Template string
	Binding  string    // only its runs
	Kind     string    // KindBatch or KindRun; "" is both
	Before   *JobPlace // only those that come behind it
}

// The kinds of jobs.
const (
	KindBatch = "batch" // somebody sent its rows
	KindRun   = "run"   // its rows were read from a source
)

// A JobPlace is where a job stands in the list of all, newest first.
type JobPlace struct {
	CreatedAt time.Time
	ID        string
}

// Known reports whether there is a status s.
func (s Status) Known() bool {
	return slices.Contains([]Status{Pending, Processing, Paused, Completed, Partial, Failed, Cancelled}, s)
}
