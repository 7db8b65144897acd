package zipview

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
)

// An OpenFunc opens the bytes of a file of the archive.
type OpenFunc func(id ID) (io.ReadSeekCloser, error)

// A Reader is the archive of an index. A file that is gone, or shorter than it
// was, is an error where it is read: nothing else ever stands in its place.
type Reader struct {
	index   io.ReaderAt
	open    OpenFunc
	size    int64 // of the archive
	between int64
	count   int

	at   int64
	next int    // the first record that does not end before at; count when none
	file record // of next
	body io.ReadSeekCloser
	from int64 // place in body
	err  error
}

var errIndex = errors.New("the index of an archive is damaged")

// Open is the archive of an index of so many bytes.
func Open(index io.ReaderAt, size int64, open OpenFunc) (*Reader, error) {
	var end [endSize]byte
	if size < endSize {
		return nil, errIndex
	}
	if _, err := index.ReadAt(end[:], size-endSize); err != nil {
		return nil, fmt.Errorf("read the index of an archive: %w", err)
	}
	r := &Reader{
		index: index, open: open,
		size:    int64(binary.BigEndian.Uint64(end[:])),
		between: int64(binary.BigEndian.Uint64(end[8:])),
		count:   int(binary.BigEndian.Uint64(end[16:])),
	}
	if r.between < 0 || r.count < 0 || r.between+int64(r.count)*recordSize+endSize != size || r.size < r.between {
		return nil, errIndex
	}
	return r, r.find(0)
}

// record is that of a number.
func (r *Reader) record(n int) (f record, err error) {
	var b [recordSize]byte
	if _, err := r.index.ReadAt(b[:], r.between+int64(n)*recordSize); err != nil {
		return f, fmt.Errorf("read the index of an archive: %w", err)
	}
	f.at = int64(binary.BigEndian.Uint64(b[:]))
	f.size = int64(binary.BigEndian.Uint64(b[8:]))
	f.between = int64(binary.BigEndian.Uint64(b[16:]))
	copy(f.id[:], b[24:])
	if f.at < 0 || f.size < 0 || f.between < 0 {
		return f, errIndex
	}
	return f, nil
}

// find makes next the record for the place at.
func (r *Reader) find(at int64) (err error) {
	r.close()
	r.at = at
	r.next = sort.Search(r.count, func(n int) bool {
		f, problem := r.record(n)
		err = errors.Join(err, problem)
		return f.at+f.size > at
	})
	if err != nil {
		return err
	}
	return r.load()
}

// load reads the record next. Behind the last one stands what is between.
func (r *Reader) load() (err error) {
	if r.next == r.count {
		r.file = record{at: r.size, between: r.between}
		return nil
	}
	r.file, err = r.record(r.next)
	return err
}

// Seek goes to a place of the archive.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("a place before the beginning of an archive")
	}
	if offset == r.at {
		return offset, nil
	}
	return offset, r.find(offset)
}

// Read reads what comes next.
func (r *Reader) Read(p []byte) (n int, err error) {
	switch {
	case r.err != nil:
		return 0, r.err
	case r.at >= r.size:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	if r.at < r.file.at {
		n, err = r.readBetween(p)
	} else {
		n, err = r.readFile(p)
	}
	r.at += int64(n)
	if err == nil && r.next < r.count && r.at >= r.file.at+r.file.size {
		err = r.advance()
	}
	r.err = err
	return n, err
}

// advance goes to the next file that is not empty.
func (r *Reader) advance() error {
	r.close()
	for r.next < r.count && r.file.at+r.file.size <= r.at {
		r.next++
		if err := r.load(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) readBetween(p []byte) (int, error) {
	left := r.file.at - r.at
	n, err := r.index.ReadAt(p[:min(int64(len(p)), left)], r.file.between-left)
	if err != nil {
		return n, fmt.Errorf("read the index of an archive: %w", err)
	}
	return n, nil
}

func (r *Reader) readFile(p []byte) (int, error) {
	at := r.at - r.file.at
	if r.body == nil {
		body, err := r.open(r.file.id)
		if err != nil {
			return 0, err
		}
		r.body, r.from = body, 0
	}
	if r.from != at {
		if _, err := r.body.Seek(at, io.SeekStart); err != nil {
			return 0, fmt.Errorf("read a file of an archive: %w", err)
		}
		r.from = at
	}
	n, err := r.body.Read(p[:min(int64(len(p)), r.file.size-at)])
	r.from += int64(n)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, io.EOF):
		return 0, fmt.Errorf("read a file of an archive: %w", io.ErrUnexpectedEOF)
	case err != nil:
		return 0, fmt.Errorf("read a file of an archive: %w", err)
	}
	return 0, nil
}

// Err is why Read broke off; nil when it did not.
func (r *Reader) Err() error {
	if errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.err
}

// Close closes what is open.
func (r *Reader) Close() error { return r.close() }

func (r *Reader) close() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}
