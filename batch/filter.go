package batch

import (
	"slices"
	"time"
)

// A JobFilter leaves out jobs. Its zero value leaves out none.
type JobFilter struct {
	Status   Status
	Template string
	Before   *JobPlace // only those that come behind it
}

// A JobPlace is where a job stands in the list of all, newest first.
type JobPlace struct {
	CreatedAt time.Time
	ID        string
}

// Known reports whether there is a status s.
func (s Status) Known() bool {
	return slices.Contains([]Status{Pending, Processing, Paused, Completed, Partial, Failed, Cancelled}, s)
}
