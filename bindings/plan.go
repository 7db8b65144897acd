package bindings

import (
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

// An Owner is who has images: a binding or a job.
type Owner string

// BindingOwner is the binding of that name.
func BindingOwner(name string) Owner { return Owner("binding/" + name) }

// JobOwner is the job of that id.
func JobOwner(id string) Owner { return Owner("job/" + id) }

// Binding is the binding's name, or "" when a job owns.
func (o Owner) Binding() string { return cut(o, "binding/") }

// Job is the job's id, or "" when a binding owns.
func (o Owner) Job() string { return cut(o, "job/") }

func cut(o Owner, prefix string) string {
	if len(o) > len(prefix) && string(o[:len(prefix)]) == prefix {
		return string(o[len(prefix):])
	}
	return ""
}

// A Spec is all that a picture is made of, and nothing else: its fingerprint
// is taken over these bytes and the epoch.
type Spec struct {
	Template string   `json:"template"`
	Version  int64    `json:"version"` // of the template; not in the fingerprint, the page's digest is
	Page     string   `json:"page"`    // digest of the compiled page for the size and theme
	Size     string   `json:"size"`
	Theme    string   `json:"theme,omitempty"`
	Number   int      `json:"number,omitempty"` // of the page shown, from 1; 0 is the first, template.AllPages every one
	Values   []string `json:"values"`           // resolved, in the order of the document

	More     [][]string `json:"more,omitempty"`     // of a PDF: the values of further rows, whose pages follow
	Document *Document  `json:"document,omitempty"` // what the page was compiled from, where that is no version of a template

	Encoding
}

// A Document is HTML that is drawn without being a version of a template: a
// draft, or what a caller sent. It is kept with its renders, so that they can be
// made again; in fingerprints the page's digest stands for it.
type Document struct {
	Source string            `json:"source"`
	Assets map[string]string `json:"assets,omitempty"` // path to digest
	Width  int               `json:"width,omitempty"`  // of its default size; 0 is as the document says
	Height int               `json:"height,omitempty"`
}

// Group is what renders must share to be made in one turn: the template's page
// and what a loaded page is good for, which several formats of a row may share.
func (s Spec) Group() string { return s.Page + "." + s.family() }

// Redraws reports whether s is old once more, by another version of the template
// or at another epoch: encoded alike, and with no value changed as far as can be
// told. Whether it looks the same, pixels must say.
func (s Spec) Redraws(old Spec) bool {
	return s.Template == old.Template && s.Size == old.Size && s.Theme == old.Theme && s.Number == old.Number &&
		s.Canonical() == old.Canonical() && (s.Version != old.Version || slices.Equal(s.Values, old.Values))
}

// A Want is one output of an item as it should be.
type Want struct {
	Output      string // name
	Fingerprint string
	Spec        Spec
}

// A Problem is why an item can have no picture: the row is at fault.
type Problem struct {
	Code    string `json:"code"`            // missing_variable, wrong_type, bad_expression, …
	Field   string `json:"field,omitempty"` // variables.photo
	Message string `json:"error"`
	Lasting bool   `json:"lasting,omitempty"` // a remote file is at fault, and will be so at another try
}

// A Proposal is what an item (the images of one row) should become. Exactly one
// of Wants, Problem and Remove is set.
type Proposal struct {
	Owner   Owner
	Key     string
	Index   int64 // of the row in its job; 0 for bindings
	Wants   []Want
	Problem *Problem
	Remove  bool

	// Digest stands for all of the above: two proposals with the same Digest
	// want the same. Same as the item's digest: nothing to do.
	Digest   string
	Priority int // of the renders that must be made: lower is sooner

	// Reads are the rows of other sources that it was planned with, and those that
	// it looked for in vain. nil where its binding joins none.
	Reads []Read

	Alters bool // there is an image that it changes or removes

	Assigned Assigned // as which variant it is drawn; none where it is in no experiment
}

// A RowReads says what a row of a binding was planned with. It replaces what was
// said before.
type RowReads struct {
	Owner Owner
	Key   string
	Reads []Read
}

// Priorities of renders.
const (
	PriorityNow    = 0 // somebody waits
	PriorityChange = 1 // a row changed
	PriorityBatch  = 2
	PriorityReplan = 3 // a template, a mapping or the epoch changed
)

// A RowChange is a row to be stored.
type RowChange struct {
	Key     string
	Version int64
	Values  []byte // canonical
	Digest  string // of Values
	Gone    bool   // the source said so
}

// A Quarantined row is kept out, with its reason.
type Quarantined struct {
	Key      string // canonical; "" when it has none
	Position string
	Reason   string // null_key, duplicate_key, bad_record
	Detail   string
	Raw      []byte // as in connectors.Fault
}

// A FailedRow is a row whose wanted picture could not be made; one that was
// made before is still served.
type FailedRow struct {
	Key     string
	Problem Problem
}

// A StoredRow is what the ledger keeps of a row.
type StoredRow struct {
	Key     string
	Version int64
	Values  []byte // canonical; nil where only the digest was asked for
	Digest  string
	Missing bool // absent from the latest complete reading, waiting for its grace
}

// An ItemState is what the ledger knows of one binding's item.
type ItemState struct {
	Digest     string // of the wanted state; "" when there is none
	Proposed   string // of an open proposal; ""
	ProposedIn string // the reading of the open proposal
	Removed    bool
}

// Known is what the ledger knows of one key of a source: the row and, per
// binding, the item.
type Known struct {
	Row   *StoredRow
	Items map[string]ItemState
}

// A Plan is what one batch of a reading changes. It is committed whole.
type Plan struct {
	Source      string
	Reading     string
	Rows        []RowChange
	Quarantined []Quarantined
	Proposals   []Proposal
	Reads       []RowReads // of the rows that were planned, also where nothing follows from it
	// Promote lists the bindings whose proposals are wanted at once, without
	// waiting for the end of the reading: its first one, or a stream.
	Promote map[string]bool
	Seen    int // rows in the batch, changed or not
	Closes  *Closing
	// Messages are the ids of the messages that the batch came in: they are known
	// as soon as it is committed.
	Messages []string
	// Retried, of elements that were kept out of a stream and were tried again, is
	// what became of them.
	Retried *Retried
}

// Retried is what became of elements that were tried again.
type Retried struct {
	Mended []KeptOut // are rows, or rows by now that are newer
	Broken []KeptOut // stay, with the reason and the detail that they have here
}

// A KeptOut is a row that is kept out of a stream, as the ledger has it. Its Seq,
// Position and Key are what it is known by.
type KeptOut struct {
	Quarantined

	Seq   int64 // the version that the row would have had; 0 of what is read anew
	At    time.Time
	Tries int64 // that were in vain

	TriedAt time.Time // the last of them
}

// Altered are the keys of the rows that have images which the plan changes or removes,
// by binding.
func (p *Plan) Altered() map[string][]string {
	altered := map[string][]string{}
	for i := range p.Proposals {
		if q := &p.Proposals[i]; q.Alters {
			name := q.Owner.Binding()
			altered[name] = append(altered[name], q.Key)
		}
	}
	return altered
}

// A Closing ends a reading: the ledger judges each binding's proposals of this
// reading in the same transaction.
type Closing struct {
	Complete  bool
	Reason    string
	Unchanged bool
	Cursor    []byte // nil keeps the one before
	At        time.Time

	// Told says that the rows came outside of a reading of the source, which
	// somebody sent or asked for: what is known of its last reading stays as it is.
	Told bool
	// Settles says that the first reading of the bindings is over with it, where
	// it is told: the source is never read as a whole.
	Settles bool

	// Stream is of a batch of a stream.
	Stream *StreamClosing

	// Keys, where it is told, are those of its rows and faults, also of rows that are
	// as they were: what was kept out before with such a key is not its last state.
	Keys []string

	// Has reports whether the reading contained a row of that canonical key
	// (also one that was quarantined). Used only when Complete.
	Has func(key string) bool
	// Whole says that the reading has every row that was there before it and was
	// not missing, so that none of those need be looked for.
	Whole bool
	// Rows is the number of rows that the reading contained.
	Rows int
	// Judge decides over one binding's part of the reading.
	Judge func(binding string, c Counts) Verdict
}

// A StreamClosing is what a batch of a stream says beside its rows.
type StreamClosing struct {
	Seq      int64 // the version of the rows of the batch
	Snapshot connectors.SnapshotMark
	Gap      string // as in connectors.Closing
}

// Counts is what a reading would do to the images of one binding.
type Counts struct {
	Live    int // items that are not removed, before
	Changed int // live items whose digest would change; new items do not count
	Gone    int // live items whose row the complete reading does not have
	Rows    int // rows in the reading
}

// A Verdict is the guard's word on a reading.
type Verdict struct {
	HoldChanges bool
	HoldRemoval bool
	Reason      string // for a person: "4,000 of 10,000 images would change (limit 50 %)"
}
