package poll_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors/poll"
)

var asCSV = poll.Layout{Format: poll.CSV}

func inUTF16(text string, little bool) string {
	var b bytes.Buffer
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		high, low := byte(unit>>8), byte(unit)
		if little {
			high, low = low, high
		}
		b.Write([]byte{high, low})
	}
	return b.String()
}

func TestTableIsReadInAnyUsualDress(t *testing.T) {
	const table = "sku,name\n0012,Größe 😀\n"
	want := []map[string]any{{"sku": "0012", "name": "Größe 😀"}}
	for name, text := range map[string]string{
		"plain":            table,
		"with a BOM":       "\ufeff" + table,
		"with two BOMs":    "\ufeff\ufeff" + table,
		"UTF-16 LE":        inUTF16(table, true),
		"UTF-16 BE":        inUTF16(table, false),
		"CRLF":             strings.ReplaceAll(table, "\n", "\r\n"),
		"semicolons":       strings.ReplaceAll(table, ",", ";"),
		"tabs":             strings.ReplaceAll(table, ",", "\t"),
		"bars":             strings.ReplaceAll(table, ",", "|"),
		"no last line end": strings.TrimSuffix(table, "\n"),
		"empty lines":      "\n" + table + "\n\r\n",
		"empty rows below": table + ",\n,\n , \n",
		"spaced header":    " sku , name \n0012,Größe 😀\n",
		"quoted":           "\"sku\",\"name\"\n\"0012\",\"Größe 😀\"\n",
	} {
		t.Run(name, func(t *testing.T) { mustEqual(t, want, rowsOf(mustDecode(t, asCSV, text))) })
	}
}

func TestCellsAreUntouched(t *testing.T) {
	got := mustDecode(t, asCSV, "id;a;b\n007; 1.234,56 ;\"two\r\nlines, \"\"quoted\"\"; and more\"\n")
	mustEqual(t, []map[string]any{{"id": "007", "a": " 1.234,56 ", "b": "two\nlines, \"quoted\"; and more"}}, rowsOf(got))
}

func TestDelimiterInsideQuotedHeaderIsNotCounted(t *testing.T) {
	got := mustDecode(t, asCSV, "id;\"a,b,c,d\"\n1;2\n")
	mustEqual(t, []map[string]any{{"id": "1", "a,b,c,d": "2"}}, rowsOf(got))
}

func TestGivenDelimiterIsTaken(t *testing.T) {
	got := mustDecode(t, poll.Layout{Format: poll.CSV, Delimiter: ":"}, "id:a,b\n1:2\n")
	mustEqual(t, []map[string]any{{"id": "1", "a,b": "2"}}, rowsOf(got))
}

func TestTSVHasTabs(t *testing.T) {
	got := mustDecode(t, poll.Layout{Format: poll.TSV}, "id\ta,b,c\n1\t2\n")
	mustEqual(t, []map[string]any{{"id": "1", "a,b,c": "2"}}, rowsOf(got))
}

func TestHeaderAloneHasNoRows(t *testing.T) {
	mustEqual(t, []poll.Element(nil), mustDecode(t, asCSV, "sku,name\n"))
}

func TestPositionIsTheLineThatARecordBeginsOn(t *testing.T) {
	var got []string
	for _, e := range mustDecode(t, asCSV, "id,a\n1,\"x\ny\"\n\n2,z\n") {
		got = append(got, e.Position)
	}
	mustEqual(t, []string{"line 2", "line 5"}, got)
}

func TestRaggedRecordIsAFaultAndTheRestIsRead(t *testing.T) {
	got := mustDecode(t, asCSV, "id,a,b\n1,x,y\n2,x\n3,x,y,z\n4,x,y\n")
	mustEqual(t, []string{
		"line 3 bad_record: 2 cells where the header has 3",
		"line 4 bad_record: 4 cells where the header has 3",
	}, faultsOf(got))
	mustEqual(t, []map[string]any{{"id": "1", "a": "x", "b": "y"}, {"id": "4", "a": "x", "b": "y"}}, rowsOf(got))
}

