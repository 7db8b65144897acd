package experiment

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Facts are what is known of somebody who asks for an image.
type Facts struct {
	Device  string // mobile, tablet, desktop; "" where nobody can tell
	Country string // two letters; "" where nobody can tell
	Time    time.Time
	Custom  map[string]string // what the caller says: query parameters, attributes
}

// What conditions are made of.
const (
	deepest  = 3 // groups in groups
	mostOf   = 50
	group    = "group"
	rule     = "rule"
	allOf    = "AND"
	anyOf    = "OR"
	custom   = "custom."
	device   = "device"
	country  = "country"
	moment   = "time"
	clock    = "15:04"
	between  = "between"
	contains = "contains"
)

// operators are those of each property.
var operators = map[string][]string{
	device:  {"equals", "not_equals", "in", "not_in"},
	country: {"equals", "not_equals", "in", "not_in"},
	moment:  {between, "gt", "gte", "lt", "lte"},
	custom:  {"equals", "not_equals", "in", "not_in", contains, "gt", "gte", "lt", "lte"},
}

// propertyOf is the key of operators for a property; "" for one that there is not.
func propertyOf(property string) string {
	if strings.HasPrefix(property, custom) && len(property) > len(custom) {
		return custom
	}
	if _, ok := operators[property]; ok && property != custom {
		return property
	}
	return ""
}

// Holds is whether a condition holds for somebody. A rule about what is not known of
// them does not hold, whatever it says. Texts are compared without regard to case in
// devices and countries, as numbers where both are numbers and the operator asks for an
// order. A time of day is that of UTC, and a window may go over midnight.
func Holds(c *Condition, f Facts) bool {
	if c == nil {
		return true
	}
	if c.Type == group {
		for i := range c.Children {
			if holds := Holds(&c.Children[i], f); holds == (c.Operator == anyOf) {
				return holds
			}
		}
		return c.Operator == allOf
	}
	if c.Property == moment {
		return c.holdsAt(f.Time.UTC())
	}
	have, known := f.of(c.Property)
	return known && c.holdsFor(have)
}

// of is what is known about a property, in the case in which it is compared.
func (f Facts) of(property string) (string, bool) {
	switch property {
	case device:
		return strings.ToLower(f.Device), f.Device != ""
	case country:
		return strings.ToUpper(f.Country), f.Country != ""
	}
	value, known := f.Custom[strings.TrimPrefix(property, custom)]
	return value, known
}

func (c *Condition) holdsFor(have string) bool {
	values, err := c.values()
	if err != nil || len(values) == 0 {
		return false
	}
	switch c.Operator {
	case "equals", "in":
		return slices.Contains(values, have)
	case "not_equals", "not_in":
		return !slices.Contains(values, have)
	case contains:
		return strings.Contains(have, values[0])
	}
	order := strings.Compare(have, values[0])
	if x, err := strconv.ParseFloat(have, 64); err == nil {
		if y, err := strconv.ParseFloat(values[0], 64); err == nil {
			order = compareNumbers(x, y)
		}
	}
	return inOrder(c.Operator, order)
}

