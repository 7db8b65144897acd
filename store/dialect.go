package store

import (
	"regexp"
	"sync"
)

// A dialect is all that the two databases need said differently. The texts in
// this package write
//
//	FROM rows($1) AS e  a JSON list of lists, one row each: e.value->>0 is its first column
//	FROM texts($1) AS e a JSON list of strings: e.value
//	IN list($1)         the same, to find one among them
//	worker(attempted_by) the process that had a turn last, '' for none
//
// and FOR UPDATE where rows must be locked, which SQLite's one writer has no need
// of. Where rows are joined, it is with CROSS JOIN: SQLite then loops in the order
// of the text, and does not look for each stored row among the given ones.
type dialect struct {
	postgres bool
	texts    sync.Map // as written to as sent
}

type rewrite struct {
	from *regexp.Regexp
	to   string
}

var (
	forSQLite = []rewrite{
		{regexp.MustCompile(`\b(?:rows|texts)\((\$\d+)\)`), `json_each($1)`},
		{regexp.MustCompile(`\bIN list\((\$\d+)\)`), `IN (SELECT value FROM json_each($1))`},
		{regexp.MustCompile(`\bworker\((\w+)\)`), `COALESCE($1->>'$$[#-1]', '')`},
		{regexp.MustCompile(`FOR UPDATE( SKIP LOCKED)?`), ``},
	}
	// An array, unlike a subquery, is looked up in an index whatever the planner
	// knows of the table, which at first is nothing.
	forPostgres = []rewrite{
		{regexp.MustCompile(`\brows\((\$\d+)\)`), `jsonb_array_elements(CAST($1 AS jsonb))`},
		{regexp.MustCompile(`\btexts\((\$\d+)\)`), `jsonb_array_elements_text(CAST($1 AS jsonb))`},
		{regexp.MustCompile(`\bNOT IN list\((\$\d+)\)`), `<> ALL (ARRAY(SELECT jsonb_array_elements_text(CAST($1 AS jsonb))))`},
		{regexp.MustCompile(`\bworker\((\w+)\)`), `COALESCE(${1}[array_upper($1, 1)], '')`},
		{regexp.MustCompile(`\bIN list\((\$\d+)\)`), `= ANY (ARRAY(SELECT jsonb_array_elements_text(CAST($1 AS jsonb))))`},
	}
)

// text is query as the database wants it.
func (d *dialect) text(query string) string {
	if sent, ok := d.texts.Load(query); ok {
		return sent.(string)
	}
	rewrites := forSQLite
	if d.postgres {
		rewrites = forPostgres
	}
	sent := query
	for _, r := range rewrites {
		sent = r.from.ReplaceAllString(sent, r.to)
	}
	d.texts.Store(query, sent)
	return sent
}
