package sheets_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// products is a table of n rows with the keys p00001 and so on.
func products(n int) [][]any {
	rows := [][]any{{"sku", "Name", "Price", "Stock", "Since", "On", "Colour", "Note"}}
	for i := range n {
		rows = append(rows, []any{
			fmt.Sprintf("p%05d", i+1), fmt.Sprintf("Product %d", i+1), float64(i) + 0.99, i % 100, 46000 + i%300, i%2 == 0, "green", "",
		})
	}
	return rows
}

// byKey are the rows that were read, by their keys.
func byKey(tb testing.TB, r *connectortest.Recorder) map[string]map[string]any {
	tb.Helper()
	all := map[string]map[string]any{}
	for _, row := range r.Rows {
		key := fmt.Sprint(row.Key[0])
		if all[key] != nil {
			tb.Errorf("the key %s was read twice", key)
		}
		all[key] = row.Values
	}
	return all
}

func TestWhatMovesIsNoChange(t *testing.T) {
	for name, move := range map[string]func(*stage){
		"rows sorted":             func(s *stage) { s.sheet.Sort(2, true) },
		"rows inserted":           func(s *stage) { s.sheet.InsertRows(3, 2) },
		"a column inserted":       func(s *stage) { s.sheet.InsertColumns(2, 1) },
		"a column moved":          func(s *stage) { s.sheet.MoveColumn(1, 3) },
		"blank rows at the end":   func(s *stage) { s.sheet.Write("A9", " ") },
		"a column beside, unread": func(s *stage) { s.sheet.Write("J1", "Other", "x") },
		"spaces in the header":    func(s *stage) { s.sheet.Write("A1", " sku\t") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, products(5)...)
			s.cfg.Range = config.Strings{"Products!A:I"}
			p := s.poller(t)
			before := mustPoll(t, p, nil)
			move(s)
			after := mustPoll(t, p, before.Closing.Cursor)
			if !after.Closing.Unchanged {
				equal(t, byKey(t, before), byKey(t, after))
			}
			for _, row := range after.Rows {
				var n int
				if _, err := fmt.Sscanf(row.Position, "Products!A%d", &n); err != nil || n < 2 {
					t.Errorf("position %q", row.Position)
				}
			}
		})
	}
}

func TestASecondReadingOfTheSameIsUnchanged(t *testing.T) {
	s := newStage(t, products(5)...)
	p := s.poller(t)
	cursor := mustPoll(t, p, nil).Closing.Cursor
	if r := mustPoll(t, p, cursor); !r.Closing.Unchanged {
		t.Error("nothing changed, and it is read again")
	}
	s.sheet.Write("C3", 5)
	r := mustPoll(t, p, cursor)
	if got := byKey(t, r)["p00002"]["Price"]; got != number("5") {
		t.Errorf("the changed price is %v", got)
	}
}

func TestFormulasInErrorForACycleLoseNothing(t *testing.T) {
	s := newStage(t, products(4)...)
	p := s.poller(t)
	cursor := mustPoll(t, p, nil).Closing.Cursor
	s.sheet.Write("C3", sheetstest.Error("#REF!"))
	r := mustPoll(t, p, cursor)
	if len(r.Rows) != 3 || len(r.Faults) != 1 || r.Faults[0].Key[0] != "p00002" {
		t.Fatalf("rows %v, faults %+v", values(r), r.Faults)
	}
	s.sheet.Write("C3", 1.99)
	if r = mustPoll(t, p, r.Closing.Cursor); len(r.Rows) != 4 {
		t.Errorf("%d rows once the formula works again", len(r.Rows))
	}
	for _, at := range []string{"C2", "C3", "C4", "C5"} {
		s.sheet.Write(at, sheetstest.Error("Loading..."))
	}
	mustFail(t, p, "no element could be read as a row", "Loading...")
}

func TestARenamedSheetIsSaidAndFollowedByItsGid(t *testing.T) {
	s := newStage(t, products(2)...)
	byName := s.poller(t)
	byID := newConfig(s.cfg.Endpoint)
	byID.Range, byID.Spreadsheet = nil, "https://docs.google.com/spreadsheets/d/BOOK/edit#gid=0"
	follows := newPoller(t, byID)
	mustPoll(t, byName, nil)
	mustPoll(t, follows, nil)
	s.sheet.Rename("Product")
	e := mustFail(t, byName, `no sheet "Products"; it has "Product"`, `did you mean "Product"?`)
	if e.Code != problem.NotFound {
		t.Errorf("code %s", e.Code)
	}
	if r := mustPoll(t, follows, nil); len(r.Rows) != 2 || r.Rows[0].Position != "Product!A2" {
		t.Errorf("by its gid %d rows", len(r.Rows))
	}
	s.sheet.Rename("Products")
	mustPoll(t, byName, nil)
}

