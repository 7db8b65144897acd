package file_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/internal/campaign"
)

// newDir is a folder with files of those texts.
func newDir(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		mustDo(tb, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		mustWrite(tb, filepath.Join(dir, name), []byte(text))
		age(tb, filepath.Join(dir, name))
	}
	return dir
}

// positionsOf is "position id" of all rows.
func positionsOf(r *connectortest.Recorder) string {
	var all []string
	for _, row := range r.Rows {
		all = append(all, fmt.Sprintf("%s %v", row.Position, row.Values["id"]))
	}
	return strings.Join(all, "|")
}

func TestFilesThatMatchAreOneSource(t *testing.T) {
	files := map[string]string{
		"b.csv": "id,name\n1,a\n", "a.csv": "id;price\n1;5\n2;6\n", "c.ndjson": "{\"id\":3}\n", "d.CSV": "id\n4\n",
		"e.csv.gz": string(gzipped(asCSV)([]map[string]any{{"id": "5", "name": "x"}})), "notes.txt": "?", ".a.csv": "?", "a.csv~": "?",
		"x/f.csv": "id\n6\n", "y/f.csv": "id\n7\n", "y/g.csv": "id\n8\n", "y/z/f.csv": "id\n9\n", "[1].csv": "id\n10\n",
	}
	for path, want := range map[string]string{
		"":                   "[1].csv line 2 10|a.csv line 2 1|a.csv line 3 2|b.csv line 2 1|c.ndjson line 1 3|d.CSV line 2 4|e.csv.gz line 2 5",
		"*.csv":              "[1].csv line 2 10|a.csv line 2 1|a.csv line 3 2|b.csv line 2 1",
		"[ab].csv":           "a.csv line 2 1|a.csv line 3 2|b.csv line 2 1",
		"?.[cC][sS][vV]":     "a.csv line 2 1|a.csv line 3 2|b.csv line 2 1|d.CSV line 2 4",
		"*/f.csv":            "x/f.csv line 2 6|y/f.csv line 2 7",
		"[x-y]/*":            "x/f.csv line 2 6|y/f.csv line 2 7|y/g.csv line 2 8",
		"*/":                 "x/f.csv line 2 6|y/f.csv line 2 7|y/g.csv line 2 8",
		"y/z/":               "f.csv line 2 9",
		"*/*/*.csv":          "y/z/f.csv line 2 9",
		`\[1\].csv`:          "[1].csv line 2 10",
		"../*/y/../y/g?.csv": "",
	} {
		t.Run(path, func(t *testing.T) {
			p := newPoller(t, newConfig(newDir(t, files)+"/"+path, "id"))
			if want == "" {
				mustFail(t, p, "no file matches")
				return
			}
			r := mustPoll(t, p, nil)
			if diff := cmp.Diff(want, positionsOf(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again := mustPoll(t, p, r.Closing.Cursor); !again.Closing.Unchanged || again.Closing.Cursor != nil {
				t.Errorf("old files: closing %+v, want Unchanged under the cursor before", again.Closing)
			}
		})
	}
}

func TestChangeOfTheFolderIsAReadingOfAllOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(dir string) error
		want   string
	}{
		"a file went":     {func(dir string) error { return os.Remove(filepath.Join(dir, "b.csv")) }, "a.csv line 2 1"},
		"a file came":     {func(dir string) error { return os.WriteFile(filepath.Join(dir, "c.csv"), []byte("id\n3\n"), 0o600) }, "a.csv line 2 1|b.csv line 2 2|c.csv line 2 3"},
		"a file changed":  {func(dir string) error { return os.WriteFile(filepath.Join(dir, "a.csv"), []byte("id\n4\n"), 0o600) }, "a.csv line 2 4|b.csv line 2 2"},
		"a file is named": {func(dir string) error { return os.Rename(filepath.Join(dir, "a.csv"), filepath.Join(dir, "c.csv")) }, "b.csv line 2 2|c.csv line 2 1"},
		"files swapped": {func(dir string) error {
			a, b, c := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv"), filepath.Join(dir, "c")
			_ = os.Rename(a, c)
			_ = os.Rename(b, a)
			return os.Rename(c, b)
		}, "a.csv line 2 2|b.csv line 2 1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t, map[string]string{"a.csv": "id\n1\n", "b.csv": "id\n2\n"})
			p := newPoller(t, newConfig(dir+"/*.csv", "id"))
			cursor := mustPoll(t, p, nil).Closing.Cursor
			mustDo(t, c.change(dir))
			if r := mustPoll(t, p, cursor); !r.Closing.Complete || positionsOf(r) != c.want {
				t.Errorf("read %s, closing %+v; want %s", positionsOf(r), r.Closing, c.want)
			}
		})
	}
}

func TestFolderThatCannotBeReadInFullIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		change func(dir string) error
		words  []string
	}{
		"all files went": {func(dir string) error {
			_ = os.Remove(filepath.Join(dir, "a.csv"))
			return os.Remove(filepath.Join(dir, "b.csv"))
		}, []string{"no file matches", "where 2 did", "disk"}},
		"the folder went":      {os.RemoveAll, []string{"not there"}},
		"a file is empty":      {func(dir string) error { return os.Truncate(filepath.Join(dir, "b.csv"), 0) }, []string{"b.csv", "empty"}},
		"a file is cut":        {func(dir string) error { return os.WriteFile(filepath.Join(dir, "b.csv"), []byte("id\n\"2"), 0o600) }, []string{"b.csv:2", "quote"}},
		"a file has no key":    {func(dir string) error { return os.WriteFile(filepath.Join(dir, "b.csv"), []byte("no\n2\n"), 0o600) }, []string{"b.csv:1", `key column "id"`}},
		"a link leads nowhere": {func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "c.csv")) }, []string{"c.csv", "not there"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newDir(t, map[string]string{"a.csv": "id\n1\n", "b.csv": "id\n2\n"})
			p := newPoller(t, newConfig(dir+"/*.csv", "id"))
			cursor := mustPoll(t, p, nil).Closing.Cursor
			mustDo(t, c.change(dir))
			for _, name := range []string{"a.csv", "b.csv"} {
				past := time.Now().Add(-time.Minute) // else more is waited for
				_ = os.Chtimes(filepath.Join(dir, name), past, past)
			}
			var r connectortest.Recorder
			err := p.Poll(t.Context(), cursor, r.Emit)
			if err == nil || r.Closing != nil {
				t.Fatalf("Poll returned %v, closing %+v", err, r.Closing)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not mention %q", err, w)
				}
			}
		})
	}
}

func TestFileOfNoKnownFormatIsAnError(t *testing.T) {
	dir := newDir(t, map[string]string{"a.csv": "id\n1\n", "b.txt": "id\n2\n"})
	mustFail(t, newPoller(t, newConfig(dir+"/?.*", "id")), "b.txt", "not supported", "csv")
	cfg := newConfig(dir+"/?.*", "id")
	cfg.Format = "csv"
	if r := mustPoll(t, newPoller(t, cfg), nil); positionsOf(r) != "a.csv line 2 1|b.txt line 2 2" {
		t.Errorf("read %s", positionsOf(r))
	}
}

func TestRowTakesTheNameOfItsFile(t *testing.T) {
	dir := newDir(t, map[string]string{"a.csv": "id\n1\n", "x/b.csv": "id\n2\n"})
	for path, want := range map[string]string{"/a.csv": "a.csv", "/*.csv": "a.csv", "/*/": "x/b.csv"} {
		cfg := newConfig(dir+path, "id", "from")
		cfg.FileColumn = "from"
		r := mustPoll(t, newPoller(t, cfg), nil)
		if len(r.Rows) != 1 || r.Rows[0].Values["from"] != want || r.Rows[0].Key[1] != want {
			t.Errorf("%s: read %+v, want %s", path, r.Rows, want)
		}
	}
}

func TestFileIsLeftAloneAsLongAsItIsToSettle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, []byte("id\n1\n"))
	cfg := newConfig(path, "id")
	cfg.Settle = config.Duration(300 * time.Millisecond)
	mustPoll(t, newPoller(t, cfg), nil)
	info, err := os.Stat(path)
	mustDo(t, err)
	if rested := time.Since(info.ModTime()); rested < 300*time.Millisecond {
		t.Errorf("read after %v", rested)
	}
}

