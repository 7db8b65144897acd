package api

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/spool"
	"github.com/pictifyd/pictifyd/internal/tracing"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// Intake takes in batches.
type Intake interface {
	// FindJob is the job that was accepted under an idempotency key.
	FindJob(ctx context.Context, idempotencyKey string) (batch.Job, bool, error)
	// StageRows keeps rows for a job that is not accepted yet.
	StageRows(ctx context.Context, job string, rows []batch.Row) error
	// AcceptJob makes j a job with the rows staged under its id, durably. An
	// idempotency key that is taken is a problem of code Conflict.
	AcceptJob(ctx context.Context, j batch.Job) error
	// Unrendered are those of the fingerprints whose pictures would be made.
	Unrendered(ctx context.Context, fingerprints []string) ([]string, error)
	// DiscardRows forgets the rows staged under an id.
	DiscardRows(ctx context.Context, job string) error
}

// Jobs tells about accepted batches.
type Jobs interface {
	Job(ctx context.Context, id string) (batch.Job, error)
	Jobs(ctx context.Context, limit int) ([]batch.Job, error) // newest first
	// Results are rows by index, beginning behind after; rows that have not
	// ended are among them where status is "".
	Results(ctx context.Context, job string, after int64, limit int, status string) ([]batch.Result, error)
	// Sent are rows as they were sent, also those staged for a job that is not
	// accepted yet, by index, beginning behind after: at most limit, and none only
	// where there are none.
	Sent(ctx context.Context, job string, after int64, limit int) ([]batch.Row, error)
	// FindJobs are jobs that a filter takes, newest first.
	FindJobs(ctx context.Context, f batch.JobFilter, limit int) ([]batch.Job, error)
	// JobRow is the row of that key; an unknown one is a problem of code NotFound.
	JobRow(ctx context.Context, job, key string) (batch.Row, batch.Result, error)
}

// Bindings tells about bindings and takes an operator's word on them.
type Bindings interface {
	Bindings(ctx context.Context, names []string) ([]bindings.Status, error)
	Rows(ctx context.Context, source, after string, limit int) ([]bindings.StoredRow, error)
	Quarantine(ctx context.Context, source string, limit int) ([]bindings.Quarantined, error)
	// KeptOutPage are rows that are kept out of a source, the oldest first, behind after
	// by its Seq, Position and Key.
	KeptOutPage(ctx context.Context, source string, after bindings.KeptOut, limit int) ([]bindings.KeptOut, error)
	FailedRows(ctx context.Context, binding string, limit int) ([]bindings.FailedRow, error)
	// Fittings say how the texts of the pictures of some rows came out; pictures
	// with nothing to say are not among them.
	Fittings(ctx context.Context, binding string, keys []string) ([]bindings.OutputFitting, error)
	AcceptGuard(ctx context.Context, binding string) (promoted int, err error)
	// PastReadings are the newest readings of a source that changed something or did
	// not go as the one before them, newest first.
	PastReadings(ctx context.Context, source string, limit int) ([]bindings.PastReading, error)
	// RowChanges are rows that the last reading changed which changed any, by key.
	RowChanges(ctx context.Context, source string, limit int) (bindings.RowChanges, error)
}

// Images tells which bytes an image has now.
type Images interface {
	// Image finds an output by its name, or the first with ext where output is
	// "". Unknown is a problem NotFound with the slug image_not_found; known
	// without bytes is one with not_ready.
	Image(ctx context.Context, o bindings.Owner, key, output, ext string) (bindings.Image, error)
	Images(ctx context.Context, limit int) ([]bindings.Image, error) // newest first, with bytes
	// Remake has the picture made again whose bytes of that hash have vanished.
	// making is false when nobody knows how, or it failed just now.
	Remake(ctx context.Context, hash string) (making bool, err error)
}

// Templates reads published templates.
type Templates interface {
	Template(ctx context.Context, name string, number int64) (template.Version, error) // 0: the newest
	Templates(ctx context.Context) ([]template.Version, error)                         // the newest of each, by name
	// TemplateVersions are those whose number is below before (0: all), newest
	// first, without their sources.
	TemplateVersions(ctx context.Context, name string, before int64, limit int) ([]template.Version, error)
}

// Drafts tells about drafts, and ends them.
type Drafts interface {
	Draft(ctx context.Context, name string) (draft.Draft, error)
	// DiscardDraft makes the draft the newest version again; ifRevision 0 means
	// whatever it is.
	DiscardDraft(ctx context.Context, name string, ifRevision int64, author string) (draft.Draft, error)
}

// A Desk takes steps of drafts; *draft.Desk is one.
type Desk interface {
	Edit(ctx context.Context, e draft.Edit) (draft.Done, error)
	Undo(ctx context.Context, name, author string) (draft.Done, error)
	Restore(ctx context.Context, name string, number int64, author string) (draft.Done, error)
	Rewrite(ctx context.Context, name string, revision int64, source []byte, author string) (draft.Done, error)
}

// A Publisher makes versions, and has the images made that change by them.
type Publisher interface {
	// PublishDraft makes a draft a version. What stands in its way is a
	// *draft.VersionError.
	PublishDraft(ctx context.Context, p draft.Publication) (draft.Published, error)
	// PublishPush makes a whole document a version.
	PublishPush(ctx context.Context, p draft.Push) (draft.Published, error)
	// Forecast counts what PublishDraft would do.
	Forecast(ctx context.Context, name string) (draft.Forecast, error)
}

// Blobs opens bytes by their hash; none is a problem NotFound.
type Blobs interface {
	Open(ctx context.Context, hash string) (r io.ReadSeekCloser, size int64, err error)
}

