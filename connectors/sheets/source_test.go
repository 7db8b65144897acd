package sheets_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestMain(m *testing.M) {
	sheets.Hurry()
	sheets.Small()
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// unlimited is an emulator that counts nothing.
var unlimited = sheetstest.Quota{ReadsPerUser: -1, ReadsPerProject: -1}

// A stage is a spreadsheet with one sheet, and a source that reads it.
type stage struct {
	e     *sheetstest.Emulator
	book  *sheetstest.Book
	sheet *sheetstest.Sheet
	cfg   *sheets.Config
}

func newStage(tb testing.TB, rows ...[]any) *stage {
	tb.Helper()
	s := &stage{e: sheetstest.New(sheetstest.Options{Anonymous: true, Quota: unlimited})}
	s.book = s.e.Add("BOOK", "Shop")
	s.sheet = s.book.AddSheet("Products", rows...)
	s.cfg = newConfig(sheetstest.Serve(tb, s.e))
	return s
}

func newConfig(endpoint string) *sheets.Config {
	cfg := sheets.Kind.Config().(*sheets.Config)
	cfg.Spreadsheet, cfg.Range, cfg.Key, cfg.Endpoint = "BOOK", config.Strings{"Products!A:H"}, config.Strings{"sku"}, endpoint
	return cfg
}

func newPoller(tb testing.TB, cfg *sheets.Config) connectors.Poller {
	tb.Helper()
	p, err := sheets.Kind.New(cfg, connectors.Env{Name: "sheet"})
	if err != nil {
		tb.Fatalf("new poller: %v", err)
	}
	tb.Cleanup(func() {
		if err := p.(io.Closer).Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return p
}

func (s *stage) poller(tb testing.TB) connectors.Poller { return newPoller(tb, s.cfg) }

func mustPoll(tb testing.TB, p connectors.Poller, from connectors.Cursor) *connectortest.Recorder {
	tb.Helper()
	var r connectortest.Recorder
	if err := p.Poll(tb.Context(), from, r.Emit); err != nil {
		tb.Fatalf("poll: %v", err)
	}
	if r.Closing == nil || !r.Closing.Complete {
		tb.Fatalf("closing is %+v, want a complete one", r.Closing)
	}
	return &r
}

// mustFail wants a poll that closes nothing and a problem with those words.
func mustFail(tb testing.TB, p connectors.Poller, words ...string) *problem.Error {
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
	var p0 *problem.Error
	if !errors.As(err, &p0) {
		tb.Fatalf("%v is no problem", err)
	}
	if strings.Contains(err.Error(), "\n") {
		tb.Errorf("error %q has several lines", err)
	}
	return p0
}

func values(r *connectortest.Recorder) []map[string]any {
	all := []map[string]any{}
	for _, row := range r.Rows {
		all = append(all, row.Values)
	}
	return all
}

func equal(tb testing.TB, want, got any) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Fatalf("(-want +got):\n%s", diff)
	}
}

func number(text string) json.Number { return json.Number(text) }

func TestSheetsKeepTheContract(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Kind: sheets.Kind,
		Open: func(tb testing.TB) connectortest.Source {
			s := newStage(tb)
			s.cfg.Key, s.cfg.Range = config.Strings{"id"}, nil
			set := func(rows []map[string]any) {
				s.sheet.Set(tableOf(rows)...)
				s.e.Hook(nil)
			}
			return connectortest.Source{
				Config: s.cfg,
				Set:    func(_ testing.TB, rows []map[string]any) { set(rows) },
				Break: func(testing.TB) {
					s.e.Hook(func(sheetstest.Call) *sheetstest.Failure {
						return &sheetstest.Failure{Status: http.StatusNotFound, Message: "Requested entity was not found."}
					})
				},
				Cut: func(_ testing.TB, rows []map[string]any) {
					set(rows)
					s.e.Hook(func(c sheetstest.Call) *sheetstest.Failure {
						if c.Method != "values.batchGet" {
							return nil
						}
						return &sheetstest.Failure{Cut: true}
					})
				},
			}
		},
		Values: map[string]any{"price": number("10.5"), "on": false, "none": nil, "stock": number("-3")},
	})
}

