package postgres_test

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// What would make readings better is said with the statement to run, which works.
func TestAdviceIsAStatementToRun(t *testing.T) {
	db := newDatabase(t)
	advised := func(p connectors.Poller) (slugs, hints []string) {
		t.Helper()
		advice, err := p.(connectors.Adviser).Advise(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range advice {
			slugs, hints = append(slugs, a.Slug), append(hints, a.Hint)
		}
		return slugs, hints
	}
	db.Run(`CREATE TABLE "Rows" (id int, shop text, at timestamptz, PRIMARY KEY (shop, id)); CREATE INDEX ON "Rows" (at) WHERE id > 5; CREATE INDEX ON "Rows" (id, at)`)
	p := newPoller(t, db.watched(func(c *postgres.Config) { c.Table = `"Rows"` }))
	slugs, hints := advised(p)
	if got := strings.Join(slugs, " "); got != postgres.NullWatermark+" "+postgres.NoIndex {
		t.Fatalf("advice is %q, %q", got, hints)
	}
	if want := `CREATE INDEX CONCURRENTLY ON "` + db.Name + `"."Rows" ("at", "shop", "id");`; hints[1] != want {
		t.Errorf("got %q, want %q", hints[1], want)
	}
	db.Run(strings.Split(hints[0], ",")[0])
	db.Run(hints[1])
	if slugs, _ := advised(p); len(slugs) > 0 {
		t.Errorf("after it was done: %v", slugs)
	}
	db.Run(`CREATE TABLE rows (id int, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE VIEW seen AS SELECT * FROM rows`)
	if slugs, hints := advised(newPoller(t, db.watched(nil))); len(slugs) != 1 || slugs[0] != postgres.NoIndex || !strings.Contains(hints[0], "each partition") {
		t.Errorf("a partitioned table: %v %v", slugs, hints)
	}
	for name, change := range map[string]func(c *postgres.Config){
		"a view": func(c *postgres.Config) { c.Table, c.Key = "seen", []string{"id"} }, "no watermark": func(c *postgres.Config) { c.Watermark = "" },
		"a query": func(c *postgres.Config) { c.Table, c.Query, c.Key = "", "SELECT * FROM rows", []string{"id"} },
	} {
		if slugs, _ := advised(newPoller(t, db.watched(change))); len(slugs) > 0 {
			t.Errorf("%s: %v", name, slugs)
		}
	}
}

// A replica is said to be one, with how far it is behind.
func TestReplicaIsSaid(t *testing.T) {
	primary := pgtest.NewServer(t)
	db := &database{pgtest.In(t, primary.DSN)}
	db.Run(watchedTable + "CREATE INDEX ON rows (at, id)")
	standby := primary.Standby()
	db.DSN = pgtest.With(standby.DSN, "search_path", db.Name)
	advice, err := newPoller(t, db.watched(nil)).(connectors.Adviser).Advise(t.Context())
	if err != nil || len(advice) != 1 || advice[0].Slug != postgres.FromReplica || !strings.Contains(advice[0].Message, "0s behind") {
		t.Errorf("got %v, %v", advice, err)
	}
}
