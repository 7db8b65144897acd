package zipview

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// An ID says which bytes a file has.
type ID [32]byte

// A File is one that lies elsewhere.
type File struct {
	Name string
	Size int64
	CRC  uint32 // IEEE, of the bytes
	ID   ID
}

// An index is: what stands between the files; a record for each of them; this
// end.
const (
	recordSize = 8 + 8 + 8 + 32 // place and size in the archive, place in the between, id
	endSize    = 8 + 8 + 8      // bytes of the archive, bytes between, records
)

// A record is one file of an index.
type record struct {
	at, size int64
	between  int64 // bytes between files that come before it
	id       ID
}

// A Writer makes an index. It keeps some 300 bytes of each file in memory.
type Writer struct {
	mod     time.Time
	out     io.Writer
	zip     *zip.Writer
	between int64
	elided  int64 // bytes of files
	skips   bool  // what comes now is a file's
	records []record
}

// NewWriter begins an archive in which every file was changed at mod.
func NewWriter(index io.Writer, mod time.Time) *Writer {
	w := &Writer{out: index, mod: mod.UTC()}
	w.zip = zip.NewWriter(gaps{w})
	return w
}

// gaps takes the archive from the library and leaves out what lies elsewhere.
type gaps struct{ w *Writer }

func (g gaps) Write(p []byte) (int, error) {
	if g.w.skips {
		g.w.elided += int64(len(p))
		return len(p), nil
	}
	n, err := g.w.out.Write(p)
	g.w.between += int64(n)
	return n, err
}

// Add adds a file that lies elsewhere.
func (w *Writer) Add(f File) error {
	header := w.header(f.Name)
	header.Method = zip.Store
	header.CRC32, header.CompressedSize64, header.UncompressedSize64 = f.CRC, uint64(f.Size), uint64(f.Size)
	body, err := w.zip.CreateRaw(header)
	if err == nil {
		err = w.zip.Flush()
	}
	if err != nil {
		return fmt.Errorf("add %q to an archive: %w", f.Name, err)
	}
	w.records = append(w.records, record{at: w.between + w.elided, size: f.Size, between: w.between, id: f.ID})
	w.skips = true
	_, err = io.CopyN(body, zeros{}, f.Size)
	if err == nil {
		err = w.zip.Flush()
	}
	w.skips = false
	return err
}

// zeros stands for the bytes of a file where the library counts them.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// Create adds a file whose bytes are written to the index, compressed.
func (w *Writer) Create(name string) (io.Writer, error) {
	header := w.header(name)
	header.Method = zip.Deflate
	return w.zip.CreateHeader(header)
}

// header has the time in both of its forms: with CreateRaw the library writes
// what it is given.
func (w *Writer) header(name string) *zip.FileHeader {
	h := &zip.FileHeader{Name: name}
	h.SetModTime(w.mod) //nolint:staticcheck // see above
	if utf8.ValidString(name) {
		h.Flags |= 0x800 // the name is UTF-8
	}
	return h
}

// Close ends the index.
func (w *Writer) Close() error {
	if err := w.zip.Close(); err != nil {
		return fmt.Errorf("end an archive: %w", err)
	}
	var b []byte
	for _, r := range w.records {
		b = binary.BigEndian.AppendUint64(b[:0], uint64(r.at))
		b = binary.BigEndian.AppendUint64(b, uint64(r.size))
		b = binary.BigEndian.AppendUint64(b, uint64(r.between))
		if _, err := w.out.Write(append(b, r.id[:]...)); err != nil {
			return err
		}
	}
	b = binary.BigEndian.AppendUint64(b[:0], uint64(w.between+w.elided))
	b = binary.BigEndian.AppendUint64(b, uint64(w.between))
	b = binary.BigEndian.AppendUint64(b, uint64(len(w.records)))
	_, err := w.out.Write(b)
	return err
}
