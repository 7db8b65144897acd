package expr

import (
	"regexp"
	"strings"
	"time"
)

var timeFunctions = map[string]function{
	"now":   {usage: "now()", summary: "the moment of planning, as RFC 3339", max: 0, clock: true, call: now},
	"today": {usage: "today()", summary: "the date of planning, as YYYY-MM-DD", max: 0, clock: true, call: today},
	"date":  {usage: `date(date, "MMM D, YYYY")`, summary: "a date in words", min: 1, max: 2, call: formatTime("date", "MMM D, YYYY")},
	"time":  {usage: `time(date, "h:mm A")`, summary: "a time of day", min: 1, max: 2, call: formatTime("time", "h:mm A")},
}

func (r *run) zone() *time.Location {
	if r.env.Zone == nil {
		return time.UTC
	}
	return r.env.Zone
}

func now(r *run, _ []any) (any, error) {
	return r.env.Now.In(r.zone()).Format(time.RFC3339), nil
}

func today(r *run, _ []any) (any, error) {
	return r.env.Now.In(r.zone()).Format(time.DateOnly), nil
}

// dateToken is one part of a format, or [text] that stands for itself.
var dateToken = regexp.MustCompile(`\[[^\]]*\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|Z`)

var dateLayouts = map[string]string{
	"YYYY": "2006", "YY": "06", "MMMM": "January", "MMM": "Jan", "MM": "01", "M": "1", "DD": "02", "D": "2",
	"dddd": "Monday", "ddd": "Mon", "HH": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5",
	"A": "PM", "a": "pm", "Z": "-07:00",
}

func formatTime(name, otherwise string) operation {
	return func(r *run, args []any) (any, error) {
		if args[0] == nil || args[0] == "" {
			return "", nil
		}
		t, ok := Time(args[0], r.zone())
		if !ok {
			return nil, fail("%s needs a date, but the value is %s", name, quote(args[0])).
				WithHint("dates look like 2026-03-05 or 2026-03-05T14:00:00Z")
		}
		return dateToken.ReplaceAllStringFunc(textArg(args, 1, otherwise), func(token string) string {
			switch {
			case strings.HasPrefix(token, "["):
				return token[1 : len(token)-1]
			case token == "H": // Go has no hour of 24 without a leading zero
				return strings.TrimPrefix(t.Format("15")[:1], "0") + t.Format("15")[1:]
			case token == "SSS":
				return t.Format(".000")[1:]
			}
			return t.Format(dateLayouts[token])
		}), nil
	}
}
