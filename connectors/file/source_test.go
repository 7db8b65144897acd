package file_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/file"
)

// TestMain is also the other process that writes a file and is killed.
func TestMain(m *testing.M) {
	if path, text := os.Getenv("PICTIFYD_WRITE_TO"), os.Getenv("PICTIFYD_WRITE"); path != "" {
		writeAndHang(path, text)
	}
	goleak.VerifyTestMain(m)
}

func writeAndHang(path, text string) {
	f, err := os.Create(path)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		os.Exit(1)
	}
	select {}
}

// child is this test as a process that writes text to path and goes no further.
func child(tb testing.TB, path, text string) *exec.Cmd {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "PICTIFYD_WRITE_TO="+path, "PICTIFYD_WRITE="+text)
	mustDo(tb, cmd.Start())
	return cmd
}

func newConfig(path string, key ...string) *file.Config {
	cfg := file.Kind.Config().(*file.Config)
	cfg.Path, cfg.Key = path, key
	return cfg
}

func newPoller(tb testing.TB, cfg *file.Config) connectors.Poller {
	tb.Helper()
	p, err := file.Kind.New(cfg, connectors.Env{Name: "catalog"})
	if err != nil {
		tb.Fatalf("new poller: %v", err)
	}
	return p
}

func mustWrite(tb testing.TB, path string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func mustPoll(tb testing.TB, p connectors.Poller, from connectors.Cursor) *connectortest.Recorder {
	tb.Helper()
	var r connectortest.Recorder
	if err := p.Poll(tb.Context(), from, r.Emit); err != nil {
		tb.Fatalf("poll: %v", err)
	}
	return &r
}

func TestBadFileIsAnErrorThatSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		file  string
		text  string
		words []string
	}{
		"empty":        {"a.csv", "", []string{"a.csv", "empty", "header"}},
		"empty JSON":   {"a.json", "", []string{"empty", "[]"}},
		"blank":        {"b.csv", "\n\n", []string{"b.csv", "no header"}},
		"header twice": {"c.csv", "id,a,id\n1,2,3\n", []string{"c.csv:1", `"id"`, "columns 1 and 3"}},
		"open quote":   {"d.csv", "id,a\n1,\"x\n2,y\n", []string{"d.csv:3", "line 2", "quote"}},
		"no key":       {"e.csv", "sku,a\n1,x\n", []string{"e.csv:1", `key column "id"`, `"sku", "a"`}},
		"a near key":   {"e.csv", "Id,a\n1,x\n", []string{"e.csv:1", `key column "id"`, `did you mean "Id"?`}},
		"half a JSON":  {"f.json", `[{"id":1},{"id":`, []string{"f.json:1", "breaks off"}},
		"wrong rows":   {"g.json", `{"items":[]}`, []string{"g.json", `"items"`, "$.items"}},
		"binary":       {"h.csv", "id\n\x00\x01", []string{"h.csv:2", "NUL"}},
		"all ragged":   {"i.csv", "id,a\n1;x\n2;y\n", []string{"line 2", "delimiter"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, c.file)
			mustWrite(t, path, []byte(c.text))
			age(t, path) // else more is waited for
			mustFail(t, newPoller(t, newConfig(path, "id")), c.words...)
		})
	}
}

// mustFail wants a poll that closes nothing and an error with those words.
func mustFail(tb testing.TB, p connectors.Poller, words ...string) error {
	tb.Helper()
	var r connectortest.Recorder
	err := p.Poll(tb.Context(), nil, r.Emit)
	if err == nil || r.Closing != nil {
		tb.Fatalf("Poll returned %v, closing %+v; want an error", err, r.Closing)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			tb.Errorf("error %q does not mention %q", err, w)
		}
	}
	return err
}

func TestMissingFileIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gone.csv")
	err := mustFail(t, newPoller(t, newConfig(path, "id")), "not there", "path")
	if !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("%v does not say it once, or hides its cause", err)
	}
}

func TestFolderIsNotRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mustFail(t, newPoller(t, newConfig(dir, "id")), "rows.csv", "is a folder, not a file")
}

func TestFileOverTheLimitIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, []byte("id\n"+strings.Repeat("1\n", 100)))
	cfg := newConfig(path, "id")
	cfg.MaxSize = 200
	mustFail(t, newPoller(t, cfg), "rows.csv", "larger than 200B", "max_size")
}

func TestTouchedFileIsUnchanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, []byte("id\n1\n"))
	p := newPoller(t, newConfig(path, "id"))
	first := mustPoll(t, p, nil)
	mustWrite(t, path, []byte("id\n1\n"))
	if r := mustPoll(t, p, first.Closing.Cursor); !r.Closing.Unchanged || r.Closing.Cursor == nil {
		t.Errorf("closing of a file with the same bytes is %+v, want Unchanged with a new cursor", r.Closing)
	}
}

func TestOldFileIsNotReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, []byte("id\n1\n"))
	age(t, path)
	p := newPoller(t, newConfig(path, "id"))
	cursor := mustPoll(t, p, nil).Closing.Cursor
	r := mustPoll(t, p, cursor)
	if !r.Closing.Unchanged || r.Closing.Cursor != nil {
		t.Errorf("closing of an old file is %+v, want Unchanged under the cursor before", r.Closing)
	}
}

func TestChangedConfigurationReadsAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.json")
	mustWrite(t, path, []byte(`{"a":[{"id":1,"sku":"x"}],"b":[{"id":2,"sku":"y"}]}`))
	age(t, path)
	cfg := newConfig(path, "id")
	cfg.Rows = "$.a"
	cursor := mustPoll(t, newPoller(t, cfg), nil).Closing.Cursor
	for name, change := range map[string]func(*file.Config){
		"rows": func(c *file.Config) { c.Rows = "$.b" },
		"key":  func(c *file.Config) { c.Key = config.Strings{"sku"} },
	} {
		t.Run(name, func(t *testing.T) {
			changed := *cfg
			change(&changed)
			if r := mustPoll(t, newPoller(t, &changed), cursor); r.Closing.Unchanged || len(r.Rows) != 1 {
				t.Errorf("got %d rows, closing %+v; want the row again", len(r.Rows), r.Closing)
			}
		})
	}
}

func TestInvalidConfigurationNamesItsField(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*file.Config)
		words  []string
	}{
		"no key":       {func(c *file.Config) { c.Key = nil }, []string{"key: ", "key: sku"}},
		"no path":      {func(c *file.Config) { c.Path = "" }, []string{"path: "}},
		"no extension": {func(c *file.Config) { c.Path = "rows" }, []string{"format: ", "csv, tsv, xlsx, json, ndjson"}},
		"xls":          {func(c *file.Config) { c.Path = "rows.XLS" }, []string{"format: ", `"xls" is not supported`, "csv, tsv, xlsx, json, ndjson", "save"}},
		"every":        {func(c *file.Config) { c.Every = 0 }, []string{"every: ", "100ms"}},
		"max_size":     {func(c *file.Config) { c.MaxSize = 0 }, []string{"max_size: "}},
		"rows":         {func(c *file.Config) { c.Rows = "$.items" }, []string{"rows: ", "json"}},
		"delimiter":    {func(c *file.Config) { c.Delimiter = "ab" }, []string{"delimiter: "}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig("rows.csv", "id")
			c.change(cfg)
			err := cfg.Validate()
			if err == nil {
				t.Fatal("Validate returned nil")
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not mention %q", err, w)
				}
			}
			if _, err := file.Kind.New(cfg, connectors.Env{}); err == nil {
				t.Error("New accepted it")
			}
		})
	}
}

func TestExtensionTellsTheFormat(t *testing.T) {
	for name, text := range map[string]string{
		"rows.csv": "id\n1\n", "rows.CSV": "id\n1\n", "rows.tsv": "id\tx,y\n1\t2\n", "rows.tab": "id\tx\n1\t2\n",
		"rows.json": `[{"id":"1"}]`, "rows.ndjson": `{"id":"1"}`, "rows.jsonl": `{"id":"1"}`,
	} {
		path := filepath.Join(t.TempDir(), name)
		mustWrite(t, path, []byte(text))
		if r := mustPoll(t, newPoller(t, newConfig(path, "id")), nil); len(r.Rows) != 1 || r.Rows[0].Values["id"] != "1" {
			t.Errorf("%s: got %+v", name, r.Rows)
		}
	}
}

func TestConfigurationIsReadFromYAML(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.txt")
	mustWrite(t, path, []byte("id;name\n1;x\n"))
	cfg := mustDecode(t, "kind: file\nkey: [id, name]\nevery: 5m\npath: "+path+"\nformat: csv\ndelimiter: ;\nmax_size: 1MB\n")
	r := mustPoll(t, newPoller(t, cfg), nil)
	if len(r.Rows) != 1 || len(r.Rows[0].Key) != 2 || cfg.Every.String() != "5m" || cfg.MaxSize != 1e6 {
		t.Errorf("config %+v read %+v", cfg, r.Rows)
	}
}

func mustDecode(tb testing.TB, text string) *file.Config {
	tb.Helper()
	node, err := config.Parse("pictifyd.yaml", []byte(text), config.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	cfg := file.Kind.Config().(*file.Config)
	if err := node.Decode(cfg); err != nil {
		tb.Fatal(err)
	}
	return cfg
}

// age makes the file one that was written an hour ago.
func age(tb testing.TB, path string) {
	tb.Helper()
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, past, past); err != nil {
		tb.Fatal(err)
	}
}