func TestLargeRecordIsAFaultAndTheRestIsRead(t *testing.T) {
	got := mustDecode(t, asCSV, "id,a\n1,"+strings.Repeat("x", 11<<20)+"\n2,y\n")
	mustEqual(t, []string{"line 2 too_large: larger than 10 MB"}, faultsOf(got))
	mustEqual(t, []map[string]any{{"id": "2", "a": "y"}}, rowsOf(got))
}

func TestDoubtfulTableIsAnErrorWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		line  int
		words []string
	}{
		"column twice":        {"\nsku,name, sku\n1,2,3\n", 2, []string{"columns 1 and 3", `"sku"`}},
		"column without name": {"sku,,name\n", 1, []string{"column 2"}},
		"no header":           {"\n\n", 0, []string{"header"}},
		"open quote":          {"id,a\n1,x\n2,\"y\n3,z\n", 4, []string{"begins on line 3", "not closed"}},
		"quote in a cell":     {"id,a\n1,19\" rack\n", 2, []string{"quote", `19""`}},
		"quote open for long": {"id,a\n1,x\n2,\"" + strings.Repeat(strings.Repeat("y", 1<<20)+",\n", 45), 3, []string{"larger than 40 MB", "quote"}},
		"NUL":                 {"id,a\n1,x\n2,\x00\n", 3, []string{"NUL"}},
		"UTF-16 without BOM":  {inUTF16("id,a\n", true)[2:], 1, []string{"NUL", "UTF-16"}},
		"Latin-1":             {"id,a\n1,x\n2,Gr\xf6\xdfe\n", 3, []string{"0xf6", "UTF-8"}},
		"odd UTF-16":          {inUTF16("id,a\n1,x\n", true) + "x", 3, []string{"UTF-16"}},
		"half a surrogate":    {inUTF16("id,a\n", false) + "\xd8\x3d\x00x", 2, []string{"UTF-16"}},
		"lone CR":             {"id,a\r1,x\r2,y\r", 1, []string{"CR"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode(asCSV, c.text)
			mustProblem(t, err, c.line, c.words...)
		})
	}
}

func TestHeaderWithoutKeyColumnIsAnError(t *testing.T) {
	_, err := decode(asCSV, "sku,name\n1,x\n", "skuu")
	mustProblem(t, err, 1, `"skuu"`, `"sku", "name"`)
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"sku,name\n0012,x\n", "\ufeffa;b\r\n1;\"x\r\n\"\"y\"\r\n", "a\tb\n1\n1\t2\t3\n", "a|b\n\n|\n", "a,b\n1,\"\n",
		inUTF16("a,b\n1,ä\n", true), "a\rb", "\"\n\"", "a,a\n", "x\n\"\r\r\n\"\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := decode(asCSV, text)
		if err != nil || len(rowsOf(first)) == 0 || strings.Contains(text, "\r") {
			return // encoding/csv turns CRLF into LF each time that it reads, so that CRs do not come back
		}
		rows := rowsOf(first)
		again, err := decode(poll.Layout{Format: poll.CSV, Delimiter: ","}, written(t, rows))
		if err != nil {
			t.Fatalf("decode what was written of %q: %v", text, err)
		}
		if diff := cmp.Diff(rows, rowsOf(again)); diff != "" {
			t.Fatalf("%q (-first +again):\n%s", text, diff)
		}
	})
}

// written is rows as a CSV table.
func written(tb testing.TB, rows []map[string]any) string {
	tb.Helper()
	var header []string
	for name := range rows[0] {
		header = append(header, name)
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	records := [][]string{header}
	for _, values := range rows {
		record := make([]string, len(header))
		for i, name := range header {
			record[i] = values[name].(string)
		}
		records = append(records, record)
	}
	if err := w.WriteAll(records); err != nil {
		tb.Fatalf("write CSV: %v", err)
	}
	return b.String()
}
