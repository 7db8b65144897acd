// Package apikey is the form of the keys that open an API: how one is made, what
// is kept of it, and how much it may ask for in a time. A key itself is nowhere
// kept: its SHA-256 is, which no one can turn back, since keys are random.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

const (
	// Prefix begins every key that is made here, so that people and scanners of
	// leaked secrets know one when they see it.
	Prefix = "pk_live_"

	shown = len(Prefix) + 4
)

// A Key is what is kept of a key.
type Key struct {
	ID        string
	Name      string // unique
	Digest    string // Digest of the key
	Start     string // by which people tell keys apart: pk_live_x7ma
	Scopes    []string
	Templates []string
	Origins   []string
	Rate      int   // requests a minute; 0: the default
	Quota     Quota // zero: the default
	ExpiresAt time.Time
	CreatedAt time.Time
	UsedAt    time.Time // about
}

// New makes a key, and the record of it.
func New() (secret string, k Key) {
	secret = Prefix + strings.ToLower(rand.Text()) // 128 bits and more
	return secret, Key{ID: "key_" + strings.ToLower(rand.Text()), Digest: Digest(secret), Start: secret[:shown]}
}

// Digest is the SHA-256 of a key, in hex.
func Digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
