package expr

import (
	"strconv"
	"strings"
	"time"
)

// distance tells t from base in the largest unit that fits.
func (l *locale) distance(t, base time.Time) string {
	apart := t.Sub(base)
	unit, n := "second", int(apart/time.Second)
	days := midnights(base, t)
	switch far := max(apart, -apart); {
	case far < time.Minute:
		if far < 10*time.Second {
			n = 0
		}
	case far < time.Hour:
		unit, n = "minute", int(apart/time.Minute)
	case far < 24*time.Hour && (days == 0 || !atMidnight(t) || !atMidnight(base)):
		unit, n = "hour", int(apart/time.Hour)
	case max(days, -days) < 7:
		unit, n = "day", days
	case max(days, -days) < 30:
		unit, n = "week", days/7
	case max(days, -days) < 365:
		unit, n = "month", wholeMonths(t, base)
		if n == 0 { // the 30 days from January 31 to March 2
			n = days / max(days, -days)
		}
	default:
		unit, n = "year", wholeMonths(t, base)/12
		if n == 0 {
			n = days / max(days, -days)
		}
	}
	return l.apart(unit, n, apart < 0)
}

func atMidnight(t time.Time) bool { return t.Hour()+t.Minute()+t.Second() == 0 }

func (l *locale) apart(unit string, n int, past bool) string {
	words := l.Relative[unit]
	if word, ok := words.Words[strconv.Itoa(n)]; ok && (unit == "day" || unit == "second") {
		return word
	}
	forms := words.Future
	if past {
		forms, n = words.Past, -n
	}
	digits := strconv.Itoa(n)
	s, _ := l.shape(numbers)
	return strings.ReplaceAll(forms.of(l.plural(digits)), "{0}", s.format(digits))
}

// midnights counts those between two moments, as the calendar on the wall does.
func midnights(from, to time.Time) int {
	a := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
	b := time.Date(to.Year(), to.Month(), to.Day(), 0, 0, 0, 0, time.UTC)
	return int((b.Unix() - a.Unix()) / (24 * 60 * 60)) // a Duration ends after 292 years
}

// wholeMonths counts those between two moments.
func wholeMonths(later, earlier time.Time) int {
	if later.Before(earlier) {
		return -wholeMonths(earlier, later)
	}
	earlier = earlier.In(later.Location())
	n := (later.Year()-earlier.Year())*12 + int(later.Month()-earlier.Month())
	if n > 0 && addMonths(earlier, n).After(later) {
		n--
	}
	return n
}

// addMonths keeps the day where the month has it, else takes the month's last.
func addMonths(t time.Time, n int) time.Time {
	moved := t.AddDate(0, n, 0)
	if moved.Day() != t.Day() {
		moved = moved.AddDate(0, 0, -moved.Day())
	}
	return moved
}

// moments are the forms in which dates arrive: those with a T between date and
// time of day, and those with a space, as databases have them.
var moments = map[byte][]string{
	'T': {time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00"},
	' ': {"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05 Z07:00"},
}

// Time is the moment that v tells: RFC 3339, or a date with or without a time of
// day, which is then in zone.
func Time(v any, zone *time.Location) (t time.Time, ok bool) {
	if zone == nil {
		zone = time.UTC
	}
	s, isText := v.(string)
	if s = strings.TrimSpace(s); !isText || len(s) < len(time.DateOnly) || len(s) > maxMoment {
		return time.Time{}, false
	}
	if len(s) == len(time.DateOnly) {
		t, err := time.ParseInLocation(time.DateOnly, s, zone)
		return t, err == nil
	}
	for _, layout := range moments[s[len(time.DateOnly)]] {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.In(zone), true
		}
	}
	return time.Time{}, false
}

// maxMoment is how long a date may be, in bytes.
const maxMoment = 40