// Keys keeps the keys that are made over the API, and what they may still spend.
type Keys interface {
	// AddKey keeps a key. A name that is taken is a problem of code Conflict.
	AddKey(ctx context.Context, k apikey.Key) error
	RemoveKey(ctx context.Context, id string) error
	// Spend takes images from a quota. What does not fit is refused whole.
	Spend(ctx context.Context, c apikey.Charge) error
	Spent(ctx context.Context, owner string, q apikey.Quota) (int64, error)
	SaveKeyUses(ctx context.Context, uses map[string]time.Time) error
	KeyUses(ctx context.Context) (map[string]time.Time, error)
	// Backlog is how many rows of accepted batches have not ended.
	Backlog(ctx context.Context) (rows int64, err error)
}

// Changes wakes those who watch.
type Changes interface {
	// Changes gives a token after each change, several together as one, until stop.
	Changes() (c <-chan struct{}, stop func())
}

// A Binding is what the configuration says about one.
type Binding struct {
	Name     string
	Source   string
	Template string
	Public   bool     // its images need no key
	Outputs  []Output // the first is the one that stands for the row
	Sinks    []string
	OnRun    []string
	Error    error // why it cannot work as configured now; nil when it can
	Live     bindings.Live
	// Placeholder is the template that stands for images that are not there; "" none.
	Placeholder string
	OneKey      string // canonical: of the only row that its source ever has; "" where there may be many
	HookPath    string // where the rows of its source are sent to; "" where they are not

	Origin    string          // OfFile or OfCallers
	Spec      json.RawMessage // as it was sent; nil of the file's
	Revision  int64
	Author    string
	UpdatedAt time.Time
}

// An Output is one picture of a row.
type Output struct {
	Name string `json:"name"`
	Ext  string `json:"ext"`
}

// Deps are the rooms behind the API. All of them are wanted but Counters,
// Registry, RoomFunc, URLSecrets, RelayKey and Elsewhere. Where there is an Elsewhere
// these do: Log, Version, BaseURL, Images, Blobs, BindingFunc, ReadyFunc, Registry.
type Deps struct {
	Log           *slog.Logger
	Version       string // of pictifyd, for people
	BaseURL       string // what handed-out addresses begin with; "" is Config.BaseURL(nil)
	Intake        Intake
	Origins       Origins
	Sampler       Sampler
	Trials        Trials
	Client        *http.Client // reaches what callers may name
	Jobs          Jobs
	Steering      Steering
	Bindings      Bindings
	Runs          Runs
	Resources     Resources
	Workshop      Workshop
	Subscriptions Subscriptions
	Refresher     Refresher
	Guards        Guards
	Streams       Streams // nil: no source is held
	Hooks         Hooks
	Images        Images
	Gallery       Gallery
	Exhibit       Exhibit
	Templates     Templates
	Drafts        Drafts
	Desk          Desk
	Publisher     Publisher
	Blobs         Blobs
	Assets        Assets
	Easel         Easel
	Live          Live
	Changes       Changes
	Spool         *spool.Spool // where files of results are kept while they are sent
	Keys          Keys
	Deletions     Deletions
	Deliveries    Deliveries
	Valve         Valve
	Audit         Audit

	ExperimentDesk ExperimentDesk
	Copilot        Copilot
	CopilotRuns    CopilotRuns

	StoredKeys []apikey.Key // that are there at the start

	// MergePDFFunc writes the pages of all parts into one file.
	MergePDFFunc func(w io.Writer, parts iter.Seq2[PDFPart, error]) error
	// ConfiguredFunc is every binding, in the order of the configuration, and
	// BindingFunc the one of a name: it is asked for each image.
	ConfiguredFunc func() []Binding
	BindingFunc    func(name string) (Binding, bool)
	// CompileFunc is a version of a template, compiled.
	CompileFunc func(ctx context.Context, name string, number int64) (bindings.Template, error)
	// TestFunc is the experiment that a job names, whose own template is t, with the
	// versions that the job pins. What is wrong with it is a problem of the request.
	TestFunc func(ctx context.Context, named bindings.Experiment, job batch.Job, t bindings.Template) (*batch.Test, *bindings.Arms, error)
	// DeleteTemplateFunc deletes a template. One that a binding uses is an
	// *InUseError, one that a job draws a problem of code Conflict.
	DeleteTemplateFunc func(ctx context.Context, name string) error
	// CheckURLFunc says whether pictifyd may call an address that came over the API.
	CheckURLFunc func(ctx context.Context, url string) error
	// SweepFunc has all bytes looked through now for those that nothing shows.
	SweepFunc func()
	// RoomFunc says why nothing more can be taken in, for want of disk; nil when
	// it can. Without it there always is.
	RoomFunc func(ctx context.Context) error
	// FreshnessFunc is how current each source is.
	FreshnessFunc func(ctx context.Context) (map[string]connectors.Freshness, error)
	// LoadFunc is how much there is to do, with what, and how fast it goes.
	LoadFunc func(ctx context.Context) (Load, error)
	// SystemFunc looks at what the daemon runs on, and what it is made of.
	SystemFunc func(ctx context.Context) (System, error)
	// ReadyFunc says why the daemon can't do its work now; nil when it can.
	ReadyFunc func(ctx context.Context) error

	Registry     *prometheus.Registry
	Traces       *tracing.Tracer // nil: nothing is traced
	CountersFunc func(ctx context.Context) (Counters, error)
	URLSecrets   []string // verify signed addresses

	RelayKey  []byte     // by which other processes of this ledger hand requests on to this one
	Elsewhere *Elsewhere // nil: this process holds the ledger, and answers everything itself
}
