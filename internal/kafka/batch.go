package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/segmentio/kafka-go/compress"
)

// ErrCut says that the bytes end before the batch does.
var ErrCut = errors.New("the batch is cut off")

// A DamagedError says that a batch is not as its producer wrote it. Nothing in it can
// be trusted but where it begins and ends among others.
type DamagedError struct {
	First int64 // offset
	Why   string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the batch at offset %d is damaged: %s", e.First, e.Why)
}

// A TooLargeError says that a batch is larger, unpacked, than was allowed.
type TooLargeError struct{ Limit int }

func (e *TooLargeError) Error() string { return fmt.Sprintf("it has more than %d bytes", e.Limit) }

// A Batch is records that were written at once. What of them was compacted away left
// its offsets, also the last.
type Batch struct {
	First, Last   int64 // the offsets that it stands for
	Epoch         int32 // of the leader that wrote it
	Producer      int64
	Transactional bool
	Control       bool // it says what became of a transaction, and is nobody's record

	packed        compress.Compression
	appended      bool // all its records have the time maxTime
	time, maxTime int64
	count         int32
	body          []byte
}

// Of a batch of version 2. https://kafka.apache.org/documentation/#recordbatch
const (
	headBytes  = 61
	sizeBytes  = 12 // with the offset before it, that are not counted in it
	magicAt    = 16
	checksumAt = 17
	summedFrom = 21

	packedBits       = 0x07
	appendedBit      = 0x08
	transactionalBit = 0x10
	controlBit       = 0x20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// NextBatch is the first of the batches, and what stands behind it. A batch that is
// damaged is an error as well, and then rest is behind it.
func NextBatch(all []byte) (b Batch, rest []byte, err error) {
	if len(all) < sizeBytes {
		return b, nil, ErrCut
	}
	first := int64(binary.BigEndian.Uint64(all))
	size := int64(int32(binary.BigEndian.Uint32(all[8:])))
	if size < 0 || size+sizeBytes > int64(len(all)) {
		return b, nil, ErrCut
	}
	one, rest := all[:size+sizeBytes], all[size+sizeBytes:]
	if len(one) > magicAt && one[magicAt] < 2 {
		return b, nil, fmt.Errorf("the log has messages of version %d at offset %d, from before Kafka 0.11", one[magicAt], first)
	}
	if len(one) < headBytes {
		return b, rest, &DamagedError{first, "it is shorter than the head of one"}
	}
	if crc32.Checksum(one[summedFrom:], castagnoli) != binary.BigEndian.Uint32(one[checksumAt:]) {
		return b, rest, &DamagedError{first, "its checksum is another one"}
	}
	d := decoder{b: one[summedFrom:headBytes]}
	attributes := d.int16()
	b = Batch{First: first, Last: first + int64(d.int32()), Epoch: int32(binary.BigEndian.Uint32(one[sizeBytes:])), body: one[headBytes:]}
	b.time, b.maxTime, b.Producer = d.int64(), d.int64(), d.int64()
	d.int16()
	d.int32()
	b.count = d.int32()
	b.packed = compress.Compression(attributes & packedBits)
	b.appended = attributes&appendedBit != 0
	b.Transactional = attributes&transactionalBit != 0
	b.Control = attributes&controlBit != 0
	return b, rest, nil
}

// A Record is one of a batch. Its bytes are those of the batch.
type Record struct {
	Offset  int64
	Time    time.Time
	Key     []byte // nil is null; what is empty is not nil
	Value   []byte // likewise
	Headers []Header
}

// A Header is one of a record.
type Header struct {
	Name  string
	Value []byte
}

// Records calls each for each record, in their order, until it returns an error.
// A batch that has more than limit bytes, unpacked, is a TooLargeError, one that can't
// be read is a DamagedError.
func (b *Batch) Records(limit int, each func(Record) error) error {
	body, err := b.unpacked(limit)
	if err != nil {
		return err
	}
	for range b.count {
		var r Record
		if body, err = b.record(&r, body); err != nil {
			return err
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) unpacked(limit int) ([]byte, error) {
	if b.packed == compress.None || len(b.body) == 0 {
		return b.body, nil
	}
	codec := b.packed.Codec()
	if codec == nil {
		return nil, fmt.Errorf("its compression has the number %d, which is none that is known", b.packed)
	}
	r := codec.NewReader(bytes.NewReader(b.body))
	defer r.Close()
	var out bytes.Buffer
	out.Grow(min(4*len(b.body), limit))
	n, err := out.ReadFrom(io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return nil, &DamagedError{b.First, fmt.Sprintf("%s: %s", codec.Name(), err)}
	case n > int64(limit):
		return nil, &TooLargeError{limit}
	}
	return out.Bytes(), nil
}

func (b *Batch) record(r *Record, body []byte) (rest []byte, err error) {
	size, n := binary.Varint(body)
	if n <= 0 || size < 0 || size > int64(len(body)-n) {
		return nil, &DamagedError{b.First, "a record is longer than what is left"}
	}
	rest = body[n+int(size):]
	d := decoder{b: body[n : n+int(size)]}
	d.int8()
	at := b.time + d.varint()
	if b.appended {
		at = b.maxTime
	}
	r.Time = time.UnixMilli(at)
	r.Offset = b.First + d.varint()
	r.Key = d.varbytes()
	r.Value = d.varbytes()
	for n := d.varint(); n > 0 && d.err == nil; n-- {
		name := d.varbytes()
		r.Headers = append(r.Headers, Header{string(name), d.varbytes()})
	}
	if d.err != nil || r.Offset < b.First || r.Offset > b.Last {
		return nil, &DamagedError{b.First, "a record is not whole"}
	}
	return rest, nil
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.take(-1)
		return 0
	}
	d.take(n)
	return v
}

// varbytes are nil for null alone.
func (d *decoder) varbytes() []byte {
	n := d.varint()
	if n < 0 || d.err != nil {
		return nil
	}
	if n > int64(len(d.b)) {
		n = -1
	}
	return d.take(int(n))
}

// Aborts reports whether a control batch says that its producer's transaction was
// given up.
func (b *Batch) Aborts() bool {
	aborts := false
	err := b.Records(len(b.body), func(r Record) error {
		aborts = aborts || len(r.Key) == 4 && binary.BigEndian.Uint16(r.Key[2:]) == 0
		return nil
	})
	return err == nil && aborts
}
