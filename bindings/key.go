package bindings

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The reasons for which a row is kept out of the ledger.
const (
	NullKey      = "null_key"      // a key column is missing, null or empty
	BadKey       = "bad_key"       // a key column is no text, number or bool, or the key is too long
	DuplicateKey = "duplicate_key" // another row of the reading has the same key
	BadRecord    = "bad_record"    // the row holds what no row may hold
)

// KeyLimit is the length of the longest canonical key. Postgres indexes no
// much longer one, and no server takes a much longer path.
const KeyLimit = 1024

// A KeyError is why a row has no key.
type KeyError struct {
	Reason string // NullKey or BadKey
	Detail string // for a person
}

func (e *KeyError) Error() string { return e.Detail }

// CanonicalKey is the one text of a row's key, which is also its form in the
// path of a URL: its columns as text, percent-encoded but for letters, digits,
// "-", "_" and "~", joined by ",". Text is normalised to NFC, a number stands
// with its digits, so 1 and "1" are the same key. Apart from that, different
// columns give different keys. The error is a *KeyError.
func CanonicalKey(parts []any) (string, error) {
	if len(parts) == 0 {
		return "", &KeyError{NullKey, "the row has no key column"}
	}
	b := make([]byte, 0, 32)
	for i, part := range parts {
		text, err := keyText(part)
		if err != nil {
			err.Detail = fmt.Sprintf("%s of the key %s", ordinal(i, len(parts)), err.Detail)
			return "", err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEncoded(b, text)
		if len(b) > KeyLimit {
			return "", &KeyError{BadKey, fmt.Sprintf("the key %.40s… is longer than %d characters", text, KeyLimit)}
		}
	}
	return string(b), nil
}

func ordinal(i, n int) string {
	if n == 1 {
		return "the column"
	}
	return fmt.Sprintf("column %d", i+1)
}

func keyText(part any) (string, *KeyError) {
	switch v := part.(type) {
	case nil:
		return "", &KeyError{NullKey, "is missing or null"}
	case string:
		if v == "" {
			return "", &KeyError{NullKey, "is empty"}
		}
		if !utf8.ValidString(v) {
			return "", &KeyError{BadKey, fmt.Sprintf("is not valid UTF-8: %q", v)}
		}
		return norm.NFC.String(v), nil
	case json.Number:
		if v == "" {
			return "", &KeyError{NullKey, "is empty"}
		}
		return string(v), nil
	case bool:
		if v {
			return "true", nil
		}
		return "false", nil
	}
	return "", &KeyError{BadKey, "is neither text nor a number: a list or an object identifies no row"}
}

func appendEncoded(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if plain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

// plain leaves out the dot, which is unreserved in URLs, because the last dot
// of an image's path begins its extension.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '~'
}

// ParseKey is the columns of a key, as text. It reads what CanonicalKey writes
// and also what a person types: characters that need no encoding to be
// understood, and either case of hexadecimal digits.
func ParseKey(key string) ([]string, error) {
	if key == "" {
		return nil, errors.New("the key is empty")
	}
	columns := strings.Split(key, ",")
	for i, c := range columns {
		text, err := url.PathUnescape(c)
		if err != nil {
			return nil, fmt.Errorf("read key %q: %w", key, err)
		}
		columns[i] = text
	}
	return columns, nil
}

// NormalKey is the canonical form of a key that ParseKey reads.
func NormalKey(key string) (string, error) {
	columns, err := ParseKey(key)
	if err != nil {
		return "", err
	}
	parts := make([]any, len(columns))
	for i, c := range columns {
		parts[i] = c
	}
	return CanonicalKey(parts)
}

// KeyText is a canonical key for people: "Größe 42, rot".
func KeyText(key string) string {
	columns, err := ParseKey(key)
	if err != nil {
		return key
	}
	return strings.Join(columns, ", ")
}
