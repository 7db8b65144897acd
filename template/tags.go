package template

import "bytes"

// A tag is a start or end tag of the file, by byte offsets: golang.org/x/net/html
// finds the tags and keeps their bytes, but not where their attributes stand.
type tag struct {
	name        string // lower case
	nameStart   int
	nameEnd     int
	start, end  int
	attrs       []attr
	selfClosing bool
	closes      bool
}

// An attr is one attribute; without a value all its value offsets are the end
// of its name.
type attr struct {
	name       string // lower case
	start, end int    // of all, the quotes included
	nameEnd    int
	valueStart int
	valueEnd   int
	quoted     bool
	hasValue   bool
}

func (a attr) value(src []byte) string { return string(src[a.valueStart:a.valueEnd]) }

// get is the value of the first attribute of the name, as the parser counts.
func (t tag) get(src []byte, name string) (string, bool) {
	for _, a := range t.attrs {
		if a.name == name {
			return a.value(src), true
		}
	}
	return "", false
}

// lower is what HTML calls lower case: of ASCII letters alone.
func lower(name []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, name))
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

// parseTag reads the tag src[start:end], which begins with < and ends with >.
func parseTag(src []byte, start, end int) tag {
	t := tag{start: start, end: end}
	i := start + 1
	if i < end && src[i] == '/' {
		t.closes = true
		i++
	}
	t.nameStart = i
	for i < end && !isSpace(src[i]) && src[i] != '/' && src[i] != '>' {
		i++
	}
	t.nameEnd = i
	t.name = lower(src[t.nameStart:i])
	for {
		for i < end && (isSpace(src[i]) || src[i] == '/') {
			i++
		}
		if i >= end || src[i] == '>' {
			t.selfClosing = i > start+1 && src[i-1] == '/'
			return t
		}
		a := parseAttr(src, i, end)
		t.attrs = append(t.attrs, a)
		i = a.end
	}
}

func parseAttr(src []byte, i, end int) attr {
	a := attr{start: i}
	for i++; i < end && !isSpace(src[i]) && src[i] != '/' && src[i] != '>' && src[i] != '='; {
		i++
	}
	a.nameEnd = i
	a.name = lower(src[a.start:i])
	a.valueStart, a.valueEnd, a.end = i, i, i
	for i < end && isSpace(src[i]) {
		i++
	}
	if i >= end || src[i] != '=' {
		return a
	}
	for i++; i < end && isSpace(src[i]); {
		i++
	}
	a.hasValue = true
	if i < end && (src[i] == '"' || src[i] == '\'') {
		a.quoted = true
		a.valueStart = i + 1
		j := bytes.IndexByte(src[i+1:end], src[i])
		if j < 0 {
			a.valueEnd, a.end = end, end
			return a
		}
		a.valueEnd = i + 1 + j
		a.end = a.valueEnd + 1
		return a
	}
	a.valueStart = i
	for i < end && !isSpace(src[i]) && src[i] != '>' {
		i++
	}
	a.valueEnd, a.end = i, i
	return a
}