// tableOf has a column for everything that the suite's rows may have.
func tableOf(rows []map[string]any) [][]any {
	columns := []any{"id", "name"}
	if len(rows) > 0 && len(rows[0]) > 2 {
		columns = append(columns, "price", "on", "none", "stock")
	}
	table := [][]any{columns}
	for _, row := range rows {
		line := make([]any, len(columns))
		for i, c := range columns {
			line[i] = row[c.(string)]
			if n, ok := line[i].(json.Number); ok {
				line[i], _ = n.Float64()
			}
		}
		table = append(table, line)
	}
	return table
}

func TestCellsAreWhatTheyAre(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s := newStage(t,
		[]any{" sku ", "Name", "Price", "Since", "At", "On", "Big", "Text"},
		[]any{"0007", "Chair", 19.9, day, day.Add(18*time.Hour + 30*time.Minute), true, 12345678901234567.0, " 3 "},
		[]any{8, nil, 1.0 / 3, day.AddDate(0, 0, 1), day, false, 1e6, "007"},
		[]any{9},
	)
	s.sheet.Format("E2:E9", sheetstest.Format{Type: "DATE_TIME"})
	want := []map[string]any{
		{
			"sku": "0007", "Name": "Chair", "Price": number("19.9"), "Since": "2026-03-01", "At": "2026-03-01T18:30:00", "On": true,
			"Big": number("12345678901234568"), "Text": " 3 ",
		},
		{
			"sku": number("8"), "Name": nil, "Price": number("0.3333333333333333"), "Since": "2026-03-02", "At": "2026-03-01T00:00:00", "On": false,
			"Big": number("1000000"), "Text": "007",
		},
		{"sku": number("9"), "Name": nil, "Price": nil, "Since": nil, "At": nil, "On": nil, "Big": nil, "Text": nil},
	}
	r := mustPoll(t, s.poller(t), nil)
	equal(t, want, values(r))
	equal(t, "Products!A3", r.Rows[1].Position)
}

func TestDatesAreAsConfigured(t *testing.T) {
	rows := [][]any{{"sku", "Since", "At"}, {"1", 46082, 0.75}, {"2", 46082.5, 1}}
	for _, test := range []struct {
		dates, values string
		want          [2][2]any
	}{
		{"none", "raw", [2][2]any{{number("46082"), number("0.75")}, {number("46082.5"), number("1")}}},
		{"auto", "raw", [2][2]any{{"2026-03-01", number("0.75")}, {"2026-03-01", number("1")}}},
		{"At", "raw", [2][2]any{{number("46082"), "18:00:00"}, {number("46082.5"), "1899-12-31"}}},
		{"auto", "formatted", [2][2]any{{"01.03.2026", "0.75"}, {"01.03.2026", "1"}}},
	} {
		t.Run(test.dates+" "+test.values, func(t *testing.T) {
			s := newStage(t, rows...)
			s.sheet.Format("B2:B3", sheetstest.Format{Type: "DATE", Pattern: "dd.mm.yyyy"})
			s.cfg.Dates, s.cfg.Values = config.Strings{test.dates}, test.values
			got := values(mustPoll(t, s.poller(t), nil))
			for i, want := range test.want {
				equal(t, want, [2]any{got[i]["Since"], got[i]["At"]})
			}
		})
	}
}