func TestASheetThatGrowsAndShrinksIsReadWhole(t *testing.T) {
	s := newStage(t, products(5)...)
	p := s.poller(t)
	mustPoll(t, p, nil)
	s.sheet.Set(products(2500)...) // the grid had 1,000 rows
	if r := mustPoll(t, p, nil); len(r.Rows) != 2500 {
		t.Errorf("%d rows of 2500", len(r.Rows))
	}
	s.sheet.DeleteRows(2, 2499)
	if r := mustPoll(t, p, nil); len(r.Rows) != 1 {
		t.Errorf("%d rows of 1", len(r.Rows))
	}
	s.sheet.DeleteRows(2, 1) // of a grid with one row
	if r := mustPoll(t, p, nil); len(r.Rows) != 0 {
		t.Errorf("%d rows of none", len(r.Rows))
	}
	s.sheet.Append("x")
	if r := mustPoll(t, p, nil); len(r.Rows) != 1 {
		t.Errorf("%d rows after the first was appended", len(r.Rows))
	}
}

// large is a sheet that takes several blocks.
const large = 2500

func TestALargeSheetIsReadInBlocks(t *testing.T) {
	s := newStage(t, products(large)...)
	r := mustPoll(t, s.poller(t), nil)
	all := byKey(t, r)
	if len(all) != large {
		t.Errorf("%d rows", len(all))
	}
	for i := 1; i <= large; i++ {
		if all[fmt.Sprintf("p%05d", i)]["Name"] != fmt.Sprintf("Product %d", i) {
			t.Fatalf("row %d is %v", i, all[fmt.Sprintf("p%05d", i)])
		}
	}
	blocks := 0
	for _, c := range s.e.Calls() {
		if c.Method == "values.batchGet" {
			blocks++
		}
	}
	if blocks < 3 {
		t.Errorf("it was read in %d requests", blocks)
	}
}

func TestALargeGridWithFewRowsTakesOneRequest(t *testing.T) {
	s := newStage(t, products(large)...)
	s.sheet.Set(products(20)...) // the grid stays
	p := s.poller(t)
	mustPoll(t, p, nil)
	before := len(s.e.Calls())
	if r := mustPoll(t, p, nil); len(r.Rows) != 20 {
		t.Errorf("%d rows of 20", len(r.Rows))
	}
	if n := len(s.e.Calls()) - before; n != 1 {
		t.Errorf("%d requests for 20 rows", n)
	}
	s.sheet.Set(products(large)...)
	if r := mustPoll(t, p, nil); len(r.Rows) != large {
		t.Errorf("%d rows of %d", len(r.Rows), large)
	}
}

func TestAWriteBetweenBlocksLosesNothing(t *testing.T) {
	edits := map[string]func(s *sheetstest.Sheet){
		"a row is inserted above":              func(s *sheetstest.Sheet) { s.InsertRows(5, 1) },
		"rows are deleted above":               func(s *sheetstest.Sheet) { s.DeleteRows(3, 20) },
		"rows are sorted":                      func(s *sheetstest.Sheet) { s.Sort(1, true) },
		"a column is moved":                    func(s *sheetstest.Sheet) { s.MoveColumn(3, 2) },
		"a column is inserted":                 func(s *sheetstest.Sheet) { s.InsertColumns(1, 1) },
		"the sheet is emptied to be rewritten": func(s *sheetstest.Sheet) { s.Set(products(3)...) },
		"rows are appended":                    func(s *sheetstest.Sheet) { s.Append("new", "New") },
	}
	for name, edit := range edits {
		for _, at := range []int{2, 3} {
			t.Run(fmt.Sprint(name, " before request ", at), func(t *testing.T) {
				s := newStage(t, products(large)...)
				s.cfg.Range = config.Strings{"Products!A:I"}
				s.e.Hook(func(c sheetstest.Call) *sheetstest.Failure {
					if c.Method == "values.batchGet" && c.Number == at {
						edit(s.sheet)
					}
					return nil
				})
				r := mustPoll(t, s.poller(t), nil)
				s.e.Hook(nil)
				equal(t, slices.Sorted(maps.Keys(byKey(t, mustPoll(t, s.poller(t), nil)))), slices.Sorted(maps.Keys(byKey(t, r))))
				for key, row := range byKey(t, r) {
					if n := strings.TrimLeft(key, "p0"); key != "new" && row["Name"] != "Product "+n {
						t.Fatalf("%s has the values %v", key, row)
					}
				}
			})
		}
	}
}

