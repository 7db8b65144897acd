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
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/cures"
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

// A post is what a process has in a ledger in PostgreSQL as long as it gives signs of
// life: the ledger itself, or a place beside whoever holds it. It is said in SQL.
type post struct {
	class, object string // the keys of its lock
	badgeClass    string // with badge the keys of the lock that each connection of the process keeps
	badge         int64
	still         string // what a SELECT gives: whether it is ours still, and whose it is otherwise
	why           func(whose string) error
}

// A session holds the lock of a post, and beats. Holder and member differ in how they
// come by it.
type session struct {
	cfg *pgx.ConnConfig // of the lock
	log *slog.Logger

	// After the lock was taken only keep uses them, after keep only release.
	conn  *pgx.Conn
	pid   int64
	began string // when the session did, as the server says

	// Set when the lock is taken, and not changed while the store is open.
	id   string
	post post

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

func newSession(cfg *pgx.ConnConfig, log *slog.Logger) *session {
	s := &session{cfg: cfg.Copy(), log: log, start: time.Now(), gone: make(chan struct{}), dialed: map[*dialed]struct{}{}}
	if s.cfg.RuntimeParams["application_name"] == "" {
		s.cfg.RuntimeParams["application_name"] = "pictifyd lock"
	}
	return s
}

// try reports whether the lock was free, and is ours.
func (s *session) try(ctx context.Context) (got bool, err error) {
	if err := s.connected(ctx); err != nil {
		return false, err
	}
	var recovers, nowhere bool
	err = s.conn.QueryRow(ctx, fmt.Sprintf(`SELECT pg_is_in_recovery(), current_schema() IS NULL,
		CASE WHEN pg_is_in_recovery() OR current_schema() IS NULL THEN false ELSE pg_try_advisory_lock(hashtext(%s), %s) END`,
		s.post.class, s.post.object)).Scan(&recovers, &nowhere, &got)
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

func (s *session) connected(ctx context.Context) error {
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	return s.connect(ctx)
}

func (s *session) connect(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.cfg)
	if err != nil {
		return away(err)
	}
	if _, err := conn.Exec(ctx, fmt.Sprintf(`SET idle_session_timeout = %d`, serverPatience.Milliseconds())); err != nil {
		closeNow(conn)
		return unbounded(err, conn.PgConn().ParameterStatus("server_version"))
	}
	s.conn = conn
	return away(conn.QueryRow(ctx, `SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()`).Scan(&s.pid, &s.began))
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

// locksOf is the condition on pg_locks AS l for advisory locks of a pair of keys
// of which the first is the hash of class.
func locksOf(class string) string {
	return `l.locktype = 'advisory' AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND l.classid::bigint = hashtext(` + class + `)::bigint & 4294967295`
}

// keeper is the server's process that has the lock.
func (s *session) keeper(ctx context.Context) (pid int64, began string, known bool) {
	known = s.conn.QueryRow(ctx, `SELECT l.pid, coalesce(a.backend_start::text, '') FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
		WHERE l.granted AND `+locksOf(s.post.class)+` AND l.objid::bigint = (`+s.post.object+`)::bigint & 4294967295`).Scan(&pid, &began) == nil
	return pid, began, known
}

// begin has the session beat from now on. Its lock was asked for when sent says.
func (s *session) begin(ctx context.Context, sent time.Time) {
	s.heard.Store(int64(sent.Sub(s.start)))
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.ended = stop, make(chan struct{})
	go s.keep(keeping)
}

// keep beats until ctx ends or the lock is lost.
func (s *session) keep(ctx context.Context) {
	defer close(s.ended)
	for {
		s.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if err := s.beat(ctx); err != nil && ctx.Err() == nil {
			s.lose(err)
		}
	}
}

// listen waits for the next beat, or until the session breaks: the server says
// nothing else in it.
func (s *session) listen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	for s.conn != nil {
		if _, err := s.conn.WaitForNotification(ctx); err != nil {
			return
		}
	}
}

// beat shows the server that we live, and sees that the lock is ours. Where its
// session broke it is taken again, as long as nobody else can have had it.
func (s *session) beat(ctx context.Context) error {
	sent := time.Now()
	until := s.start.Add(time.Duration(s.heard.Load())).Add(lockPatience)
	if least := sent.Add(retakeLeast); until.Before(least) {
		until = least
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	done, err := s.ask(ctx)
	if err == nil {
		s.heard.Store(int64(sent.Sub(s.start)))
		return nil
	}
	if done {
		return err
	}
	s.unsure.Store(true) // before anybody else can have it
	s.log.Warn("the session of the store's lock broke, it is taken again", slog.Any("err", err))
	s.drop()
	for {
		done, err := s.retake(ctx)
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
func (s *session) ask(ctx context.Context) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, beatPatience)
	defer cancel()
	var pid int64
	var ours bool
	var whose string
	if err := s.conn.QueryRow(ctx, `SELECT pg_backend_pid(), `+s.post.still).Scan(&pid, &ours, &whose); err != nil {
		return false, err
	}
	switch {
	case pid != s.pid:
		return true, lost("the session of the store's lock is another one each time, as behind a pooler in its mode for transactions; let store.url lead to PostgreSQL itself")
	case !ours:
		return true, s.post.why(whose)
	}
	return true, nil
}

// retake takes the lock in another session. done says that to try again is no use.
func (s *session) retake(ctx context.Context) (done bool, err error) {
	sent := time.Now()
	pid, began := s.pid, s.began
	got, err := s.try(ctx)
	var ours bool
	var whose string
	if err == nil { // whoever had it in between may have ended by now
		err = s.conn.QueryRow(ctx, `SELECT `+s.post.still).Scan(&ours, &whose)
	}
	switch {
	case err == nil && !ours:
		return true, s.post.why(whose)
	case err == nil && got:
		s.heard.Store(int64(sent.Sub(s.start)))
		s.unsure.Store(false)
		return true, nil
	case err == nil:
		at, since, known := s.keeper(ctx)
		if known && at == pid && since == began { // the server has not noticed yet that it broke
			_, err = s.conn.Exec(ctx, `SELECT pg_terminate_backend($1)`, pid)
		}
		err = errors.Join(fmt.Errorf("server process %d has the lock", at), err)
	}
	s.drop()
	s.pid, s.began = pid, began
	return false, err
}

func lost(format string, args ...any) error {
	return problem.New(problem.Surroundings, "the store's lock was lost: "+format, args...).
		WithSlug(Lost).WithHint("start this one again; pictifyd run --standby waits for its turn by itself")
}

// lose ends all that this process has open in the ledger.
func (s *session) lose(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return
	}
	s.fault = err
	close(s.gone)
	s.stop()
	for d := range s.dialed {
		_ = d.Conn.Close()
	}
}

func (s *session) lost() <-chan struct{} { return s.gone }

func (s *session) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

func (s *session) certain() error {
	if err := s.err(); err != nil {
		return err
	}
	if s.unsure.Load() {
		return lost("its session broke, and it was not taken again yet")
	}
	if silent := time.Since(s.start) - time.Duration(s.heard.Load()); silent > lockPatience {
		return lost("nothing was heard of the store's Postgres server for %s", silent.Round(time.Second))
	}
	return nil
}

// drop ends the session, whatever it is about.
func (s *session) drop() {
	if s.conn != nil {
		closeNow(s.conn)
		s.conn = nil
	}
}

// closeNow ends a session without a word to a server that may not answer.
func closeNow(conn *pgx.Conn) {
	_ = conn.PgConn().Conn().Close() // it may be broken
	_ = conn.Close(context.Background())
}

func (s *session) release() error { return s.leave(`SELECT pg_advisory_unlock_all()`) }

// leave ends the session with a statement, so that whoever comes next need not wait
// for its end.
func (s *session) leave(statement string) error {
	if s.stop != nil {
		s.stop()
		<-s.ended
	}
	if s.conn == nil || s.conn.IsClosed() || s.err() != nil {
		s.drop()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	_, err := s.conn.Exec(ctx, statement)
	s.drop()
	return err
}

// admit lets a new connection of the store in, unless the post is somebody else's now.
func (s *session) admit(ctx context.Context, conn *pgx.Conn) error {
	err := s.err()
	if err == nil && cures.Epoch {
		err = s.join(ctx, conn)
	}
	if err != nil {
		closeNow(conn) // nobody else does
	}
	return err
}

// join is two statements, so that the second sees what was committed before the
// first was done.
func (s *session) join(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, fmt.Sprintf(`SELECT pg_advisory_lock_shared(hashtext(%s), %d)`, s.post.badgeClass, s.post.badge)); err != nil {
		return err
	}
	var ours bool
	var whose string
	if err := conn.QueryRow(ctx, `SELECT `+s.post.still, pgx.QueryExecModeSimpleProtocol).Scan(&ours, &whose); err != nil {
		return err
	}
	if ours {
		return nil
	}
	err := s.post.why(whose)
	s.lose(err)
	return err
}

// A dialed is a connection of the store that ends with the lock.
type dialed struct {
	net.Conn
	session *session
}

func (d *dialed) Close() error {
	d.session.mu.Lock()
	delete(d.session.dialed, d)
	d.session.mu.Unlock()
	return d.Conn.Close()
}

// dial wraps the dialling of the store's connections: none outlives the lock.
func (s *session) dial(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := s.err(); err != nil {
			return nil, err
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		d := &dialed{conn, s}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fault != nil {
			_ = conn.Close()
			return nil, s.fault
		}
		s.dialed[d] = struct{}{}
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
