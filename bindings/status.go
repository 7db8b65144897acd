package bindings

import "time"

// A Status is a binding's state for people.
type Status struct {
	Binding  string
	Source   string
	Template string
	Paused   bool  // it is stopped: its images stay as they are
	Live     int64 // items that are not removed
	Ready    int64 // items whose every output is the wanted one
	Waiting  int64 // items with a render to make
	Failed   int64 // items whose last wanted state could not be made

	PausedReason string // why, where no person has stopped it

	WantedSince time.Time // of the picture that waits longest; zero when none does

	Quarantined int64 // rows of its source that are kept out

	HeldChanges int64  // changes that the guard holds
	HeldRemoval int64  // removals that the guard holds
	HeldReason  string // for a person

	ReadAt   time.Time // end of the source's last closed reading
	Complete bool      // that reading was
	Error    string    // why the source can't be read now; "" when it can
	ErrorAt  time.Time
}

// An Image is one output of an item, as it is served.
type Image struct {
	Owner      Owner
	Key        string
	Output     string
	Generation int64
	Hash       string // of the bytes that are served now; "" when there are none yet
	Ext        string
	Format     string
	Width      int
	Height     int
	RenderedAt time.Time
	Waiting    bool // a newer state is wanted
	Removed    bool
	Problem    *Problem
}

// A RowView is a stored row with its quarantine, for people.
type RowView struct {
	Key     string
	Version int64
	Values  []byte
	Missing bool
}
