package pdf

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
)

// An object is a value of a PDF file.
type object interface {
	// print appends the object in the one form that this package writes.
	print(b []byte) []byte
}

type (
	keyword string // true, false, null
	number  string // as it was written
	name    string // what it means, without the slash
	text    []byte // what it means
	ref     int    // the number of an object
	array   []object
	dict    map[name]object
)

// A stream is a dictionary with bytes, as they are encoded in the file.
type stream struct {
	dict dict
	data []byte
}

const null keyword = "null"

func (k keyword) print(b []byte) []byte { return append(b, k...) }
func (n number) print(b []byte) []byte  { return append(b, n...) }
func (r ref) print(b []byte) []byte     { return append(strconv.AppendInt(b, int64(r), 10), " 0 R"...) }

const hexDigits = "0123456789ABCDEF"

func (n name) print(b []byte) []byte {
	b = append(b, '/')
	for i := range len(n) {
		if c := n[i]; c > ' ' && c < 0x7f && c != '#' && !delimiter[c] {
			b = append(b, c)
		} else {
			b = append(b, '#', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}

func (t text) print(b []byte) []byte {
	if bytes.ContainsFunc(t, func(r rune) bool { return r < ' ' || r > '~' }) {
		b = append(b, '<')
		for _, c := range t {
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		}
		return append(b, '>')
	}
	b = append(b, '(')
	for _, c := range t {
		if c == '(' || c == ')' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, ')')
}

func (a array) print(b []byte) []byte {
	b = append(b, '[')
	for i, o := range a {
		if i > 0 {
			b = append(b, ' ')
		}
		b = o.print(b)
	}
	return append(b, ']')
}

func (d dict) print(b []byte) []byte {
	b = append(b, "<<"...)
	for _, key := range slices.Sorted(maps.Keys(d)) {
		b = append(key.print(b), ' ')
		b = d[key].print(b)
	}
	return append(b, ">>"...)
}

func (s *stream) print(b []byte) []byte {
	d := maps.Clone(s.dict)
	d["Length"] = integer(len(s.data))
	b = append(d.print(b), "stream\n"...)
	b = append(b, s.data...)
	return append(b, "\nendstream"...)
}

func integer(n int) number { return number(strconv.Itoa(n)) }

// real is v with at most five digits behind the point: a PDF has no other form
// for it, and a thousandth of a point can't be seen.
func real(v float64) number {
	s := strconv.FormatFloat(v, 'f', 5, 64)
	s = string(bytes.TrimRight([]byte(s), "0"))
	s = string(bytes.TrimSuffix([]byte(s), []byte(".")))
	if s == "-0" || s == "" {
		s = "0"
	}
	return number(s)
}

func (n number) float() (float64, bool) {
	for i := range len(n) {
		if c := n[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(n), 64)
	return v, err == nil
}

func (n number) int() (int, bool) {
	v, err := strconv.Atoi(string(n))
	return v, err == nil
}
