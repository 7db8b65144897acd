package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib" // also the driver "pgx"
	"github.com/riverqueue/river"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Options are what a program gives to Open beside the configuration.
type Options struct {
	Log *slog.Logger // nil logs nothing
	Dir string       // relative SQLite paths are seen from here

	// Crash is called at each named moment between two durable steps. Tests die there.
	Crash func(point string)
	// RowsChanged is called when rows of a source have changed and are whole, with its
	// name: a reading was closed, or a person deleted some. With "" there may be
	// LookupChanges. It must not block.
	RowsChanged func(source string)
	// Renewed is called after a commit with the rows whose images got another generation, in the context of
	// whoever committed; nil: nobody asks. It must not block.
	Renewed func(ctx context.Context, rows []Renewed)
	// Standby makes Open wait for a ledger that another daemon has, or whose server
	// does not answer. It is called with the reason after each look; nil: Open fails.
	Standby func(reason error)

	// Member makes Open join a ledger in PostgreSQL beside whoever holds it, instead of
	// holding it. A member migrates nothing: where the tables are older than it needs,
	// or are not there, it stands by.
	Member bool
	// Changed is called in a member when the holder has changed something that others
	// know by heart, with its name: resources, templates, keys, subscriptions or routes.
	// It must not block.
	Changed func(what string)

	// What the others and people are told of this process.
	Roles   []string
	Version string
	Address string // where its API answers; SetAddress changes it
}

// A Store is an open ledger. Its methods may be called at once from many
// goroutines. What a method changed is durable when it returned nil.
type Store struct {
	log   *slog.Logger
	crash func(point string)

	rowsChanged func(source string)                       // nil: nobody asks
	renewed     func(ctx context.Context, rows []Renewed) // nil: nobody asks
	standby     func(reason error)                        // nil: what is locked is refused
	changed     func(what string)                         // nil: nobody asks
	member      bool                                      // somebody else holds the ledger
	self        Member                                    // this process

	dialect *dialect
	db      *sql.DB // writes; on SQLite one connection, which River shares
	read    *sql.DB // views; on Postgres the same as db
	lock    lock
	folder  string // of the SQLite file
	writer  writer

	queue *river.Client[*sql.Tx] // inserts turns
	bell  *bell                  // wakes River's workers
	slots atomic.Int64           // render turns at a time, in all processes
	own   int64                  // and here; of Run
	seen  map[string]int64       // the revisions when a member looked last; of Run

	left     <-chan struct{} // closed when what abandon left in hand has ended; nil: nothing
	draining atomic.Bool     // no deliveries are taken on any more
	feed     feed

	lately lately

	// In PostgreSQL, how each connection is made, and let in.
	connects *pgx.ConnConfig
	admit    func(ctx context.Context, conn *pgx.Conn) error

	hints *hints        // for the other processes
	look  chan struct{} // one of them hints that something has changed

	noted      atomic.Bool         // of a member: the holder reckons with it
	silent     map[int64]time.Time // members whose lock nobody has, since when; of reckon
	noting     sync.Mutex          // held by whoever looks for members
	patrols    sync.WaitGroup      // ends after stopPatrol
	stopPatrol context.CancelFunc  // nil: there is none

	unsettled atomic.Bool // members were put out, and may have something open

	loading     sync.Mutex // held by whoever reads the subscriptions anew
	subscribing sync.Mutex // held by whoever adds one

	mu          sync.Mutex
	routed      routes
	unpublished bool   // members do not know them yet
	lastServed  string // the owner whose renders were claimed last
	claims      int64  // turns that got renders
	working     map[int64]struct{}
	gone        []Process           // were put out while this one holds the ledger, the last ones
	orphans     map[int64]time.Time // turns that run according to River, but not here
}

