package daemon

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// A daemon dies with a batch half done and deliveries waiting; its ledger is copied
// to PostgreSQL, and another one goes on there as if nothing had been.
func TestCopiedStoreGoesOnWhereItWasLeft(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(30, "one"))
	p := s.start(childCrash + "=blobs.written:6")
	const rows = 300
	id, err := p.postBatch(batchRows(rows), s.receiver.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.mustDie("blobs.written")

	dsn := newDatabase(t)
	tables := 0
	report, err := CopyStore(t.Context(), filepath.Join(s.dir, "pictifyd.yaml"), dsn, func(CopiedTable) { tables++ })
	if err != nil {
		t.Fatal(err)
	}
	if tables != len(report.Tables) || report.Rows < rows || tables < 40 {
		t.Errorf("%d tables of %d, %d rows", tables, len(report.Tables), report.Rows)
	}
	if _, err := CopyStore(t.Context(), filepath.Join(s.dir, "pictifyd.yaml"), dsn, nil); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("copied over a store that is in use: %v", err)
	}

	p = s.startOn(dsn, "copied", catalogWithHook)
	p.mustComplete(id, rows)
	s.receiver.mustHaveOneID(t, "batch.completed")
	eventually(t, "all images of the binding", func() bool { return p.ready("cards") == 30 && p.owes("hook") == 0 })
	for key, generation := range s.receiver.lastGenerations(t) {
		if generation != 1 {
			t.Errorf("%s was made again", key)
		}
	}
	s.write("rows.csv", strings.Replace(csvRows(30, "one"), "one 4", "another 4", 1))
	eventually(t, "the changed one", func() bool { return s.receiver.lastGenerations(t)["SKU-004"] == 2 })
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestCopyThatIsCutOffLeavesNothing(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(5, "one"))
	p := s.start()
	eventually(t, "all images", func() bool { return p.ready("cards") == 5 })
	p.terminate()
	from, to := store.Config{URL: "sqlite:data/pictifyd.db"}, store.Config{URL: newDatabase(t)}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := store.Copy(ctx, from, to, store.Options{Dir: s.dir, Crash: func(string) { cancel() }}, nil); err == nil {
		t.Fatal("a copy that was cut off says that it is done")
	}

	// What Postgres cannot keep is named, and nothing is copied.
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "data/pictifyd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE source_rows SET data = data || char(0)`); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Copy(t.Context(), from, to, store.Options{Dir: s.dir}, nil); problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "the table source_rows") {
		t.Errorf("a text with NUL: %v", err)
	}
	// Litestream, which followed the ledger, has tables of its own there.
	if _, err := db.Exec(`UPDATE source_rows SET data = 'ä🦊'; CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); INSERT INTO _litestream_seq VALUES (1, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Copy(t.Context(), from, to, store.Options{Dir: s.dir}, nil); err != nil {
		t.Errorf("after two that were cut off: %v", err)
	}
	if _, err := store.Copy(t.Context(), to, from, store.Options{Dir: s.dir}, nil); problem.CodeOf(err) != problem.Unsupported {
		t.Errorf("copied back: %v", err)
	}
}
