package slot

import (
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/internal/pg"
)

// publication looks at the publication, or whether it could be made.
func (c *check) publication() {
	k, p, t := c.keeper, c.facts.pub, c.facts.table
	if k.cfg.Publication != "" {
		c.foreignPublication()
		return
	}
	s := &c.facts.server
	if p != nil && p.ours(s.version) {
		c.ok("publication", fmt.Sprintf("the publication %s is there", k.Publication()))
		return
	}
	if s.super || s.creates && t.owns && (p == nil || p.owns) {
		c.ok("publication", fmt.Sprintf("the publication %s can be made", k.Publication()))
		return
	}
	if k.cfg.Instance == "" { // it is known once the daemon has run
		name := strings.Replace(nameOf("", k.cfg.Source), "__", "_", 1)
		c.add(Finding{
			Level: Error, Slug: "no_publication", SQL: c.facts.createPublication(name),
			What: fmt.Sprintf("the user %s may make no publication of %s: it needs the right CREATE in the database %s, and has to own the table", s.user, t.name, s.database),
			Hint: "as the table's owner; then write publication: " + name,
		})
		return
	}
	sql := []string{c.facts.createPublication(k.Publication()), fmt.Sprintf("ALTER PUBLICATION %s OWNER TO %s", pg.Quote(k.Publication()), pg.Quote(s.user))}
	what := fmt.Sprintf("the user %s may make no publication of %s: it needs the right CREATE in the database %s, and has to own the table", s.user, t.name, s.database)
	if p != nil {
		sql = append([]string{"DROP PUBLICATION " + pg.Quote(k.Publication())}, sql...)
		what = fmt.Sprintf("the publication %s is not as it should be, and the user %s may not make it anew", k.Publication(), s.user)
	}
	c.add(Finding{
		Level: Error, Slug: "no_publication", What: what, SQL: strings.Join(sql, "; "),
		Hint: "as a superuser; or name one in publication that the table's owner makes",
	})
}

// foreignPublication looks whether somebody else's publication tells all changes.
func (c *check) foreignPublication() {
	k, p, t := c.keeper, c.facts.pub, c.facts.table
	name := pg.Quote(k.Publication())
	bad := func(sql, format string, args ...any) {
		c.add(Finding{Level: Error, Slug: "publication_unfit", What: fmt.Sprintf("the publication %s ", k.Publication()) + fmt.Sprintf(format, args...), SQL: sql, Hint: "as its owner"})
	}
	if p == nil {
		c.add(Finding{
			Level: Error, Slug: "no_publication", What: fmt.Sprintf("there is no publication %s", k.Publication()), SQL: c.facts.createPublication(k.Publication()),
			Hint: "as the table's owner; before the slot is made",
		})
		return
	}
	before := len(c.all)
	if !p.root && t.kind == "p" {
		bad(fmt.Sprintf("ALTER PUBLICATION %s SET (publish_via_partition_root = true)", name), "tells changes of partitions as theirs, not as those of %s", t.name)
	} else if !p.has {
		bad(fmt.Sprintf("ALTER PUBLICATION %s ADD TABLE %s", name, t.name.SQL()), "has no table %s", t.name)
	}
	if missing := p.missing(); len(missing) > 0 {
		bad(fmt.Sprintf("ALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate')", name), "does not tell of every %s", strings.Join(missing, ", "))
	}
	again := fmt.Sprintf("ALTER PUBLICATION %s DROP TABLE %s; ALTER PUBLICATION %s ADD TABLE %s", name, t.name.SQL(), name, t.name.SQL())
	switch {
	case p.filter:
		bad(again, "has a filter of rows: of those that it keeps back no change would be told")
	case p.columns:
		bad(again, "has a list of columns: it makes the table's own UPDATE and DELETE fail where its replica identity is or becomes FULL, and others are not told")
	}
	if p.all {
		c.add(Finding{
			Level: Warning, Slug: "all_tables", What: fmt.Sprintf("the publication %s is of all tables: on each without a replica identity UPDATE and DELETE fail for everybody, and changes of all of them are sent here", k.Publication()),
			SQL: c.facts.createPublication(k.name), Hint: "a publication of this table alone, to be named in publication",
		})
	}
	if len(c.all) == before {
		c.ok("publication", fmt.Sprintf("the publication %s is there", k.Publication()))
	}
}

// slot looks at the slot.
func (c *check) slot() {
	k, s := c.keeper, c.facts.slot
	drop := fmt.Sprintf("SELECT pg_drop_replication_slot(%s)", pg.Literal(k.Slot()))
	create := fmt.Sprintf("SELECT pg_create_logical_replication_slot(%s, %s)", pg.Literal(k.Slot()), pg.Literal(plugin))
	foreign := k.cfg.Slot != ""
	switch {
	case s == nil && foreign:
		c.add(Finding{Level: Error, Slug: "no_slot", What: fmt.Sprintf("there is no slot %s", k.Slot()), SQL: create, Hint: "in the database " + c.facts.server.database + ", after the publication was made"})
	case s == nil:
		c.ok("slot", fmt.Sprintf("the slot %s will be made", k.Slot()))
	case s.pid != 0 && s.application != k.name && !s.unknown:
		c.add(Finding{Level: Error, Slug: Busy, What: s.busy(k.Slot()).Message, SQL: fmt.Sprintf("SELECT pg_terminate_backend(%d)", s.pid), Hint: "or stop that reader"})
	case foreign && s.unfit(c.facts.server.database) != "":
		c.add(Finding{Level: Error, Slug: "slot_unfit", What: fmt.Sprintf("the slot %s %s", k.Slot(), s.unfit(c.facts.server.database)), SQL: drop + "; " + create, Hint: "in the database " + c.facts.server.database})
	case s.lost():
		c.add(Finding{Level: Warning, Slug: "slot_lost", What: fmt.Sprintf("the slot %s is lost%s; the next start makes it anew", k.Slot(), because(s))})
	default:
		c.ok("slot", fmt.Sprintf("the slot %s is there", k.Slot()))
	}
}

// unfit says why somebody else's slot can't be read, "" where it can.
func (s *slotFacts) unfit(database string) string {
	switch {
	case s.physical:
		return "is a physical one"
	case s.plugin != plugin:
		return "is of the plugin " + s.plugin + ", not " + plugin
	case s.database != database:
		return "is of the database " + s.database
	case s.lost():
		return "is lost: the server has removed WAL that it needed" + because(s)
	}
	return ""
}
