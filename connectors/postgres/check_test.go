package postgres_test

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// What a check of the configuration asks: all that is missing, at once, and rows.
func TestCheckOfAStreamFindsAllThatIsMissing(t *testing.T) {
	db := newDatabase(t)
	db.Run("CREATE TABLE rows (id int, name text, twice int GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO rows VALUES (1, 'a')")
	role := db.Role()
	cfg := db.config(func(c *postgres.Config) {
		c.Mode, c.Key, c.DSN = "cdc", config.Strings{"id"}, config.NewSecret(pgtest.Through(db.DSN, "", role))
	})
	p := newPoller(t, cfg)
	advice, err := p.(connectors.Adviser).Advise(t.Context())
	var slugs []string
	for _, e := range problem.All(err) {
		slugs = append(slugs, e.Slug)
		if !strings.Contains(e.Hint, "run: ") {
			t.Errorf("there is no SQL in %v", e)
		}
	}
	if got := strings.Join(slugs, " "); got != "no_replication permission_denied no_replica_identity no_publication" {
		t.Errorf("missing: %s", got)
	}
	if len(advice) == 0 {
		t.Error("nothing is said of a key that is not unique, and of WAL without a limit")
	}
	db.Run("GRANT SELECT ON rows TO " + role)
	var r connectortest.Recorder
	if err := p.Poll(t.Context(), nil, r.Emit); err != nil || len(r.Rows) != 1 {
		t.Fatalf("%d rows, %v", len(r.Rows), err)
	}
	if _, told := r.Rows[0].Values["twice"]; told {
		t.Error("a binding would be checked with a column that no change tells")
	}
	if n := db.Value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pictifyd__test'"); n != "0" {
		t.Error("a check made a slot")
	}
}
