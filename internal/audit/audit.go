// Package audit is a list of who changed what. It knows neither where it is kept
// nor who may read it.
package audit

import "time"

// An Entry is one change that somebody asked for. It is written before the change
// begins, so that there is none without an entry, and its end is filled in once.
type Entry struct {
	ID     string    `json:"id"` // in the order of time
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`  // the name of the key; "" where none is needed
	Via    string    `json:"via"`    // key, session, local, mcp, file
	Action string    `json:"action"` // the route, as in PUT /sources/{name}, or what the daemon did by itself
	Kind   string    `json:"kind"`   // of what was changed
	Name   string    `json:"name"`   // of what was changed; never the key of a row
	Before string    `json:"before"` // a digest of it; "" where it was not there, or is not one thing
	After  string    `json:"after"`  // the same afterwards

	// Status is that of the answer; 0: it never came, because pictifyd ended meanwhile
	// or still works on it.
	Status  int    `json:"status"`
	Request string `json:"requestId"` // under which the log knows it
}

// A Filter chooses entries. What is empty chooses all.
type Filter struct {
	Actor, Via, Action, Kind, Name string

	Since, Until time.Time // from then on, and before then
	After        string    // behind the entry of this id, the newest being the first
	Limit        int       // at most so many
}
