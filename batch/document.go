package batch

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// document reads JSON from elsewhere: a list of rows, or an object with the list
// at layout.Rows, else under a name that a batch has for its rows.
func (d *decoder) document() error {
	d.hasRows = true
	path := strings.Split(strings.TrimPrefix(strings.TrimPrefix(d.fields.layout.Rows, "$"), "."), ".")
	if path[0] == "" {
		path = nil
	}
	if err := d.descend(path, "the document", len(path) == 0); err != nil {
		return err
	}
	return d.end()
}

// descend reads one value, in which the rows stand at path; guess says that they
// may stand under one of their own names.
func (d *decoder) descend(path []string, here string, guess bool) error {
	begin, err := d.token()
	switch {
	case err != nil:
		return err
	case begin == json.Delim('[') && len(path) == 0:
		return d.elements()
	case len(path) == 0 && !guess:
		return rowsNotFound("%s is no list", here)
	case begin != json.Delim('{'):
		return rowsNotFound("%s is no object", here)
	}
	var passed []string
	found := false
	for d.more() {
		token, err := d.token()
		if err != nil {
			return err
		}
		name := fmt.Sprint(token)
		if fits := isName(path, name); fits && found {
			return givenTwice(name, name).At(name)
		} else if fits {
			found = true
			err = d.descend(path[min(1, len(path)):], fmt.Sprintf("%q", name), false)
		} else {
			_, err = d.value()
		}
		if err != nil {
			return err
		}
		if len(passed) < 20 {
			passed = append(passed, name)
		}
	}
	if _, err := d.token(); err != nil {
		return err
	}
	if !found {
		return rowsNotFound("%s has no list of rows; it has %s", here, strings.Join(passed, ", "))
	}
	return nil
}

func isName(path []string, name string) bool {
	if len(path) > 0 {
		return name == path[0]
	}
	return canonicalField[name] == "variables"
}

func rowsNotFound(format string, args ...any) error {
	return problem.New(problem.Invalid, format, args...).WithSlug("rows_not_found").
		WithHint("name the way to the list as sourceRows, as in data.items")
}
