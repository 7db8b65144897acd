// Package urlpath knows what servers make of the path of an address.
package urlpath

import (
	"net/url"
	"strings"
)

// Climbs reports whether a path has a part that leads elsewhere: . or .., however
// often it is encoded, and behind a backslash or before a parameter too, since
// there are servers that read them so.
func Climbs(path string) bool {
	for {
		for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
			if part == "." || part == ".." || strings.HasPrefix(part, "..;") {
				return true
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			return false
		}
		path = decoded
	}
}
