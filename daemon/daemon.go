package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/internal/spool"
	"github.com/pictifyd/pictifyd/internal/tracing"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/store/blob"
)

const (
	// defaultGrace is how long work in hand may take to finish after SIGTERM,
	// once the requests in flight have. All of it stays within the 30 s that
	// Kubernetes gives.
	defaultGrace = 20 * time.Second
	// recordGrace is for what was cut off then to be put back.
	recordGrace = 5 * time.Second
)

// Options are what a program gives to Run beside the configuration.
type Options struct {
	Log      *slog.Logger
	Version  string          // of pictifyd, for people
	Roles    Roles           // what the settings are run with, also when their file is read again; see Settings.With
	Once     bool            // read every source once, render, deliver, end
	Renderer render.Renderer // instead of the Chrome pool; for tests and figures about rows
	Grace    time.Duration   // for work in hand at the end; zero is 20 s
	Standby  bool            // wait for a ledger that another daemon has; with a part of the roles it does so anyway
	Cache    string          // a folder for what this machine finds out about itself; "" finds out nothing

	// Config is the file that the settings are of: it is watched, and read again
	// when it changes or Reload has something. "" is never read again.
	Config string
	Reload <-chan os.Signal

	// Listening is called with the address once requests are answered.
	Listening func(addr net.Addr)
	// StandingBy is called with the address when Run begins to wait for its ledger, and
	// answers nothing but how it is.
	StandingBy func(addr net.Addr)
	// Crash is called at each named moment between two durable steps. Tests die there.
	Crash func(point string)
	// started is called with the daemon before its stages run; for tests that look inside.
	started func(*Daemon)
}

// Daemon is one running pictifyd: the rooms, and what is carried between them.
type Daemon struct {
	settings *Settings
	options  Options
	log      *slog.Logger
	urls     urls
	faults   faults
	metrics  *metrics
	traces   *tracing.Tracer // nil where nothing is traced
	kept     keeper
	now      now
	planning rota // of the plan turns, one page each
	stride   stride
	couriers seats // one for each sink
	runRows  int   // of a reading, that a run has at most

	store     *store.Store
	blobs     blob.Store
	spool     *spool.Spool
	assets    *assets.Library
	templates *templates
	renderer  render.Renderer
	pool      *chrome.Pool // nil when Options gave another renderer
	guarded   *http.Client // dials what callers and rows name
	guard     *egress.Guard

	api      *api.Server
	relay    *api.Relay // nil where requests are not handed on
	listener net.Listener
	relayed  string // where other processes of the ledger reach this one; "" where nobody does
	vault    *vault

	fileExperiments *errand                 // makes the experiments what the file says
	alarms          chan api.FailingVariant // that subscriptions are to be told of
	experimentID    func() string           // makes one

	subscribers subscribers

	current  atomic.Pointer[roster]
	renewing sync.Mutex    // held by whoever makes another roster
	renewed  chan struct{} // rings when there is one
	changing gate          // entered by whoever changes what there is
	again    atomic.Pointer[RestartError]

	mu     sync.Mutex
	unable map[string]error // bindings that cannot work now, and why
	told   map[string]bool  // those of which the store knows that
	polled map[string]error // how the last poll of a source ended

	waiting map[string]bool // bindings that join rows of sources which were not read yet
	news    news
	churn   *churn
	holding holding
	release *errand // gives back what is kept for streams that are no more
	catchUp *errand // reads anew what the holder of the ledger has changed

	instance string // as in connectors.Env
	circles  circles

	exhibit *exhibit
	copilot *copilot.Copilot

	looking   chan struct{} // those who read sources by themselves
	confirmed confirmations

	sweepAsked chan struct{} // somebody wants bytes to be looked through
	seen       atomic.Pointer[sweptAt]
	began      time.Time
	unscrubbed atomic.Bool // the store's files may still have what was deleted
}

// Run runs pictifyd with settings until ctx ends, then drains. It returns nil
// after a clean end, a *RestartError when the configuration changed so that
// another Run must take it, a problem of code Surroundings when this machine
// lacks something, an error that is Lost when another daemon has its ledger, and any
// other error when going on was useless.
func Run(ctx context.Context, settings *Settings, o Options) error {
	d := newDaemon(settings, o)
	listener, err := api.Listen(ctx, settings.Server)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer listener.Close()
	d.listener, d.relayed = listener, settings.Server.OwnAddress(listener.Addr())
	d.urls.base = publicBase(settings.Server, listener.Addr().String())
	closing, err := d.open(ctx)
	defer closing()
	if err != nil {
		return unlessEnded(ctx, err)
	}
	if d.api, err = d.server(ctx); err != nil {
		return err
	}
	if o.started != nil {
		o.started(d)
	}
	ctx, finish := context.WithCancel(ctx)
	defer finish()
	err = runStages(ctx, api.DrainTime+d.options.Grace+recordGrace, d.stages(listener, finish)...)
	if again := d.again.Load(); again != nil && err == nil {
		return again
	}
	return err
}

