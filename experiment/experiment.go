package experiment

import "time"

// A Status is where an experiment stands in its life.
type Status string

// The statuses. Completed is the last one: the slug serves the winner for ever.
const (
	Draft     Status = "draft"
	Running   Status = "running"
	Paused    Status = "paused" // assigned units keep their variant; others get the control, and nothing is counted
	Completed Status = "completed"
)

// An Experiment is a definition and its life.
type Experiment struct {
	ID       string // exp_…: also the seed by which units are assigned
	Revision int64  // one more at each change
	Definition
	Status Status
	Origin string // file or api
	Author string

	CreatedAt, UpdatedAt time.Time
	StartedAt            time.Time     // zero before it first ran
	Since                time.Time     // when it last began to run; zero where it does not
	Ran                  time.Duration // how long it ran up to Since
	EndedAt              time.Time
	Winner               string    // id of a variant; "" before it is completed
	ReadySince           time.Time // since when its verdict has been winner_ready; zero where it is not
	Retired              bool      // taken out of the list; what is in mailboxes is served on

	// Weights are those of new units, in the order of the variants, in basis points. They
	// are the definition's until a bandit or a rollout moves them.
	Weights []int
}

// RanFor is how long it has run at now, without its pauses.
func (e Experiment) RanFor(now time.Time) time.Duration {
	if e.Since.IsZero() {
		return e.Ran
	}
	return e.Ran + now.Sub(e.Since)
}

// The channels in which an image is shown.
const (
	Web   = "web"   // a page asks for it
	Email = "email" // a mail or a file carries it: assigned when the row is planned
)

// An Assignment is which variant a unit was given. It does not change, whatever
// becomes of the weights.
type Assignment struct {
	Experiment  string // its id
	Unit        string // as it was given; never an address or a browser's name
	Variant     string
	Channel     string
	At          time.Time
	ExposedAt   time.Time // zero until it counts
	ClickedAt   time.Time
	ConvertedAt time.Time
	// Place is the image of a row that was planned for the unit; "" where the
	// variant's own picture is shown.
	Place Place
}

// A Place is the image of a row.
type Place struct {
	Owner string // as bindings.Owner
	Key   string
}

// A Meeting is a unit that comes to an experiment: Variant is what it gets unless it
// was given one before. An exposed one counts, once.
type Meeting struct {
	Assignment
	Exposed bool
	Client  string // for the tally: Gmail, Apple, other
}

// A Tally is how often something happened that is no unit of its own.
type Tally struct {
	Experiment, Variant, Channel, Client string
	Day                                  time.Time // UTC, its beginning
	Fetches                              int64     // of the image, all of them
	Suspects                             int64     // by bots, prefetchers, gateways: fetches and clicks
	Failures                             int64     // of the variant's picture, which its fallback stood for
}

// The kinds of events.
const (
	Impression = "impression"
	View       = "view"
	Click      = "click"
	Conversion = "conversion"
)

// An Event is something that a unit did. Of each id there is one.
type Event struct {
	Experiment string
	ID         string
	Kind       string
	Unit       string
	Claimed    string // the variant that the caller said; "" where it said none
	Channel    string
	Device     string
	Referrer   string
	Suspect    string // why it does not count; "" where it does
	At         time.Time
	Metadata   []byte // JSON
}

// Early is why an event does not count that was before its unit was shown the image.
const Early = "before_exposure"

// A Taken is what became of an event.
type Taken struct {
	Variant    string // of the assignment; "" where the unit has none
	Duplicate  bool   // its id was there before
	Unassigned bool   // the unit was never shown the image: the event is kept, and counts for nobody
	Mismatch   bool   // the caller claimed another variant: flagged, and counted for the true one
	Suspect    string // why it does not count
}

// A Kept is an event as it was kept, the Seq-th of its experiment.
type Kept struct {
	Event
	Seq        int64
	Variant    string
	Unassigned bool
}

// Counts are what happened in one variant on one day in one channel by one client,
// that by which the unit was exposed. Exposures, clicks and conversions are units, each
// once. Variant is "" where something belongs to none.
type Counts struct {
	Variant, Channel, Client string
	Day                      time.Time

	Fetches, Exposures, Suspects, Failures int64
	Clicks, Conversions                    int64 // of exposed units
	Impressions, Views                     int64 // events

	Duplicates int64 // events whose id was there before
	Unassigned int64 // events of units that were never shown the image
	Mismatches int64 // events whose caller claimed another variant
}

// A Picture is the bytes that stand for a variant, or for the fallback.
type Picture struct {
	Hash        string
	Ext         string
	Fingerprint string // of the render that gave them; "" where none did
}

// An Allocation is what weights new units had from a time on, and why, so that the
// draws of a bandit can be repeated.
type Allocation struct {
	At      time.Time
	Weights []int
	Why     string // start, bandit, rollout, winner, edit
	Seed    uint64
	Units   []int64 // exposures by variant, that the draws were made of
	Goals   []int64 // units that reached the goal
}
