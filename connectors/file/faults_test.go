package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// during is a recorder that does something once, while rows are taken.
func during(do func()) *connectortest.Recorder {
	var once sync.Once
	return &connectortest.Recorder{Refuse: func(context.Context, connectors.Batch) error {
		once.Do(do)
		return nil
	}}
}

// manyRows is a table of several batches.
func manyRows(name string) []byte {
	var b strings.Builder
	b.WriteString("id,name\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "%d,%s\n", i, name)
	}
	return []byte(b.String())
}

func TestFileThatChangesWhileItIsReadIsNotClosed(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"written":   func(path string) error { return os.WriteFile(path, manyRows("b"), 0o600) },
		"truncated": func(path string) error { return os.Truncate(path, 0) },
		"cut":       func(path string) error { return os.Truncate(path, 10) },
		"appended": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString("2000,b\n")
				_ = f.Close()
			}
			return err
		},
		"swapped": func(path string) error {
			_ = os.WriteFile(path+".tmp", manyRows("b"), 0o600)
			return os.Rename(path+".tmp", path)
		},
		"touched": func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Minute)) },
		"written under the same stamp": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt([]byte("b\n"), info.Size()-2)
				_ = f.Close()
			}
			_ = os.Chtimes(path, info.ModTime(), info.ModTime())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rows.csv")
			// Larger than what is read ahead, so that a change in place is met.
			mustWrite(t, path, slices.Concat(manyRows("a"), []byte(strings.Repeat("x,"+strings.Repeat("a", 1000)+"\n", 2000))))
			age(t, path)
			r := during(func() { mustDo(t, change(path)) })
			err := newPoller(t, newConfig(path, "id")).Poll(t.Context(), nil, r.Emit)
			if err == nil || r.Closing != nil {
				t.Fatalf("Poll returned %v, closing %+v", err, r.Closing)
			}
			if _, again := retry.Wait(err); !again || !strings.Contains(err.Error(), "still being written") {
				t.Errorf("the error is %q; want one that asks for another try soon", err)
			}
		})
	}
}

func TestFileThatGoesWhileItIsReadIsNotClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, manyRows("a"))
	r := during(func() { mustDo(t, os.Remove(path)) })
	err := newPoller(t, newConfig(path, "id")).Poll(t.Context(), nil, r.Emit)
	if err == nil || r.Closing != nil || !strings.Contains(err.Error(), "not there") {
		t.Errorf("Poll returned %v, closing %+v", err, r.Closing)
	}
}

func TestFilesOfAFolderThatChangeWhileTheyAreReadAreNotClosed(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"one that was read": func(dir string) error { return os.WriteFile(filepath.Join(dir, "a.csv"), manyRows("b"), 0o600) },
		"one to come":       func(dir string) error { return os.WriteFile(filepath.Join(dir, "b.csv"), manyRows("b"), 0o600) },
		"one more":          func(dir string) error { return os.WriteFile(filepath.Join(dir, "c.csv"), manyRows("b"), 0o600) },
		"one less":          func(dir string) error { return os.Remove(filepath.Join(dir, "a.csv")) },
		"one less to come":  func(dir string) error { return os.Remove(filepath.Join(dir, "b.csv")) },
		"the folder":        func(dir string) error { return os.Rename(dir, dir+"2") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "in")
			mustDo(t, os.Mkdir(dir, 0o700))
			mustWrite(t, filepath.Join(dir, "a.csv"), manyRows("a"))
			mustWrite(t, filepath.Join(dir, "b.csv"), []byte("id,name\nx,a\n"))
			r := during(func() { mustDo(t, change(dir)) })
			err := newPoller(t, newConfig(dir+"/", "id")).Poll(t.Context(), nil, r.Emit)
			if err == nil || r.Closing != nil {
				t.Errorf("Poll returned %v, closing %+v", err, r.Closing)
			}
		})
	}
}

