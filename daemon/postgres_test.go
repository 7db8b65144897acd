package daemon

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// newDatabase makes an empty PostgreSQL database for one test, and returns its URL.
func newDatabase(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv("PICTIFYD_TEST_POSTGRES")
	if server == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("PICTIFYD_TEST_POSTGRES is not set")
		}
		tb.Skip("PICTIFYD_TEST_POSTGRES is not set: make test sets it")
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		tb.Fatal(err)
	}
	name := strings.ToLower(fmt.Sprintf("daemon_%.36s_%d_%.6s", strings.NewReplacer("/", "_", ".", "_").Replace(tb.Name()), os.Getpid(), rand.Text()))
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Error(err)
		}
		db.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func TestOnPostgresBatchSurvivesAKill(t *testing.T) {
	s := newSite(t, fmt.Sprintf("store: { url: %q }", newDatabase(t)))
	const rows = 300
	p := s.start(childCrash + "=blobs.written:2")
	id, err := p.postBatch(batchRows(rows), s.receiver.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.mustDie("blobs.written")
	p = s.start()
	p.mustComplete(id, rows)
	s.receiver.mustHaveOneID(t, "batch.completed")
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestOnPostgresChangedCellRendersOneImage(t *testing.T) {
	s := newSite(t, fmt.Sprintf("store: { url: %q }\n", newDatabase(t))+catalogWithHook)
	s.write("rows.csv", csvRows(10, "one"))
	p := s.start()
	eventually(t, "ten webhooks", func() bool { return len(s.receiver.all("render.completed")) == 10 })
	s.write("rows.csv", strings.Replace(csvRows(10, "one"), "one 4", "another 4", 1))
	eventually(t, "the eleventh webhook", func() bool { return len(s.receiver.all("render.completed")) == 11 })
	if last := s.receiver.lastGenerations(t)["SKU-004"]; last != 2 {
		t.Errorf("the changed row is at generation %d, want 2", last)
	}
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