// stages are what this process runs, in the order of their start.
func (d *Daemon) stages(listener net.Listener, finish func()) []stage {
	all := []struct {
		stage
		by duty
	}{
		{stage{"queue", d.queue}, ofAll},
		{stage{"members", d.watchMembers}, ofHolder},
		{stage{"holder", d.followHolder}, ofMembers},
		{stage{"templates", d.watchTemplates}, ofHolder},
		{stage{"sources", d.watchSources}, ofHolder},
		{stage{"experiments", d.exhibit.run}, ofHolder},
		{stage{"verdicts", d.runExperiments}, ofHolder},
		{stage{"copilot", d.runCopilot}, ofHolder},
		{stage{"http", func(ctx context.Context) error { return d.serve(ctx, listener) }}, ofAll},
		{stage{"once", func(ctx context.Context) error { return d.once(ctx, finish) }}, ofHolder},
		{stage{"reload", func(ctx context.Context) error { return d.reloads(ctx, finish) }}, ofAll},
	}
	var mine []stage
	for _, s := range all {
		if s.by == ofAll || (s.by == ofMembers) == d.member() {
			mine = append(mine, s.stage)
		}
	}
	return mine
}

func newDaemon(settings *Settings, o Options) *Daemon {
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	d := &Daemon{
		settings: settings, options: o, log: o.Log, metrics: newMetrics(), began: time.Now(),
		unable: map[string]error{}, polled: map[string]error{}, planning: newRota(planFlight), runRows: batch.MaxRunRows,
		sweepAsked: make(chan struct{}, 1), looking: make(chan struct{}, looks),
		renewed: make(chan struct{}, 1), changing: newGate(),
		vault:   &vault{named: settings.Secrets, keyFunc: settings.sealKeys},
		waiting: map[string]bool{}, urls: urls{signers: &signers{}},
	}
	d.news.tell = newErrand(d.follow, func(err error) { d.faults.note(d.log, "lookups", "of changed sources", err) })
	d.release = newErrand(d.releaseHolds, func(err error) { d.faults.note(d.log, "streams", "that are no more", err) })
	d.catchUp = newErrand(d.readAnew, func(err error) { d.faults.note(d.log, "store", "what its holder has changed", err) })
	d.exhibit = newExhibit(d)
	d.alarms, d.experimentID = make(chan api.FailingVariant, mostAlarms), newExperimentID
	d.exhibit.failing.alarmFunc = d.alarm
	d.fileExperiments = newErrand(d.followFile, func(err error) { d.faults.note(d.log, "experiments", "of the configuration", err) })
	d.churn = newChurn()
	d.churn.holdFunc, d.churn.tripFunc, d.churn.ownFunc = d.holdBack, d.circled, d.writtenBy
	d.circles.stop = newErrand(d.stopCircles, func(err error) { d.faults.note(d.log, "circles", "of rows", err) })
	return d
}