func compareNumbers(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func inOrder(operator string, order int) bool {
	switch operator {
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	case "lte":
		return order <= 0
	}
	return false
}

func (c *Condition) holdsAt(now time.Time) bool {
	values, err := c.values()
	if err != nil || len(values) == 0 {
		return false
	}
	ends := make([]int, len(values))
	for i, value := range values {
		end, daily, err := parseTime(value)
		if err != nil {
			return false
		}
		if daily {
			end = time.Date(now.Year(), now.Month(), now.Day(), end.Hour(), end.Minute(), 0, 0, time.UTC)
		}
		ends[i] = now.Compare(end)
	}
	if c.Operator != between {
		return inOrder(c.Operator, ends[0])
	}
	if len(values) != 2 {
		return false
	}
	from, to := ends[0] >= 0, ends[1] < 0
	if len(values[0]) == len(clock) && values[0] > values[1] { // over midnight
		return from || to
	}
	return from && to
}

// parseTime reads a moment, or a time of day, 15:04.
func parseTime(text string) (t time.Time, daily bool, err error) {
	if t, err := time.Parse(clock, text); err == nil && len(text) == len(clock) {
		return t, true, nil
	}
	t, err = time.Parse(time.RFC3339, text)
	return t.UTC(), false, err
}

// values are the value of a rule as texts, in the case in which they are compared.
func (c *Condition) values() (values []string, err error) {
	var raw any
	if err := json.Unmarshal(c.Value, &raw); err != nil {
		return nil, fmt.Errorf("the value is missing")
	}
	list, isList := raw.([]any)
	if !isList {
		list = []any{raw}
	}
	for _, one := range list {
		var text string
		switch v := one.(type) {
		case string:
			text = v
		case float64:
			text = strconv.FormatFloat(v, 'f', -1, 64)
		case bool:
			text = strconv.FormatBool(v)
		default:
			return nil, fmt.Errorf("the value is neither a text nor a number, nor a list of them")
		}
		switch c.Property {
		case device:
			text = strings.ToLower(text)
		case country:
			text = strings.ToUpper(text)
		}
		values = append(values, text)
	}
	return values, nil
}

func (c *Condition) validate(path string, depth int) problem.List {
	check := &check{}
	switch {
	case !check.oneOf(path+".type", c.Type, group, rule):
	case c.Type == group:
		c.validateGroup(check, path, depth)
	default:
		c.validateRule(check, path)
	}
	return check.found
}

func (c *Condition) validateGroup(check *check, path string, depth int) {
	check.oneOf(path+".operator", c.Operator, allOf, anyOf)
	if c.Property != "" || len(c.Value) > 0 {
		check.bad(path, "a group has children, and neither a property nor a value")
	}
	switch {
	case depth > deepest:
		check.bad(path, "groups are in each other %d deep, and may be %d", depth, deepest)
		return
	case len(c.Children) == 0 || len(c.Children) > mostOf:
		check.bad(path+".children", "a group has %d conditions, and may have 1 to %d", len(c.Children), mostOf)
		return
	}
	for i := range c.Children {
		check.found = append(check.found, c.Children[i].validate(fmt.Sprintf("%s.children[%d]", path, i), depth+1)...)
	}
}

func (c *Condition) validateRule(check *check, path string) {
	if len(c.Children) > 0 {
		check.bad(path+".children", "only a group has children")
	}
	property := propertyOf(c.Property)
	if property == "" {
		check.bad(path+".property", "there is no property %q", c.Property)
		check.expecting("device, country, time or custom.NAME")
		return
	}
	if !check.oneOf(path+".operator", c.Operator, operators[property]...) {
		return
	}
	values, err := c.values()
	want := "one value"
	wrong := len(values) != 1
	switch c.Operator {
	case "in", "not_in":
		want, wrong = fmt.Sprintf("a list of 1 to %d values", mostOf), len(values) == 0 || len(values) > mostOf
	case between:
		want, wrong = "a list of two values", len(values) != 2
	}
	switch {
	case err != nil:
		check.bad(path+".value", "%w", err)
		return
	case wrong:
		check.bad(path+".value", "there are %d values", len(values))
		check.expecting(want)
		return
	}
	for _, value := range values {
		switch {
		case property == device && value != Mobile && value != Tablet && value != Desktop:
			check.bad(path+".value", "there is no device %q", value)
			check.expecting("mobile, tablet or desktop")
		case property == country && (len(value) != 2 || !isLetter(value[0]|0x20) || !isLetter(value[1]|0x20)):
			check.bad(path+".value", "%q is no country", value)
			check.expecting("two letters, as DE")
		case property == moment:
			if _, _, err := parseTime(value); err != nil {
				check.bad(path+".value", "%q is no time", value)
				check.expecting("a time of day in UTC, 15:04, or a moment, 2006-01-02T15:04:05Z")
			}
		}
	}
	if c.Operator == between && (len(values[0]) == len(clock)) != (len(values[1]) == len(clock)) {
		check.bad(path+".value", "one end is a time of day and the other one a moment")
	}
}
