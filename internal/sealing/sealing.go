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

// A Sealer seals with one key, and opens what that or an older one sealed. It is
// safe for concurrent use.
type Sealer struct {
	aead     cipher.AEAD
	previous []cipher.AEAD
}

// New is the sealer of a key of any length that nobody can guess. previous are the
// keys before it, which open and seal no more.
func New(key string, previous ...string) (*Sealer, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	s := &Sealer{aead: aead}
	for _, older := range previous {
		if aead, err = newAEAD(older); err != nil {
			return nil, err
		}
		s.previous = append(s.previous, aead)
	}
	return s, nil
}

func newAEAD(key string) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, []byte(key), nil, "pictifyd/sealing/1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal is text, to be opened for the same place only.
func (s *Sealer) Seal(place, text string) string {
	return version + base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(text), []byte(place)))
}

// Open is the text that was sealed for place, or ErrUnsealed.
func (s *Sealer) Open(place, sealed string) (string, error) {
	text, _, err := s.open(place, sealed)
	return text, err
}

// Renew is the text of sealed, sealed with the newest key: sealed itself where it is
// so already.
func (s *Sealer) Renew(place, sealed string) (string, error) {
	text, newest, err := s.open(place, sealed)
	if err != nil || newest {
		return sealed, err
	}
	return s.Seal(place, text), nil
}

func (s *Sealer) open(place, sealed string) (text string, newest bool, err error) {
	rest, ok := strings.CutPrefix(sealed, version)
	data, err := base64.RawStdEncoding.DecodeString(rest)
	if !ok || err != nil {
		return "", false, ErrUnsealed
	}
	if opened, err := s.aead.Open(nil, nil, data, []byte(place)); err == nil {
		return string(opened), true, nil
	}
	for _, older := range s.previous {
		if opened, err := older.Open(nil, nil, data, []byte(place)); err == nil {
			return string(opened), false, nil
		}
	}
	return "", false, ErrUnsealed
}
