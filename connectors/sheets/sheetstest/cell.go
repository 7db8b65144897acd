package sheetstest

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// An Error is the value of a cell whose formula failed, as "#REF!".
type Error string

// A Formula is a cell with a formula, and the value that it has.
type Formula struct {
	Text  string // with its "="
	Value any
}

// A Format is how a cell shows its number. The zero Format is automatic.
type Format struct {
	Type    string // NUMBER, PERCENT, CURRENCY, DATE, TIME, DATE_TIME, TEXT
	Pattern string // "" is the type's usual one
}

// A cell is one place of a sheet.
type cell struct {
	value   any // nil, bool, float64, string or Error
	formula string
	format  Format
}

func (c cell) empty() bool { return c.value == nil && c.formula == "" }

// newCell takes over a value as a test or a program writes it.
func newCell(v any) cell {
	switch v := v.(type) {
	case nil, bool, float64, string, Error:
		return cell{value: v}
	case int:
		return cell{value: float64(v)}
	case Formula:
		c := newCell(v.Value)
		c.formula = v.Text
		return c
	case time.Time:
		serial := Serial(v)
		kind := "DATE_TIME"
		if serial == math.Trunc(serial) {
			kind = "DATE"
		}
		return cell{value: serial, format: Format{Type: kind}}
	}
	panic("sheetstest: a cell holds no such value")
}

// epoch is the day of serial 0.
var epoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// Serial is the number that stands for t's date and time of day.
func Serial(t time.Time) float64 {
	wall := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	days := math.Floor(float64(wall.Unix()-epoch.Unix()) / 86400)
	return days + wall.Sub(epoch.AddDate(0, 0, int(days))).Seconds()/86400
}

func momentOf(serial float64) time.Time {
	days := math.Floor(serial)
	seconds := math.Round((serial - days) * 86400)
	return epoch.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second)
}

// render is the cell under a valueRenderOption and a dateTimeRenderOption.
func (c cell) render(values, dates string) any {
	switch {
	case values == "FORMULA" && c.formula != "":
		return c.formula
	case c.value == nil:
		return ""
	case values == "UNFORMATTED_VALUE" || values == "FORMULA":
		if _, number := c.value.(float64); number && dates == "FORMATTED_STRING" && c.format.dated() {
			return c.shown()
		}
		if e, failed := c.value.(Error); failed {
			return string(e)
		}
		return c.value
	}
	return c.shown()
}

func (f Format) dated() bool { return f.Type == "DATE" || f.Type == "TIME" || f.Type == "DATE_TIME" }

// shown is the text that the sheet displays.
func (c cell) shown() string {
	switch v := c.value.(type) {
	case nil:
		return ""
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	case string:
		return v
	case Error:
		return string(v)
	case float64:
		return c.format.show(v)
	}
	return ""
}

func (f Format) show(v float64) string {
	pattern := f.Pattern
	switch f.Type {
	case "DATE":
		return momentOf(v).Format(layout(pattern, "1/2/2006"))
	case "TIME":
		return momentOf(v).Format(layout(pattern, "3:04:05 PM"))
	case "DATE_TIME":
		return momentOf(v).Format(layout(pattern, "1/2/2006 15:04:05"))
	case "PERCENT":
		return number(v*100, or(pattern, "0.00%"))
	case "NUMBER":
		return number(v, or(pattern, "#,##0.00"))
	case "CURRENCY":
		return number(v, or(pattern, "$#,##0.00"))
	}
	return strconv.FormatFloat(v, 'g', 10, 64)
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

var layouts = strings.NewReplacer("yyyy", "2006", "mm", "01", "dd", "02", "hh", "15", "MM", "04", "ss", "05", "m", "1", "d", "2")

func layout(pattern, usual string) string {
	if pattern == "" {
		return usual
	}
	// Between hours and seconds mm is minutes.
	return layouts.Replace(strings.ReplaceAll(pattern, "hh:mm", "hh:MM"))
}

// number writes v as a pattern like "$#,##0.00" says.
func number(v float64, pattern string) string {
	first := strings.IndexAny(pattern, "#0")
	last := strings.LastIndexAny(pattern, "#0")
	if first < 0 {
		return pattern
	}
	core := pattern[first : last+1]
	_, fraction, _ := strings.Cut(core, ".")
	text := strconv.FormatFloat(math.Abs(v), 'f', len(fraction), 64)
	if strings.Contains(core, ",") {
		whole, rest, _ := strings.Cut(text, ".")
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
		if text = whole; rest != "" {
			text += "." + rest
		}
	}
	text = pattern[:first] + text + pattern[last+1:]
	if v < 0 {
		return "-" + text
	}
	return text
}
