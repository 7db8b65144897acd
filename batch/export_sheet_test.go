package batch

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func sentOf(rows []Taken) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(Row{Index: r.Index, Key: r.Key, Values: r.Values}, nil) {
				return
			}
		}
	}
}

func takenOf(rows []Taken) iter.Seq2[Taken, error] {
	return func(yield func(Taken, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// drawn is a row that has pictures of these outputs.
func drawn(index int64, values string, outputs ...string) Taken {
	r := Taken{Result: Result{Index: index, Key: fmt.Sprint(index), Done: true}, Values: []byte(values)}
	for _, o := range outputs {
		r.Pictures = append(r.Pictures, Picture{Output: o, Hash: fmt.Sprintf("%s%d", o, index), Ext: o})
	}
	return r
}

func faulty(index int64, values, message string) Taken {
	return Taken{Result: Result{Index: index, Done: true, Error: &RowError{Code: "wrong_type", Field: "variables.price", Message: message}}, Values: []byte(values)}
}

func outputsOf(names ...string) (all []Output) {
	for _, n := range names {
		all = append(all, Output{Name: n, Encoding: bindings.Encoding{Format: n}})
	}
	return all
}

func mustSheet(tb testing.TB, o CSVOptions, rows []Taken, outputs ...string) Sheet {
	tb.Helper()
	columns, err := ReadColumns(sentOf(rows))
	if err != nil {
		tb.Fatal(err)
	}
	return Sheet{
		Job:     Job{ID: "j1", Status: Partial, Outputs: outputsOf(outputs...)},
		Columns: columns, CSV: o, Image: func(hash, ext string) string { return "http://x/" + hash + "." + ext },
	}
}

func mustResults(tb testing.TB, o CSVOptions, rows []Taken, outputs ...string) string {
	tb.Helper()
	var out strings.Builder
	if err := mustSheet(tb, o, rows, outputs...).WriteResults(&out, takenOf(rows)); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func mustFailed(tb testing.TB, o CSVOptions, rows []Taken) string {
	tb.Helper()
	var out strings.Builder
	if err := mustSheet(tb, o, rows, "png").WriteFailed(&out, takenOf(rows)); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func TestResultsHaveTheCallersColumnsInTheirOrder(t *testing.T) {
	for name, c := range map[string]struct {
		options CSVOptions
		outputs []string
		rows    []Taken
		want    []string
	}{
		"order of first appearance": {
			rows: []Taken{drawn(0, `{"z":"1","a":"2"}`, "png"), drawn(1, `{"m":"3","a":"4","z":"5"}`, "png")},
			want: []string{"z,a,m,url,error", "1,2,,http://x/png0.png,", "5,4,3,http://x/png1.png,"},
		},
		"an output more": {
			outputs: []string{"png", "pdf"},
			rows:    []Taken{drawn(0, `{"n":1}`, "png", "pdf"), faulty(1, `{"n":2}`, "it is no price")},
			want:    []string{"n,url,pdf,error", "1,http://x/png0.png,http://x/pdf0.pdf,", "2,,,it is no price"},
		},
		"names that are taken": {
			outputs: []string{"png", "pdf"},
			rows:    []Taken{drawn(0, `{"url":"u","url_2":"v","pdf":"p","error":"e"}`, "png", "pdf")},
			want:    []string{"url,url_2,pdf,error,url_3,pdf_2,error_2", "u,v,p,e,http://x/png0.png,http://x/pdf0.pdf,"},
		},
		"an output called url": {
			outputs: []string{"png", "url", "error"},
			rows:    []Taken{drawn(0, `{}`, "png", "url")},
			want:    []string{"url,url_2,error,error_2", "http://x/png0.png,http://x/url0.url,,"},
		},
		"values of every kind": {
			rows: []Taken{drawn(0, `{"text":"a\u00e9\n","n":1.50,"yes":true,"none":null,"list":[ 1, {"a" : "b"} ], "big":12345678901234567890 , "esc\"aped":"x"}`, "png")},
			want: []string{`text,n,yes,none,list,big,"esc""aped",url,error`, "\"aé\n\"" + `,1.50,true,,"[1,{""a"":""b""}]",12345678901234567890,x,http://x/png0.png,`},
		},
		"a field that is given twice": {
			rows: []Taken{drawn(0, `{"a":"1","b":"2","a":"3"}`, "png")},
			want: []string{"a,b,url,error", "3,2,http://x/png0.png,"},
		},
		"what needs quotes": {
			rows: []Taken{drawn(0, `{"a":"x;y","b":"x,y","c":"say \"hi\"","d":"one\r\ntwo","e":" padded ","f":"\ufeffmark"}`, "png")},
			want: []string{"a,b,c,d,e,f,url,error", `x;y,"x,y","say ""hi""","one` + "\r\n" + `two"," padded ",` + "\"\uFEFFmark\",http://x/png0.png,"},
		},
		"semicolon and mark": {
			options: CSVOptions{Delimiter: ';', BOM: true},
			rows:    []Taken{drawn(0, `{"a":"x;y","b":"x,y"}`, "png")},
			want:    []string{"\uFEFFa;b;url;error", `"x;y";x,y;http://x/png0.png;`},
		},
		"tab": {
			options: CSVOptions{Delimiter: '\t'},
			rows:    []Taken{drawn(0, `{"a":"x\ty"}`, "png")},
			want:    []string{"a\turl\terror", "\"x\ty\"\thttp://x/png0.png\t"},
		},
		"the caller's formulas stay": {
			rows: []Taken{drawn(0, `{"=a":"=1+1","b":"+49 30","c":"-5","d":"@x","e":-5}`, "png"), faulty(1, `{}`, "=cmd()")},
			want: []string{"=a,b,c,d,e,url,error", "=1+1,+49 30,-5,@x,-5,http://x/png0.png,", ",,,,,,'=cmd()"},
		},
		"unless they are to be harmless": {
			options: CSVOptions{Formulas: true},
			rows:    []Taken{drawn(0, `{"=a":"=1+1","b":"+49 30","c":"-5","d":"@x","e":-5,"f":"\ttab","g":"-x"}`, "png")},
			want:    []string{"'=a,b,c,d,e,f,g,url,error", "'=1+1,'+49 30,-5,'@x,-5,'\ttab,'-x,http://x/png0.png,"},
		},
		"rows that could not be read, or never were made": {
			rows: []Taken{faulty(0, "", "the row is a list\nnot an object"), {Result: Result{Index: 1}, Values: []byte(`{"a":"x"}`)}},
			want: []string{"a,url,error", ",,\"the row is a list\nnot an object\"", "x,,the job ended before this row was made"},
		},
		"no rows": {want: []string{"url,error"}},
	} {
		if c.outputs == nil {
			c.outputs = []string{"png"}
		}
		want := strings.Join(c.want, "\r\n") + "\r\n"
		if diff := cmp.Diff(want, mustResults(t, c.options, c.rows, c.outputs...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFailedRowsCanBeCorrectedAndSentAgain(t *testing.T) {
	rows := []Taken{
		drawn(0, `{"name":"Ada","price":1}`, "png"),
		faulty(1, `{"name":"Grace","price":"x"}`, "it is no price"),
		{Result: Result{Index: 2}, Values: []byte(`{"name":"later"}`)},
		faulty(3, `{"name":"Edsger","_error":"of the last time","_code":"old","tags":["a","b"]}`, "still none"),
	}
	want := "name,price,tags,_error,_code,_field\r\n" +
		"Grace,x,,it is no price,wrong_type,variables.price\r\n" +
		"Edsger,,\"[\"\"a\"\",\"\"b\"\"]\",still none,wrong_type,variables.price\r\n"
	if diff := cmp.Diff(want, mustFailed(t, CSVOptions{}, rows)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := mustFailed(t, CSVOptions{BOM: true, Delimiter: ';'}, rows[:1]); got != "\uFEFFname;price;_error;_code;_field\r\n" {
		t.Errorf("without failed rows: %q", got)
	}
}

func TestMoreColumnsThanACSVHasAreRefused(t *testing.T) {
	var row strings.Builder
	row.WriteString(`{"c0":1`)
	for i := range MaxColumns {
		fmt.Fprintf(&row, `,"c%d":1`, i+1)
	}
	row.WriteString("}")
	_, err := ReadColumns(sentOf([]Taken{drawn(0, row.String())}))
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.TooLarge || p.Slug != "too_many_columns" {
		t.Errorf("got %v", err)
	}
}

// A brokenWriter takes so many bytes.
type brokenWriter struct{ room int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestSheetThatCannotBeWrittenSaysSo(t *testing.T) {
	rows := []Taken{drawn(0, `{"a":"`+strings.Repeat("x", 200_000)+`"}`, "png"), faulty(1, `{"a":"`+strings.Repeat("x", 200_000)+`"}`, "bad")}
	sheet := mustSheet(t, CSVOptions{}, rows, "png")
	for _, room := range []int{0, 100_000} {
		if err := sheet.WriteResults(&brokenWriter{room}, takenOf(rows)); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("results in %d bytes: %v", room, err)
		}
		if err := sheet.WriteFailed(&brokenWriter{room}, takenOf(rows)); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("failed rows in %d bytes: %v", room, err)
		}
	}
	gone := errors.New("the store is away")
	broken := func(yield func(Taken, error) bool) { yield(Taken{}, gone) }
	if err := sheet.WriteResults(io.Discard, broken); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if err := sheet.WriteFailed(io.Discard, broken); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

// What any row says stands in its CSV as it was sent, whatever it is.
func FuzzCellsComeBack(f *testing.F) {
	for _, seed := range []string{`{"a":"b"}`, `{ "a" : [1,"}"] , "b\"c":{"x":[{}]},"":null }`, `{"a":"\ud800","\u0000":1}`, `{}`, `{"a":"x\\"}`, `[1]`, `{"a`, `{"a":}`} {
		f.Add([]byte(seed), byte(0))
	}
	f.Fuzz(func(t *testing.T, row []byte, kind byte) {
		fields := map[string]json.RawMessage{}
		valid := json.Unmarshal(row, &fields) == nil && len(fields) > 0 && len(fields) < 100
		for range fieldsOf(row) { // of what is no JSON it only must not fail
		}
		if !valid {
			return
		}
		rows := []Taken{drawn(0, string(row), "png")}
		o := CSVOptions{Delimiter: []byte{',', ';', '\t'}[kind%3], BOM: kind%2 == 0}
		text := strings.TrimPrefix(mustResults(t, o, rows, "png"), "\uFEFF")
		read := csv.NewReader(strings.NewReader(text))
		read.Comma = rune(o.Delimiter)
		records, err := read.ReadAll()
		if err != nil || len(records) != 2 {
			t.Fatalf("%q: %d records, %v", text, len(records), err)
		}
		if len(records[0]) != len(fields)+2 {
			t.Fatalf("%d columns %q for the fields of %s", len(records[0]), records[0], row)
		}
		for name, value := range fields {
			var s string
			if json.Unmarshal(value, &s) != nil {
				continue
			}
			// The library's reader makes LF of CRLF within a cell.
			lf := strings.NewReplacer("\r\n", "\n")
			i := slices.Index(records[0], lf.Replace(name))
			if i < 0 || records[1][i] != lf.Replace(s) {
				t.Errorf("the field %q of %s is %q", name, row, records[1])
			}
		}
	})
}
