package postgres_test

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres"
)

// postgres.run.mend is the cure of pitfall P8: a large value that an update left
// alone is not told, and never becomes null.
func TestUnchangedLargeValueStays(t *testing.T) {
	for identity, columns := range map[string][]string{"DEFAULT": nil, "FULL": nil, "USING INDEX other": nil, "DEFAULT ": {"name"}} {
		t.Run(strings.TrimSpace(identity)+strings.Join(columns, ""), func(t *testing.T) {
			db := newDatabase(t)
			db.Run(`CREATE TABLE rows (id int PRIMARY KEY, sku text NOT NULL, name text, big text); CREATE UNIQUE INDEX other ON rows (sku); ALTER TABLE rows ALTER big SET STORAGE EXTERNAL;
INSERT INTO rows SELECT i, 's' || i, 'n', repeat('x', 5000) FROM generate_series(1, 50) i; ALTER TABLE rows REPLICA IDENTITY ` + identity)
			s := newStreamed(t, db, func(c *postgres.Config) {
				c.Columns = columns
				if strings.Contains(identity, "other") {
					c.Key = []string{"sku"}
				}
			})
			s.start()
			s.streaming()
			before := s.emitted
			nulls := 0
			s.refuse(func(b connectors.Batch) error {
				for _, row := range b.Rows {
					if value, ok := row.Values["big"]; ok && value == nil {
						nulls++
					}
				}
				return nil
			})
			db.Run("UPDATE rows SET name = 'm'")
			s.caughtUp()
			db.Run("BEGIN; INSERT INTO rows VALUES (60, 's60', 'n', repeat('z', 6000)); UPDATE rows SET name = 'o' WHERE id = 60; COMMIT")
			s.caughtUp()
			db.Run("UPDATE rows SET sku = 'other', id = 70 WHERE id = 7; UPDATE rows SET name = 'p' WHERE id = 8; DELETE FROM rows WHERE id = 8")
			s.caughtUp()
			s.equal()
			s.stop()
			if nulls > 0 {
				t.Errorf("%d rows had no large value", nulls)
			}
			if got := s.emitted - before; got < 53 {
				t.Errorf("%d rows were told, want each that changed", got)
			}
		})
	}
}