// Open opens the ledger, makes or migrates its tables, and takes its lock. A
// ledger that another daemon holds is a problem of code Surroundings.
func Open(ctx context.Context, cfg Config, opt Options) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opt.Member && !cfg.postgres() {
		return nil, problem.New(problem.Unsupported, "a SQLite store is one process's: no other can work beside it").WithSlug("store_single").
			WithHint("leave out roles, or set store.url to a Postgres server; pictifyd store copy takes the ledger there")
	}
	s := &Store{
		log: opt.Log, crash: opt.Crash, rowsChanged: opt.RowsChanged, renewed: opt.Renewed, standby: opt.Standby, dialect: &dialect{postgres: cfg.postgres()}, bell: newBell(),
		working: map[int64]struct{}{}, orphans: map[int64]time.Time{}, changed: opt.Changed, member: opt.Member,
		hints: newHints(), look: make(chan struct{}, 1),
		self: Member{ID: newID(), Place: place(), Roles: opt.Roles, Version: opt.Version, Address: opt.Address, Since: time.Now(), Holder: !opt.Member},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.crash == nil {
		s.crash = func(string) {}
	}
	s.slots.Store(1)
	if err := s.open(ctx, cfg, opt.Dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, cfg Config, dir string) error {
	connect := s.openSQLite
	if cfg.postgres() {
		connect = s.openPostgres
	}
	if err := connect(ctx, cfg, dir); err != nil {
		return err
	}
	if !s.member {
		if err := s.migrate(ctx); err != nil {
			return err
		}
	}
	var err error
	if s.queue, err = river.NewClient(s.driver(), &river.Config{Logger: s.riverLog()}); err != nil {
		return fmt.Errorf("open the queue: %w", err)
	}
	if cfg.postgres() {
		s.writer = &parallelWriter{store: s}
	} else {
		s.writer = newSerialWriter(s)
	}
	if s.member {
		if s.seen, err = s.revisions(ctx); err != nil {
			return err
		}
	}
	if err := s.loadSubscriptions(ctx); err != nil || s.member {
		return err
	}
	if err := s.enroll(ctx); err != nil {
		return err
	}
	if cfg.postgres() {
		s.unsettled.Store(true) // as the one before may have left it
		if err := s.noteMembers(ctx); err != nil {
			return err
		}
		looking, stop := context.WithCancel(context.WithoutCancel(ctx))
		s.stopPatrol = stop
		s.patrols.Go(func() { s.patrol(looking) })
	}
	if err := s.dropGone(ctx); err != nil {
		return err
	}
	return s.sweepStaged(ctx)
}

func (s *Store) openSQLite(ctx context.Context, cfg Config, dir string) error {
	path := cfg.file(dir)
	// Images of private bindings lie below it too, where nothing else is configured.
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return problem.New(problem.Surroundings, "make the folder of the store: %w", err).
			WithHint("let pictifyd write there, or set store.url to another place")
	}
	s.folder = filepath.Dir(path)
	if err := s.hold(ctx, func(context.Context) error {
		held, err := lockFile(s.folder)
		if err == nil {
			s.lock = held
		}
		return err
	}); err != nil {
		return err
	}
	// The ledger holds secrets; its companions (-wal, -shm) inherit the mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return problem.New(problem.Surroundings, "open the store: %w", err).WithHint("let pictifyd write there, or set store.url to another place")
	}
	f.Close()
	if s.db, err = sql.Open("sqlite", sqliteDSN(path, "synchronous(FULL)", "journal_mode(WAL)", "secure_delete(1)", "foreign_keys(1)", "cache_size(-16000)")+"&_txlock=immediate"); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", sqliteDSN(path, "query_only(1)")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(4)
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("open the store %s: %w", path, s.explain(err))
	}
	return nil
}

// sqliteDSN waits for a lock: a backup tool may hold it for a moment.
func sqliteDSN(path string, pragmas ...string) string {
	query := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
}

func (s *Store) openPostgres(ctx context.Context, cfg Config, _ string) error {
	parsed, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	held, err := s.takePost(ctx, parsed)
	if err != nil {
		return err
	}
	parsed.DialFunc = held.dial(parsed.DialFunc)
	if parsed.RuntimeParams["application_name"] == "" {
		parsed.RuntimeParams["application_name"] = "pictifyd"
	}
	s.connects, s.admit = parsed, held.admit
	db := stdlib.OpenDB(*parsed, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		if err := held.admit(ctx, conn); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, pagesCost)
		if err != nil {
			closeNow(conn) // nobody else does
		}
		return err
	}))
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.lately.forbid(s.member)
	s.db, s.read = db, db
	return away(db.PingContext(ctx))
}

// pagesCost tells the planner what a page costs that is in memory or on a disk without a head, as
// PostgreSQL's own advice is, and as little as the operator says where that is less. By the default of
// 4.0 it reads whole tables for a few keys while they have some thousand rows, and keeps to that for as
// long as a connection has the plan, however large they become.
const pagesCost = `SELECT set_config('random_page_cost', least(CAST(current_setting('random_page_cost') AS DOUBLE PRECISION), 1.1)::TEXT, false)`

// takePost takes the ledger in PostgreSQL, or joins it.
func (s *Store) takePost(ctx context.Context, cfg *pgx.ConnConfig) (*session, error) {
	if s.member {
		m := newMember(cfg, s.log, s.self)
		s.lock = m
		return m.session, s.hold(ctx, m.take)
	}
	h := newHolder(cfg, s.log, s.self.ID)
	s.lock = h
	return h.session, s.hold(ctx, h.take)
}

// Close ends the store. Nothing else may be called at the same time, or after.
func (s *Store) Close() error {
	var errs []error
	if s.stopPatrol != nil {
		s.stopPatrol()
		s.patrols.Wait()
	}
	if s.queue != nil && !s.member && s.Certain() == nil {
		s.resign()
	}
	if s.writer != nil {
		s.writer.close()
	}
	if s.read != nil && s.read != s.db {
		errs = append(errs, s.read.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil { // after all that it keeps safe
		errs = append(errs, s.lock.release())
	}
	return errors.Join(errs...)
}

// Ping reports whether the ledger can be read.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one)
}
