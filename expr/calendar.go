package expr

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A stroke is one part of a date's format: a letter of CLDR's patterns with how
// often it stands there, or text.
type stroke struct {
	letter byte // 0: text
	width  int
	text   string
}

// dateToken is one part of a format as moment.js and its kin have it, or [text]
// that stands for itself.
var dateToken = regexp.MustCompile(`\[[^\]]*\]|LTS|LT|L{1,4}|l{1,4}|YYYY|YY|Q|MMMM|MMM|MM|M|DDDD|DDD|Do|DD|D|dddd|ddd|dd|HH|H|hh|h|mm|m|SSS|ss|s|A|a|ZZ|Z|X`)

// dateStrokes are the tokens as CLDR writes them; what CLDR has no letter for
// gets one that it has not taken.
var dateStrokes = map[string]stroke{
	"YYYY": {letter: 'y', width: 4}, "YY": {letter: 'y', width: 2}, "Q": {letter: 'Q', width: 1},
	"MMMM": {letter: 'M', width: 4}, "MMM": {letter: 'M', width: 3}, "MM": {letter: 'M', width: 2}, "M": {letter: 'M', width: 1},
	"DDDD": {letter: 'D', width: 3}, "DDD": {letter: 'D', width: 1}, "Do": {letter: 'o', width: 1},
	"DD": {letter: 'd', width: 2}, "D": {letter: 'd', width: 1},
	"dddd": {letter: 'E', width: 4}, "ddd": {letter: 'E', width: 3}, "dd": {letter: 'E', width: 6},
	"HH": {letter: 'H', width: 2}, "H": {letter: 'H', width: 1}, "hh": {letter: 'h', width: 2}, "h": {letter: 'h', width: 1},
	"mm": {letter: 'm', width: 2}, "m": {letter: 'm', width: 1}, "ss": {letter: 's', width: 2}, "s": {letter: 's', width: 1},
	"SSS": {letter: 'S', width: 3}, "A": {letter: 'a', width: 1}, "a": {letter: 'a', width: 9},
	"Z": {letter: 'Z', width: 5}, "ZZ": {letter: 'Z', width: 1}, "X": {letter: 'X', width: 1},
}

// formats are the named ones, and those that a locale decides.
func (l *locale) named(name string) (pattern string, ok bool) {
	switch name {
	case "full":
		return l.Dates[0], true
	case "long", "LL":
		return l.Dates[1], true
	case "medium", "ll":
		return l.Dates[2], true
	case "short":
		return l.Dates[3], true
	case "L":
		return padded(l.NumericDate), true
	case "l":
		return l.NumericDate, true
	case "LT":
		return l.Times[1], true
	case "LTS":
		return l.Times[0], true
	case "LLL":
		return l.withTime(l.Dates[1]), true
	case "lll":
		return l.withTime(l.Dates[2]), true
	case "LLLL", "llll":
		return l.withTime(l.Dates[0]), true
	}
	return "", false
}

func (l *locale) withTime(date string) string {
	return strings.NewReplacer("{0}", l.Times[1], "{1}", date).Replace(l.DateTime)
}

var soleDay, soleMonth = regexp.MustCompile(`\bd\b`), regexp.MustCompile(`\bM\b`)

// padded is a numeric date with two digits for the day and the month.
func padded(pattern string) string {
	return soleMonth.ReplaceAllString(soleDay.ReplaceAllString(pattern, "dd"), "MM")
}

// maxFormats of the user are remembered for each locale: a row may bring its own.
const maxFormats = 100

// strokesOf reads a format of the user.
func (l *locale) strokesOf(format string) []stroke {
	if known, ok := l.formats.Load(format); ok {
		return known.([]stroke)
	}
	strokes := l.readFormat(format)
	if l.countedFormats.Add(1) <= maxFormats {
		l.formats.Store(format, strokes)
	}
	return strokes
}

