package httppoll

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// spillAt is the size from which bodies lie on the disk.
const spillAt = 4 << 20

// A spill keeps bodies until they are decoded: in memory while they are small,
// then in a file without a name, of which nothing is left however the process
// ends.
type spill struct {
	memory []byte
	file   *os.File
	size   int64
}

// Write appends p.
func (s *spill) Write(p []byte) (int, error) {
	if s.file == nil && len(s.memory)+len(p) <= spillAt {
		s.memory = append(s.memory, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		if err := s.open(); err != nil {
			return 0, err
		}
	}
	n, err := s.file.WriteAt(p, s.size)
	s.size += int64(n)
	return n, wrapSpill(err)
}

func (s *spill) open() error {
	file, err := os.CreateTemp("", "pictifyd-http-*")
	if err != nil {
		return wrapSpill(err)
	}
	if err := errors.Join(os.Remove(file.Name()), second(file.WriteAt(s.memory, 0))); err != nil {
		return wrapSpill(errors.Join(err, file.Close()))
	}
	s.file, s.memory = file, s.memory[:0]
	return nil
}

func second(_ int, err error) error { return err }

func wrapSpill(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("keep an answer in a temporary file: %w", err)
}

// reader reads size bytes from offset on.
func (s *spill) reader(offset, size int64) io.Reader {
	if s.file != nil {
		return io.NewSectionReader(s.file, offset, size)
	}
	return bytes.NewReader(s.memory[offset : offset+size])
}

// bytes are size bytes from offset on, valid until the next Write.
func (s *spill) bytes(offset, size int64) ([]byte, error) {
	if s.file == nil {
		return s.memory[offset : offset+size], nil
	}
	text := make([]byte, size)
	_, err := s.file.ReadAt(text, offset)
	return text, wrapSpill(err)
}

// cut forgets what follows the first size bytes.
func (s *spill) cut(size int64) {
	if s.file == nil {
		s.memory = s.memory[:size]
	}
	s.size = size
}

// Close gives memory and disk back.
func (s *spill) Close() error {
	s.memory = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
