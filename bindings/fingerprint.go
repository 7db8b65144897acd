package bindings

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// Fingerprint is the identity of the picture that s describes at an epoch: the
// SHA-256, in hex, of the page's digest, the values of its slots, the format,
// the quality, what else the encoding names, and the values of further rows. It is closed. The template's
// name and version and the size are not in it, because the page stands for
// them; two templates that compile to the same page share their pictures.
//
// Changing what is hashed here renders every picture in the world again.
func Fingerprint(s Spec, epoch int64) string {
	h := newHash("pictifyd/1")
	h.text(s.Page)
	h.number(int64(len(s.Values)))
	for _, v := range s.Values {
		h.text(v)
	}
	e := s.Canonical()
	h.text(e.Format)
	h.number(int64(e.Quality))
	h.number(epoch)
	for _, text := range e.apart() {
		h.text(text)
	}
	if len(s.More) > 0 {
		h.text("more") // no option has this name
		for _, values := range s.More {
			h.number(int64(len(values)))
			for _, v := range values {
				h.text(v)
			}
		}
	}
	return h.sum()
}

// A tupleHash hashes a list of texts and numbers so that no two lists have the same input.
type tupleHash struct{ hash.Hash }

func newHash(kind string) tupleHash {
	h := tupleHash{sha256.New()}
	h.text(kind)
	return h
}

func (h tupleHash) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

func (h tupleHash) text(s string) {
	h.number(int64(len(s)))
	h.Write([]byte(s))
}

func (h tupleHash) sum() string { return hex.EncodeToString(h.Sum(nil)) }
