package rows

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// A Line is one line of a document that is not blank.
type Line struct {
	Number  int
	Text    []byte // without spaces around it; good until the next call. nil when it is too large
	Size    int64  // of the text, without spaces where it is there
	Ended   bool   // a line end stood behind it; the last line may lack one
	TooLong bool   // it is longer than was to be held, and was passed over
}

// Lines reads a document line by line, and passes blank lines over. It holds at
// most one line of a given length.
type Lines struct {
	from   *bufio.Reader
	most   int64
	number int
	text   []byte
}

// NewLines reads r, of which lines of more than most bytes are passed over.
func NewLines(r io.Reader, most int64) *Lines {
	return &Lines{from: bufio.NewReaderSize(r, 64<<10), most: most}
}

// Next is the next line that is not blank, or io.EOF. An error of the reader is
// returned as it is, and what stood before it on the line is not.
func (l *Lines) Next() (Line, error) {
	for {
		line, err := l.line()
		if err != nil || line.TooLong || len(line.Text) > 0 {
			return line, err
		}
	}
}

func (l *Lines) line() (Line, error) {
	l.number++
	line := Line{Number: l.number}
	l.text = l.text[:0]
	for {
		part, err := l.from.ReadSlice('\n')
		line.Size += int64(len(part))
		if !line.TooLong {
			l.text = append(l.text, part...)
		}
		if int64(len(bytes.TrimSpace(l.text))) > l.most {
			line.TooLong, l.text = true, l.text[:0]
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && line.Size > 0:
		case err != nil:
			return Line{}, err
		default:
			line.Ended = true
		}
		if !line.TooLong {
			line.Text = bytes.TrimSpace(l.text)
			line.Size = int64(len(line.Text))
		}
		return line, nil
	}
}