func TestASheetThatNeverRestsIsNotComplete(t *testing.T) {
	s := newStage(t, products(large)...)
	s.e.Hook(func(c sheetstest.Call) *sheetstest.Failure {
		if c.Method == "values.batchGet" {
			s.sheet.InsertRows(2, 1)
		}
		return nil
	})
	var r connectortest.Recorder
	if err := s.poller(t).Poll(t.Context(), nil, r.Emit); err != nil {
		t.Fatal(err)
	}
	if r.Closing == nil || r.Closing.Complete || r.Closing.Cursor != nil || !strings.Contains(r.Closing.Reason, "moved") {
		t.Fatalf("closing %+v", r.Closing)
	}
	byKey(t, &r) // nothing twice
	if len(r.Rows) < large/2 {
		t.Errorf("only %d rows are as new as can be", len(r.Rows))
	}
}

func TestAQuotaStormIsWaitedOut(t *testing.T) {
	s := newStage(t, products(3)...)
	s.e.Hook(func(c sheetstest.Call) *sheetstest.Failure {
		if c.Method == "values.batchGet" && c.Number <= 4 {
			status := map[int]int{1: 429, 2: 503, 3: 500, 4: 429}[c.Number]
			return &sheetstest.Failure{Status: status, Message: "for now"}
		}
		return nil
	})
	if r := mustPoll(t, s.poller(t), nil); len(r.Rows) != 3 {
		t.Errorf("%d rows", len(r.Rows))
	}
	for _, test := range []struct {
		name    string
		failure sheetstest.Failure
		code    problem.Code
		wait    time.Duration
		calls   int // at most
	}{
		{"429 for ever", sheetstest.Failure{Status: 429, Message: "Quota exceeded"}, problem.Overloaded, time.Minute, 7},
		{"a 403 that means 429", sheetstest.Failure{Status: 403, Message: "User Rate Limit Exceeded", Reason: "userRateLimitExceeded"}, problem.Overloaded, time.Minute, 7},
		{"429 with a long Retry-After", sheetstest.Failure{Status: 429, Message: "Quota exceeded", RetryAfter: 5 * time.Minute}, problem.Overloaded, 5 * time.Minute, 1},
		{"503 with a long Retry-After", sheetstest.Failure{Status: 503, Message: "Down", RetryAfter: 2 * time.Minute}, problem.Upstream, 2 * time.Minute, 1},
		{"500 for ever", sheetstest.Failure{Status: 500, Message: "Internal error encountered."}, problem.Upstream, 0, 7},
		{"a proxy's page", sheetstest.Failure{Status: 502, Body: "<html>Bad Gateway</html>"}, problem.Upstream, 0, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, products(3)...)
			s.e.Hook(func(sheetstest.Call) *sheetstest.Failure { return &test.failure })
			p := s.poller(t)
			var r connectortest.Recorder
			err := p.Poll(t.Context(), nil, r.Emit)
			var known *problem.Error
			if !errors.As(err, &known) || known.Code != test.code || r.Closing != nil {
				t.Fatalf("%v, closing %+v", err, r.Closing)
			}
			if wait, _ := retry.Wait(err); wait != test.wait {
				t.Errorf("the next poll is in %v, want %v", wait, test.wait)
			}
			if n := len(s.e.Calls()); n > test.calls {
				t.Errorf("%d requests, want at most %d", n, test.calls)
			}
		})
	}
}

