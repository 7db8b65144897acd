package expr

import (
	"strings"
	"sync"
	"time"
)

var timeFunctions = []function{
	{sig: "now(): date", summary: "the moment of planning, as RFC 3339", clockAt: always, call: now,
		examples: []Example{ex(`now()`, "2026-03-05T14:07:09Z")}},
	{sig: "today(): date", summary: "the date of planning, as YYYY-MM-DD", clockAt: always, call: today,
		examples: []Example{ex(`today()`, "2026-03-05")}},
	{sig: "date(date: date, format?: text, locale?: text, zone?: text): text", aliases: []string{"dateFormat"}, cost: formatCost, call: dateText("date", "ll"),
		summary: "a date in words; the format is made of YYYY YY Q MMMM MMM MM M Do DD D dddd ddd dd HH H hh h mm m ss s SSS A a Z, [text], or is L, LL, LLL, LLLL, LT, LTS, short, medium, long, full as the locale has them",
		examples: []Example{
			ex(`date("2026-03-05")`, "Mar 5, 2026"), ex(`"2026-03-05" | date("dddd, MMMM D, YYYY")`, "Thursday, March 5, 2026"),
			ex(`date("2026-03-05", "LL", "de")`, "5. März 2026"), ex(`date("2026-03-05", "Do [of] MMMM")`, "5th of March"),
			ex(`date("2026-03-05T23:30:00Z", "MMM D, HH:mm", "en", "Asia/Tokyo")`, "Mar 6, 08:30"),
		}},
	{sig: "time(date: date, format?: text, locale?: text, zone?: text): text", cost: formatCost, call: dateText("time", "LT"),
		summary:  "a time of day, in the formats of date",
		examples: []Example{ex(`time("2026-03-05T14:07:09Z")`, "2:07 PM"), ex(`time("2026-03-05T14:07:09Z", "LT", "de")`, "14:07")}},
	{sig: "relativeTime(date: date, base?: date, locale?: text): text", clockAt: 1, cost: formatCost, call: relativeTime,
		summary: "how far away a date is, from now or from base",
		examples: []Example{
			ex(`relativeTime("2026-03-02T14:07:09Z")`, "3 days ago"), ex(`relativeTime("2026-03-06", "2026-03-05")`, "tomorrow"),
			ex(`relativeTime("2026-03-05T16:07:09Z", now(), "de")`, "in 2 Stunden"),
		}},
	{sig: "dateAdd(date: date, amount: number, unit: text): date", call: dateAdd,
		summary:  "a date moved by so many years, months, weeks, days, hours, minutes or seconds; the 31st moves to the last day of a shorter month",
		examples: []Example{ex(`dateAdd("2026-01-31", 1, "month")`, "2026-02-28"), ex(`dateAdd("2026-03-05T23:00:00Z", 90, "minutes")`, "2026-03-06T00:30:00Z")}},
	{sig: "addDays(date: date, days: number): date", summary: "a date moved by so many days", call: addDays,
		examples: []Example{ex(`addDays("2026-02-27", 2)`, "2026-03-01"), ex(`addDays("2026-03-05", -5) | date("MMM D")`, "Feb 28")}},
	{sig: "dateDiff(later: date, earlier: date, unit?: text): number", call: dateDiff,
		summary:  "how many whole days, or other units, lie between two dates",
		examples: []Example{ex(`dateDiff("2026-03-05", "2026-02-26")`, "7"), ex(`dateDiff("2026-03-05", "1990-07-01", "years")`, "35")}},
}

// always is more arguments than any function has.
const always = 100

func (r *run) zone() *time.Location {
	if r.env.Zone == nil {
		return time.UTC
	}
	return r.env.Zone
}

// zones remembers what is read from the system's tables, like locales.
var zones sync.Map

// zoneArg is the time zone of args[i], else that of the evaluation.
func (r *run) zoneArg(args []any, i int) (*time.Location, error) {
	v := arg(args, i)
	if isEmpty(v) {
		return r.zone(), nil
	}
	name := Text(v)
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), nil
	}
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" || len(name) > 64 {
		return nil, fail("the time zone %s is not known", quote(name)).Expecting("a time zone").WithHint("zones look like Europe/Berlin or UTC")
	}
	zones.Store(name, z) // there are some hundreds, and no others are stored
	return z, nil
}

func now(r *run, _ []any) (any, error) {
	return r.env.Now.In(r.zone()).Format(time.RFC3339), nil
}

func today(r *run, _ []any) (any, error) {
	return r.env.Now.In(r.zone()).Format(time.DateOnly), nil
}

