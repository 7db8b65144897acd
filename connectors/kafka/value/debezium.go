package value

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/pictifyd/pictifyd/internal/cures"
)

// The operations of Debezium's change events.
const (
	opCreate   = "c"
	opUpdate   = "u"
	opRead     = "r" // of a snapshot
	opDelete   = "d"
	opTruncate = "t"
	opMessage  = "m" // that somebody wrote into the log
)

// The columns that Debezium's ExtractNewRecordState adds to a row that was deleted.
const flatDeleted = "__deleted"

// change has the row of a change event, or of a row that was taken out of one.
func (d *Decoder) change(p parsed) (c content, err error) {
	if p.value == nil && p.framed {
		return content{tombstone: true}, nil
	}
	object, ok := p.value.(map[string]any)
	if !ok {
		return c, flawed(badRecord, "%s, not a change event", kindOf(p.value))
	}
	c.value = object
	op, enveloped := operation(object)
	if !enveloped {
		return d.flat(object, p.shape)
	}
	switch op {
	case opMessage:
		return c, nil
	case opTruncate:
		c.truncated = true
		return c, nil
	case opDelete:
		row, err := image(object, p.shape, "before")
		if err != nil {
			return c, err
		}
		if row == nil { // the record's key has to say it
			row = map[string]any{}
		}
		c.elements = []element{{row: row, deleted: true}}
		return c, nil
	case opCreate, opUpdate, opRead:
		row, err := image(object, p.shape, "after")
		switch {
		case err != nil:
			return c, err
		case row == nil:
			return c, flawed(badRecord, "the change event of operation %q has nothing in after", op)
		}
		d.leaveOut(row)
		e := element{row: row}
		if cures.UnavailableValues {
			e.flaw = d.fill(row, object, p.shape)
		}
		c.elements = []element{e}
		return c, nil
	}
	return c, flawed(badRecord, "the change event has the operation %q, which is none that is known", op)
}

// operation is that of a change event; enveloped is false of what is none.
func operation(object map[string]any) (op string, enveloped bool) {
	op, ok := object["op"].(string)
	if !ok {
		return "", false
	}
	_, source := object["source"].(map[string]any)
	_, before := object["before"]
	_, after := object["after"]
	return op, source || before || after
}

// image is the row as it was before or is after; nil where the event does not say.
func image(object map[string]any, s *shape, side string) (map[string]any, error) {
	value, err := s.field(side).convert(object[side])
	if err != nil {
		return nil, flawed(badRecord, "in %s %s", side, err)
	}
	if text, ok := value.(string); ok { // of MongoDB, which has documents as texts
		if value, _ = readJSON([]byte(text)); value == nil {
			return nil, flawed(badRecord, "%s is a text, not a row", side)
		}
	}
	switch row := value.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return row, nil
	}
	return nil, flawed(badRecord, "%s is %s, not a row", side, kindOf(value))
}

// flat has the row that ExtractNewRecordState took out of an event.
func (d *Decoder) flat(row map[string]any, s *shape) (c content, err error) {
	c.value = row
	converted, err := s.convert(row)
	if err != nil {
		return c, flawed(badRecord, "%s", err)
	}
	row, ok := converted.(map[string]any)
	if !ok {
		return c, flawed(badRecord, "%s, not a row", kindOf(converted))
	}
	e := element{row: row}
	switch row[flatDeleted] {
	case "true", true:
		e.deleted = true
	}
	delete(row, flatDeleted)
	d.leaveOut(row)
	if !e.deleted && cures.UnavailableValues {
		e.flaw = d.fill(row, nil, nil)
	}
	c.elements = []element{e}
	return c, nil
}

// placeholder is what Debezium has in place of a value that PostgreSQL did not tell
// it again, because it is stored apart and did not change.
const placeholder = "__debezium_unavailable_value"

var placeholderBytes = base64.StdEncoding.EncodeToString([]byte(placeholder))

// fill puts the values into row that the event has only as they were before, which
// are those that did not change. Where it has not, the row can't be told from it.
func (d *Decoder) fill(row, event map[string]any, s *shape) *flaw {
	var before map[string]any
	for column, value := range row {
		if !isPlaceholder(value) {
			continue
		}
		if before == nil && event != nil {
			before, _ = image(event, s, "before")
		}
		was, known := before[column]
		if !known || was == nil || isPlaceholder(was) {
			return flawed(Unavailable, "the event does not have the value of %q, which did not change: have REPLICA IDENTITY FULL on its table, "+
				"or name the column in without where no picture shows it", column)
		}
		row[column] = was
	}
	return nil
}

// isPlaceholder reports whether a value is the placeholder, in one of the forms that
// it has for the types of columns.
func isPlaceholder(value any) bool {
	switch value := value.(type) {
	case string:
		return value == placeholder || value == placeholderBytes
	case []any:
		if len(value) == 1 {
			return isPlaceholder(value[0])
		}
		if len(value) != len(placeholder) {
			return false
		}
		for i, one := range value { // a list of numbers has its characters
			if n, ok := one.(json.Number); !ok || string(n) != strconv.Itoa(int(placeholder[i])) {
				return false
			}
		}
		return true
	case map[string]any:
		return len(value) == 1 && value[placeholder] == placeholder
	}
	return false
}
