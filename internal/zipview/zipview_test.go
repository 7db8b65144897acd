package zipview_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/zipview"
)

var mod = time.Date(2026, 3, 1, 12, 30, 10, 0, time.FixedZone("CET", 3600))

// A shelf has the bytes of files, and counts those that are open.
type shelf struct {
	bytes map[zipview.ID][]byte
	open  int
}

type taken struct {
	*bytes.Reader
	s *shelf
}

func (t taken) Close() error { t.s.open--; return nil }

func (s *shelf) Open(id zipview.ID) (io.ReadSeekCloser, error) {
	data, ok := s.bytes[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	s.open++
	return taken{bytes.NewReader(data), s}, nil
}

func (s *shelf) put(data []byte) zipview.ID {
	id := zipview.ID(sha256.Sum256(data))
	s.bytes[id] = data
	return id
}

// mustIndex is an archive of files, and of a list of them.
func mustIndex(tb testing.TB, s *shelf, names []string, data [][]byte) []byte {
	tb.Helper()
	var index bytes.Buffer
	w := zipview.NewWriter(&index, mod)
	for i, d := range data {
		if err := w.Add(zipview.File{Name: names[i], Size: int64(len(d)), CRC: crc32.ChecksumIEEE(d), ID: s.put(d)}); err != nil {
			tb.Fatal(err)
		}
	}
	list, err := w.Create("list.csv")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(list, strings.Join(names, "\n")); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return index.Bytes()
}

func mustOpen(tb testing.TB, s *shelf, index []byte) *zipview.Reader {
	tb.Helper()
	r, err := zipview.Open(bytes.NewReader(index), int64(len(index)), s.Open)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	return r
}

// some are files of many sizes, with empty ones at the ends and side by side.
func some() (names []string, data [][]byte) {
	for i, size := range []int{0, 1, 0, 0, 300, 70_000, 5, 0} {
		names = append(names, fmt.Sprintf("ä/%d.png", i))
		data = append(data, bytes.Repeat([]byte{byte('a' + i)}, size))
	}
	return names, data
}

func TestArchiveIsReadByTheLibrary(t *testing.T) {
	s := &shelf{bytes: map[zipview.ID][]byte{}}
	names, data := some()
	whole, err := io.ReadAll(iotest.OneByteReader(mustOpen(t, s, mustIndex(t, s, names, data))))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != len(names)+1 || s.open != 0 {
		t.Fatalf("%d files, want %d; %d are still open", len(z.File), len(names)+1, s.open)
	}
	for i, f := range z.File[:len(names)] {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r) // checks the sum
		if err != nil || !bytes.Equal(got, data[i]) || f.Name != names[i] || f.Method != zip.Store || f.NonUTF8 || !f.Modified.Equal(mod) {
			t.Errorf("file %d: %d bytes of %q, method %d, %v, %v", i, len(got), f.Name, f.Method, f.Modified, err)
		}
	}
}

func TestTheSameFilesGiveTheSameBytes(t *testing.T) {
	s := &shelf{bytes: map[zipview.ID][]byte{}}
	names, data := some()
	if !bytes.Equal(mustIndex(t, s, names, data), mustIndex(t, s, names, data)) {
		t.Error("two archives of the same files differ")
	}
}

func TestEveryPartIsThatOfTheWhole(t *testing.T) {
	s := &shelf{bytes: map[zipview.ID][]byte{}}
	names, data := some()
	r := mustOpen(t, s, mustIndex(t, s, names, data))
	whole, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil || size != int64(len(whole)) {
		t.Fatalf("the end is at %d, %v; %d bytes were read", size, err, len(whole))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		from := random.IntN(len(whole) + 1)
		n := random.IntN(min(len(whole)-from, 2000) + 1)
		if _, err := r.Seek(int64(from), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, n)
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, whole[from:from+n]) {
			t.Fatalf("%d bytes from %d are not those of the whole: %v", n, from, err)
		}
	}
}

func TestFileThatIsGoneIsAnErrorInItsPlace(t *testing.T) {
	for name, harm := range map[string]func(s *shelf, id zipview.ID){
		"gone":      func(s *shelf, id zipview.ID) { delete(s.bytes, id) },
		"cut short": func(s *shelf, id zipview.ID) { s.bytes[id] = s.bytes[id][:100] },
	} {
		s := &shelf{bytes: map[zipview.ID][]byte{}}
		names, data := some()
		r := mustOpen(t, s, mustIndex(t, s, names, data))
		harm(s, sha256.Sum256(data[5]))
		n, err := io.Copy(io.Discard, r)
		if err == nil || r.Err() == nil || n > 1200 {
			t.Errorf("%s: %d bytes, then %v, want an error before the file's end", name, n, err)
		}
		if _, again := r.Read(make([]byte, 1)); !errors.Is(again, err) {
			t.Errorf("%s: reading on gives %v", name, again)
		}
	}
}

func TestDamagedIndexIsRefused(t *testing.T) {
	s := &shelf{bytes: map[zipview.ID][]byte{}}
	names, data := some()
	index := mustIndex(t, s, names, data)
	for _, cut := range []int{1, 8, 30, len(index)} {
		if _, err := zipview.Open(bytes.NewReader(index[cut:]), int64(len(index)-cut), s.Open); err == nil {
			t.Errorf("an index without its first %d bytes is taken", cut)
		}
	}
}

// zip64 begins at 65,536 files.
func TestMoreFilesThanAnOldArchiveHolds(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("70,000 files")
	}
	s := &shelf{bytes: map[zipview.ID][]byte{}}
	picture := []byte("picture")
	names, data := make([]string, 70_000), make([][]byte, 70_000)
	for i := range names {
		names[i], data[i] = fmt.Sprintf("%d.png", i), picture
	}
	whole, err := io.ReadAll(mustOpen(t, s, mustIndex(t, s, names, data)))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil || len(z.File) != len(names)+1 {
		t.Fatalf("%d files, %v", len(z.File), err)
	}
}
