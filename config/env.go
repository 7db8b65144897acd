package config

import (
	"regexp"
	"strings"
)

// A fault is why a scalar has no text: a variable is not set, or its form is wrong.
type fault struct{ slug, message, hint string }

const variableForm = "write ${NAME} or ${NAME:-default}, or $${ for a literal ${"

var (
	reference = regexp.MustCompile(`\$\$\{|\$\{([^}]*)(\}?)`)
	variable  = regexp.MustCompile(`(?s)^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$`)
)

// expand puts variables into a scalar that was written as s.raw.
func (s *scalar) expand(doc *document) {
	var out strings.Builder
	end := 0
	for _, m := range reference.FindAllStringSubmatchIndex(s.raw, -1) {
		out.WriteString(s.raw[end:m[0]])
		end = m[1]
		if m[2] < 0 {
			out.WriteString("${")
			continue
		}
		if m[4] == m[5] {
			s.fault(slugVariable, `"${" has no "}"`, variableForm)
			continue
		}
		out.WriteString(s.lookup(doc, s.raw[m[2]:m[3]]))
	}
	s.text = out.String() + s.raw[end:]
}

func (s *scalar) lookup(doc *document, inner string) string {
	m := variable.FindStringSubmatch(inner)
	if m == nil || strings.Contains(m[2], "${") {
		s.fault(slugVariable, `"${…}" does not hold the name of a variable`, variableForm)
		return ""
	}
	s.expanded = true
	text, set := doc.env(m[1])
	switch {
	case text != "":
		doc.secrets.add(text)
		return text
	case len(inner) > len(m[1]):
		return m[2]
	case !set:
		s.fault(slugVariable, "environment variable "+m[1]+" is not set", "set it, or write ${"+m[1]+":-default}")
	}
	return ""
}

func (s *scalar) fault(slug, message, hint string) {
	s.faults = append(s.faults, fault{slug: slug, message: message, hint: hint})
}
