package poll_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// decode is every element of a document, up to the error that ended it; nil
// where it ended well.
func decode(layout poll.Layout, text string, key ...string) ([]poll.Element, error) {
	d, err := layout.Decoder(layout.Format, strings.NewReader(text), key)
	if err != nil {
		return nil, err
	}
	var elements []poll.Element
	for {
		e, err := d.Next()
		if errors.Is(err, io.EOF) {
			return elements, nil
		} else if err != nil {
			return elements, err
		}
		elements = append(elements, e)
	}
}

func mustDecode(tb testing.TB, layout poll.Layout, text string) []poll.Element {
	tb.Helper()
	elements, err := decode(layout, text)
	if err != nil {
		tb.Fatalf("decode %.200q: %v", text, err)
	}
	return elements
}

// rowsOf are the rows among the elements.
func rowsOf(elements []poll.Element) []map[string]any {
	var rows []map[string]any
	for _, e := range elements {
		if e.Fault == nil {
			rows = append(rows, e.Values)
		}
	}
	return rows
}

// faultsOf are "position reason: detail" of the faults among the elements.
func faultsOf(elements []poll.Element) []string {
	var faults []string
	for _, e := range elements {
		if e.Fault != nil {
			faults = append(faults, e.Fault.Position+" "+e.Fault.Reason+": "+e.Fault.Detail)
		}
	}
	return faults
}

func mustEqual(tb testing.TB, want, got any) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("(-want +got):\n%s", diff)
	}
}

// mustProblem wants a problem on that line, 0 for none, with those words.
func mustProblem(tb testing.TB, err error, line int, words ...string) {
	tb.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		tb.Fatalf("got %v, want a problem", err)
	}
	if p.Pos.Line != line {
		tb.Errorf("%v: on line %d, want line %d", err, p.Pos.Line, line)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			tb.Errorf("error %q does not mention %q", err, w)
		}
	}
}

func TestLayoutProblemsNameTheirField(t *testing.T) {
	for name, c := range map[string]struct {
		layout poll.Layout
		path   string
		words  string
	}{
		"xls":                  {poll.Layout{Format: "xls"}, "format", "csv, tsv, xlsx, json, ndjson"},
		"encoding of a sheet":  {poll.Layout{Format: poll.XLSX, Encoding: "latin1"}, "encoding", "texts"},
		"sheet of a text":      {poll.Layout{Format: poll.CSV, Sheet: "Prices"}, "sheet", "xlsx"},
		"numbers of a JSON":    {poll.Layout{Format: poll.JSON, Numbers: numbersIn("de-DE")}, "numbers", "tables"},
		"numbers of no column": {poll.Layout{Numbers: poll.Numbers{Locale: "de-DE"}}, "numbers.columns", "[price, stock]"},
		"numbers of no locale": {poll.Layout{Numbers: numbersIn("")}, "numbers.locale", "de-DE"},
		"unknown locale":       {poll.Layout{Numbers: numbersIn("xx")}, "numbers.locale", `"xx"`},
		"unknown format":       {poll.Layout{Format: "yml"}, "format", "yml"},
		"path without dollar":  {poll.Layout{Format: poll.JSON, Rows: "items"}, "rows", `"$.items"`},
		"filter":               {poll.Layout{Format: poll.JSON, Rows: "$.a[?(@.b)]"}, "rows", "[0]"},
		"wildcard inside":      {poll.Layout{Format: poll.JSON, Rows: "$.a[*].b"}, "rows", "[0]"},
		"rows of a table":      {poll.Layout{Format: poll.CSV, Rows: "$.items"}, "rows", "json"},
		"long delimiter":       {poll.Layout{Format: poll.CSV, Delimiter: ";;"}, "delimiter", "tab"},
		"quote as delimiter":   {poll.Layout{Format: poll.CSV, Delimiter: `"`}, "delimiter", "tab"},
		"delimiter of a json":  {poll.Layout{Format: poll.JSON, Delimiter: ";"}, "delimiter", "csv"},
		"unknown encoding":     {poll.Layout{Format: poll.CSV, Encoding: "latin-99"}, "encoding", "latin1"},
		"encoding of no text":  {poll.Layout{Encoding: "replacement"}, "encoding", "can't be read"},
		"line end as delmiter": {poll.Layout{Format: poll.CSV, Delimiter: "\n"}, "delimiter", "tab"},
	} {
		t.Run(name, func(t *testing.T) {
			list := c.layout.Problems()
			if len(list) != 1 || list[0].Path != c.path || !strings.Contains(list[0].Error(), c.words) {
				t.Errorf("problems of %+v are %v, want one at %s that mentions %q", c.layout, list, c.path, c.words)
			}
		})
	}
}

func TestGoodLayoutHasNoProblem(t *testing.T) {
	for _, l := range []poll.Layout{
		{}, {Format: poll.CSV, Delimiter: "tab"}, {Format: poll.CSV, Delimiter: `\t`}, {Format: poll.CSV, Delimiter: "¦"},
		{Encoding: "latin1", Sheet: "Prices", Numbers: numbersIn("de-DE")},
		{Format: poll.JSON, Rows: "$"}, {Rows: "$.a.b[0]['odd name'].rows[*]"},
	} {
		if list := l.Problems(); len(list) > 0 {
			t.Errorf("problems of %+v: %v", l, list)
		}
	}
}
