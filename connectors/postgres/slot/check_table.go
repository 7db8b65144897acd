package slot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// kinds are what else than a table can have a name.
var kinds = map[string]string{"v": "a view", "m": "a materialized view", "f": "a foreign table"}

// table looks for the table and whether its rows may be read.
func (c *check) table() {
	t, s := c.facts.table, &c.facts.server
	if t == nil {
		f := Finding{Level: Error, Slug: pg.TableMissing, What: fmt.Sprintf("there is no table %s", c.keeper.cfg.Table)}
		if all := problem.All(c.facts.absent); len(all) > 0 {
			f.What, f.Hint = all[0].Message, all[0].Hint
		}
		c.add(f)
		return
	}
	user := pg.Quote(s.user)
	var grants []string
	if !t.looks {
		grants = append(grants, fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s", pg.Quote(t.name.Schema), user))
	}
	if len(t.hidden(c.keeper.wanted(t))) > 0 {
		grants = append(grants, fmt.Sprintf("GRANT SELECT ON %s TO %s", t.name.SQL(), user))
	}
	if len(grants) > 0 {
		c.add(Finding{Level: Error, Slug: pg.Denied, What: fmt.Sprintf("the user %s may not read %s", s.user, t.name), SQL: strings.Join(grants, "; ")})
	}
	if t.guarded {
		c.add(Finding{
			Level: Error, Slug: "row_security", What: fmt.Sprintf("row security hides rows of %s from the user %s when they are read, and not when they change", t.name, s.user),
			SQL: fmt.Sprintf("ALTER ROLE %s BYPASSRLS", user),
		})
	}
}

// wanted are the columns that are read; none are all.
func (k *Keeper) wanted(t *tableFacts) []string {
	if len(k.cfg.Columns) == 0 {
		return nil
	}
	return append(slices.Clone(k.key(t)), k.cfg.Columns...)
}

// key are the key columns: those of the configuration, or the primary key.
func (k *Keeper) key(t *tableFacts) []string {
	if len(k.cfg.Key) > 0 {
		return k.cfg.Key
	}
	return t.primary
}

// hidden are the columns that the user may not read, of those that are wanted.
func (t *tableFacts) hidden(wanted []string) (names []string) {
	for _, c := range t.columns {
		if !c.mayRead && (len(wanted) == 0 || slices.Contains(wanted, c.name)) {
			names = append(names, c.name)
		}
	}
	return names
}

// publishable looks whether the table is one of which changes can be told at all.
func (c *check) publishable() bool {
	t := c.facts.table
	refuse := func(what string) bool {
		c.add(Finding{Level: Error, Slug: "not_publishable", What: fmt.Sprintf("%s %s", t.name, what), Hint: "name a table of rows that are logged, or leave mode: cdc out"})
		return false
	}
	switch {
	case kinds[t.kind] != "":
		return refuse("is " + kinds[t.kind] + ", of which PostgreSQL tells no changes")
	case t.system:
		return refuse("is one of the server's own, of which it tells no changes")
	case t.persistence == "u":
		c.add(Finding{
			Level: Error, Slug: "not_publishable", What: fmt.Sprintf("%s is unlogged, so that PostgreSQL writes down none of its changes", t.name),
			SQL: fmt.Sprintf("ALTER TABLE %s SET LOGGED", t.name.SQL()), Hint: "it locks the table while it is written anew",
		})
		return false
	case t.persistence == "t":
		return refuse("is temporary")
	case t.inherited:
		return refuse("has tables that inherit from it without being partitions: their changes would be told as theirs, and its own reading has their rows")
	}
	fine := true
	for _, p := range t.parts {
		if p.kind == "f" || p.persistence == "u" {
			what := "is a foreign table"
			if p.persistence == "u" {
				what = "is unlogged"
			}
			c.add(Finding{Level: Error, Slug: "not_publishable", What: fmt.Sprintf("the partition %s of %s %s, so that PostgreSQL tells no changes of it", p.name, t.name, what), Hint: "leave mode: cdc out"})
			fine = false
		}
	}
	return fine
}

// identities looks whether a change says of which row it is. It cures P9: once a
// table is published that has no identity, the user's own UPDATE and DELETE fail.
func (c *check) identities() {
	t, key := c.facts.table, c.keeper.key(c.facts.table)
	if len(key) == 0 {
		c.add(Finding{
			Level: Error, Slug: "no_primary_key", What: fmt.Sprintf("%s has no primary key", t.name),
			Hint: fmt.Sprintf("name the columns that identify a row, as in key: %s", t.columns[0].name),
		})
		return
	}
	for _, name := range key {
		i := slices.IndexFunc(t.columns, func(col columnFacts) bool { return col.name == name })
		switch {
		case i < 0:
			c.add(Finding{Level: Error, Slug: pg.NoColumn, What: fmt.Sprintf("there is no column %q in %s", name, t.name), Hint: "correct key; names are as in the catalog, also in their case"})
			return
		case t.columns[i].generated != "":
			c.add(Finding{Level: Error, Slug: "generated_key", What: fmt.Sprintf("the key column %q of %s is generated: changes do not tell it", name, t.name), Hint: "name columns in key that are stored"})
			return
		}
	}
	if !cures.PublicationIdentity {
		return
	}
	before := len(c.all)
	for _, p := range t.parts {
		c.identity(p, key)
	}
	c.generated()
	if len(c.all) == before {
		c.ok("replica_identity", fmt.Sprintf("changes of %s say of which row they are", t.name))
	}
	if !slices.ContainsFunc(t.parts, func(p part) bool { return p.unique(key) }) {
		c.add(Finding{
			Level: Warning, Slug: "key_not_unique", What: fmt.Sprintf("no index keeps two rows of %s from having the same key (%s): the one that changed last would count", t.name, strings.Join(key, ", ")),
			SQL: fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY ON %s (%s)", t.name.SQL(), quoted(key)),
		})
	}
}

// identity looks at the identity of one part.
func (c *check) identity(p part, key []string) {
	columns, all := p.identified()
	if all || len(columns) > 0 && within(key, columns) {
		return
	}
	f := Finding{Level: Error, Slug: "no_replica_identity", SQL: p.identify(key)}
	if len(columns) == 0 {
		f.What = fmt.Sprintf("%s has no replica identity: once its changes are published, UPDATE and DELETE on it fail for everybody", p.name)
	} else {
		f.What = fmt.Sprintf("the replica identity of %s is (%s), without the key (%s): a DELETE would not say which row is gone", p.name, strings.Join(columns, ", "), strings.Join(key, ", "))
	}
	if strings.HasSuffix(f.SQL, "FULL") {
		f.Hint = "as the table's owner; the server then writes whole rows to its log where one is updated or deleted"
	} else {
		f.Hint = "as the table's owner"
	}
	c.add(f)
}

// identified are the columns that a change tells of the row as it was.
func (p part) identified() (columns []string, all bool) {
	for _, i := range p.indexes {
		if p.identity == "d" && i.primary || p.identity == "i" && i.identity {
			return i.columns, false
		}
	}
	return nil, p.identity == "f"
}

// identify is the SQL that gives a part an identity with the key in it: the least
// that is enough.
func (p part) identify(key []string) string {
	alter := "ALTER TABLE " + p.name.SQL() + " REPLICA IDENTITY "
	for _, i := range p.indexes {
		if i.primary && within(key, i.columns) {
			return alter + "DEFAULT"
		}
	}
	for _, i := range p.indexes {
		if i.notNull && within(key, i.columns) {
			return alter + "USING INDEX " + pg.Quote(i.name)
		}
	}
	return alter + "FULL"
}

// unique reports whether an index keeps rows from having the same key.
func (p part) unique(key []string) bool {
	return slices.ContainsFunc(p.indexes, func(i index) bool { return within(i.columns, key) })
}

// generated looks at columns that the server computes. Up to 17 no change tells
// them, from 18 on those that are stored are told.
func (c *check) generated() {
	t := c.facts.table
	full := slices.ContainsFunc(t.parts, func(p part) bool { return p.identity == "f" })
	for _, col := range t.columns {
		switch {
		case col.generated == "", col.generated == "s" && c.facts.server.version >= 180000:
		case col.generated == "v" && full:
			c.add(Finding{
				Level: Error, Slug: "virtual_column", What: fmt.Sprintf("the column %q of %s is virtual and part of its replica identity FULL: once its changes are published, UPDATE and DELETE on it fail for everybody", col.name, t.name),
				Hint: "give the table a replica identity by an index",
			})
		case slices.Contains(c.keeper.cfg.Columns, col.name):
			c.add(Finding{Level: Error, Slug: "generated_column", What: fmt.Sprintf("the column %q of %s is generated: changes do not tell it", col.name, t.name), Hint: "leave it out of columns, and compute it in the binding's map"})
		case len(c.keeper.cfg.Columns) == 0:
			c.add(Finding{Level: Warning, Slug: "generated_column", What: fmt.Sprintf("the column %q of %s is generated: changes do not tell it, so that rows have no such column", col.name, t.name)})
		}
	}
}

func quoted(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = pg.Quote(name)
	}
	return strings.Join(all, ", ")
}
