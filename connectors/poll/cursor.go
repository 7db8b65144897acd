package poll

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/pictifyd/pictifyd/connectors"
)

// A Binding ties cursors to the configuration that they were made under: what a
// source says it has already read is true only for the same request, rows path
// and key.
type Binding string

// Bind is the binding of a configuration, given as its parts that decide which
// rows are read. They are values that encoding/json can write.
func Bind(parts ...any) (Binding, error) {
	text, err := json.Marshal(parts)
	if err != nil {
		return "", fmt.Errorf("hash configuration: %w", err)
	}
	return Binding(Digest(text)), nil
}

type sealed struct {
	Binding Binding         `json:"binding"`
	State   json.RawMessage `json:"state"`
}

// Seal is a cursor that holds state, to be opened under the same binding.
func (b Binding) Seal(state any) (connectors.Cursor, error) {
	text, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("write cursor: %w", err)
	}
	return json.Marshal(sealed{Binding: b, State: text})
}

// Open reads cursor into state. It reports false, and leaves state alone, for
// the beginning and for a cursor of another binding or another version of the
// kind: then the source is read as if for the first time.
func (b Binding) Open(cursor connectors.Cursor, state any) bool {
	var s sealed
	if len(cursor) == 0 || json.Unmarshal(cursor, &s) != nil || s.Binding != b {
		return false
	}
	return json.Unmarshal(s.State, state) == nil
}

// State is what a cursor holds, whatever it is bound to: for people who want to see
// where a source was read to. It is nil for a cursor that nobody sealed.
func State(cursor connectors.Cursor) json.RawMessage {
	var s sealed
	if json.Unmarshal(cursor, &s) != nil {
		return nil
	}
	return s.State
}

// Digest is the SHA-256 of data in hexadecimal.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
