package file_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/file"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

const usualPath = "out/{{ key }}-{{ output }}.{{ ext }}"

func mustSink(tb testing.TB, dir, path string) sink.Sink {
	tb.Helper()
	return mustSinkWith(tb, dir, path, sinktest.OpenPicture)
}

func mustSinkWith(tb testing.TB, dir, path string, open func(context.Context, string) (io.ReadCloser, error)) sink.Sink {
	tb.Helper()
	c := file.Kind.Config().(*file.Config)
	c.Path = path
	if err := c.Validate(); err != nil {
		tb.Fatalf("validate: %v", err)
	}
	s, err := file.Kind.New(c, sink.Env{Name: "folder", Dir: dir, Bytes: open})
	if err != nil {
		tb.Fatalf("new file sink: %v", err)
	}
	return s
}

// filesIn maps every file below dir to the hash of its picture, "?" for others.
func filesIn(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if files[name] = sinktest.HashOf(data); files[name] == "" {
			files[name] = "?"
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatalf("walk %s: %v", dir, err)
	}
	return files
}

func TestFileConforms(t *testing.T) {
	sinktest.Run(t, func(tb testing.TB) sinktest.Subject {
		dir := tb.TempDir()
		var hung bool
		holds := func(key string) (hashes []string) {
			for name, hash := range filesIn(tb, filepath.Join(dir, "out")) {
				if plain, err := url.PathUnescape(name); err == nil && plain == plainKey(key)+"-card.png" {
					hashes = append(hashes, hash)
				}
			}
			return hashes
		}
		return sinktest.Subject{
			Sink: mustSinkWith(tb, dir, usualPath, func(ctx context.Context, hash string) (io.ReadCloser, error) {
				if hung {
					<-ctx.Done()
				}
				return sinktest.OpenPicture(ctx, hash)
			}),
			Holds:   func(key string) string { return strings.Join(holds(key), " and ") },
			Effects: func(key string) int { return len(holds(key)) },
			Break: func(f sinktest.Fault) (func(), bool) {
				switch f {
				case sinktest.Down:
					return blockFolder(tb, filepath.Join(dir, "out")), true
				case sinktest.Hung:
					hung = true
					return func() { hung = false }, true
				}
				return nil, false
			},
		}
	})
}

// plainKey is the key as its columns are in the row.
func plainKey(key string) string {
	columns := strings.Split(key, ",")
	for i, c := range columns {
		plain, err := url.PathUnescape(c)
		if err != nil {
			return key
		}
		columns[i] = plain
		if len(columns) > 1 {
			columns[i] = strings.NewReplacer("%", "%25", ",", "%2C").Replace(plain)
		}
	}
	return strings.Join(columns, ",")
}

// blockFolder puts a file where the folder should be.
func blockFolder(tb testing.TB, path string) (heal func()) {
	tb.Helper()
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		tb.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			tb.Error(err)
		}
	}
}

func TestEachOutputHasItsFile(t *testing.T) {
	dir := t.TempDir()
	d := sinktest.Completed("sku-1", 3)
	story := d.Outputs[0]
	story.Name, story.Hash, story.Ext, story.Format = "story", "hash-s", "jpg", "jpeg"
	failed := sink.Output{Name: "wide", Error: "404"}
	d.Outputs = append(d.Outputs, story, failed)
	if _, err := mustSink(t, dir, usualPath).Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"out/sku-1-card.png": "hash-3", "out/sku-1-story.jpg": "hash-s"}
	if got := filesIn(t, dir); !equal(got, want) {
		t.Errorf("files = %v, want %v", got, want)
	}
	d.Event = sink.ImageRemoved
	d.Outputs = slices.Clone(d.Outputs[:2])
	if _, err := mustSink(t, dir, usualPath).Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if got := filesIn(t, dir); len(got) != 0 {
		t.Errorf("after removal: %v", got)
	}
}

