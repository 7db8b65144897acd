package sheets_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

func TestARowThatMovesBeforeTheWriteIsFoundAgain(t *testing.T) {
	for name, move := range map[string]func(*sheetstest.Sheet){
		"rows sorted":     func(s *sheetstest.Sheet) { s.Sort(1, true) },
		"a row inserted":  func(s *sheetstest.Sheet) { s.InsertRows(2, 1) },
		"rows inserted":   func(s *sheetstest.Sheet) { s.InsertRows(3, 2) },
		"a row deleted":   func(s *sheetstest.Sheet) { s.DeleteRows(2, 1) },
		"columns swapped": func(s *sheetstest.Sheet) { s.MoveColumn(2, 1) }, // neither is the one that is written
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, "w", "x", "y", "z")
			s.sheet.Write("C2", "of w")
			s.sheet.Write("C4", "of y")
			s.before(1, func() { move(s.sheet) })
			s.must(completed(1, "x", "z")...)
			want := map[string]any{"w": "of w", "x": urlOf(1), "y": "of y", "z": urlOf(1)}
			if name == "a row deleted" {
				delete(want, "w")
			}
			s.want(want)
			if n := s.races(); (n > 0) != (name != "columns swapped") {
				t.Errorf("%d races are counted", n)
			}
		})
	}
}

func TestARowThatIsGoneAtTheWriteLeavesNothingBehind(t *testing.T) {
	s := newStage(t, "x", "y", "z")
	s.sheet.Write("C3", "of y")
	s.before(1, func() { s.sheet.DeleteRows(2, 1) })
	if err := s.deliver(completed(1, "x")...)[0].Err; !retry.IsPermanent(err) || !strings.Contains(err.Error(), `no row "x"`) {
		t.Errorf("x: %v", err)
	}
	s.want(map[string]any{"y": "of y", "z": nil})
}

func TestAColumnInsertedBeforeTheWriteIsToldAndTheRowsAreWrittenAnyway(t *testing.T) {
	s := newStage(t, "a", "b")
	s.before(1, func() { s.sheet.InsertColumns(2, 1) })
	s.must(completed(1, "a", "b")...)
	s.want(map[string]any{"a": urlOf(1), "b": urlOf(1)})
	if n := s.races(); n != 2 {
		t.Errorf("%d races are counted, want one for each cell", n)
	}
}

func TestAColumnThatMovesIsFoundByItsName(t *testing.T) {
	s := newStage(t, "a", "b")
	s.must(completed(1, "a")...)
	s.sheet.MoveColumn(3, 1)
	s.must(completed(2, "a", "b")...)
	s.want(map[string]any{"a": urlOf(2), "b": urlOf(2)})
	if n := s.races(); n != 0 {
		t.Errorf("%d races are counted", n)
	}
}

func TestTroubleOfTheSheet(t *testing.T) {
	once := func(f sheetstest.Failure) func(*stage) {
		return func(s *stage) {
			s.e.Hook(func(c sheetstest.Call) *sheetstest.Failure {
				if c.Method != "values.batchUpdate" || c.Number > 1 {
					return nil
				}
				return &f
			})
		}
	}
	for _, test := range []struct {
		name, want string // "" is that it arrives
		trouble    func(*stage)
	}{
		{"the answer is lost, the cells are written", "", once(sheetstest.Failure{Cut: true})},
		{"the connection breaks off", "", once(sheetstest.Failure{Drop: true})},
		{"not available for a moment", "", once(sheetstest.Failure{Status: 503, Message: "try again"})},
		{"a quota for a moment", "", once(sheetstest.Failure{Status: 429, Message: "Quota exceeded", Reason: "RATE_LIMIT_EXCEEDED"})},
		{"a page of a proxy", "", once(sheetstest.Failure{Status: 502, Body: "<html>bad gateway"})},
		{"the sheet is renamed before the write", "", func(s *stage) {
			s.source.Range = config.Strings{}
			s.before(1, func() { s.sheet.Rename("Wares") })
		}},
		{"the sheet is renamed", `the spreadsheet has no sheet "Products"; it has "Wares"`, func(s *stage) { s.sheet.Rename("Wares") }},
		{"the column is renamed", `column "Image URL" is not in the header; it has "sku", "Title", "Image"`, func(s *stage) { s.sheet.Write("C1", "Image") }},
		{"the spreadsheet is gone", `there is no spreadsheet "BOOK"`, func(s *stage) { s.e.Delete("BOOK") }},
		{"the column is protected", "cells are protected", func(s *stage) { s.sheet.Protect("C2:C") }},
		{"a script writes something else", "Products!C2 does not keep what is written to it", func(s *stage) {
			s.sheet.OnEdit(func(e sheetstest.Edit) { e.Set(3, "mine") })
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, "a", "b")
			test.trouble(s)
			for i, o := range s.deliver(completed(1, "a", "b")...) {
				if test.want == "" && o.Err != nil || test.want != "" && (o.Err == nil || retry.IsPermanent(o.Err)) {
					t.Errorf("delivery %d: %v", i, o.Err)
				}
				if i == 0 && o.Err != nil && !strings.Contains(o.Err.Error(), test.want) {
					t.Errorf("%v, want %q", o.Err, test.want)
				}
			}
			if test.want == "" {
				s.want(map[string]any{"a": urlOf(1), "b": urlOf(1)})
			}
		})
	}
}

func TestProtectedRowsDoNotHoldUpOthers(t *testing.T) {
	keys := make([]string, 40)
	for i := range keys {
		keys[i] = fmt.Sprintf("sku-%d", i)
	}
	s := newStage(t, keys...)
	s.sheet.Protect("A7:E7")
	for i, o := range s.deliver(completed(1, keys...)...) {
		if refused := o.Err != nil; refused != (i == 5) {
			t.Errorf("row %d: %v", i+2, o.Err)
		}
		if i == 5 && (retry.IsPermanent(o.Err) || !strings.Contains(o.Err.Error(), "Products!C7") || problem.CodeOf(o.Err) != problem.Forbidden) {
			t.Errorf("row 7: %v", o.Err)
		}
	}
}

func TestAnAccountThatMayOnlyReadIsToldWhatItNeeds(t *testing.T) {
	e := sheetstest.New(sheetstest.Options{})
	account := e.Account("pictifyd", "shop")
	book := e.Add("BOOK", "Shop")
	sheet := book.AddSheet("Products", []any{"sku", "Title", "Image URL"}, []any{"a"})
	s := newStage(t)
	s.e, s.sheet, s.source.Endpoint = e, sheet, sheetstest.Serve(t, e)
	s.source.Credentials = config.NewSecret(account.JSON(s.source.Endpoint))
	err := s.deliver(completed(1, "a")...)[0].Err
	if err == nil || retry.IsPermanent(err) || !strings.Contains(err.Error(), "share the spreadsheet with "+account.Email+", as an editor") {
		t.Errorf("not shared: %v", err)
	}
	book.Share(account.Email)
	s.must(completed(1, "a")...)
	e.Revoke() // a token that is refused is not the end of a write
	s.must(completed(2, "a")...)
	s.want(map[string]any{"a": urlOf(2)})
}