func (l *locale) readFormat(format string) []stroke {
	if pattern, ok := l.named(format); ok {
		return patternStrokes(pattern)
	}
	var out []stroke
	from := 0
	for _, at := range dateToken.FindAllStringIndex(format, -1) {
		if at[0] > from {
			out = append(out, stroke{text: format[from:at[0]]})
		}
		token := format[at[0]:at[1]]
		from = at[1]
		if pattern, ok := l.named(token); ok {
			out = append(out, patternStrokes(pattern)...)
		} else if strings.HasPrefix(token, "[") {
			out = append(out, stroke{text: token[1 : len(token)-1]})
		} else {
			out = append(out, dateStrokes[token])
		}
	}
	return append(out, stroke{text: format[from:]})
}

// patternStrokes reads a pattern of CLDR.
func patternStrokes(pattern string) []stroke {
	// The narrow no-break space before AM is missing in most fonts; browsers
	// write a plain one too.
	pattern = strings.ReplaceAll(pattern, "\u202f", " ")
	var out []stroke
	for i := 0; i < len(pattern); {
		c := pattern[i]
		end := i + 1
		switch {
		case c == '\'':
			for end < len(pattern) && pattern[end] != '\'' {
				end++
			}
			out = append(out, stroke{text: pattern[i+1 : end]})
			end++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			for end < len(pattern) && pattern[end] == c {
				end++
			}
			out = append(out, stroke{letter: c, width: end - i})
		default:
			out = append(out, stroke{text: pattern[i:end]})
		}
		i = end
	}
	return out
}

// date writes t.
func (l *locale) date(t time.Time, strokes []stroke) string {
	alone := true // a month without a day beside it has another form in some languages
	for _, s := range strokes {
		alone = alone && s.letter != 'd' && s.letter != 'o'
	}
	var b strings.Builder
	for _, s := range strokes {
		if s.letter == 0 {
			b.WriteString(s.text)
			continue
		}
		b.WriteString(l.stroke(t, s, alone))
	}
	return b.String()
}

func (l *locale) stroke(t time.Time, s stroke, alone bool) string {
	switch s.letter {
	case 'y':
		if s.width == 2 {
			return l.padded(t.Year()%100, 2)
		}
		return l.padded(t.Year(), s.width)
	case 'M', 'L':
		return l.month(int(t.Month()), s.width, alone || s.letter == 'L')
	case 'E', 'c':
		return l.day(int(t.Weekday()), s.width)
	case 'a':
		word := l.DayPeriods[t.Hour()/12]
		if s.width == 9 {
			return strings.ToLower(word)
		}
		return word
	case 'Z':
		return t.Format(map[int]string{1: "-0700", 5: "-07:00"}[s.width])
	case 'o':
		if l.tag.String() == "en" || strings.HasPrefix(l.tag.String(), "en-") {
			return strconv.Itoa(t.Day()) + ordinalSuffix(t.Day())
		}
		return l.padded(t.Day(), 1)
	case 'G':
		return "" // all dates are of our era
	}
	return l.padded(fieldOf(t, s.letter), s.width)
}

// fieldOf is the part of t that is a plain number.
func fieldOf(t time.Time, letter byte) int {
	switch letter {
	case 'd':
		return t.Day()
	case 'D':
		return t.YearDay()
	case 'Q':
		return (int(t.Month()) + 2) / 3
	case 'H':
		return t.Hour()
	case 'k':
		return (t.Hour()+23)%24 + 1
	case 'K':
		return t.Hour() % 12
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	case 'S':
		return t.Nanosecond() / 1e6
	}
	return int(t.Unix()) // X
}

func (l *locale) padded(n, width int) string {
	s := strconv.Itoa(n)
	if len(s) < width {
		s = strings.Repeat("0", width-len(s)) + s
	}
	return l.localized(s)
}

func (l *locale) month(m, width int, alone bool) string {
	switch {
	case width <= 2:
		return l.padded(m, width)
	case width == 3 && alone:
		return l.MonthsShortAlone[m-1]
	case width == 3:
		return l.MonthsShort[m-1]
	case alone:
		return l.MonthsAlone[m-1]
	}
	return l.Months[m-1]
}

func (l *locale) day(d, width int) string {
	switch width {
	case 4:
		return l.Days[d]
	case 6:
		return l.DaysMin[d]
	}
	return l.DaysShort[d]
}
