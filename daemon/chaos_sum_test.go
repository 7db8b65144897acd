package daemon

import (
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/pictifyd/pictifyd/store"
)

// countedAs is the name under which the ledger counts the deliveries to a sink.
const countedAs = `CASE WHEN sink LIKE 'job:%' THEN 'batch' ELSE sink END`

// bearWitness makes the ledger's tables, and has its server note each delivery that is planned
// and each that is delivered, whatever the ledger itself counts.
func bearWitness(t *testing.T, dsn string) {
	t.Helper()
	ledger, err := store.Open(t.Context(), store.Config{URL: dsn}, store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openDatabase(t, dsn).Exec(`CREATE TABLE witness (id TEXT, sink TEXT, what TEXT);
		CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF TG_OP = 'INSERT' THEN
				INSERT INTO witness VALUES (NEW.id, NEW.sink, 'planned');
			ELSIF NEW.state = 'delivered' AND OLD.state <> 'delivered' THEN
				INSERT INTO witness VALUES (NEW.id, NEW.sink, 'delivered');
			END IF;
			RETURN NULL;
		END $$;
		CREATE TRIGGER witness AFTER INSERT OR UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION witness()`); err != nil {
		t.Fatal(err)
	}
}

// mustAddUp checks, for each sink, that planned = delivered + waiting + dead + superseded,
// that the ledger's counts are what its server saw, and that whatever counts as
// delivered has arrived and nothing else has. Nothing may wait or be dead any more.
func (c *chaos) mustAddUp() {
	c.t.Helper()
	rows, err := c.db.Query(`SELECT n.sink, n.planned, n.delivered, n.superseded, n.discarded,
			(SELECT count(*) FROM deliveries WHERE ` + countedAs + ` = n.sink AND state IN ('waiting', 'claimed')),
			(SELECT count(*) FROM deliveries WHERE ` + countedAs + ` = n.sink AND state = 'dead'),
			(SELECT count(*) FROM witness WHERE ` + countedAs + ` = n.sink AND what = 'planned'),
			(SELECT count(*) FROM witness WHERE ` + countedAs + ` = n.sink AND what = 'delivered')
		FROM delivery_counts AS n ORDER BY n.sink`)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	var sinks []string
	for rows.Next() {
		var sink string
		var planned, delivered, superseded, discarded, waiting, dead, sawPlanned, sawDelivered int
		if err := rows.Scan(&sink, &planned, &delivered, &superseded, &discarded, &waiting, &dead, &sawPlanned, &sawDelivered); err != nil {
			c.t.Fatal(err)
		}
		sinks = append(sinks, sink)
		c.t.Logf("%s: %d planned = %d delivered + %d waiting + %d dead + %d discarded + %d superseded", sink, planned, delivered, waiting, dead, discarded, superseded)
		if planned != delivered+waiting+dead+discarded+superseded || waiting+dead+discarded > 0 {
			c.t.Errorf("%s: that does not add up, or something is left", sink)
		}
		if planned != sawPlanned || delivered != sawDelivered {
			c.t.Errorf("%s: its server saw %d planned and %d delivered", sink, sawPlanned, sawDelivered)
		}
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
	if want := []string{"batch", "hook", "shelf"}; !slices.Equal(sinks, want) {
		c.t.Errorf("deliveries to %v are counted, want %v", sinks, want)
	}
	planned, delivered, arrived := c.witnessed("planned"), c.witnessed("delivered"), map[string]bool{}
	for _, h := range slices.Concat(c.site.receiver.all(""), c.shelf.receiver.all("")) {
		if arrived[h.ID] = true; !planned[h.ID] {
			c.t.Errorf("%s arrived as %s, and was never planned", h.Event, h.ID)
		}
	}
	for id := range delivered {
		if !arrived[id] {
			c.t.Errorf("%s counts as delivered, and never arrived", id)
		}
	}
}

// witnessed are the deliveries with which something was done.
func (c *chaos) witnessed(what string) map[string]bool {
	c.t.Helper()
	rows, err := c.db.Query(`SELECT id FROM witness WHERE what = $1`, what)
	if err != nil {
		c.t.Fatal(err)
	}
	return firstColumn(c.t, rows)
}

// mustLeaveNoOrphans has bytes looked through as if months had passed since: those that
// something shows are there, and no others.
func (c *chaos) mustLeaveNoOrphans() {
	c.t.Helper()
	before := len(c.depot.hashes())
	var shown map[string]bool
	var missing, orphans []string
	c.depot.age()
	look := func() {
		rows, err := c.db.Query(`SELECT hash FROM images WHERE hash <> '' AND state <> 'removed' UNION SELECT digest FROM asset_pins`)
		if err != nil {
			c.t.Fatal(err)
		}
		shown, missing, orphans = firstColumn(c.t, rows), nil, nil
		there := map[string]bool{}
		for _, hash := range c.depot.hashes() {
			if there[hash] = true; !shown[hash] {
				orphans = append(orphans, hash)
			}
		}
		for hash := range shown {
			if !there[hash] {
				missing = append(missing, hash)
			}
		}
	}
	holder := c.working()
	eventually(c.t, "bytes that nothing shows are gone", func() bool {
		if status, text := holder.ask(http.MethodPost, "/sweep", ""); status >= http.StatusMultipleChoices {
			c.t.Fatalf("POST /sweep: %d %s", status, text)
		}
		if _, err := c.db.Exec(fmt.Sprintf(`UPDATE blob_marks SET marked_at = marked_at - %[1]d WHERE marked_at > extract(epoch FROM now()) * 1000 - %[1]d`, longAgo.Milliseconds()/2)); err != nil {
			c.t.Fatal(err)
		}
		look()
		return len(orphans) == 0
	})
	if len(missing) > 0 {
		c.t.Errorf("of %d pictures %d have no bytes: %v", len(shown), len(missing), missing[:min(len(missing), 5)])
	}
	c.t.Logf("of %d files those of %d pictures are left", before, len(shown))
}

// firstColumn is the texts of the first column.
func firstColumn(t *testing.T, rows *sql.Rows) map[string]bool {
	t.Helper()
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		found[id] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}
