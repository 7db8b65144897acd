package httppoll

import "strings"

// nextLink is the address with the relation next in Link headers (RFC 8288), ""
// if there is none.
func nextLink(headers []string) string {
	for _, header := range headers {
		for header != "" {
			_, rest, found := strings.Cut(header, "<")
			if !found {
				break
			}
			address, rest, found := strings.Cut(rest, ">")
			if !found {
				break
			}
			var params []string
			params, header = linkParams(rest)
			if isNext(params) {
				return strings.TrimSpace(address)
			}
		}
	}
	return ""
}

// linkParams are the parameters of a link, up to the comma before the next one.
func linkParams(text string) (params []string, rest string) {
	var param strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\' && i+1 < len(text):
			i++
			param.WriteByte(text[i])
		case c == '"':
			quoted = !quoted
		case !quoted && c == ';':
			params = append(params, param.String())
			param.Reset()
		case !quoted && c == ',':
			return append(params, param.String()), text[i+1:]
		default:
			param.WriteByte(c)
		}
	}
	return append(params, param.String()), ""
}

func isNext(params []string) bool {
	for _, param := range params {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for _, relation := range strings.Fields(value) {
			if strings.EqualFold(relation, "next") {
				return true
			}
		}
		return false // what a second rel says does not count
	}
	return false
}
