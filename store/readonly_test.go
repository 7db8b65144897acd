package store

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestReadOnlyStoreRefusesWritesAndOtherVersions(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{URL: "sqlite:pictifyd.db"}
	if _, err := OpenReadOnly(t.Context(), cfg, dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without a file: %v, want that there is none", err)
	}
	s, err := Open(t.Context(), cfg, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.WantPoll(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}

	read, err := OpenReadOnly(t.Context(), cfg, dir) // beside the one that holds the lock
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if states, err := read.SourceStates(t.Context()); err != nil || len(states) != 1 {
		t.Errorf("it reads %v, %v, want the source", states, err)
	}
	if err := read.WantPoll(t.Context(), "other"); !errors.Is(err, errReadOnly) {
		t.Errorf("a write ended with %v", err)
	}

	if _, err := s.db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReadOnly(t.Context(), cfg, dir); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("a store of another version: %v", err)
	}
}
