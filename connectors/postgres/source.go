package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	polling "github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/connectors/postgres/slot"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of what is wrong with a table.
const (
	NoPrimaryKey = "no_primary_key"
	NoColumn     = pg.NoColumn
	SameName     = "two_columns_of_one_name"
)

// state is what the cursor holds.
type state struct {
	Digest  string   `json:"digest"` // of all rows
	Changed *changed `json:"changed,omitempty"`
}

type source struct {
	cfg     *Config
	log     *slog.Logger
	nowFunc func() time.Time
	table   pg.Name // of the table; empty for a query
	binding polling.Binding
	reads   *pg.Line // of readings
	looks   *pg.Line // of single rows

	recent  recent // what was committed of the last rows; only a reading uses it
	unknown int    // rows without a watermark that the log knows of
	behind  bool   // the log knows that the server is a replica that is behind

	mu    sync.Mutex
	types map[uint32]*kind // those that are not of the server's own, by OID
}

// keyed is a source that finds single rows.
type keyed struct{ *source }

var (
	_ connectors.Poller = (*source)(nil)
	_ connectors.Finder = keyed{}
)

func newSource(cfg *Config, env connectors.Env) (connectors.Poller, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	server, invalid := pg.Parse(cfg.DSN.Reveal())
	if invalid != nil {
		return nil, invalid.At("dsn")
	}
	s := &source{cfg: cfg, log: slog.New(slog.DiscardHandler), nowFunc: time.Now, reads: pg.NewLine(server), looks: pg.NewLine(server), types: map[uint32]*kind{}}
	if env.Log != nil {
		s.log = env.Log.With(slog.String("source", env.Name))
	}
	if cfg.Table != "" {
		s.table, _ = pg.ParseName(cfg.Table) // Validate has read it
	}
	place, _ := pg.PlaceOf(cfg.DSN.Reveal())
	decisive := []any{place, s.table, cfg.query(), cfg.Columns, cfg.Where, cfg.Key}
	if cfg.Watermark != "" {
		decisive = append(decisive, cfg.Watermark)
	}
	var err error
	if s.binding, err = polling.Bind(decisive...); err != nil {
		return nil, err
	}
	switch {
	case cfg.Streams():
		return newFollower(s, server, slot.New(slot.Config{
			Server: server, Table: s.table, Key: cfg.Key, Columns: cfg.Columns, Source: env.Name, Instance: env.Instance,
			Slot: cfg.Slot, Publication: cfg.Publication, Failover: cfg.Failover,
			Heartbeat: cfg.Heartbeat.Std(), MaxRetained: int64(cfg.MaxRetained), OnRetained: cfg.OnRetained,
		})), nil
	case cfg.Finds():
		return keyed{s}, nil
	}
	return s, nil
}

// Close gives the connections back.
func (s *source) Close() error {
	_ = s.looks.Close() // neither fails
	return s.reads.Close()
}

// Poll implements connectors.Poller.
func (s *source) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		var emitting error // is not the server's
		emitted := false
		err := s.reads.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
			return s.read(ctx, conn, from, func(ctx context.Context, b connectors.Batch) error {
				emitted = true
				emitting = emit(ctx, b)
				return emitting
			})
		})
		switch {
		case emitting != nil:
			return emitting
		case isConflict(err) && !emitted && tries < conflictTries:
			continue
		}
		return s.named(ctx, conflict(err))
	}
}

// read goes through one snapshot, twice where it is not as the cursor says.
func (s *source) read(ctx context.Context, conn *pgconn.PgConn, from connectors.Cursor, emit connectors.Emit) error {
	if err := s.noteReplica(ctx, conn); err != nil {
		return err
	}
	w, err := s.prepared(ctx, conn)
	if err != nil {
		return err
	}
	var last state
	known := s.binding.Open(from, &last)
	if s.cfg.Watermark == "" {
		return s.compare(ctx, w, known, last, emit)
	}
	return s.follow(ctx, w, from, known, last, emit)
}

// compare reads all rows, and emits them where they are not as the cursor says.
func (s *source) compare(ctx context.Context, w *walk, known bool, last state, emit connectors.Emit) error {
	var kept []*page
	if known {
		f, err := w.open(ctx)
		if err != nil {
			return err
		}
		digest, pages, err := w.digest(ctx, f)
		if err != nil {
			return err
		}
		if digest == last.Digest {
			return polling.Unchanged(ctx, emit, nil) // which costs no commit
		}
		kept = pages
	}
	rows, err := w.rows(ctx, kept)
	if err != nil {
		return err
	}
	reading := polling.NewReading(w.key, emit)
	if err := reading.Copy(ctx, rows); err != nil {
		return err
	}
	cursor, err := s.binding.Seal(state{Digest: rows.sum.text()})
	if err != nil {
		return err
	}
	return reading.Close(ctx, connectors.Closing{Complete: true, Cursor: cursor})
}