func TestPathHangsOnTheTime(t *testing.T) {
	dir := newDir(t, map[string]string{"usage-2026-09.csv": "id\n9\n", "usage-2026-10.csv": "id\n10\n", "2026/a.csv": "id\n1\n"})
	september := time.Date(2026, 9, 30, 23, 30, 0, 0, time.UTC)
	for path, want := range map[string]string{
		"usage-{{ run.month }}.csv": "line 2 9", "{{ run.year }}/": "a.csv line 2 1", "usage-{{ run.month }}.*": "usage-2026-09.csv line 2 9",
	} {
		p := newPoller(t, newConfig(filepath.Join(dir, "x")[:len(dir)+1]+path, "id")).(connectors.Timed)
		var r connectortest.Recorder
		mustDo(t, p.PollAt(t.Context(), september, nil, r.Emit))
		if positionsOf(&r) != want || r.Closing.Complete || r.Closing.Reason == "" {
			t.Errorf("%s: read %s, closing %+v; want %s, incomplete", path, positionsOf(&r), r.Closing, want)
		}
		var again, later connectortest.Recorder
		mustDo(t, p.PollAt(t.Context(), september, r.Closing.Cursor, again.Emit))
		if !again.Closing.Unchanged {
			t.Errorf("%s: the same month again: %+v", path, again.Closing)
		}
		err := p.PollAt(t.Context(), september.Add(time.Hour), r.Closing.Cursor, later.Emit)
		if strings.Contains(path, "month") && (err != nil || positionsOf(&later) != strings.ReplaceAll(strings.ReplaceAll(want, "09", "10"), " 9", " 10")) {
			t.Errorf("%s: the month after: %v, %s", path, err, positionsOf(&later))
		}
	}
	p := newPoller(t, newConfig(dir+"/usage-{{ run.month }}.csv", "id"))
	if err := p.(connectors.Timed).PollAt(t.Context(), september.AddDate(1, 0, 0), nil, (&connectortest.Recorder{}).Emit); err == nil || !strings.Contains(err.Error(), "usage-2027-09.csv") {
		t.Errorf("a month without a file: %v", err)
	}
	if _, timed := newPoller(t, newConfig(dir+"/a.csv", "id")).(connectors.Timed); timed {
		t.Error("a path without expressions is timed: its readings would never be complete")
	}
}

func TestNewFileInTheFolderGivesAHint(t *testing.T) {
	dir := newDir(t, map[string]string{"a.csv": "id\n1\n"})
	for _, path := range []string{"/", "/*.csv"} {
		hints := wake(t, dir+path)
		mustWrite(t, filepath.Join(dir, "b.csv"), []byte("id\n2\n"))
		mustHint(t, hints)
		mustDo(t, os.Remove(filepath.Join(dir, "b.csv")))
		mustHint(t, hints)
	}
}

func TestWorkbookBombIsRefused(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("large, and of one goroutine the race detector sees nothing: runs in the pass without -short")
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	part, err := w.Create("xl/worksheets/sheet1.xml")
	mustDo(t, err)
	for range 300 {
		_, err := part.Write(bytes.Repeat([]byte(" "), 1<<20))
		mustDo(t, err)
	}
	mustDo(t, w.Close())
	path := filepath.Join(t.TempDir(), "rows.xlsx")
	mustWrite(t, path, b.Bytes())
	mustFail(t, newPoller(t, newConfig(path, "id")), "rows.xlsx", "too large when it is unpacked", "256 MB")
}

func TestPackedBombIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv.gz")
	rows := make([]map[string]any, 20_000)
	for i := range rows {
		rows[i] = map[string]any{"id": "1", "name": "a"}
	}
	mustWrite(t, path, gzipped(asCSV)(rows))
	cfg := newConfig(path, "id")
	cfg.MaxSize = 10_000
	mustFail(t, newPoller(t, cfg), "rows.csv.gz", "larger than 10KB", "max_size")
}
