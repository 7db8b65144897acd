package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// errShort says that an answer ended before what it should hold.
var errShort = errors.New("the broker's answer is cut off")

// An encoder writes a request's fields. Where flexible is set they are of the compact
// forms, with an empty list of tags behind each structure.
// https://kafka.apache.org/protocol#protocol_types
type encoder struct {
	flexible bool
	b        []byte
}

func (e *encoder) int8(v int8)   { e.b = append(e.b, byte(v)) }
func (e *encoder) int16(v int16) { e.b = binary.BigEndian.AppendUint16(e.b, uint16(v)) }
func (e *encoder) int32(v int32) { e.b = binary.BigEndian.AppendUint32(e.b, uint32(v)) }
func (e *encoder) int64(v int64) { e.b = binary.BigEndian.AppendUint64(e.b, uint64(v)) }

func (e *encoder) string(s string) {
	if e.flexible {
		e.b = binary.AppendUvarint(e.b, uint64(len(s))+1)
	} else {
		e.int16(int16(len(s)))
	}
	e.b = append(e.b, s...)
}

// length is that of a list.
func (e *encoder) length(n int) {
	if e.flexible {
		e.b = binary.AppendUvarint(e.b, uint64(n)+1)
	} else {
		e.int32(int32(n))
	}
}

// end ends a structure.
func (e *encoder) end() {
	if e.flexible {
		e.b = append(e.b, 0)
	}
}

// A decoder reads an answer's fields. After its end all are zero, and err is set.
type decoder struct {
	flexible bool
	b        []byte
	err      error
}

// take is the next n bytes.
func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		if d.err == nil {
			d.err = errShort
		}
		d.b = nil
		return nil
	}
	part := d.b[:n:n]
	d.b = d.b[n:]
	return part
}

func (d *decoder) int8() int8 {
	if b := d.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (d *decoder) int16() int16 {
	if b := d.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (d *decoder) int32() int32 {
	if b := d.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (d *decoder) int64() int64 {
	if b := d.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.take(-1)
		return 0
	}
	d.take(n)
	return v
}

// size is that of what may be null, which is -1.
func (d *decoder) size(short bool) int {
	switch {
	case d.flexible:
		return int(min(d.uvarint(), 1<<31)) - 1
	case short:
		return int(d.int16())
	}
	return int(d.int32())
}

// string is "" for null as well.
func (d *decoder) string() string {
	if n := d.size(true); n > 0 {
		return string(d.take(n))
	}
	return ""
}

// bytes are those of the answer itself.
func (d *decoder) bytes() []byte {
	if n := d.size(false); n > 0 {
		return d.take(n)
	}
	return nil
}

// each calls read for each element of a list, unless the answer ends before.
func (d *decoder) each(read func()) {
	for n := d.size(false); n > 0 && d.err == nil; n-- {
		read()
	}
}

// tags calls read for each tag behind a structure; nil passes them over.
func (d *decoder) tags(read func(tag uint64, d *decoder)) {
	if !d.flexible {
		return
	}
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		tag := d.uvarint()
		part := decoder{flexible: true, b: d.take(int(min(d.uvarint(), 1<<31)))}
		if read != nil && d.err == nil {
			read(tag, &part)
		}
	}
}

// maxAnswer is more than any that was asked for.
const maxAnswer = 1 << 30

// readFrame is an answer without its size.
func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > maxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes is none of a broker", n)
	}
	answer := make([]byte, n)
	_, err := io.ReadFull(r, answer)
	return answer, err
}
