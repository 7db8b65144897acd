package file_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/file"
)

// A writer is rows as a document with the columns id and name.
type writer func(rows []map[string]any) []byte

func separated(comma rune) writer {
	return func(rows []map[string]any) []byte {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = comma
		records := [][]string{{"id", "name"}}
		for _, row := range rows {
			records = append(records, []string{row["id"].(string), row["name"].(string)})
		}
		if err := w.WriteAll(records); err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
		return b.Bytes()
	}
}

var asCSV = separated(',')

func asJSON(rows []map[string]any) []byte {
	text, err := json.Marshal(map[string]any{"items": append([]map[string]any{}, rows...), "next": nil})
	if err != nil {
		panic(err) // rows are made of what JSON has
	}
	return text
}

func asNDJSON(rows []map[string]any) []byte {
	text := []byte("\n")
	for _, row := range rows {
		line, err := json.Marshal(row)
		if err != nil {
			panic(err) // as above
		}
		text = append(append(text, line...), '\n')
	}
	return text
}

func asXLSX(rows []map[string]any) []byte {
	f := excelize.NewFile()
	defer f.Close()
	cells := []any{"id", "name"}
	for i := 0; ; i++ {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
			panic(err) // the sheet is there
		}
		if i == len(rows) {
			break
		}
		cells = []any{rows[i]["id"], rows[i]["name"]}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		panic(err) // it is memory
	}
	return b.Bytes()
}

func gzipped(write writer) writer {
	return func(rows []map[string]any) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(write(rows))
		_ = w.Close() // it is memory
		return b.Bytes()
	}
}

func zstded(write writer) writer {
	return func(rows []map[string]any) []byte {
		w, err := zstd.NewWriter(nil)
		if err != nil {
			panic(err) // there is no option that could be wrong
		}
		defer w.Close()
		return w.EncodeAll(write(rows), nil)
	}
}

func inUTF16(write writer) writer {
	return func(rows []map[string]any) []byte {
		b, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(write(rows))
		if err != nil {
			panic(err) // it is UTF-8
		}
		return b
	}
}

// cutInText is a document that breaks off in an open value.
func cutInText(write writer) writer {
	return func(rows []map[string]any) []byte {
		whole := write(append(rows, map[string]any{"id": "last", "name": `"quoted"`}))
		return whole[:bytes.LastIndex(whole, []byte("quoted"))]
	}
}

// cutAtEnd is a document without its last bytes.
func cutAtEnd(write writer) writer {
	return func(rows []map[string]any) []byte {
		whole := write(rows)
		return whole[:len(whole)-15]
	}
}

// newSource is a file that the suite changes in place.
func newSource(name string, write, cut writer) func(testing.TB) connectortest.Source {
	return func(tb testing.TB) connectortest.Source {
		path := filepath.Join(tb.TempDir(), name)
		cfg := newConfig(path, "id")
		if filepath.Ext(name) == ".json" {
			cfg.Rows = "$.items"
		}
		if name != "rows.csv" { // which shows that what is slower than this is waited for
			cfg.Settle = config.Duration(20 * time.Millisecond)
		}
		return connectortest.Source{
			Config: cfg,
			Set:    func(tb testing.TB, rows []map[string]any) { mustWrite(tb, path, write(rows)) },
			Break:  func(tb testing.TB) { mustDo(tb, os.RemoveAll(path)) },
			Cut:    func(tb testing.TB, rows []map[string]any) { mustWrite(tb, path, cut(rows)) },
		}
	}
}

// newFolder is a folder whose rows are in two files, and that is empty when it is
// broken, as when its disk is gone. There is also what is no source of rows.
func newFolder(path string) func(testing.TB) connectortest.Source {
	return func(tb testing.TB) connectortest.Source {
		dir := tb.TempDir()
		mustDo(tb, os.Mkdir(filepath.Join(dir, "old.csv"), 0o700))
		for _, other := range []string{".hidden.csv", "~$book.xlsx", "readme.txt", "c.csv.part"} {
			mustWrite(tb, filepath.Join(dir, other), []byte("?"))
		}
		first, second := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
		cfg := newConfig(dir+"/"+path, "id")
		cfg.Settle = config.Duration(20 * time.Millisecond)
		return connectortest.Source{
			Config: cfg,
			Set: func(tb testing.TB, rows []map[string]any) {
				mustWrite(tb, first, asCSV(rows[:len(rows)/2]))
				mustWrite(tb, second, asCSV(rows[len(rows)/2:]))
			},
			Break: func(tb testing.TB) { mustDo(tb, os.RemoveAll(first)); mustDo(tb, os.RemoveAll(second)) },
			Cut: func(tb testing.TB, rows []map[string]any) {
				mustWrite(tb, first, asCSV(rows))
				mustWrite(tb, second, cutInText(asCSV)(nil))
			},
		}
	}
}

func TestFileKeepsTheContract(t *testing.T) {
	nested := map[string]any{
		"price": json.Number("10.50"), "on": true, "none": nil,
		"tags": []any{"a", json.Number("1"), map[string]any{"x": []any{nil}}},
	}
	for name, s := range map[string]connectortest.Suite{
		"csv":     {Open: newSource("rows.csv", asCSV, cutInText(asCSV))},
		"csv.gz":  {Open: newSource("rows.csv.gz", gzipped(asCSV), cutAtEnd(gzipped(asCSV)))},
		"csv.zst": {Open: newSource("rows.csv.zst", zstded(asCSV), cutAtEnd(zstded(asCSV)))},
		"utf-16":  {Open: newSource("utf-16.csv", inUTF16(separated(';')), inUTF16(cutInText(separated(';'))))},
		"tsv":     {Open: newSource("rows.tsv", separated('\t'), cutInText(separated('\t')))},
		"xlsx":    {Open: newSource("rows.xlsx", asXLSX, cutAtEnd(asXLSX))},
		"json":    {Open: newSource("rows.json", asJSON, cutInText(asJSON)), Values: nested},
		"ndjson":  {Open: newSource("rows.ndjson", asNDJSON, cutInText(asNDJSON)), Values: nested},
		"folder":  {Open: newFolder("")},
		"pattern": {Open: newFolder("[ab].csv")},
	} {
		s.Kind = file.Kind
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, s)
		})
	}
}