func timeArg(name string, v any, zone *time.Location) (time.Time, error) {
	t, ok := Time(v, zone)
	if ok {
		return t, nil
	}
	p := fail("%s needs a date, but the value is %s", name, quote(v))
	if v == nil {
		p = fail("%s needs a date, but the value is missing", name)
	}
	return t, p.Expecting("a date").WithHint("dates look like 2026-03-05 or 2026-03-05T14:00:00Z")
}

// timeStyles are the named formats of a time of day.
var timeStyles = map[string]string{"short": "LT", "medium": "LTS"}

func dateText(name, otherwise string) operation {
	return func(r *run, args []any) (any, error) {
		if args[0] == nil || args[0] == "" {
			return "", nil
		}
		l, err := r.locale(args, 2)
		if err != nil {
			return nil, err
		}
		zone, err := r.zoneArg(args, 3)
		if err != nil {
			return nil, err
		}
		t, err := timeArg(name, args[0], zone)
		if err != nil {
			return nil, err
		}
		format := textArg(args, 1, "")
		switch {
		case format == "":
			format = otherwise
		case name == "time" && timeStyles[format] != "":
			format = timeStyles[format]
		case len(format) > 200:
			return nil, fail("the format has more than 200 bytes")
		}
		return l.date(t, l.strokesOf(format)), nil
	}
}

func relativeTime(r *run, args []any) (any, error) {
	if isEmpty(args[0]) || len(args) > 1 && isEmpty(args[1]) {
		return "", nil
	}
	l, err := r.locale(args, 2)
	if err != nil {
		return nil, err
	}
	t, err := timeArg("relativeTime", args[0], r.zone())
	if err != nil {
		return nil, err
	}
	base := r.env.Now.In(r.zone())
	if len(args) > 1 {
		if base, err = timeArg("relativeTime", args[1], r.zone()); err != nil {
			return nil, err
		}
	}
	return l.distance(t, base), nil
}

// unitOf is the unit that a word names, in the singular.
func unitOf(v any) (string, error) {
	units := []string{"year", "month", "week", "day", "hour", "minute", "second"}
	word := strings.ToLower(Text(v))
	for _, unit := range units {
		if word == unit || word == unit+"s" {
			return unit, nil
		}
	}
	p := fail("%s is not a unit of time", quote(v)).WithHint("use %s", strings.Join(units, ", "))
	if near := Nearest(word, units); near != "" {
		p.WithHint("did you mean %q?", near)
	}
	return "", p
}

func addDays(r *run, args []any) (any, error) { return moved(r, "addDays", args, "day") }

func dateAdd(r *run, args []any) (any, error) {
	unit, err := unitOf(args[2])
	if err != nil {
		return nil, err
	}
	return moved(r, "dateAdd", args, unit)
}

func moved(r *run, name string, args []any, unit string) (any, error) {
	if isEmpty(args[0]) {
		return "", nil
	}
	t, err := timeArg(name, args[0], r.zone())
	if err != nil {
		return nil, err
	}
	n, err := wholeArg(name, args, 1)
	if err != nil {
		return nil, err
	}
	switch unit {
	case "year":
		t = addMonths(t, 12*n)
	case "month":
		t = addMonths(t, n)
	case "week":
		t = t.AddDate(0, 0, 7*n)
	case "day":
		t = t.AddDate(0, 0, n)
	case "hour":
		t = t.Add(time.Duration(n) * time.Hour)
	case "minute":
		t = t.Add(time.Duration(n) * time.Minute)
	default:
		t = t.Add(time.Duration(n) * time.Second)
	}
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, fail("the date lies outside the years 0 to 9999")
	}
	if day := strings.TrimSpace(Text(args[0])); len(day) == len(time.DateOnly) && unit != "hour" && unit != "minute" && unit != "second" {
		return t.Format(time.DateOnly), nil
	}
	return t.Format(time.RFC3339), nil
}

func dateDiff(r *run, args []any) (any, error) {
	later, err := timeArg("dateDiff", args[0], r.zone())
	if err != nil {
		return nil, err
	}
	earlier, err := timeArg("dateDiff", args[1], r.zone())
	if err != nil {
		return nil, err
	}
	unit, err := unitOf(textArg(args, 2, "day"))
	if err != nil {
		return nil, err
	}
	apart := later.Sub(earlier)
	switch unit {
	case "year":
		return wholeMonths(later, earlier) / 12, nil
	case "month":
		return wholeMonths(later, earlier), nil
	case "week":
		return midnights(earlier, later) / 7, nil
	case "day":
		return midnights(earlier, later), nil
	case "hour":
		return int(apart / time.Hour), nil
	case "minute":
		return int(apart / time.Minute), nil
	}
	return int(apart / time.Second), nil
}
