// Package sealing keeps small secrets in places that others may copy: a sealed
// text opens only with its key, and only where it was put.
package sealing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// version begins every sealed text, so that another form can follow.
const version = "v1."

// ErrUnsealed says that a text was sealed with another key, for another place, or
// was changed since.
var ErrUnsealed = errors.New("the secret cannot be opened: it was sealed with another key, or for another place")

// A Sealer seals and opens. It is safe for concurrent use.
type Sealer struct{ aead cipher.AEAD }

// New is the sealer of a key of any length that nobody can guess.
func New(key string) (*Sealer, error) {
	derived, err := hkdf.Key(sha256.New, []byte(key), nil, "pictifyd/sealing/1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Sealer{aead}, err
}

// Seal is text, to be opened for the same place only.
func (s *Sealer) Seal(place, text string) string {
	return version + base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(text), []byte(place)))
}

// Open is the text that was sealed for place, or ErrUnsealed.
func (s *Sealer) Open(place, sealed string) (string, error) {
	rest, ok := strings.CutPrefix(sealed, version)
	data, err := base64.RawStdEncoding.DecodeString(rest)
	if !ok || err != nil {
		return "", ErrUnsealed
	}
	text, err := s.aead.Open(nil, nil, data, []byte(place))
	if err != nil {
		return "", ErrUnsealed
	}
	return string(text), nil
}