// TestEveryClosedReadingIsOneVersion writes versions of a file as fast as it can,
// each in its own way, and polls meanwhile.
func TestEveryClosedReadingIsOneVersion(t *testing.T) {
	for name, write := range map[string]func(path string, text []byte){
		"by rename": func(path string, text []byte) {
			_ = os.WriteFile(path+".tmp", text, 0o600)
			past := time.Now().Add(-time.Hour) // so that no rest is waited for
			_ = os.Chtimes(path+".tmp", past, past)
			_ = os.Rename(path+".tmp", path)
		},
		"in its place": func(path string, text []byte) {
			f, err := os.Create(path)
			if err != nil {
				return
			}
			for part := range slices.Chunk(text, len(text)/4+1) {
				_, _ = f.Write(part)
				<-time.After(2 * time.Millisecond)
			}
			_ = f.Close()
			<-time.After(40 * time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rows.csv")
			write(path, manyRows("v0"))
			ctx, stop := context.WithCancel(t.Context())
			var writing sync.WaitGroup
			writing.Go(func() {
				for i := 1; ctx.Err() == nil; i++ {
					write(path, manyRows(fmt.Sprintf("v%d", i%10)))
				}
			})
			defer writing.Wait()
			defer stop()
			p := newPoller(t, newConfig(path, "id"))
			var cursor connectors.Cursor
			closed := 0
			for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
				var r connectortest.Recorder
				if err := p.Poll(ctx, cursor, r.Emit); err != nil {
					if _, again := retry.Wait(err); !again {
						t.Errorf("poll: %v", err)
					}
					continue
				}
				if r.Closing.Unchanged {
					continue
				}
				closed++
				cursor = r.Closing.Cursor
				mustBeOneVersion(t, &r)
			}
			t.Logf("%d readings were closed", closed)
		})
	}
}

func mustBeOneVersion(t *testing.T, r *connectortest.Recorder) {
	t.Helper()
	if len(r.Rows) != 2000 || len(r.Faults) > 0 {
		t.Fatalf("closed with %d rows and the faults %v", len(r.Rows), r.Faults)
	}
	for _, row := range r.Rows {
		if row.Values["name"] != r.Rows[0].Values["name"] {
			t.Fatalf("%s has %v in a reading of %v", row.Position, row.Values, r.Rows[0].Values)
		}
	}
}

// TestWriterThatWasKilledHalfWay: the child is killed once it has written so much.
func TestWriterThatWasKilledHalfWay(t *testing.T) {
	whole := []byte("id,name\n1,Ada\n2,\"Grace \"\"Amazing\"\" Hopper\"\n3,Lin\n")
	for name, c := range map[string]struct {
		cut    string // where it was killed
		closed bool   // and then with a fault, so that nothing looks gone
		words  string
	}{
		"at nothing":    {"", false, "empty"},
		"in the header": {"id,na", false, "header has no end"},
		"in a cell":     {"id,name\n1,Ada\n2,\"Grace \"\"Ama", false, "quote"},
		"in a row":      {"id,name\n1,Ada\n2", true, "1 cells"},
		"in the last":   {"id,name\n1,Ada\n2,\"Grace \"\"Amazing\"\" Hopper\"\n3,L", true, "cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "rows.csv")
			mustWrite(t, path, whole)
			p := newPoller(t, newConfig(path, "id"))
			cursor := mustPoll(t, p, nil).Closing.Cursor
			killWriter(t, path, c.cut)
			var r connectortest.Recorder
			err := p.Poll(t.Context(), cursor, r.Emit)
			switch {
			case !c.closed && (err == nil || r.Closing != nil || !strings.Contains(err.Error(), c.words)):
				t.Errorf("Poll returned %v, closing %+v; want an error that says %q", err, r.Closing, c.words)
			case c.closed && (err != nil || len(r.Faults) != 1 || !strings.Contains(r.Faults[0].Detail, c.words)):
				t.Errorf("Poll returned %v with the faults %+v; want one that says %q", err, r.Faults, c.words)
			}
			if err == nil {
				cursor = r.Closing.Cursor
			}
			mustWrite(t, path, whole)
			if again := mustPoll(t, p, cursor); len(again.Rows) != 3 && !again.Closing.Unchanged || len(again.Faults) > 0 {
				t.Errorf("whole again: %d rows, faults %v", len(again.Rows), again.Faults)
			}
		})
	}
}

