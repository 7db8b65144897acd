package markup

import "bytes"

// A Tag is a start or end tag, by byte offsets: golang.org/x/net/html finds the
// tags and keeps their bytes, but not where their attributes stand.
type Tag struct {
	Name        string // lower case
	NameEnd     int
	Start, End  int
	Attrs       []Attr
	SelfClosing bool
}

// An Attr is one attribute; without a value all its value offsets are the end
// of its name.
type Attr struct {
	Name       string // lower case
	Start, End int    // of all, the quotes included
	NameEnd    int
	ValueStart int
	ValueEnd   int
	Quoted     bool
	HasValue   bool
}

// Value is the text between the quotes, as it stands in src.
func (a Attr) Value(src []byte) string { return string(src[a.ValueStart:a.ValueEnd]) }

// Find is the first attribute of the name, as browsers count.
func (t Tag) Find(name string) (Attr, bool) {
	for _, a := range t.Attrs {
		if a.Name == name {
			return a, true
		}
	}
	return Attr{}, false
}

// Get is the value of the first attribute of the name as it stands in src.
func (t Tag) Get(src []byte, name string) (string, bool) {
	a, ok := t.Find(name)
	return a.Value(src), ok
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

// ParseTag reads the tag src[start:end], which begins with < and ends with >.
func ParseTag(src []byte, start, end int) Tag {
	t := Tag{Start: start, End: end}
	i := start + 1
	if i < end && src[i] == '/' {
		i++
	}
	nameStart := i
	for i < end && !isSpace(src[i]) && src[i] != '/' && src[i] != '>' {
		i++
	}
	t.NameEnd = i
	t.Name = lower(src[nameStart:i])
	read := i // up to where names and values go
	for {
		for i < end && (isSpace(src[i]) || src[i] == '/') {
			i++
		}
		if i >= end || src[i] == '>' {
			t.SelfClosing = i > read && src[i-1] == '/' // not that of <svg a=b/>
			return t
		}
		a := parseAttr(src, i, end)
		t.Attrs = append(t.Attrs, a)
		i = a.End
		read = i
	}
}

func parseAttr(src []byte, i, end int) Attr {
	a := Attr{Start: i}
	for i++; i < end && !isSpace(src[i]) && src[i] != '/' && src[i] != '>' && src[i] != '='; {
		i++
	}
	a.NameEnd = i
	a.Name = lower(src[a.Start:i])
	a.ValueStart, a.ValueEnd, a.End = i, i, i
	for i < end && isSpace(src[i]) {
		i++
	}
	if i >= end || src[i] != '=' {
		return a
	}
	for i++; i < end && isSpace(src[i]); {
		i++
	}
	a.HasValue = true
	if i < end && (src[i] == '"' || src[i] == '\'') {
		a.Quoted = true
		a.ValueStart = i + 1
		j := bytes.IndexByte(src[i+1:end], src[i])
		if j < 0 {
			a.ValueEnd, a.End = end, end
			return a
		}
		a.ValueEnd = i + 1 + j
		a.End = a.ValueEnd + 1
		return a
	}
	a.ValueStart = i
	for i < end && !isSpace(src[i]) && src[i] != '>' {
		i++
	}
	a.ValueEnd, a.End = i, i
	return a
}
