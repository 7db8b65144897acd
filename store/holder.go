package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// How long a holder of a ledger in PostgreSQL may be silent. The server ends a
// session in which nothing was asked for serverPatience, whatever became of its
// process: frozen, cut off, or behind a network that swallows everything. That needs
// no setting of TCP. It counts from the last question, and the holder from before
// it sent that: so the holder stops for sure, by its own clock, a second before
// anybody else can have the lock. A process that stands by tries every standbyLook,
// and ends what the other one has left within milliseconds. So it has the ledger at
// most 6.6 s after the last sign of life, and a second or two, in which it reads its
// templates and proves its Chrome, are left of ten.
const (
	beatEvery      = 2 * time.Second
	beatPatience   = 1500 * time.Millisecond // then another connection is tried
	lockPatience   = 5 * time.Second         // without a word of the server, then the lock counts as lost
	serverPatience = 6 * time.Second

	// A process that was asleep for long looks at least so long whether the lock can
	// be had again: nobody may have missed it.
	retakeLeast = 2 * time.Second
	retakeEvery = 200 * time.Millisecond

	takeLimit = 15 * time.Second // for all that taking the lock asks
)

// A holder holds an advisory lock in a session of its own: one daemon per database
// and schema. See fence.go for how those before it are kept from writing.
type holder struct {
	session *pgx.ConnConfig // of the lock
	log     *slog.Logger

	// Of the session. After take only keep uses them, after keep only release.
	conn  *pgx.Conn
	pid   int64
	began string // when the session did, as the server says

	// Set by take, and not changed while the store is open.
	id    string
	epoch int64

	start time.Time
	heard atomic.Int64 // when the last beat that was answered was sent, since start

	unsure atomic.Bool // the session broke, and the lock was not taken again yet

	stop  context.CancelFunc
	ended chan struct{} // closed when keep has ended

	mu     sync.Mutex
	gone   chan struct{} // closed when the lock was lost
	fault  error         // how
	dialed map[*dialed]struct{}
}

func newHolder(cfg *pgx.ConnConfig, log *slog.Logger) *holder {
	h := &holder{session: cfg.Copy(), log: log, start: time.Now(), gone: make(chan struct{}), dialed: map[*dialed]struct{}{}}
	if h.session.RuntimeParams["application_name"] == "" {
		h.session.RuntimeParams["application_name"] = "pictifyd lock"
	}
	return h
}

const lockKey = `hashtext('pictifyd'), hashtext(current_schema())`

// take takes the lock and the ledger with it. Where another process has it, or the
// server does not answer, that is a problem, and take may be called again.
func (h *holder) take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, takeLimit)
	defer cancel()
	sent := time.Now()
	got, err := h.try(ctx)
	if err != nil {
		h.drop()
		return err
	}
	if !got {
		return h.taken(ctx)
	}
	if err := h.reign(ctx); err != nil {
		h.drop()
		return err
	}
	h.heard.Store(int64(sent.Sub(h.start)))
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stop, h.ended = stop, make(chan struct{})
	go h.keep(keeping)
	return nil
}

// try reports whether the lock was free, and is ours.
func (h *holder) try(ctx context.Context) (got bool, err error) {
	if h.conn == nil || h.conn.IsClosed() {
		if err := h.connect(ctx); err != nil {
			return false, err
		}
	}
	var recovers, nowhere bool
	err = h.conn.QueryRow(ctx, `SELECT pg_is_in_recovery(), current_schema() IS NULL,
		CASE WHEN pg_is_in_recovery() OR current_schema() IS NULL THEN false ELSE pg_try_advisory_lock(`+lockKey+`) END`).Scan(&recovers, &nowhere, &got)
	switch {
	case err != nil:
		return false, away(err)
	case recovers:
		return false, away(errors.New("it is a standby server, which takes no writes"))
	case nowhere:
		return false, problem.New(problem.Surroundings, "the schemas of store.url's search_path do not exist").WithHint("make one: CREATE SCHEMA pictifyd")
	}
	return got, nil
}

func (h *holder) connect(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, h.session)
	if err != nil {
		return away(err)
	}
	if _, err := conn.Exec(ctx, fmt.Sprintf(`SET idle_session_timeout = %d`, serverPatience.Milliseconds())); err != nil {
		closeNow(conn)
		return unbounded(err, conn.PgConn().ParameterStatus("server_version"))
	}
	h.conn = conn
	return away(conn.QueryRow(ctx, `SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()`).Scan(&h.pid, &h.began))
}

