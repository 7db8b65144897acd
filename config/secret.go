package config

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "***"

// A Secret is a value that is never shown: every way of printing, logging or
// marshalling it yields "***". Only Reveal gives the text.
//
// A struct field of this type takes its value from its own key or from the file
// that KEY_file names.
type Secret struct {
	// A pointer, because fmt prints what an unexported field holds without
	// asking its methods, and stops at nested pointers.
	text *string
}

// NewSecret is the secret that reveals text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal is the text itself. Whoever calls it must not print it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.text == nil }

// Equal reports whether both reveal the same text.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String is "***".
func (s Secret) String() string { return redacted }

// GoString is "***".
func (s Secret) GoString() string { return redacted }

// Format writes "***" for every verb, also for those that do not fit.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText is "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON is "***" in quotes.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue is "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
