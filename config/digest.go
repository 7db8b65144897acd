package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"strings"
)

// Digest tells whether a section changed: it covers the content as it is
// decoded, with variables, and the files that ..._file keys name, but neither
// comments, layout nor the order of keys. It covers secrets, so it is
// not for printing: a short secret could be guessed from it.
func (n Node) Digest() string {
	h := digester{Hash: sha256.New(), doc: n.doc}
	h.value(n.value())
	return hex.EncodeToString(h.Sum(nil))
}

// digester writes lengths before texts, so that no two contents read the same.
type digester struct {
	hash.Hash
	doc *document
}

func (h digester) value(v *value) {
	h.number(int(v.kind))
	switch v.kind {
	case Scalar:
		h.scalar(v.scalar)
	case Mapping:
		h.mapping(v)
	case Sequence:
		h.number(len(v.items))
		for _, item := range v.items {
			h.value(item)
		}
	}
}

func (h digester) scalar(s scalar) {
	h.flag(s.plain)
	h.flag(len(s.faults) > 0)
	h.text(s.text)
}

func (h digester) mapping(v *value) {
	entries := slices.Clone(v.entries)
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	h.number(len(entries))
	for _, e := range entries {
		h.text(e.key)
		h.value(e.v)
		if strings.HasSuffix(e.key, fileSuffix) && e.v.kind == Scalar && len(e.v.scalar.faults) == 0 {
			content, err := h.doc.readSecret(e.v.scalar.text)
			h.flag(err == nil)
			h.text(content)
		}
	}
}

func (h digester) text(s string) {
	h.number(len(s))
	_, _ = io.WriteString(h, s)
}

func (h digester) flag(b bool) {
	if b {
		h.number(1)
	} else {
		h.number(0)
	}
}

func (h digester) number(n int) {
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
}