// unbounded is a server that does not end sessions of those who are silent.
func unbounded(err error, version string) error {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return away(err)
	}
	return problem.New(problem.Surroundings, "the store's Postgres server (%s) cannot end a session that is silent, which a frozen holder of the store needs: %w", version, err).
		WithHint("take PostgreSQL 14 or newer, and let this role set idle_session_timeout")
}

// away is err as a server that does not answer. What it answers about the user or
// the database is nothing that time cures.
func away(err error) error {
	if err == nil {
		return nil
	}
	p := problem.New(problem.Surroundings, "the store's Postgres server does not answer: %w", err).WithHint("start it, or correct store.url")
	var said *pgconn.PgError
	if !errors.As(err, &said) || said.Code[:2] != "28" && said.Code[:2] != "3D" {
		p.WithSlug(Away)
	}
	return p
}

// taken says who has the lock.
func (h *holder) taken(ctx context.Context) error {
	o := h.other(ctx)
	return problem.New(problem.Surroundings, "another pictifyd (%s) works with this database", o).
		WithSlug(Locked).WithHint("stop it first, give this one a database or a schema of its own, or let it wait for its turn: pictifyd run --standby")
}

// other is what is known of whoever has the lock.
type other struct {
	pid          int64
	began, id    string
	place        string
	known, named bool
}

func (o other) String() string {
	var parts []string
	if o.named && o.place != "" {
		parts = append(parts, o.place)
	}
	if o.known {
		parts = append(parts, fmt.Sprintf("server process %d", o.pid))
	}
	if len(parts) == 0 {
		return "unknown"
	}
	return strings.Join(parts, ", ")
}

func (h *holder) other(ctx context.Context) (o other) {
	o.known = h.conn.QueryRow(ctx, `SELECT l.pid, coalesce(a.backend_start::text, '') FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE l.granted AND `+locksOf(`'pictifyd'`)+` AND l.objid::bigint = hashtext(current_schema())::bigint & 4294967295`).Scan(&o.pid, &o.began) == nil
	o.named = h.conn.QueryRow(ctx, `SELECT holder, place FROM ledger_epoch`).Scan(&o.id, &o.place) == nil // not of a version before it
	return o
}

// locksOf is the condition on pg_locks AS l for advisory locks of a pair of keys
// of which the first is the hash of class.
func locksOf(class string) string {
	return `l.locktype = 'advisory' AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND l.classid::bigint = hashtext(` + class + `)::bigint & 4294967295`
}

// keep beats until ctx ends or the lock is lost.
func (h *holder) keep(ctx context.Context) {
	defer close(h.ended)
	for {
		h.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if err := h.beat(ctx); err != nil && ctx.Err() == nil {
			h.lose(err)
		}
	}
}

// listen waits for the next beat, or until the session breaks: the server says
// nothing else in it.
func (h *holder) listen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	for h.conn != nil {
		if _, err := h.conn.WaitForNotification(ctx); err != nil {
			return
		}
	}
}

// beat shows the server that we live, and sees that the lock is ours. Where its
// session broke it is taken again, as long as nobody else can have had it.
func (h *holder) beat(ctx context.Context) error {
	sent := time.Now()
	until := h.start.Add(time.Duration(h.heard.Load())).Add(lockPatience)
	if least := sent.Add(retakeLeast); until.Before(least) {
		until = least
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	done, err := h.ask(ctx)
	if err == nil {
		h.heard.Store(int64(sent.Sub(h.start)))
		return nil
	}
	if done {
		return err
	}
	h.unsure.Store(true) // before anybody else can have it
	h.log.Warn("the session of the store's lock broke, it is taken again", slog.Any("err", err))
	h.drop()
	for {
		done, err := h.retake(ctx)
		if done {
			return err
		}
		rest := time.NewTimer(retakeEvery)
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
			return lost("the store's Postgres server did not answer for %s, so that another pictifyd may have taken over: %w", lockPatience, err)
		}
	}
}

// ask is one beat. done says that no other session makes it better.
func (h *holder) ask(ctx context.Context) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, beatPatience)
	defer cancel()
	var pid int64
	var id string
	if err := h.conn.QueryRow(ctx, `SELECT pg_backend_pid(), holder FROM ledger_epoch`).Scan(&pid, &id); err != nil {
		return false, err
	}
	switch {
	case pid != h.pid:
		return true, lost("the session of the store's lock is another one each time, as behind a pooler in its mode for transactions; let store.url lead to PostgreSQL itself")
	case id != h.id:
		return true, h.superseded(ctx)
	}
	return true, nil
}

