package value

import "fmt"

// The reasons of faults, beside poll.BadRecord and poll.TooLarge.
const (
	NullKey          = "null_key"              // the record has no key, or not the columns of one
	BadKey           = "bad_key"               // its key is not of the key's format
	KeylessTombstone = "tombstone_without_key" // what is deleted can't be told from the record's key
	UnknownSchema    = "unknown_schema"        // the registry has no such schema
	BadSchema        = "bad_schema"            // the schema can't be read
	Unavailable      = "unavailable_value"     // the event does not have a value that did not change
)

// A flaw is what is wrong with a record; another error is not the record's.
type flaw struct {
	reason string
	detail string
}

func (f *flaw) Error() string { return f.detail }

func flawed(reason, format string, args ...any) *flaw {
	return &flaw{reason, fmt.Sprintf(format, args...)}
}
