package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A lock is held for as long as the store is open: a second daemon on the same
// ledger would take the turns of the first for those of a dead process.
type lock interface {
	// check fails when the lock was lost.
	check(ctx context.Context) error
	release() error
}

// A fileLock is an flock: it ends with the process, however that ends.
type fileLock struct{ file *os.File }

func lockFile(dir string) (*fileLock, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, problem.New(problem.Surroundings, "another pictifyd (pid %s) works with %s", strings.TrimSpace(string(holder)), dir).
			WithSlug("store_locked").WithHint("stop it first, or give this one a store of its own")
	}
	if err := writePid(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return &fileLock{f}, nil
}

func writePid(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	return err
}

func (l *fileLock) check(context.Context) error { return nil }
func (l *fileLock) release() error              { return l.file.Close() }

// An advisoryLock is held by a Postgres session of its own: one daemon per
// database and schema.
type advisoryLock struct {
	db   *sql.DB
	conn *sql.Conn
}

const advisoryKey = `hashtext('pictifyd'), hashtext(current_schema())`

func lockDatabase(ctx context.Context, db *sql.DB) (*advisoryLock, error) {
	l := &advisoryLock{db: db}
	if err := l.take(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *advisoryLock) take(ctx context.Context) error {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	var got bool
	if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(`+advisoryKey+`)`).Scan(&got); err != nil {
		return errors.Join(err, conn.Close())
	}
	if !got {
		holder := holderOf(ctx, conn)
		return errors.Join(problem.New(problem.Surroundings, "another pictifyd (%s) works with this database", holder).
			WithSlug("store_locked").WithHint("stop it first, or give this one a database or a schema of its own"), conn.Close())
	}
	l.conn = conn
	return nil
}

func holderOf(ctx context.Context, conn *sql.Conn) string {
	var pid int64
	err := conn.QueryRowContext(ctx, `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
		AND (classid::bigint, objid::bigint) = (hashtext('pictifyd')::bigint & 4294967295, hashtext(current_schema())::bigint & 4294967295)`).Scan(&pid)
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("server process %d", pid)
}

// lockPatience is how long the server may be silent. A network that swallows
// everything would keep a daemon at work without its lock, which the server has
// given to another one long since.
const lockPatience = 10 * time.Second

// check takes the lock again when its session broke. It fails when another
// process was faster, or when the server does not answer.
func (l *advisoryLock) check(ctx context.Context) error {
	if err := l.ping(ctx); err == nil || ctx.Err() != nil {
		return nil
	}
	_ = l.conn.Close()
	again, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if err := l.take(again); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (l *advisoryLock) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	return l.conn.PingContext(ctx)
}

func (l *advisoryLock) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	_, err := l.conn.ExecContext(ctx, `SELECT pg_advisory_unlock(`+advisoryKey+`)`)
	if errors.Is(err, sql.ErrConnDone) { // it was lost before
		return nil
	}
	return errors.Join(err, l.conn.Close())
}
