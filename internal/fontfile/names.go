package fontfile

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// The numbers of names.
const (
	nameCopyright    = 0
	nameFamily       = 1
	nameStyle        = 2
	nameLicence      = 13
	nameLicenceURL   = 14
	nameTypoFamily   = 16
	nameTypoStyle    = 17
	maxName          = 8 << 10 // letters; licences are long
	windows, mac     = 3, 1
	englishOfWindows = 0x409
)

// names reads the table of names: English ones, where there are.
func (f *Font) names(table []byte) {
	if len(table) < 6 {
		return
	}
	n, texts := int(binary.BigEndian.Uint16(table[2:])), int(binary.BigEndian.Uint16(table[4:]))
	found, english := map[int]string{}, map[int]bool{}
	for i := range n {
		at := 6 + 12*i
		if at+12 > len(table) {
			break
		}
		record := table[at:]
		platform, language, id := binary.BigEndian.Uint16(record), binary.BigEndian.Uint16(record[4:]), int(binary.BigEndian.Uint16(record[6:]))
		length, offset := int(binary.BigEndian.Uint16(record[8:])), texts+int(binary.BigEndian.Uint16(record[10:]))
		if offset+length > len(table) || english[id] {
			continue
		}
		text := decoded(table[offset:offset+length], platform)
		if isEnglish := platform == windows && language == englishOfWindows; isEnglish || found[id] == "" {
			found[id], english[id] = text, isEnglish
		}
	}
	first := func(ids ...int) string {
		for _, id := range ids {
			if found[id] != "" {
				return found[id]
			}
		}
		return ""
	}
	f.Family, f.Style = first(nameTypoFamily, nameFamily), first(nameTypoStyle, nameStyle)
	f.Copyright, f.Licence, f.LicenceURL = first(nameCopyright), first(nameLicence), first(nameLicenceURL)
}

// decoded is a name as text. Signs that no name has are left out.
func decoded(raw []byte, platform uint16) string {
	var text string
	if platform == mac {
		letters := make([]rune, len(raw))
		for i, b := range raw { // beyond ASCII it is another alphabet, and never the only name
			letters[i] = rune(b)
		}
		text = string(letters)
	} else {
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(raw[2*i:])
		}
		text = string(utf16.Decode(units))
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "\r", "\n"))
	if letters := []rune(text); len(letters) > maxName {
		text = string(letters[:maxName])
	}
	return strings.TrimSpace(text)
}
