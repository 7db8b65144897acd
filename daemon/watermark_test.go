package daemon

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A reading of what changed by a watermark says nothing of other rows: those that are kept
// out stay so, what was wrong with the last reading of all rows is still said, nothing is
// gone, and where nothing was wrong all is well.
func TestReadingOfChangesLeavesOtherRowsAsTheyAre(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	db.Run(`CREATE TABLE well (sku text NOT NULL, name text, price int, at timestamptz NOT NULL); INSERT INTO well VALUES ('A', 'Mug', 1, now() - interval '1 day'), ('B', 'Cup', 2, now() - interval '1 day');
CREATE TABLE doubled AS SELECT * FROM well; INSERT INTO doubled VALUES ('D', 'Pot', 3, now() - interval '1 day'), ('D', 'Pan', 4, now() - interval '1 day')`)
	var sources, bindings strings.Builder
	for _, name := range []string{"well", "doubled"} {
		fmt.Fprintf(&sources, "  %s: { kind: postgres, dsn: %q, table: %s, key: sku, every: 1s, watermark: at }\n", name, db.DSN, name)
		fmt.Fprintf(&bindings, "  - { name: %s, source: %s, template: card, map: { title: name }, public: true, on_delete: remove, delete_grace: 0s }\n", name, name)
	}
	s := newSite(t, "\nsources:\n"+sources.String()+"bindings:\n"+bindings.String())
	report, err := s.online()
	if want := fmt.Sprintf(`CREATE INDEX CONCURRENTLY ON "%s"."well" ("at", "sku");`, db.Name); err != nil || !strings.Contains(report, want) {
		t.Errorf("check --online does not say %q but\n%s\n%v", want, report, err)
	}
	url, _ := s.run(Options{Log: quiet(t), Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("well") == 2 && p.ready("doubled") == 2 })
	for round := range 2 {
		name := fmt.Sprintf("Jug %d", round)
		db.Run(fmt.Sprintf("UPDATE well SET name = '%[1]s', at = now() WHERE sku = 'A'; UPDATE doubled SET name = '%[1]s', at = now() WHERE sku = 'A'", name))
		for _, source := range []string{"well", "doubled"} {
			eventually(t, source+" shows the change", func() bool { return strings.Contains(p.row(source, "A"), name) && p.ready(source) == 2 })
		}
	}
	if is := p.source("well").Source.Freshness; is.State != "ok" {
		t.Errorf("the source is %s: %s", is.State, is.Cause)
	}
	if is := p.source("doubled").Source.Freshness; is.State != "warn" || !strings.Contains(is.Cause, `"D"`) {
		t.Errorf("the source with a key twice is %s: %s", is.State, is.Cause)
	}
	// A row that comes again may be read now.
	db.Run("DELETE FROM doubled WHERE name = 'Pan'; UPDATE doubled SET at = now() WHERE sku = 'D'")
	eventually(t, "the row that was kept out", func() bool { return p.ready("doubled") == 3 })
	if p.ready("well") != 2 {
		t.Error("an image is gone")
	}
}
