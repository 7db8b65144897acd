package pg

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxName is PostgreSQL's own limit; it would cut a longer name silently.
const maxName = 63

// A Name is a table's name, with its schema where one was written.
type Name struct{ Schema, Table string }

// ParseName reads a name as SQL does: what is not quoted is in lower case.
func ParseName(text string) (Name, *problem.Error) {
	var parts []string
	rest := text
	for {
		part, after, ok := onePart(rest)
		if !ok || part == "" || len(part) > maxName || strings.ContainsRune(part, 0) || len(parts) == 2 {
			return Name{}, problem.New(problem.Invalid, "%q is not the name of a table", text).
				WithHint(`as in products, shop.products or shop."Products"`)
		}
		parts = append(parts, part)
		if after == "" {
			break
		}
		rest = after[1:]
	}
	if len(parts) == 1 {
		return Name{Table: parts[0]}, nil
	}
	return Name{Schema: parts[0], Table: parts[1]}, nil
}

// onePart takes the first name of a dotted one; after is empty, or begins with the dot.
func onePart(text string) (part, after string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		part, _, _ = strings.Cut(text, ".")
		after = text[len(part):]
		return strings.ToLower(part), after, !strings.ContainsAny(part, "\" \t\r\n;'()")
	}
	var name strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			name.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			name.WriteByte('"')
			i++
			continue
		}
		after = text[i+1:]
		return name.String(), after, after == "" || after[0] == '.'
	}
	return "", "", false
}

// SQL is the name as it stands in a statement.
func (n Name) SQL() string {
	if n.Schema == "" {
		return Quote(n.Table)
	}
	return Quote(n.Schema) + "." + Quote(n.Table)
}

// String is the name for a person.
func (n Name) String() string {
	if n.Schema == "" {
		return n.Table
	}
	return n.Schema + "." + n.Table
}

// Same reports whether two names are of one table, where a name without a schema
// is taken to be in public.
func (n Name) Same(other Name) bool {
	if n.Schema == "" {
		n.Schema = "public"
	}
	if other.Schema == "" {
		other.Schema = "public"
	}
	return n == other
}

// Quote is an identifier, exactly as it is in the catalog.
func Quote(identifier string) string {
	return `"` + strings.ReplaceAll(identifier, `"`, `""`) + `"`
}

// Literal is a text as a constant, whatever the server takes a backslash for.
func Literal(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return " E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// Array is texts as PostgreSQL writes an array of them; nil is null.
func Array(values []*string) []byte {
	b := []byte{'{'}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		if v == nil {
			b = append(b, "NULL"...)
			continue
		}
		b = append(b, '"')
		for j := range len(*v) {
			if c := (*v)[j]; c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, (*v)[j])
		}
		b = append(b, '"')
	}
	return append(b, '}')
}
