package value

import (
	"strconv"
	"time"
)

// A Record is a record of a topic as the broker has it.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	Time      time.Time
	Key       []byte // nil is null; what is empty is not nil
	Value     []byte // likewise: null is a tombstone, and empty is none
	Headers   []Header
}

// A Header is a header of a record. A name may be there several times.
type Header struct {
	Name  string
	Value []byte
}

// Position is "topic/partition@offset".
func (r Record) Position() string {
	return r.Topic + "/" + strconv.Itoa(r.Partition) + "@" + strconv.FormatInt(r.Offset, 10)
}