func TestFailuresAreSaidWithTheirNextStep(t *testing.T) {
	for _, test := range []struct {
		name    string
		failure sheetstest.Failure
		code    problem.Code
		words   []string
	}{
		{"gone", sheetstest.Failure{Status: 404, Message: "Requested entity was not found."}, problem.NotFound, []string{`no spreadsheet "BOOK"`, "/d/"}},
		{"an Excel file", sheetstest.Failure{Status: 400, Message: "This operation is not supported for this document"}, problem.Unsupported, []string{"Excel", "Save as Google Sheets"}},
		{"not enabled", sheetstest.Failure{Status: 403, Message: "Google Sheets API has not been used in project 7 before or it is disabled. Enable it by visiting https://console.developers.google.com/x then retry."}, problem.Forbidden, []string{"console.developers.google.com/x", "enable the API"}},
		{"no scope", sheetstest.Failure{Status: 403, Message: "Request had insufficient authentication scopes."}, problem.Forbidden, []string{"spreadsheets.readonly"}},
		{"not shared", sheetstest.Failure{Status: 403, Message: "The caller does not have permission"}, problem.Forbidden, []string{"share the spreadsheet"}},
		{"no credentials", sheetstest.Failure{Status: 403, Message: "Method doesn't allow unregistered callers"}, problem.Forbidden, []string{"set credentials_file or api_key"}},
		{"another 400", sheetstest.Failure{Status: 400, Message: "Strange"}, problem.Upstream, []string{"400 Strange"}},
		{"a redirect", sheetstest.Failure{Status: 302, Body: "moved"}, problem.Upstream, []string{"302"}},
		{"a cut answer", sheetstest.Failure{Cut: true}, problem.Upstream, []string{"cut short"}},
		{"a dropped connection", sheetstest.Failure{Drop: true}, problem.Upstream, []string{"no answer"}},
		{"a page", sheetstest.Failure{Status: 200, Body: "<html>log in</html>"}, problem.Upstream, []string{"no answer"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, products(2)...)
			s.e.Hook(func(sheetstest.Call) *sheetstest.Failure { return &test.failure })
			if e := mustFail(t, s.poller(t), test.words...); e.Code != test.code {
				t.Errorf("code %s, want %s: %v", e.Code, test.code, e)
			}
			if n := len(s.e.Calls()); n > 7 {
				t.Errorf("%d requests", n)
			}
		})
	}
	s := newStage(t, products(2)...)
	s.e.Delete("BOOK")
	mustFail(t, s.poller(t), `no spreadsheet "BOOK"`)
	s = newStage(t, products(2)...)
	s.cfg.Range = config.Strings{"Products!AB:AD"}
	mustFail(t, s.poller(t), "the header would be at Products!AB1", "ends at Products!Z1000")
	s.cfg.Endpoint = "http://127.0.0.1:1"
	mustFail(t, s.poller(t), "no answer")
}

func TestDriveSavesReadingsAndIsNoProof(t *testing.T) {
	s := newStage(t, products(3)...)
	s.cfg.Drive = true
	p := s.poller(t)
	reads := func() (n int) {
		for _, c := range s.e.Calls() {
			if c.Method == "values.batchGet" {
				n++
			}
		}
		return n
	}
	cursor := mustPoll(t, p, nil).Closing.Cursor
	if r := mustPoll(t, p, cursor); !r.Closing.Unchanged || reads() != 1 {
		t.Errorf("%d readings of a file that was not modified", reads())
	}
	s.sheet.Write("C2", 7)
	r := mustPoll(t, p, cursor)
	if r.Closing.Unchanged || reads() != 2 {
		t.Errorf("%d readings of a file that was modified", reads())
	}
	// A change that Drive does not tell of is found once the reading is due.
	s.cfg.FullEvery = config.Duration(time.Nanosecond)
	if mustPoll(t, p, r.Closing.Cursor); reads() != 3 {
		t.Errorf("%d readings where a whole one is due", reads())
	}
	// Drive that fails is not in the way.
	s.e.Hook(func(c sheetstest.Call) *sheetstest.Failure {
		if c.Method == "files.get" {
			return &sheetstest.Failure{Status: http.StatusForbidden, Message: "Google Drive API has not been used"}
		}
		return nil
	})
	if r := mustPoll(t, p, nil); len(r.Rows) != 3 {
		t.Errorf("%d rows without Drive", len(r.Rows))
	}
}

func TestSourcesThatAreDueTogetherShareARequest(t *testing.T) {
	s := newStage(t, products(3)...)
	s.book.AddSheet("Prices", []any{"sku", "Price"}, []any{"x", 1})
	other := newConfig(s.cfg.Endpoint)
	other.Range = config.Strings{"Prices!A:B"}
	pollers := []connectors.Poller{s.poller(t), newPoller(t, other), newPoller(t, newConfig(s.cfg.Endpoint))}
	for _, p := range pollers { // their layouts
		mustPoll(t, p, nil)
	}
	before := len(s.e.Calls())
	together(t, pollers)
	if n := len(s.e.Calls()) - before; n != 1 {
		t.Errorf("%d requests for three sources of one spreadsheet", n)
	}
	// A range that is refused is only its own source's matter.
	s.book.Sheet("Prices").Rename("Gone")
	results := make(chan error, len(pollers))
	for _, p := range pollers {
		go func() {
			var r connectortest.Recorder
			results <- p.Poll(t.Context(), nil, r.Emit)
		}()
	}
	failed := 0
	for range pollers {
		if err := <-results; err != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d sources failed", failed)
	}
}

func together(t *testing.T, pollers []connectors.Poller) {
	t.Helper()
	results := make(chan error, len(pollers))
	for _, p := range pollers {
		go func() {
			var r connectortest.Recorder
			results <- p.Poll(t.Context(), nil, r.Emit)
		}()
	}
	for range pollers {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
