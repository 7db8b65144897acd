package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of problems with the lock.
const (
	Locked = "store_locked" // another process has it
	Away   = "store_away"   // the server of the ledger does not answer
	Lost   = "store_lost"   // another process has taken over, or may have
)

// A lock is held for as long as the store is open: a second daemon on the same
// ledger would take the turns of the first for those of a dead process.
type lock interface {
	// lost is closed when another process may have the lock; nil never is.
	lost() <-chan struct{}
	// err says how it was lost, nil while it was not.
	err() error
	// certain fails while the lock may be lost without our knowing.
	certain() error
	release() error
}

// standbyLook is how often a lock that another process has is tried again.
const standbyLook = 500 * time.Millisecond

// hold takes the lock with try. A store that stands by does so again until it
// gets it.
func (s *Store) hold(ctx context.Context, try func(context.Context) error) error {
	for {
		err := try(ctx)
		if err == nil || s.standby == nil || !awaited(err) {
			return err
		}
		s.standby(err)
		look := time.NewTimer(standbyLook)
		select {
		case <-look.C:
		case <-ctx.Done():
			look.Stop()
			return ctx.Err()
		}
	}
}

// awaited reports whether err is over one day without anybody's doing here.
func awaited(err error) bool {
	return slices.ContainsFunc(problem.All(err), func(p *problem.Error) bool { return slices.Contains([]string{Locked, Away, Behind}, p.Slug) })
}

// Certain fails while another process may have the ledger: then nobody outside is
// told of anything. It asks nobody.
func (s *Store) Certain() error {
	if s.lock == nil {
		return nil // it is only read
	}
	return s.lock.certain()
}

// A fileLock is an flock: it ends with the process, however that ends, and not before.
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
			WithSlug(Locked).WithHint("stop it first, give this one a store of its own, or let it wait for its turn: pictifyd run --standby")
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

func (l *fileLock) lost() <-chan struct{} { return nil }
func (l *fileLock) err() error            { return nil }
func (l *fileLock) certain() error        { return nil }
func (l *fileLock) release() error        { return l.file.Close() }
