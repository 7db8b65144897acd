package api

import (
	"context"
	"io"

	"github.com/pictifyd/pictifyd/experiment"
)

// An Exhibit is the public side of experiments: it shows units their variants, and
// takes in what they do. An experiment is named by its slug or its id; one that there
// is not, or that is a draft, is a problem of code NotFound with the slug
// experiment_not_found. Nothing of whoever asks is kept but the unit, and the name of
// the kind of client.
type Exhibit interface {
	// Show is the picture for v. Where v is a unit that is shown one for the first
	// time, its variant is durable before. A picture that cannot be had is no error:
	// its fallback is shown.
	Show(ctx context.Context, name string, v Visit) (Shown, error)
	// Click takes in a click of v and says where it leads, which is nowhere but the
	// destination of the experiment; without one it is a problem of code NotFound.
	Click(ctx context.Context, name string, v Visit) (destination string, err error)
	// View takes in that v opened what carries the image.
	View(ctx context.Context, name string, v Visit) error
	// TakeEvents takes in what callers report, and answers each item in its order.
	// When it returned nil, what was taken is durable. A key that is for none of the
	// experiments is a problem of code Forbidden.
	TakeEvents(ctx context.Context, call EventCall) ([]EventTaken, error)
	// Assign gives units their variants before they are shown them, and signs their
	// addresses.
	Assign(ctx context.Context, name string, order AssignOrder) ([]Assigned, error)
	// Failing are the variants whose own pictures could not be shown lately.
	Failing() []FailingVariant
}

// A Visit is somebody who asks for an image, or clicks on it.
type Visit struct {
	Unit      string // "" where there is none: the variant is drawn for this one time
	Signature string // of the unit, as it came; "" where none did
	Client    experiment.Client
	Facts     experiment.Facts
}

// A Shown is the picture for a visit. Whoever got it closes Bytes.
type Shown struct {
	Variant   string // its id; of a fallback, the one that it stands for
	Hash, Ext string
	Bytes     io.ReadSeekCloser
	Fallback  bool
	Unkept    bool // its bytes are nowhere to be had under its hash
}

// An EventCall is what one caller reports.
type EventCall struct {
	WriteKey string // as it came; "" where Trusted
	Trusted  bool   // the caller has a key with experiments:write
	Events   []SentEvent
}

// A SentEvent is an event as it was sent; its Experiment may be a slug.
type SentEvent struct {
	experiment.Event

	Signature string // of the unit; "" where none came
}

// An EventTaken is what became of one event.
type EventTaken struct {
	experiment.Taken

	Err error // why it was not taken
}

// An AssignOrder is units that are to be given variants.
type AssignOrder struct {
	Channel string
	Units   []AssignUnit
}

// An AssignUnit is one of them, and what is known of it.
type AssignUnit struct {
	Unit  string
	Facts experiment.Facts
}

// An Assigned is a unit with its variant, and the addresses that are its own.
type Assigned struct {
	Unit    string
	Variant string
	Counted bool // it takes part; the others see the control or the winner
	UnitURLs
}