func equal(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

func TestPathMayReadEverythingOfTheDelivery(t *testing.T) {
	d := sinktest.Completed("k", 7)
	d.Row = map[string]any{"shop": map[string]any{"city": "Köln"}, "n": 5}
	for path, want := range map[string]string{
		"{{ key }}.png": "k.png",
		"o/{{binding}}/{{ key }}/{{ generation }}":  "o/cards/k/7",
		"o/{{ row.shop.city }}/{{row.n}}.{{ ext }}": "o/Köln/5.png",
		"o/{{ hash }}.{{ format }}":                 "o/hash-7.png",
		"o/{{ key + \"}}\" }}-{{ width }}":          "o/k}}-1200",
		"./o//{{ key }}":                            "o/k",
	} {
		dir := t.TempDir()
		if _, err := mustSink(t, dir, path).Deliver(t.Context(), d); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got := filesIn(t, dir); len(got) != 1 || got[want] != "hash-7" {
			t.Errorf("%s: files = %v, want %s", path, got, want)
		}
	}
}

// The key stands in a path as it is in the row, not as it is in addresses.
func TestKeyInAPathIsThatOfTheRow(t *testing.T) {
	for key, want := range map[string]string{
		"a%2Fb":               "a%2Fb",
		"K%C3%B6ln":           "Köln",
		"100%25":              "100%25",
		"eu,K%C3%B6ln":        "eu,Köln",
		"a%2Cb,c":             "a%252Cb,c",
		"a,b%2Cc":             "a,b%252Cc",
		"v1%2E2,%E4%B8%AD%2F": "v1.2,中%2F",
	} {
		dir := t.TempDir()
		if _, err := mustSink(t, dir, "out/{{ key }}.png").Deliver(t.Context(), sinktest.Completed(key, 1)); err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if got := filesIn(t, dir); len(got) != 1 || got["out/"+want+".png"] == "" {
			t.Errorf("%s: files = %v, want %s", key, got, want)
		}
	}
}

func TestOneOutputsBytesMayBeAnothers(t *testing.T) {
	d := sinktest.Completed("a", 1)
	d.Outputs = append(d.Outputs, d.Outputs[0])
	d.Outputs[1].Name = "story"
	dir := t.TempDir()
	if _, err := mustSink(t, dir, "out/{{ key }}-{{ hash }}.png").Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if got := filesIn(t, dir); len(got) != 1 || got["out/a-hash-1.png"] != "hash-1" {
		t.Errorf("files = %v", got)
	}
}

func TestAbsolutePathIsTheOperatorsChoice(t *testing.T) {
	dir := t.TempDir()
	if _, err := mustSink(t, "/nonexistent", dir+"/{{ key }}.png").Deliver(t.Context(), sinktest.Completed("a", 1)); err != nil {
		t.Fatal(err)
	}
	if got := filesIn(t, dir); got["a.png"] != "hash-1" {
		t.Errorf("files = %v", got)
	}
}

func TestValueNeverLeavesItsFolder(t *testing.T) {
	for key, want := range map[string]string{
		"../../x":      "..%2F..%2Fx",
		"/etc/passwd":  "%2Fetc%2Fpasswd",
		"a/b":          "a%2Fb",
		"a%b":          "a%25b",
		"a\x00\n\x7fb": "a%00%0A%7Fb",
		`a\b`:          "a%5Cb",
		"...":          "...",
		"..":           "",
		".":            "",
		"":             "",
		"{{ key }}":    "{{ key }}",
		" ":            " ",
	} {
		dir := t.TempDir()
		d := sinktest.Completed("k", 1)
		d.Row = map[string]any{"v": key}
		_, err := mustSink(t, dir, "out/{{ row.v }}/{{ key }}.png").Deliver(t.Context(), d)
		got := filesIn(t, dir)
		if want == "" {
			var p *problem.Error
			if !errors.As(err, &p) || p.Slug != file.PathRefused || !retry.IsPermanent(err) || len(got) != 0 {
				t.Errorf("%q: %v, files %v; want a permanent %s", key, err, got, file.PathRefused)
			}
			continue
		}
		if err != nil || len(got) != 1 || got["out/"+want+"/k.png"] != "hash-1" {
			t.Errorf("%q: %v, files %v; want out/%s/k.png", key, err, got, want)
		}
	}
}

func TestSymbolicLinkLeadsNowhere(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "out", "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := mustSink(t, dir, "out/{{ key }}/card.png").Deliver(t.Context(), sinktest.Completed("a", 1)); err == nil {
		t.Error("deliver through a link = nil")
	}
	if got := filesIn(t, outside); len(got) != 0 {
		t.Errorf("files outside: %v", got)
	}
}

