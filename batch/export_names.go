package batch

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// A file's name has at most 255 bytes on most systems. Behind the key stand
	// the output, a number and the extension.
	maxFileKey    = 120
	maxFileOutput = 60

	// ManifestName is the file of an archive that says what is in it.
	ManifestName = "manifest.csv"
)

// Names gives the pictures of a job names as files: KEY.EXT, or KEY-OUTPUT.EXT
// where several outputs have the format. Every name can be one on Linux, macOS
// and Windows, and none is there twice, also where a system takes letters of
// both cases for the same. The same rows in the same order get the same names.
type Names struct {
	folders bool
	plain   map[string]bool // outputs whose names need not stand in those of files
	next    map[string]int  // number of the next one of that name
}

// NewNames are those of a job with outputs. With folders each output has a
// folder of its own, and its files are KEY.EXT in there.
func NewNames(outputs []Output, folders bool) *Names {
	n := &Names{folders: folders, plain: map[string]bool{}, next: map[string]int{ManifestName: 2}}
	formats := map[string]int{}
	for _, o := range outputs {
		formats[o.Format]++
	}
	for _, o := range outputs {
		n.plain[o.Name] = formats[o.Format] == 1
	}
	return n
}

// Of is the name of a picture of the row.
func (n *Names) Of(row Result, p Picture) string {
	stem, folder := fileStem(row.Key, maxFileKey), ""
	if stem == "" {
		stem = "row-" + strconv.FormatInt(row.Index, 10)
	}
	output := fileStem(p.Output, maxFileOutput)
	if output == "" {
		output = "output"
	}
	switch {
	case n.folders:
		folder = output + "/"
	case !n.plain[p.Output]:
		stem += "-" + output
	}
	return n.free(folder, stem, "."+p.Ext)
}

// free numbers a name until nobody has it.
func (n *Names) free(folder, stem, ext string) string {
	name := folder + stem + ext
	first := folded(name)
	number := n.next[first]
	if number == 0 {
		n.next[first] = 2
		return name
	}
	for ; ; number++ {
		name = folder + stem + "-" + strconv.Itoa(number) + ext
		if n.next[folded(name)] == 0 {
			break
		}
	}
	n.next[first], n.next[folded(name)] = number+1, 2
	return name
}

// folded is name as systems see it that do not tell upper case from lower.
func folded(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// device are the names that Windows keeps for itself, with any extension.
var device = regexp.MustCompile(`(?i)^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)`)

// fileStem is text as the beginning of a file's name: without what separates
// folders or hides, turns or cuts off a name, and not longer than limit. It is
// "" where nothing is left that could be read.
func fileStem(text string, limit int) string {
	readable := false
	name := strings.Map(func(c rune) rune {
		switch {
		case c == utf8.RuneError, unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c), unicode.Is(unicode.Zl, c), unicode.Is(unicode.Zp, c),
			strings.ContainsRune(`<>:"/\|?*`, c):
			return '-'
		case !unicode.IsSpace(c) && c != '.' && c != '-':
			readable = true
		}
		return c
	}, norm.NFC.String(text))
	if !readable {
		return ""
	}
	for len(name) > limit {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	// Windows drops dots and spaces at the end; a dot at the beginning hides, and
	// many a program takes a dash there for an option.
	name = strings.TrimRight(strings.TrimLeft(name, ".- "), ". ")
	if device.MatchString(name) {
		name = "_" + name
	}
	return name
}
