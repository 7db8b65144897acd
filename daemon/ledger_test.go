package daemon

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/pictifyd/pictifyd/store"
)

// emptyLedger is the file of a ledger that has its tables and nothing in them. It
// is made once: under the race detector SQLite takes seconds to make one, and most
// tests begin with one. Stories begin without.
var emptyLedger = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "pictifyd-ledger-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(context.Background(), store.Config{URL: "sqlite:pictifyd.db"}, store.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "pictifyd.db-wal")); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("not all of the ledger is in its file")
	}
	return os.ReadFile(filepath.Join(dir, "pictifyd.db"))
})

// giveLedger puts an empty ledger where the daemon will look for its own.
func (s *site) giveLedger() {
	s.tb.Helper()
	ledger, err := emptyLedger()
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "data"), 0o755); err != nil {
		s.tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "data", "pictifyd.db"), ledger, 0o644); err != nil {
		s.tb.Fatal(err)
	}
}
