package batch

import "github.com/pictifyd/pictifyd/bindings"

// A Priority says how soon the renders of a job are made beside those of others.
type Priority string

// The priorities. Normal is also "".
const (
	Low    Priority = "low"
	Normal Priority = "normal"
	High   Priority = "high"
)

// OfRenders is the priority of the renders of a job of priority p: high is
// beside rows that have just changed, low beside what is planned again.
func (p Priority) OfRenders() int {
	switch p {
	case High:
		return bindings.PriorityChange
	case Low:
		return bindings.PriorityReplan
	}
	return bindings.PriorityBatch
}