// patience is how long an answer of the server is waited for: a little longer than
// the server takes at most, so that its own word comes first. It is for a server, or
// a way to it, that says nothing any more.
func (c *Config) patience() time.Duration {
	return c.Timeout.Std() + c.Timeout.Std()/4 + time.Second
}

// prepared begins a reading.
func (s *source) prepared(ctx context.Context, conn *pgconn.PgConn) (*walk, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.patience())
	defer cancel()
	if err := s.begin(ctx, conn); err != nil {
		return nil, err
	}
	return s.prepare(ctx, conn)
}

// settings make the server write values in one form, whatever it is configured to,
// and bound how long anything may take. They end with the transaction.
func (s *source) settings() string {
	milliseconds := s.cfg.Timeout.Std().Milliseconds()
	return fmt.Sprintf(`SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL client_encoding = 'UTF8'; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL lc_monetary = 'C'; SET LOCAL xmlbinary = 'base64';
SET LOCAL cursor_tuple_fraction = 1`, max(milliseconds, 1), lockLimit)
}

// lockLimit is for how many milliseconds a reading waits behind an ALTER TABLE.
const lockLimit = 5000

func (s *source) begin(ctx context.Context, conn *pgconn.PgConn) error {
	_, err := conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "+s.settings()).ReadAll()
	return err
}

// statement is the SELECT of all rows.
func (s *source) statement(key []string) string {
	if s.cfg.Query != "" {
		return s.cfg.query()
	}
	columns := "*"
	if len(s.cfg.Columns) > 0 {
		var quoted []string
		seen := map[string]bool{}
		for _, c := range append(append(append([]string{}, key...), s.cfg.Columns...), s.cfg.Watermark) {
			if !seen[c] && c != "" {
				quoted = append(quoted, pg.Quote(c))
			}
			seen[c] = true
		}
		columns = strings.Join(quoted, ", ")
	}
	text := "SELECT " + columns + " FROM " + s.table.SQL()
	if s.cfg.Where != "" {
		text += " WHERE (" + s.cfg.Where + "\n)" // a comment may end it
	}
	return text
}

// prepare has the server look at the statement, without running it.
func (s *source) prepare(ctx context.Context, conn *pgconn.PgConn) (*walk, error) {
	key, strict := []string(s.cfg.Key), false
	if s.cfg.Table != "" {
		table, err := pg.Look(ctx, conn, s.table)
		if err != nil {
			return nil, err
		}
		if len(key) == 0 {
			key = table.Primary
		}
		if len(key) == 0 {
			return nil, problem.New(problem.Invalid, "%s has no primary key", table.Name).At("key").WithSlug(NoPrimaryKey).
				WithHint("name the columns that identify a row, as in key: %s", table.Columns[0].Name)
		}
		if err := hasColumns(table.Names(), "columns", s.cfg.Columns); err != nil {
			return nil, err
		}
		if err := hasColumns(table.Names(), "key", key); err != nil {
			return nil, err
		}
		if s.cfg.Watermark != "" {
			if err := hasColumns(table.Names(), "watermark", []string{s.cfg.Watermark}); err != nil {
				return nil, err
			}
		}
		strict = !slices.ContainsFunc(key, func(name string) bool {
			c, _ := table.Column(name)
			return !c.NotNull
		})
	}
	text := s.statement(key)
	described, err := conn.Prepare(ctx, "", text, nil)
	if err != nil {
		return nil, err
	}
	w := &walk{conn: conn, sql: text, key: key, strict: strict, named: s.title(), patience: s.cfg.patience()}
	if w.columns, err = s.columnsOf(ctx, conn, described.Fields); err != nil {
		return nil, err
	}
	return w, hasColumns(w.names(), "key", key)
}

// hasColumns reports the first of wanted that is not among names.
func hasColumns(names []string, path string, wanted []string) error {
	for _, column := range wanted {
		if !contains(names, column) {
			return problem.New(problem.Invalid, "there is no column %q; there are %s", column, connectors.Quoted(names)).At(path).WithSlug(NoColumn).
				WithHint("correct the name; it is as in the catalog, also in its case")
		}
	}
	return nil
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func (s *source) title() string {
	if s.cfg.Table != "" {
		return s.table.String()
	}
	return "query"
}

// named says what an error is about. The end of ctx goes before what it caused.
func (s *source) named(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case s.cfg.Table != "":
		return fmt.Errorf("read table %s: %w", s.table, err)
	}
	return fmt.Errorf("read query: %w", err)
}