func TestTooLongNameIsRefusedForGood(t *testing.T) {
	dir := t.TempDir()
	s := mustSink(t, dir, "out/{{ key }}.png")
	if _, err := s.Deliver(t.Context(), sinktest.Completed(strings.Repeat("k", 251), 1)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := s.Deliver(t.Context(), sinktest.Completed(strings.Repeat("k", 252), 1)); !retry.IsPermanent(err) {
		t.Errorf("above the limit: %v, want a permanent error", err)
	}
}

func TestTwoOutputsInOneFileAreRefused(t *testing.T) {
	d := sinktest.Completed("a", 1)
	d.Outputs = append(d.Outputs, d.Outputs[0])
	d.Outputs[1].Name, d.Outputs[1].Hash = "story", "hash-s"
	dir := t.TempDir()
	_, err := mustSink(t, dir, "out/{{ key }}.png").Deliver(t.Context(), d)
	if !retry.IsPermanent(err) || len(filesIn(t, dir)) != 0 {
		t.Errorf("deliver = %v, files %v; want a permanent error and none", err, filesIn(t, dir))
	}
}

// halfway is a picture that ends with an error.
type halfway struct{ io.Reader }

func (halfway) Close() error { return nil }

func TestFailedWriteKeepsTheOldFileAndLeavesNoOther(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("broken disk")
	if _, err := mustSink(t, dir, usualPath).Deliver(t.Context(), sinktest.Completed("a", 1)); err != nil {
		t.Fatal(err)
	}
	s := mustSinkWith(t, dir, usualPath, func(_ context.Context, hash string) (io.ReadCloser, error) {
		return halfway{io.MultiReader(strings.NewReader("half"), errorReader{broken})}, nil
	})
	if _, err := s.Deliver(t.Context(), sinktest.Completed("a", 2)); !errors.Is(err, broken) || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want %v, not permanent", err, broken)
	}
	if got := filesIn(t, dir); len(got) != 1 || got["out/a-card.png"] != "hash-1" {
		t.Errorf("files = %v, want the old one", got)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// A try that was killed leaves a half file under the name that the next uses.
func TestLeftoverOfAKilledTryGoesWithTheNext(t *testing.T) {
	dir := t.TempDir()
	var seen []string
	s := mustSinkWith(t, dir, usualPath, func(ctx context.Context, hash string) (io.ReadCloser, error) {
		return halfway{io.MultiReader(strings.NewReader("picture hash-1"), watch(func() {
			for name := range filesIn(t, dir) {
				seen = append(seen, name)
			}
		}))}, nil
	})
	d := sinktest.Completed("a", 1)
	if _, err := s.Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 {
		t.Fatalf("while writing: %v, want one temporary file", seen)
	}
	if err := os.WriteFile(filepath.Join(dir, seen[0]), []byte("a longer half of an older try"), 0o644); err != nil {
		t.Fatal(err)
	}
	d.Attempt = 2
	if _, err := s.Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if got := filesIn(t, dir); len(got) != 1 || got["out/a-card.png"] != "hash-1" {
		t.Errorf("files = %v, want the picture alone", got)
	}
}

// watch calls back at the end of the bytes before it.
type watch func()

func (w watch) Read([]byte) (int, error) { w(); return 0, io.EOF }

func TestMissingPictureIsTriedAgain(t *testing.T) {
	gone := problem.New(problem.NotFound, "no bytes")
	s := mustSinkWith(t, t.TempDir(), usualPath, func(context.Context, string) (io.ReadCloser, error) { return nil, gone })
	if _, err := s.Deliver(t.Context(), sinktest.Completed("a", 1)); !errors.Is(err, gone) || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want %v, not permanent", err, gone)
	}
}

func TestValidateRefusesPathsThatCannotWork(t *testing.T) {
	for path, want := range map[string]string{
		"":                            "is the same for every row",
		"out/card.png":                "is the same for every row",
		"out/{{ output }}.{{ ext }}":  "is the same for every row",
		"out/{{ key }}/":              "is no path: a part of it is empty",
		"out/{{ key }}/../x":          "is no path: a part of it is empty",
		"out/{{ key }}//x":            "is no path: a part of it is empty",
		"out/{{ key":                  "{{ is not closed",
		"out/{{ 'key }}":              "{{ is not closed",
		"out/{{ kee }}.png":           `{{ kee }}: unknown variable "kee"`,
		"out/{{ key + }}.png":         "key +",
		"out/{{ }}{{ key }}.png":      "{{  }}",
		"out/{{ key }}-\x00.png":      "contains a control character",
		"out/{{ secrets.a }}-{{key}}": "secrets",
	} {
		err := (&file.Config{Path: path}).Validate()
		var p *problem.Error
		if !errors.As(err, &p) || p.Path != "path" || p.Code != problem.Invalid || !strings.Contains(p.Message, want) {
			t.Errorf("%q: %v, want %q", path, err, want)
		}
	}
}

func FuzzPathNeverLeavesItsFolder(f *testing.F) {
	for _, seed := range []string{"a", "..", "../x", "/", "\x00", "%2f", strings.Repeat("k", 300), "\xff", ". ", "a/../../b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		dir := t.TempDir()
		_, err := mustSink(t, dir, "out/{{ key }}").Deliver(t.Context(), sinktest.Completed(key, 1))
		files := filesIn(t, dir)
		switch {
		case err == nil && key == "":
		case err == nil:
			for name := range files {
				if plain, err := url.PathUnescape(filepath.Base(name)); err != nil || plain != plainKey(key) || filepath.Dir(name) != "out" || len(files) != 1 {
					t.Errorf("%q is written to %v", key, files)
				}
			}
		case !retry.IsPermanent(err) || len(files) != 0:
			t.Errorf("%q: %v, files %v", key, err, files)
		}
	})
}

func TestHostileValuesAreWrittenOrRefused(t *testing.T) {
	dir := t.TempDir()
	sinktest.Hostile(t, mustSink(t, dir, "out/{{ row.v }}/{{ key }}.{{ ext }}"))
	if files := filesIn(t, dir); len(files) < 5 {
		t.Errorf("there are only %v", files)
	}
}