// killWriter has another process write text to path, in its place, and kills it
// while the file is open.
func killWriter(tb testing.TB, path, text string) {
	tb.Helper()
	cmd := child(tb, path, text)
	for info, err := os.Stat(path); err != nil || info.Size() != int64(len(text)); info, err = os.Stat(path) {
		runtime.Gosched()
		if tb.Context().Err() != nil {
			tb.Fatal("the writer wrote nothing")
		}
	}
	mustDo(tb, cmd.Process.Kill())
	if err := cmd.Wait(); err == nil {
		tb.Fatal("the writer ended by itself")
	}
}

func TestMixedLineEndsAndMarksAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, []byte("\ufeffid;name\r\n1;\"two\r\nlines\"\n\n2;b\r\n;\r\n"))
	r := mustPoll(t, newPoller(t, newConfig(path, "id")), nil)
	if len(r.Rows) != 2 || r.Rows[0].Values["name"] != "two\nlines" || r.Rows[1].Position != "line 5" {
		t.Errorf("got %+v", r.Rows)
	}
}

func TestLineOf100MBIsRefused(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("large, and of one goroutine the race detector sees nothing: runs in the pass without -short")
	}
	for name, c := range map[string]struct {
		begin, end string
		words      string // of the error; a fault where there is none
	}{
		"rows.csv":    {"id,name\n1,\"", "\"\n", "larger than 40 MB"},
		"rows.json":   {`[{"id":"`, `"}]`, "larger than 40 MB"},
		"rows.ndjson": {"{\"id\":1}\n{\"id\":\"", "\"}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			mustWrite(t, path, []byte(c.begin+strings.Repeat("x", 100<<20)+c.end))
			age(t, path)
			p := newPoller(t, newConfig(path, "id"))
			if c.words != "" {
				mustFail(t, p, name, c.words)
			} else if r := mustPoll(t, p, nil); len(r.Rows) != 1 || len(r.Faults) != 1 || r.Faults[0].Reason != "too_large" {
				t.Errorf("%d rows, faults %v", len(r.Rows), r.Faults)
			}
		})
	}
}

func TestSwappedFolderIsReadAtOnce(t *testing.T) {
	// As Kubernetes mounts a ConfigMap: rows.csv → ..data/rows.csv, ..data → ..1.
	dir := t.TempDir()
	for _, version := range []string{"..1", "..2"} {
		mustDo(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		mustWrite(t, filepath.Join(dir, version, "rows.csv"), []byte("id,name\n1,"+version+"\n"))
		age(t, filepath.Join(dir, version, "rows.csv"))
	}
	mustDo(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	mustDo(t, os.Symlink("..data/rows.csv", filepath.Join(dir, "rows.csv")))
	for _, path := range []string{"/rows.csv", "/", "/*.csv"} {
		p := newPoller(t, newConfig(dir+path, "id"))
		mustDo(t, os.Remove(filepath.Join(dir, "..data")))
		mustDo(t, os.Symlink("..1", filepath.Join(dir, "..data")))
		cursor := mustPoll(t, p, nil).Closing.Cursor
		mustDo(t, os.Symlink("..2", filepath.Join(dir, "next")))
		mustDo(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "..data")))
		if r := mustPoll(t, p, cursor); len(r.Rows) != 1 || r.Rows[0].Values["name"] != "..2" {
			t.Errorf("%s: read %+v after the swap", path, r.Rows)
		}
	}
}

func TestPipeIsNotRead(t *testing.T) {
	dir := t.TempDir()
	mustDo(t, unix.Mkfifo(filepath.Join(dir, "rows.csv"), 0o600))
	mustFail(t, newPoller(t, newConfig(filepath.Join(dir, "rows.csv"), "id")), "rows.csv", "not a file")
	mustFail(t, newPoller(t, newConfig(dir+"/", "id")), "rows.csv", "not a file")
}
