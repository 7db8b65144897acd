package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"
)

// encode is records as kafka-go writes them, without the size before them.
func encode(tb testing.TB, attributes protocol.Attributes, records ...protocol.Record) []byte {
	tb.Helper()
	var out bytes.Buffer
	set := protocol.RecordSet{Version: 2, Attributes: attributes, Records: protocol.NewRecordReader(records...)}
	if _, err := set.WriteTo(&out); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()[4:]
}

// stamp changes what is under the checksum.
func stamp(b []byte, change func(b []byte)) []byte {
	change(b)
	binary.BigEndian.PutUint32(b[checksumAt:], crc32.Checksum(b[summedFrom:], castagnoli))
	return b
}

func mustRecords(tb testing.TB, b Batch, limit int) (all []Record) {
	tb.Helper()
	if err := b.Records(limit, func(r Record) error { all = append(all, r); return nil }); err != nil {
		tb.Fatal(err)
	}
	return all
}

func TestNullIsNotWhatIsEmpty(t *testing.T) {
	for packed := compress.None; packed <= compress.Zstd; packed++ {
		b, rest, err := NextBatch(encode(t, protocol.Attributes(packed),
			protocol.Record{Key: protocol.NewBytes([]byte("a")), Value: nil},
			protocol.Record{Key: protocol.NewBytes([]byte{}), Value: protocol.NewBytes([]byte{})},
			protocol.Record{Value: protocol.NewBytes([]byte("v")), Headers: []protocol.Header{{Key: "h"}, {Key: "h", Value: []byte("1")}}}))
		if err != nil || len(rest) > 0 || b.Last != 2 {
			t.Fatalf("%s: batch %+v, rest %d, %v", packed, b, len(rest), err)
		}
		all := mustRecords(t, b, 1<<20)
		if len(all) != 3 || all[0].Value != nil || all[1].Value == nil || all[1].Key == nil || all[2].Key != nil {
			t.Errorf("%s: records = %+v", packed, all)
		}
		if h := all[2].Headers; len(h) != 2 || h[0].Value != nil || string(h[1].Value) != "1" {
			t.Errorf("%s: headers = %+v", packed, h)
		}
	}
}

func TestBatchWhoseRecordsAreGoneKeepsItsOffsets(t *testing.T) {
	empty := stamp(encode(t, 0, protocol.Record{})[:headBytes], func(b []byte) {
		binary.BigEndian.PutUint32(b[8:], headBytes-sizeBytes)
		binary.BigEndian.PutUint32(b[23:], 41) // the last offset
		binary.BigEndian.PutUint32(b[57:], 0)  // records
	})
	b, rest, err := NextBatch(append(empty, 1, 2, 3))
	if err != nil || b.First != 0 || b.Last != 41 || len(rest) != 3 {
		t.Fatalf("batch %+v, rest %v, %v", b, rest, err)
	}
	if all := mustRecords(t, b, 1); len(all) > 0 {
		t.Errorf("records = %+v", all)
	}
	if _, _, err := NextBatch(rest); !errors.Is(err, ErrCut) {
		t.Errorf("the rest is %v, want that it is cut off", err)
	}
}

func TestBatchThatUnpacksToTooMuchIsRefused(t *testing.T) {
	packed := encode(t, protocol.Zstd, protocol.Record{Value: protocol.NewBytes(make([]byte, 1<<20))})
	b, _, err := NextBatch(packed)
	if err != nil {
		t.Fatal(err)
	}
	var large *TooLargeError
	if err := b.Records(1<<19, func(Record) error { return nil }); !errors.As(err, &large) {
		t.Errorf("records = %v, want that it is too large", err)
	}
	mustRecords(t, b, 2<<20)
}

func TestDamagedBatchIsSaid(t *testing.T) {
	good := encode(t, 0, protocol.Record{Value: protocol.NewBytes([]byte("value"))})
	for at := summedFrom; at < len(good); at++ {
		bad := bytes.Clone(good)
		bad[at] ^= 0x40
		var damaged *DamagedError
		if _, rest, err := NextBatch(append(bad, good...)); !errors.As(err, &damaged) || len(rest) != len(good) {
			t.Fatalf("byte %d: %v, rest %d", at, err, len(rest))
		}
	}
}

// Whatever a broker answers, nothing panics, and no record is of another batch.
func FuzzNextBatch(f *testing.F) {
	for packed := compress.None; packed <= compress.Zstd; packed++ {
		f.Add(encode(f, protocol.Attributes(packed), protocol.Record{Key: protocol.NewBytes([]byte("k")), Value: protocol.NewBytes([]byte("value"))}, protocol.Record{}))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, all []byte) {
		if len(all) >= headBytes {
			binary.BigEndian.PutUint32(all[8:], uint32(len(all)-sizeBytes))
			stamp(all, func([]byte) {})
		}
		b, _, err := NextBatch(all)
		if err != nil {
			return
		}
		b.Aborts()
		_ = b.Records(1<<20, func(r Record) error {
			if r.Offset < b.First || r.Offset > b.Last {
				t.Errorf("offset %d is not between %d and %d", r.Offset, b.First, b.Last)
			}
			return nil
		})
	})
}

// Whatever a broker answers about topics and partitions, nothing panics or hangs.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 2, 0, 0, 0, 1})
	f.Fuzz(func(_ *testing.T, answer []byte) {
		for _, version := range []int16{7, 10} {
			readTopic(version, &decoder{flexible: version == 10, b: answer})
		}
		for _, version := range []int16{4, 11, 13} {
			readFetched(version, &decoder{flexible: version == 13, b: answer})
		}
	})
}
