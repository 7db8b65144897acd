package kafka

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Where a batch of records, version 2, has what of it is stamped. The size of all
// stands before it. https://kafka.apache.org/documentation/#recordbatch
const (
	sizeBytes    = 4
	checksumAt   = 17
	summedFrom   = 21
	producerAt   = 43
	epochAt      = 51
	sequenceAt   = 53
	batchVersion = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A stamp lets the broker tell whether it has a batch, and whether it came too late.
type stamp struct {
	producer int64
	epoch    int16
	sequence int32 // of the batch's first record
}

// encode is the records as one batch, with the size before it. kafka-go writes
// batches of no producer, so that its bytes are stamped afterwards.
func encode(records []segment.Message, compression segment.Compression, s stamp) ([]byte, error) {
	all := make([]protocol.Record, len(records))
	for i, m := range records {
		all[i] = protocol.Record{Key: protocol.NewBytes(m.Key), Headers: m.Headers}
		if m.Value != nil {
			all[i].Value = protocol.NewBytes(m.Value)
		}
	}
	set := protocol.RecordSet{Version: batchVersion, Attributes: protocol.Attributes(compression), Records: protocol.NewRecordReader(all...)}
	var out bytes.Buffer
	if _, err := set.WriteTo(&out); err != nil {
		return nil, err
	}
	batch := out.Bytes()[sizeBytes:]
	binary.BigEndian.PutUint64(batch[producerAt:], uint64(s.producer))
	binary.BigEndian.PutUint16(batch[epochAt:], uint16(s.epoch))
	binary.BigEndian.PutUint32(batch[sequenceAt:], uint32(s.sequence))
	binary.BigEndian.PutUint32(batch[checksumAt:], crc32.Checksum(batch[summedFrom:], castagnoli))
	return out.Bytes(), nil
}