// unlessEnded is err, or nil after a signal: a start that was cut short by it is
// a clean end.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// open makes the rooms. closing undoes whatever was opened, also after an error.
func (d *Daemon) open(ctx context.Context) (closing func(), err error) {
	var opened []func()
	closing = func() {
		for i := len(opened) - 1; i >= 0; i-- {
			opened[i]()
		}
	}
	s := d.settings
	if err = d.openTraces(ctx); err != nil {
		return closing, err
	}
	opened = append(opened, func() { d.closeTraces(ctx) })
	if d.store, err = d.openStore(ctx); err != nil {
		return closing, err
	}
	opened = append(opened, func() { d.close("store", d.store.Close) })
	if d.blobs, err = blob.Open(s.Blobs, s.Dir); err != nil {
		return closing, err
	}
	opened = append(opened, func() { d.close("images", d.blobs.Close) })
	d.metrics.blobs.observe(d.blobs)
	d.spool = spool.New(d.blobs.Temporary(), spool.Options{})
	opened = append(opened, func() { d.close("files to send", d.spool.Close) })
	if d.guard, err = egress.New(s.Egress); err != nil {
		return closing, err
	}
	d.metrics.registry.MustRegister(sinkCounts{d})
	if !d.member() { // what is the ledger's is told once
		d.metrics.registry.MustRegister(freshnessCollector{d}, sinkCollector{d}, lettersCollector{d}, streamCollector{d}, copilotCollector{d})
	}
	d.guarded = d.guard.Client(egress.ClientOptions{Timeout: 30 * time.Second})
	fetcher := d.guard.Client(egress.ClientOptions{Timeout: 15 * time.Second, MaxRedirects: 3})
	d.assets = assets.New(fetcher, d.store, d.blobs, assets.Limits{})
	if err := d.openSecrets(ctx); err != nil {
		return closing, err
	}
	if d.told, err = d.store.Unable(ctx); err != nil {
		return closing, err
	}
	if !d.member() {
		if err := errors.Join(d.auditStart(ctx), d.reseal(ctx, s)); err != nil {
			return closing, err
		}
	}
	if d.instance, err = d.store.Setting(ctx, "instance", newInstance); err != nil {
		return closing, err
	}
	if err := d.renew(ctx); err != nil {
		return closing, err
	}
	d.templates = &templates{
		dir: absolute(s.Dir, s.Templates.Path), write: s.Templates.Write, versions: d.store, assets: d.assets,
		faults: &d.faults, log: d.log, notifyFunc: fsnotify.NewWatcher, crash: d.crash,
	}
	if !d.member() { // the folder is its holder's door to the ledger
		if _, err := d.templates.sync(ctx); err != nil {
			return closing, err
		}
	}
	if err := d.exhibit.open(ctx); err != nil {
		return closing, err
	}
	if err := d.openRenderer(ctx); err != nil {
		return closing, err
	}
	if d.pool != nil {
		opened = append(opened, func() {
			d.close("chrome", func() error {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
				defer cancel()
				return d.pool.Close(ctx)
			})
		})
	}
	if d.member() {
		return closing, nil
	}
	return closing, d.openCopilot(ctx)
}

// openStore opens the ledger, where the daemon stands by when it is its turn.
func (d *Daemon) openStore(ctx context.Context) (*store.Store, error) {
	o := store.Options{
		Log: d.log, Dir: d.settings.Dir, Crash: d.options.Crash, RowsChanged: d.rowsChanged, Renewed: d.renewedFunc(),
		Member: d.member(), Changed: func(string) { d.catchUp.ask() },
		Roles: d.roles().names(), Version: d.options.Version, Address: d.relayed,
	}
	if !d.options.Standby && !d.roles().Partial() {
		return store.Open(ctx, d.settings.Store, o)
	}
	turn := &standby{daemon: d, listener: d.listener}
	o.Standby = turn.waits
	opened, err := store.Open(ctx, d.settings.Store, o)
	turn.over(err == nil)
	return opened, err
}

func (d *Daemon) close(what string, closeFunc func() error) {
	if err := closeFunc(); err != nil {
		d.log.Error("close", slog.String("what", what), slog.Any("err", err))
	}
}

// openSecrets reads the keys that the store keeps, and makes them the first time.
func (d *Daemon) openSecrets(ctx context.Context) error {
	keys, err := d.signersOf(ctx, d.settings.Server)
	d.urls.signers.set(keys)
	return err
}

// hookSecrets sign the webhooks of batches, each of them.
func (d *Daemon) hookSecrets(ctx context.Context) ([]string, error) {
	cfg := d.file().Server
	secret := cfg.WebhookSecret.Reveal()
	if secret == "" {
		made, err := d.store.Setting(ctx, "webhook_secret", newSecret)
		return []string{made}, err
	}
	if previous := cfg.PreviousWebhookSecret.Reveal(); previous != "" {
		return []string{secret, previous}, nil
	}
	return []string{secret}, nil
}

// newInstance is a word for the names of what is made at other servers.
func newInstance() (string, error) { return strings.ToLower(rand.Text()[:8]), nil }

func newSecret() (string, error) { return signing.NewSecret(), nil }

func (d *Daemon) serve(ctx context.Context, l net.Listener) error {
	if d.options.Listening != nil {
		d.options.Listening(l.Addr())
	}
	d.log.Info("pictifyd listens", slog.String("url", d.urls.base+"/"))
	return d.api.Run(ctx, l)
}

// crash dies here when a test said so.
func (d *Daemon) crash(point string) {
	if d.options.Crash != nil {
		d.options.Crash(point)
	}
}

// setUnable notes why a binding cannot work now; nil when it can.
func (d *Daemon) setUnable(binding string, err error) {
	if !isUnread(err) { // to wait is no fault
		d.faults.note(d.log, "binding", binding, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.unable, binding)
	if err != nil {
		d.unable[binding] = err
	}
}

// absolute is path seen from dir.
func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
