package openai

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

var errLongEvent = errors.New("an event is longer than it may be")

func bufferedReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 16<<10) }

// startsJSON looks whether the first thing in r opens an object; a stream begins
// with a field's name.
func startsJSON(r *bufio.Reader) bool {
	for n := 1; n <= 64; n++ {
		b, err := r.Peek(n)
		if err != nil {
			return false
		}
		if c := b[n-1]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c == '{'
		}
	}
	return false
}

// An eventReader reads server-sent events, of which only the data is of interest:
// these endpoints do not name them.
type eventReader struct {
	r     *bufio.Reader
	most  int  // bytes of an event
	begun bool // the first line, which may have a byte order mark
	ended bool // the stream ended, maybe within the last event
}

// next is the data of the next event that has any. The last one counts also where
// the empty line behind it is missing: some servers end there, and whether it is
// whole shows in it. At the end of the stream it is io.EOF.
func (e *eventReader) next() ([]byte, error) {
	if e.ended {
		return nil, io.EOF
	}
	var data []byte
	has := false
	size := 0
	for {
		line, err := e.line(e.most - size)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		size += len(line)
		field, value, _ := bytes.Cut(line, []byte(":"))
		if string(field) == "data" {
			if has {
				data = append(data, '\n')
			}
			has = true
			data = append(data, bytes.TrimPrefix(value, []byte(" "))...)
		}
		if err != nil {
			e.ended = true
			if len(bytes.TrimSpace(data)) > 0 {
				return data, nil
			}
			return nil, io.EOF
		}
		if len(line) > 0 {
			continue
		}
		if len(bytes.TrimSpace(data)) > 0 {
			return data, nil
		}
		data, has, size = nil, false, 0
	}
}

// line is the next line without its end, LF or CRLF; with io.EOF what is left
// when the stream ends.
func (e *eventReader) line(most int) ([]byte, error) {
	var line []byte
	for {
		part, err := e.r.ReadSlice('\n')
		if len(line)+len(part) > most {
			return nil, errLongEvent
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if !e.begun {
			e.begun = true
			line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
		}
		if err != nil {
			return line, err
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
	}
}
