package batch

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/zipview"
)

// A shelf keeps bytes in memory.
type shelf map[string][]byte

func (s shelf) Open(_ context.Context, hash string) (io.ReadSeekCloser, int64, error) {
	data, ok := s[hash]
	if !ok {
		return nil, 0, problem.New(problem.NotFound, "no bytes are kept under %q", hash)
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(data), io.NopCloser(nil)}, int64(len(data)), nil
}

func (s shelf) put(data string) string {
	sum := sha256.Sum256([]byte(data))
	hash := hex.EncodeToString(sum[:])
	s[hash] = []byte(data)
	return hash
}

// pictured is a row that has these pictures, by output.
func pictured(s shelf, index int64, key string, outputs ...string) Taken {
	row := drawn(index, fmt.Sprintf(`{"id":%q}`, key), outputs...)
	row.Key = key
	for i, p := range row.Pictures {
		row.Pictures[i].Hash = s.put(fmt.Sprintf("%s of %s", p.Output, key))
	}
	return row
}

func mustArchive(tb testing.TB, s shelf, rows []Taken, folders bool, outputs ...string) (*zip.Reader, []string) {
	tb.Helper()
	scratch, err := os.CreateTemp(tb.TempDir(), "")
	if err != nil {
		tb.Fatal(err)
	}
	defer scratch.Close()
	sheet := mustSheet(tb, CSVOptions{}, rows, outputs...)
	sheet.Job.CompletedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var vanished []string
	var index bytes.Buffer
	a := Archive{Sheet: sheet, Folders: folders, Blobs: s, Scratch: scratch, VanishedFunc: func(_ context.Context, hash string) { vanished = append(vanished, hash) }}
	if err := a.Write(tb.Context(), &index, takenOf(rows)); err != nil {
		tb.Fatal(err)
	}
	r, err := zipview.Open(bytes.NewReader(index.Bytes()), int64(index.Len()), func(id zipview.ID) (io.ReadSeekCloser, error) {
		picture, _, err := s.Open(tb.Context(), hex.EncodeToString(id[:]))
		return picture, err
	})
	if err != nil {
		tb.Fatal(err)
	}
	whole, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		tb.Fatal(err)
	}
	return z, vanished
}

// contents are the files of an archive, as NAME: TEXT.
func contents(tb testing.TB, z *zip.Reader) (all []string) {
	tb.Helper()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			tb.Fatalf("%s: %v", f.Name, err)
		}
		all = append(all, f.Name+": "+string(text))
	}
	return all
}

func TestArchiveHasEveryPictureAndSaysSo(t *testing.T) {
	s := shelf{}
	rows := []Taken{
		pictured(s, 0, "b", "png", "pdf"), pictured(s, 1, "a/c", "png", "pdf"),
		faulty(2, `{"id":"bad"}`, "it has\nno photo"), pictured(s, 3, "B", "png"),
	}
	rows[3].Error = &RowError{Code: "render_failed", Message: "the PDF failed"}
	z, vanished := mustArchive(t, s, rows, false, "png", "pdf")
	url := func(row, output int) string {
		return "http://x/" + rows[row].Pictures[output].Hash + "." + rows[row].Pictures[output].Ext
	}
	want := []string{
		"b.png: png of b", "b.pdf: pdf of b", "a-c.png: png of a/c", "a-c.pdf: pdf of a/c", "B-2.png: png of B",
		"manifest.csv: id,file,file_pdf,url,pdf,error\r\n" +
			"b,b.png,b.pdf," + url(0, 0) + "," + url(0, 1) + ",\r\n" +
			"a/c,a-c.png,a-c.pdf," + url(1, 0) + "," + url(1, 1) + ",\r\n" +
			"bad,,,,,\"it has\nno photo\"\r\n" +
			"B,B-2.png,," + url(3, 0) + ",,the PDF failed\r\n",
	}
	if diff := cmp.Diff(want, contents(t, z)); diff != "" || len(vanished) != 0 {
		t.Errorf("vanished %v (-want +got):\n%s", vanished, diff)
	}
	for _, f := range z.File {
		if stored := f.Method == zip.Store; stored != (f.Name != ManifestName) || !f.Modified.Equal(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: method %d, changed %v", f.Name, f.Method, f.Modified)
		}
	}
}

func TestManifestSaysWhatIsNotInTheArchive(t *testing.T) {
	s := shelf{}
	rows := []Taken{pictured(s, 0, "a", "png"), pictured(s, 1, "b", "png"), pictured(s, 2, "c", "png")}
	gone := rows[1].Pictures[0].Hash
	delete(s, gone)
	z, vanished := mustArchive(t, s, rows, true, "png")
	all := contents(t, z)
	if len(all) != 3 || all[1] != "png/c.png: png of c" || !slices.Equal(vanished, []string{gone}) {
		t.Errorf("the archive has %q, told was of %q", all, vanished)
	}
	if !strings.Contains(all[2], "\r\nb,,http://x/"+gone+".png,the bytes of the output png have vanished\r\n") {
		t.Errorf("the manifest says %s", all[2])
	}
}

func TestArchiveOfNothingHasItsManifest(t *testing.T) {
	z, _ := mustArchive(t, shelf{}, []Taken{faulty(0, `{"id":"x"}`, "bad")}, false, "png")
	if diff := cmp.Diff([]string{"manifest.csv: id,file,url,error\r\nx,,,bad\r\n"}, contents(t, z)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestArchiveThatCannotBeReadSaysSo(t *testing.T) {
	s := shelf{}
	rows := []Taken{pictured(s, 0, "a", "png")}
	scratch, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	a := Archive{Sheet: mustSheet(t, CSVOptions{}, rows, "png"), Blobs: s, Scratch: scratch}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := a.Write(ctx, io.Discard, takenOf(rows)); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
	if err := a.Write(t.Context(), &brokenWriter{}, takenOf(rows)); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("on a full disk: %v", err)
	}
	rows[0].Pictures[0].Hash = "../../etc/passwd"
	told := ""
	a.VanishedFunc = func(_ context.Context, hash string) { told = hash }
	if err := a.Write(t.Context(), io.Discard, takenOf(rows)); err != nil || told == "" {
		t.Errorf("with a hash that is none: %v, told %q", err, told)
	}
}
