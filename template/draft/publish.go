package draft

import (
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// A Publication makes a draft, seen at a revision, a version.
type Publication struct {
	Name     string
	Revision int64
	// Over is the digest of a version or file that stands in the way and has been
	// seen: the draft takes its place.
	Over   string
	Author string
}

// A Push makes a whole document a version.
type Push struct {
	Name     string
	IfNumber int64 // of the newest version that was seen; 0: there is none
	Source   []byte
	// Assets are the bytes by path ("assets/shoe.jpg"); nil keeps those of the
	// newest version.
	Assets map[string][]byte
	Author string
}

// A Published says what became of a publication.
type Published struct {
	Version template.Version
	File    error // why the version is not written to the folder; nil when it is, or need not be
	Changed bool  // it is a new version
}

// A Forecast is what publishing a draft would do.
type Forecast struct {
	Revision int64
	Base     int64
	Bindings []BindingForecast
}

// A BindingForecast counts the images of one binding.
type BindingForecast struct {
	Binding   string
	Images    int // that would be rendered
	Reused    int // that would become pictures which are made already
	Unchanged int // that stay as they are
	Held      int // of rows whose change the guard holds: they stay until somebody decides
	Removed   int // that would go
	Failing   int // rows that would fail, and do not fail so now
	Failures  []Failure
	Error     error // why the binding could not work with the draft; nil when it could
}

// A Failure is a row that the draft could not show.
type Failure struct {
	Key   string
	Code  string
	Field string
	Error string
}

// A VersionError says that something else than the draft began with stands where
// it would go. It is a problem Conflict with the slug VersionMoved.
type VersionError struct {
	Theirs []byte // the text that is there
	Yours  []byte // that of the draft
	Number int64  // of the version that is there; 0: it is a file that cannot be one
	Digest string // of what is there: publishing over it names this
	Why    *problem.Error
}

func (e *VersionError) Error() string { return e.Why.Error() }

// Unwrap is the problem.
func (e *VersionError) Unwrap() error { return e.Why }
