package connectors

import (
	"strconv"
	"strings"
)

// Quoted is names as a person reads them in an error, each in quotes, cut where
// there are too many.
func Quoted(names []string) string {
	const most = 20
	more := ""
	if len(names) > most {
		names, more = names[:most], ", …"
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return strings.Join(quoted, ", ") + more
}