// retake takes the lock in another session. done says that to try again is no use.
func (h *holder) retake(ctx context.Context) (done bool, err error) {
	sent := time.Now()
	pid, began := h.pid, h.began
	got, err := h.try(ctx)
	if err != nil {
		h.drop()
		h.pid, h.began = pid, began
		return false, err
	}
	if !got {
		o := h.other(ctx)
		if o.named && o.id != h.id {
			return true, h.superseded(ctx)
		}
		if o.known && o.pid == pid && o.began == began { // the server has not noticed yet that it broke
			_, err = h.conn.Exec(ctx, `SELECT pg_terminate_backend($1)`, pid)
		}
		h.drop()
		h.pid, h.began = pid, began
		return false, errors.Join(fmt.Errorf("%s has the lock", o), err)
	}
	var id string
	if err := h.conn.QueryRow(ctx, `SELECT holder FROM ledger_epoch`).Scan(&id); err != nil {
		return false, err
	}
	if id != h.id { // one that had it in between, and has ended
		return true, h.superseded(ctx)
	}
	h.heard.Store(int64(sent.Sub(h.start)))
	h.unsure.Store(false)
	return true, nil
}

// superseded is how the lock is lost to a process that took it since.
func (h *holder) superseded(ctx context.Context) error {
	var place string
	if h.conn == nil || h.conn.QueryRow(ctx, `SELECT place FROM ledger_epoch`).Scan(&place) != nil || place == "" {
		return supersededBy("another pictifyd")
	}
	return supersededBy("another pictifyd (" + place + ")")
}

func supersededBy(whom string) error {
	return lost("%s has taken over this database, and nothing of this one is committed any more", whom)
}

func lost(format string, args ...any) error {
	return problem.New(problem.Surroundings, "the store's lock was lost: "+format, args...).
		WithSlug(Lost).WithHint("start this one again; pictifyd run --standby waits for its turn by itself")
}

// lose ends all that this process has open in the ledger.
func (h *holder) lose(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fault != nil {
		return
	}
	h.fault = err
	close(h.gone)
	h.stop()
	for d := range h.dialed {
		_ = d.Conn.Close()
	}
}

func (h *holder) lost() <-chan struct{} { return h.gone }

func (h *holder) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fault
}

func (h *holder) certain() error {
	if err := h.err(); err != nil {
		return err
	}
	if h.unsure.Load() {
		return lost("its session broke, and it was not taken again yet")
	}
	if silent := time.Since(h.start) - time.Duration(h.heard.Load()); silent > lockPatience {
		return lost("nothing was heard of the store's Postgres server for %s", silent.Round(time.Second))
	}
	return nil
}

// drop ends the session, whatever it is about.
func (h *holder) drop() {
	if h.conn != nil {
		closeNow(h.conn)
		h.conn = nil
	}
}

// closeNow ends a session without a word to a server that may not answer.
func closeNow(conn *pgx.Conn) {
	_ = conn.PgConn().Conn().Close() // it may be broken
	_ = conn.Close(context.Background())
}

func (h *holder) release() error {
	if h.stop != nil {
		h.stop()
		<-h.ended
	}
	if h.conn == nil || h.conn.IsClosed() || h.err() != nil {
		h.drop()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	// Whoever comes next need not wait for the session's end.
	_, err := h.conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
	h.drop()
	return err
}

// A dialed is a connection of the store that ends with the lock.
type dialed struct {
	net.Conn
	holder *holder
}

func (d *dialed) Close() error {
	d.holder.mu.Lock()
	delete(d.holder.dialed, d)
	d.holder.mu.Unlock()
	return d.Conn.Close()
}

// dial wraps the dialling of the store's connections: none outlives the lock.
func (h *holder) dial(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := h.err(); err != nil {
			return nil, err
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		d := &dialed{conn, h}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.fault != nil {
			_ = conn.Close()
			return nil, h.fault
		}
		h.dialed[d] = struct{}{}
		return d, nil
	}
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// place is this process, as people find it.
func place() string {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed machine"
	}
	return fmt.Sprintf("pid %d on %s", os.Getpid(), clean(host))
}
