package store

import (
	"regexp"
	"strings"
	"sync"
)

// A dialect is all that the two databases need said differently. The texts in
// this package write
//
//	rows($1)  a JSON list of lists, one row each: e.value->>0 is its first column
//	list($1)  a JSON list of strings: e.value
//
// and FOR UPDATE where rows must be locked, which SQLite's one writer has no need of.
type dialect struct {
	postgres bool
	texts    sync.Map // as written to as sent
}

var listToken = regexp.MustCompile(`\b(rows|list)\((\$\d+)\)`)

// text is query as the database wants it.
func (d *dialect) text(query string) string {
	if sent, ok := d.texts.Load(query); ok {
		return sent.(string)
	}
	var sent string
	if d.postgres {
		sent = listToken.ReplaceAllStringFunc(query, func(token string) string {
			m := listToken.FindStringSubmatch(token)
			if m[1] == "rows" {
				return "jsonb_array_elements(CAST(" + m[2] + " AS jsonb))"
			}
			return "jsonb_array_elements_text(CAST(" + m[2] + " AS jsonb))"
		})
	} else {
		sent = listToken.ReplaceAllString(query, "json_each($2)")
		sent = strings.ReplaceAll(sent, "FOR UPDATE SKIP LOCKED", "")
		sent = strings.ReplaceAll(sent, "FOR UPDATE", "")
	}
	d.texts.Store(query, sent)
	return sent
}