func TestRangesAreWhatTheyName(t *testing.T) {
	rows := [][]any{{"Price list of March"}, {"", "sku", "Price", "Note"}, {"", "a", 1, "x"}, {"", "b", 2, "y"}, {}, {}, {"", "c", 3}, {"", "", "Total", 6}}
	for _, test := range []struct {
		name, spreadsheet string
		ranges            config.Strings
		header            int
		want              string
	}{
		{"the header's row of the sheet", "BOOK", config.Strings{"Products!B:D"}, 2, "a b c "},
		{"the range's first row", "BOOK", config.Strings{"Products!B2:C7"}, 0, "a b c"},
		{"some rows", "BOOK", config.Strings{"Products!B2:D3"}, 0, "a"},
		{"rows that begin below the header", "BOOK", config.Strings{"Products!B4:D7"}, 2, "b c"},
		{"the sheet's name", "BOOK", config.Strings{"Products"}, 2, "a b c "},
		{"a name in other letters", "BOOK", config.Strings{"PRODUCTS!B2:D7"}, 0, "a b c"},
		{"no name", "BOOK", config.Strings{"B2:D7"}, 0, "a b c"},
		{"nothing", "BOOK", nil, 2, "a b c "},
		{"the sheet of the address", "https://docs.google.com/spreadsheets/d/BOOK/edit?gid=1#gid=1", nil, 0, "z"},
		{"several", "BOOK", config.Strings{"Products!B2:D3", "'Price list'!A:B"}, 0, "a z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, rows...)
			s.book.AddSheet("Price list", []any{"sku", "Price"}, []any{"z", 26})
			s.cfg.Spreadsheet, s.cfg.Range, s.cfg.HeaderRow = test.spreadsheet, test.ranges, test.header
			var keys []string
			for _, row := range mustPoll(t, s.poller(t), nil).Rows {
				key, _ := row.Key[0].(string) // a row of other cells has none
				keys = append(keys, key)
			}
			equal(t, test.want, strings.Join(keys, " "))
		})
	}
}

func TestARowWithAnErrorIsAFaultAndItsKeyIsKnown(t *testing.T) {
	for _, failed := range []sheetstest.Error{"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#ERROR!", "Loading..."} {
		s := newStage(t,
			[]any{"sku", "Price"},
			[]any{"a", 1}, []any{"b", sheetstest.Formula{Text: "=X1", Value: failed}}, []any{sheetstest.Formula{Text: "=X1", Value: failed}, 3}, []any{"d", "#NAME? me"},
		)
		r := mustPoll(t, s.poller(t), nil)
		equal(t, []map[string]any{{"sku": "a", "Price": number("1")}, {"sku": "d", "Price": "#NAME? me"}}, values(r))
		equal(t, []connectors.Fault{
			{Position: "Products!A3", Reason: sheets.ErrorCell, Detail: "Price at Products!B3 is " + string(failed), Key: []any{"b"}},
			{Position: "Products!A4", Reason: sheets.ErrorCell, Detail: "sku at Products!A4 is " + string(failed), Key: []any{nil}},
		}, r.Faults)
		s.cfg.Errors = "empty"
		r = mustPoll(t, s.poller(t), nil)
		if len(r.Rows) != 3 || r.Rows[1].Values["Price"] != nil || len(r.Faults) != 1 {
			t.Errorf("with error_cells: empty: rows %v, faults %v", values(r), r.Faults)
		}
	}
}

func TestWhatIsWrongWithTheHeaderIsSaid(t *testing.T) {
	for _, test := range []struct {
		name  string
		rows  [][]any
		words []string
	}{
		{"renamed key", [][]any{{"SKU no", "Price"}, {"a", 1}}, []string{`key column "sku" is not in the header`, `"SKU no", "Price"`, "Products!A1"}},
		{"nearly named key", [][]any{{"Sku", "Price"}, {"a", 1}}, []string{`did you mean "Sku"?`}},
		{"named twice", [][]any{{"sku", "Price", "Price"}, {"a", 1, 2}}, []string{`columns B and C are both named "Price"`}},
		{"empty", [][]any{{}, {"a", 1}}, []string{"there is no header", "Products!A1"}},
		{"only errors", [][]any{{"sku", "Price"}, {"a", sheetstest.Error("#REF!")}}, []string{"no element could be read as a row", "#REF!"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, test.rows...)
			mustFail(t, s.poller(t), test.words...)
		})
	}
	s := newStage(t, []any{"sku", "Price"})
	s.cfg.Dates = config.Strings{"Since"}
	mustFail(t, s.poller(t), `dates column "Since" is not in the header`)
}

func TestColumnsWithoutANameAreNotRead(t *testing.T) {
	s := newStage(t, []any{"sku", "", "Price"}, []any{"a", "note", 1, "beside"})
	equal(t, []map[string]any{{"sku": "a", "Price": number("1")}}, values(mustPoll(t, s.poller(t), nil)))
}
