package store

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/template"
)

var errMissing = errors.New("the store is being written")

// Config says where the ledger lives.
type Config struct {
	URL string `yaml:"url"` // sqlite:PATH or postgres://…
}

func (c Config) Validate() error { return nil }

type Options struct {
	Log   *slog.Logger
	Dir   string
	Crash func(point string)
}
type Store struct{}
type Turn struct {
	ID                int64
	Source, Sink, Job string
}
type Workers struct {
	Slots                       int
	Render, Deliver, Poll, Plan func(ctx context.Context, t Turn) error
}
type CommitResult struct{ Rows, Promoted, Held int }
type Claim struct {
	Fingerprint string
	Spec        bindings.Spec
	Owner       bindings.Owner
	Attempt     int
}
type Rendered struct {
	Fingerprint   string
	Hash, Ext     string
	Bytes         int64
	Width, Height int
	Assets        []string
	Duration      time.Duration
	Problem       *bindings.Problem
	Retry         error
	After         time.Duration
}
type DeliveryClaim struct {
	ID, Sink   string
	Owner      bindings.Owner
	Key        string
	Generation int64
	Event      string
	CreatedAt  time.Time
	Attempt    int
	Row        map[string]any
	Outputs    []sink.Output
}
type Delivered struct {
	ID    string
	Err   error
	Dead  bool
	Retry time.Duration
}
type Counters struct {
	Rows, Missing, Quarantined                                                int64
	ItemsReady, ItemsWaiting, ItemsFailed, ItemsRemoved                       int64
	RendersWaiting, RendersClaimed, RendersDone, RendersFailed                int64
	DeliveriesWaiting, DeliveriesClaimed, DeliveriesDelivered, DeliveriesDead int64
	JobsOpen                                                                  int64
}

func Open(ctx context.Context, cfg Config, opt Options) (*Store, error) { return nil, errMissing }
func (s *Store) Close() error                                           { return errMissing }
func (s *Store) Run(ctx context.Context, w Workers, grace time.Duration) error {
	return errMissing
}
func (s *Store) Changes() (c <-chan struct{}, stop func()) { return nil, func() {} }
func (s *Store) Setting(ctx context.Context, name string, make func() (string, error)) (string, error) {
	return "", errMissing
}
func (s *Store) Epoch(ctx context.Context) (int64, error)      { return 0, errMissing }
func (s *Store) RaiseEpoch(ctx context.Context) (int64, error) { return 0, errMissing }
func (s *Store) PublishTemplate(ctx context.Context, v template.Version) (template.Version, error) {
	return v, errMissing
}
func (s *Store) Template(ctx context.Context, name string, number int64) (template.Version, error) {
	return template.Version{}, errMissing
}
func (s *Store) Templates(ctx context.Context) ([]template.Version, error) { return nil, errMissing }
func (s *Store) WantPoll(ctx context.Context, source string) error         { return errMissing }
func (s *Store) BeginPoll(ctx context.Context, t Turn) (from connectors.Cursor, reading string, seq int64, err error) {
	return nil, "", 0, errMissing
}
func (s *Store) EndPoll(ctx context.Context, t Turn, failure error) error { return errMissing }
func (s *Store) Known(ctx context.Context, source string, keys []string, names []string) (map[string]bindings.Known, error) {
	return nil, errMissing
}
func (s *Store) Commit(ctx context.Context, p bindings.Plan) (CommitResult, error) {
	return CommitResult{}, errMissing
}
func (s *Store) FirstReadings(ctx context.Context, names []string) (map[string]bool, error) {
	return nil, errMissing
}
func (s *Store) Rows(ctx context.Context, source, after string, limit int) ([]bindings.StoredRow, error) {
	return nil, errMissing
}
func (s *Store) BindingDigest(ctx context.Context, binding string) (string, error) {
	return "", errMissing
}
func (s *Store) SetBinding(ctx context.Context, binding, source, digest string) error {
	return errMissing
}
func (s *Store) DropBindings(ctx context.Context, keep []string) error { return errMissing }
func (s *Store) Replan(ctx context.Context, binding string, props []bindings.Proposal) (changed int, err error) {
	return 0, errMissing
}
func (s *Store) Reap(ctx context.Context, source string, missingBefore time.Time, remove []string) (int, error) {
	return 0, errMissing
}
func (s *Store) AcceptGuard(ctx context.Context, binding string) (promoted int, err error) {
	return 0, errMissing
}
func (s *Store) ClaimRenders(ctx context.Context, t Turn, limit int) ([]Claim, error) {
	return nil, errMissing
}
func (s *Store) FinishRenders(ctx context.Context, t Turn, done []Rendered, end bool) error {
	return errMissing
}
func (s *Store) ClaimDeliveries(ctx context.Context, t Turn, limit int) ([]DeliveryClaim, error) {
	return nil, errMissing
}
func (s *Store) FinishDeliveries(ctx context.Context, t Turn, done []Delivered, end bool) error {
	return errMissing
}
func (s *Store) SetSinks(of map[string][]string, events map[string][]string) {}
func (s *Store) FindJob(ctx context.Context, idempotencyKey string) (batch.Job, bool, error) {
	return batch.Job{}, false, errMissing
}
func (s *Store) StageRows(ctx context.Context, job string, rows []batch.Row) error {
	return errMissing
}
func (s *Store) AcceptJob(ctx context.Context, j batch.Job) error  { return errMissing }
func (s *Store) DiscardRows(ctx context.Context, job string) error { return errMissing }
func (s *Store) UnplannedRows(ctx context.Context, job string, limit int) ([]batch.Row, error) {
	return nil, errMissing
}
func (s *Store) PlanRows(ctx context.Context, t Turn, job string, props []bindings.Proposal, planned int64, end bool) error {
	return errMissing
}
func (s *Store) Job(ctx context.Context, id string) (batch.Job, error) {
	return batch.Job{}, errMissing
}
func (s *Store) Jobs(ctx context.Context, limit int) ([]batch.Job, error) { return nil, errMissing }
func (s *Store) Results(ctx context.Context, job string, after int64, limit int, status string) ([]batch.Result, error) {
	return nil, errMissing
}
func (s *Store) Bindings(ctx context.Context, names []string) ([]bindings.Status, error) {
	return nil, errMissing
}
func (s *Store) Image(ctx context.Context, o bindings.Owner, key, output string, ext string) (bindings.Image, error) {
	return bindings.Image{}, errMissing
}
func (s *Store) Images(ctx context.Context, limit int) ([]bindings.Image, error) {
	return nil, errMissing
}
func (s *Store) Counters(ctx context.Context) (Counters, error) { return Counters{}, errMissing }
func (s *Store) Quarantine(ctx context.Context, source string, limit int) ([]bindings.Quarantined, error) {
	return nil, errMissing
}
func (s *Store) Ping(ctx context.Context) error { return errMissing }
func (s *Store) AssetPin(ctx context.Context, url string) (assets.Pin, bool, error) {
	return assets.Pin{}, false, errMissing
}
func (s *Store) SaveAssetPin(ctx context.Context, url string, p assets.Pin) error { return errMissing }
