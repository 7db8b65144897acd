package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func mustOpen(tb testing.TB, dir string, o Options) *Folder {
	tb.Helper()
	f, err := OpenFolder("file:images", dir, o)
	if err != nil {
		tb.Fatalf("open folder: %v", err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

func mustPut(tb testing.TB, f *Folder, data string) string {
	tb.Helper()
	hash, err := f.Put(tb.Context(), []byte(data))
	if err != nil {
		tb.Fatalf("put: %v", err)
	}
	return hash
}

func mustRead(tb testing.TB, f *Folder, hash string) string {
	tb.Helper()
	r, size, err := f.Open(tb.Context(), hash)
	if err != nil {
		tb.Fatalf("open %s: %v", hash, err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil || int64(len(data)) != size {
		tb.Fatalf("read %d of %d bytes: %v", len(data), size, err)
	}
	return string(data)
}

func hashOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

// filesIn is every file below dir, relative to it.
func filesIn(tb testing.TB, dir string) []string {
	tb.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		tb.Fatalf("walk %s: %v", dir, err)
	}
	return files
}

// counting counts the files that are made and synced.
type counting struct{ created, synced atomic.Int32 }

func (c *counting) create(path string) (file, error) {
	c.created.Add(1)
	f, err := createFile(path)
	return countedFile{f, c}, err
}

type countedFile struct {
	file
	c *counting
}

func (f countedFile) Sync() error {
	f.c.synced.Add(1)
	return f.file.Sync()
}

func TestBytesComeBackUnderTheirHash(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir, Options{})
	for _, data := range []string{"", "a", strings.Repeat("picture", 100_000)} {
		hash := mustPut(t, f, data)
		if hash != hashOf(data) {
			t.Errorf("hash = %s, want %s", hash, hashOf(data))
		}
		if got := mustRead(t, f, hash); got != data {
			t.Errorf("%d bytes came back as %d", len(data), len(got))
		}
		if _, err := os.Stat(filepath.Join(dir, "images", hash[:2], hash[2:4], hash)); err != nil {
			t.Errorf("layout: %v", err)
		}
	}
}

func TestEveryFileIsSyncedAndNoneIsLeftBehind(t *testing.T) {
	dir, c := t.TempDir(), &counting{}
	f := mustOpen(t, dir, Options{create: c.create})
	if _, err := f.PutMany(t.Context(), [][]byte{[]byte("a"), []byte("b"), []byte("a")}); err != nil {
		t.Fatal(err)
	}
	if c.created.Load() != 2 || c.synced.Load() != 2 {
		t.Errorf("%d files made, %d synced; want 2 and 2", c.created.Load(), c.synced.Load())
	}
	if files := filesIn(t, dir); len(files) != 2 {
		t.Errorf("files = %v, want two", files)
	}
	if len(f.names.unsynced) != 0 {
		t.Errorf("folders of %v are not synced", f.names.unsynced)
	}
}

func TestKnownBytesAreNotWrittenAgain(t *testing.T) {
	c := &counting{}
	f := mustOpen(t, t.TempDir(), Options{create: c.create})
	mustPut(t, f, "a")
	mustPut(t, f, "a")
	if n := c.created.Load(); n != 1 {
		t.Errorf("%d files made, want 1", n)
	}
}

// A name that another call has given and not yet synced must be synced by
// whoever relies on it too.
func TestFoundNameThatIsNotDurableIsSynced(t *testing.T) {
	f := mustOpen(t, t.TempDir(), Options{})
	hash := mustPut(t, f, "a")
	f.names.add(f.path(hash))
	mustPut(t, f, "b")
	if !f.names.unsynced[f.path(hash)] {
		t.Fatal("a call synced what it had nothing to do with")
	}
	mustPut(t, f, "a")
	if f.names.unsynced[f.path(hash)] {
		t.Error("a call promised bytes whose name was not synced")
	}
}

func TestCutFileIsWrittenAnew(t *testing.T) {
	f := mustOpen(t, t.TempDir(), Options{})
	hash := mustPut(t, f, "picture")
	for _, size := range []int64{0, 3} {
		if err := os.Truncate(f.path(hash), size); err != nil {
			t.Fatal(err)
		}
		mustPut(t, f, "picture")
		if got := mustRead(t, f, hash); got != "picture" {
			t.Errorf("after a cut to %d bytes: %q", size, got)
		}
	}
}

func TestUnknownHashIsNotFound(t *testing.T) {
	f := mustOpen(t, t.TempDir(), Options{})
	secret := filepath.Join(f.root, "..", "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{
		hashOf("unknown"), "", "a", "../secret", "../../" + secret, strings.ToUpper(hashOf("a")),
		strings.Repeat("/", 64), strings.Repeat("..", 32), hashOf("a") + "0", hashOf("a")[:63] + "\x00",
	} {
		if _, _, err := f.Open(t.Context(), hash); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("Open(%q) = %v, want not_found", hash, err)
		}
	}
}

func TestLeftoversAreSweptOnceNobodyElseIsThere(t *testing.T) {
	dir := t.TempDir()
	first := mustOpen(t, dir, Options{})
	leftover := filepath.Join(first.temporary(), "LEFTOVER")
	if err := os.WriteFile(leftover, []byte("half a pic"), 0o644); err != nil {
		t.Fatal(err)
	}
	second := mustOpen(t, dir, Options{})
	if _, err := os.Stat(leftover); err != nil {
		t.Errorf("a file that another process may be writing is gone: %v", err)
	}
	for _, f := range []*Folder{first, second} {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	mustOpen(t, dir, Options{})
	if files := filesIn(t, dir); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

// failing makes files of which one step fails.
type failing struct{ write, sync error }

func (c failing) create(path string) (file, error) {
	f, err := createFile(path)
	return failingFile{f, c}, err
}

type failingFile struct {
	file
	c failing
}

func (f failingFile) Write(data []byte) (int, error) {
	if f.c.write == nil {
		return f.file.Write(data)
	}
	n, _ := f.file.Write(data[:len(data)/2])
	return n, f.c.write
}

func (f failingFile) Sync() error { return f.c.sync }

func TestFailedWriteLeavesNothingAndLaterWorks(t *testing.T) {
	for name, c := range map[string]failing{
		"full disk at write": {write: unix.ENOSPC},
		"full disk at sync":  {sync: unix.ENOSPC},
		"quota":              {write: unix.EDQUOT},
		"broken disk":        {sync: unix.EIO},
	} {
		dir := t.TempDir()
		f := mustOpen(t, dir, Options{create: c.create})
		_, err := f.PutMany(t.Context(), [][]byte{[]byte("one"), []byte("two")})
		full := !errors.Is(err, unix.EIO)
		var p *problem.Error
		if is := errors.As(err, &p) && p.Slug == DiskFull && p.Code == problem.Surroundings; err == nil || is != full {
			t.Errorf("%s: %v", name, err)
		}
		if files := filesIn(t, dir); len(files) != 0 {
			t.Errorf("%s leaves %v", name, files)
		}
		f.create = createFile
		if got := mustRead(t, f, mustPut(t, f, "one")); got != "one" {
			t.Errorf("%s, later: %q", name, got)
		}
	}
}

func TestRealFullDiskIsSaidAndLaterWorks(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("needs the right to mount a small filesystem: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	f, err := OpenFolder("file:images", dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	kept := mustPut(t, f, strings.Repeat("a", 100_000))
	free, err := f.Free()
	if err != nil || free <= 0 || free > 160<<10 {
		t.Errorf("Free() = %d, %v", free, err)
	}

	before := filesIn(t, dir)
	large := []byte(strings.Repeat("b", 100_000))
	_, err = f.PutMany(t.Context(), [][]byte{large, append(large, 'c'), append(large, 'd')})
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != DiskFull || p.Hint == "" {
		t.Fatalf("put on a full disk = %v", err)
	}
	if after := filesIn(t, dir); !slices.Equal(after, before) {
		t.Errorf("files = %v, want %v", after, before)
	}
	if got := mustRead(t, f, kept); len(got) != 100_000 {
		t.Errorf("what was kept has %d bytes", len(got))
	}
	if got := mustRead(t, f, mustPut(t, f, string(large))); got != string(large) {
		t.Error("one that fits does not come back")
	}
}

func TestEndedContextWritesNothing(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Put(ctx, []byte("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("put = %v, want canceled", err)
	}
	if files := filesIn(t, dir); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

func TestManyWritersOfTheSameBytesAgree(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir, Options{})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			var data [][]byte
			for i := range 20 {
				data = append(data, bytes.Repeat([]byte{byte((i + w) % 25)}, 1000))
			}
			if _, err := f.PutMany(t.Context(), data); err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	wg.Wait()
	files := filesIn(t, dir)
	if len(files) != 25 {
		t.Errorf("%d files, want 25", len(files))
	}
	for _, path := range files {
		if err := f.Verify(t.Context(), filepath.Base(path)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if len(f.names.unsynced) != 0 {
		t.Errorf("not synced: %v", f.names.unsynced)
	}
}

func TestAddressesOfFolders(t *testing.T) {
	for url, want := range map[string]string{
		"file:data/images":           "/etc/pictifyd/data/images",
		"file:/var/lib/images":       "/var/lib/images",
		"file:///var/lib/images/":    "/var/lib/images",
		"file://localhost/var/lib/x": "/var/lib/x",
		"file:../images":             "/etc/images",
		"file:":                      "",
		"file://":                    "",
		"file://nas/images":          "",
		"data/images":                "",
		"ftp://bucket/prefix":        "",
		"":                           "",
		"file:a\x00b":                "",
	} {
		got, err := folderOf(url, "/etc/pictifyd")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q = %q, %v; want %q", url, got, err, want)
		}
		if invalid := (Config{URL: url}).Validate(); (invalid == nil) != (want != "") {
			t.Errorf("Validate %q = %v", url, invalid)
		}
	}
}

func TestFolderThatCannotBeMadeIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "images"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err := OpenFolder("file:images", dir, Options{}); err == nil {
		f.Close()
		t.Error("Open = nil where a file stands")
	}
}
