package bindings

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors"
)

func one(tb testing.TB) []*Binding {
	tb.Helper()
	return []*Binding{mustCompile(tb, nil)}
}

// expect compares and names what was compared.
func expect[T any](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// changes counts what a plan would write.
func changes(plans []Plan) (rows, proposals int) {
	for _, p := range plans {
		rows += len(p.Rows)
		proposals += len(p.Proposals)
	}
	return rows, proposals
}

func expectChanges(tb testing.TB, plans []Plan, wantRows, wantProposals int) {
	tb.Helper()
	if rows, proposals := changes(plans); rows != wantRows || proposals != wantProposals {
		tb.Errorf("%d rows and %d proposals, want %d and %d", rows, proposals, wantRows, wantProposals)
	}
}

func TestFirstReadingIsPlannedAsItComes(t *testing.T) {
	l, bs := newLedger(), one(t)
	plans := l.read(t, bs, true, batchOf(product("a", "A")), batchOf(product("b", "B")), batchOf())
	for i, want := range []int{1, 1, 0} {
		if len(plans[i].Rows) != want || len(plans[i].Proposals) != want {
			t.Errorf("batch %d has %d rows and %d proposals, want %d", i, len(plans[i].Rows), len(plans[i].Proposals), want)
		}
	}
	expect(t, "titles", l.titles(), map[string]string{"a": "A", "b": "B"})
	if got := plans[0].Proposals[0].Priority; got != PriorityBatch {
		t.Errorf("priority %d, want that of a batch", got)
	}
}

func TestUnchangedRowWritesNothing(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B")))
	plans := l.read(t, bs, false, batchOf(product("b", "B"), product("a", "A")))
	expectChanges(t, plans, 0, 0)
	if plans[0].Seen != 2 || plans[0].Closes.Rows != 2 {
		t.Errorf("seen %d, rows %d, want 2 and 2", plans[0].Seen, plans[0].Closes.Rows)
	}
}

func TestChangedRowChangesItsOneImage(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B")))
	plans := l.read(t, bs, false, batchOf(product("a", "A2"), product("b", "B")))
	expectChanges(t, plans, 1, 1)
	if got := plans[0].Proposals[0].Priority; got != PriorityChange {
		t.Errorf("priority %d, want that of a change", got)
	}
	expect(t, "titles", l.titles(), map[string]string{"a": "A2", "b": "B"})
	expect(t, "generation", l.items["cards"]["b"].generation, 1)
}

func TestChangesWaitForTheEndOfTheReading(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A")))
	plans := l.read(t, bs, false, batchOf(product("a", "A2")), batchOf(product("b", "B")))
	expectChanges(t, plans[:1], 0, 0)
	expectChanges(t, plans[1:], 2, 2)
}

func TestReadingWithVeryManyChangesDoesNotHoldThemAll(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A")))
	rows := make([]connectors.Row, windowRows)
	for i := range rows {
		rows[i] = product(json.Number(fmt.Sprint(i)), "new")
	}
	plans := l.read(t, bs, false, batchOf(rows...), batchOf(product("a", "A")))
	expectChanges(t, plans[:1], windowRows, windowRows)
	expectChanges(t, plans[1:], 0, 0)
}

// Property: an unused column renders nothing.
func TestUnusedColumnRendersNothing(t *testing.T) {
	l, bs := newLedger(), one(t)
	row := product("a", "A")
	row.Values["stock"] = "1"
	l.read(t, bs, true, batchOf(row))
	for _, stock := range []any{"2", json.Number("3"), nil, []any{"x"}} {
		row.Values["stock"] = stock
		expectChanges(t, l.read(t, bs, false, batchOf(row)), 1, 0)
	}
	delete(row.Values, "stock")
	expectChanges(t, l.read(t, bs, false, batchOf(row)), 1, 0)
	expect(t, "generation", l.items["cards"]["a"].generation, 1)
}

func TestRowThatComesAndGoesWithWhere(t *testing.T) {
	bs := []*Binding{mustCompile(t, func(c *Config) { c.Where = "stock > 0" })}
	l := newLedger()
	row := product("a", "A")
	row.Values["stock"] = "0"
	expectChanges(t, l.read(t, bs, true, batchOf(row)), 1, 0) // there is nothing to remove
	expectChanges(t, l.read(t, bs, false, batchOf(row)), 0, 0)
	row.Values["stock"] = "5"
	expectChanges(t, l.read(t, bs, false, batchOf(row)), 1, 1)
	expect(t, "titles", l.titles(), map[string]string{"a": "A"})
	row.Values["stock"] = "0"
	expectChanges(t, l.read(t, bs, false, batchOf(row)), 1, 1)
	expect(t, "titles", l.titles(), map[string]string{})
	row.Values["note"] = "still out of stock"
	expectChanges(t, l.read(t, bs, false, batchOf(row)), 1, 0)
	row.Values["stock"] = "1"
	expectChanges(t, l.read(t, bs, false, batchOf(row)), 1, 1)
	expect(t, "titles", l.titles(), map[string]string{"a": "A"})
}

func TestRowWithoutAKeyIsQuarantinedAndTheReadingStaysComplete(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, connectors.Batch{
		Rows: []connectors.Row{
			{Key: []any{nil}, Values: map[string]any{"title": "x"}, Position: "line 2"},
			{Key: []any{[]any{}}, Position: "line 3"},
			product("a", "A"),
			{Key: []any{"b"}, Values: map[string]any{"title": 1}, Position: "line 5"},
		},
	})
	expect(t, "quarantine", l.reasons(), []string{"null_key ", "bad_key ", "bad_record b"})
	expect(t, "position", l.quarantined[0].Position, "line 2")
	expect(t, "titles", l.titles(), map[string]string{"a": "A"})
	if !l.last.Complete || l.last.Rows != 2 || !l.last.Has("b") || l.last.Has("c") {
		t.Errorf("closing %+v: has b %v, has c %v", l.last, l.last.Has("b"), l.last.Has("c"))
	}
}

// What can't be read may be any row: none of those that are not there is gone.
func TestUnreadableRowIsQuarantinedAndNothingIsGone(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B")))
	l.read(t, bs, true, connectors.Batch{
		Rows:   []connectors.Row{product("a", "A")},
		Faults: []connectors.Fault{{Position: "line 3", Reason: "bad_record", Detail: "5 cells, want 6"}},
	})
	expect(t, "quarantine", l.reasons(), []string{"bad_record "})
	expect(t, "titles", l.titles(), map[string]string{"a": "A", "b": "B"})
	if l.last.Complete || l.last.Reason != "one row could not be read" {
		t.Errorf("closing %+v, want incomplete with its reason", l.last)
	}
}

// A fault that knows its key is that row: it stays, and what else is missing is gone.
func TestUnreadableRowWithItsKeyIsThereStill(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B"), product("c", "C")))
	broken := connectors.Fault{Position: "Products!A3", Reason: "error_cell", Detail: "Price is #REF!", Key: []any{"b"}}
	l.read(t, bs, false, connectors.Batch{Rows: []connectors.Row{product("a", "A")}, Faults: []connectors.Fault{broken}})
	expect(t, "quarantine", l.reasons(), []string{"error_cell b"})
	expect(t, "titles", l.titles(), map[string]string{"a": "A", "b": "B", "c": "C"})
	expect(t, "missing", l.missing(), []string{"c"})
	if !l.last.Complete || !l.last.Has("b") || l.last.Rows != 2 {
		t.Errorf("closing %+v", l.last)
	}

	for name, c := range map[string]struct {
		batches []connectors.Batch
		want    []string
	}{
		"before a row of its key": {[]connectors.Batch{{Faults: []connectors.Fault{broken}}, batchOf(product("b", "new"))}, []string{"error_cell b", "duplicate_key b", "duplicate_key b"}},
		"behind a row of its key": {[]connectors.Batch{batchOf(product("b", "new")), {Faults: []connectors.Fault{broken}}}, []string{"duplicate_key b", "duplicate_key b"}},
	} {
		l.read(t, bs, false, c.batches...)
		expect(t, name, l.reasons(), c.want)
		expect(t, name, l.titles()["b"], "B")
	}
}

// Property: duplicate keys never win, whatever batches they stand in.
func TestDuplicateKeysNeverWin(t *testing.T) {
	dup1, dup2 := product("a", "first"), product("a", "second")
	for _, c := range []struct {
		name    string
		batches []connectors.Batch
		want    []string // positions in quarantine
	}{
		{"in one batch", []connectors.Batch{batchOf(dup1, product("b", "B2"), dup2)}, []string{"a=first", "a=second"}},
		{"in two batches", []connectors.Batch{batchOf(dup1), batchOf(product("b", "B2"), dup2)}, []string{"a=first", "a=second"}},
		{"three times", []connectors.Batch{batchOf(dup1), batchOf(dup2, dup2), batchOf(product("b", "B2"))}, []string{"a=first", "a=second", "a=second"}},
		{"the first as before", []connectors.Batch{batchOf(product("a", "A")), batchOf(dup2, product("b", "B2"))}, []string{"row 1", "a=second"}},
		{"the same row twice", []connectors.Batch{batchOf(product("a", "A")), batchOf(product("b", "B2"), product("a", "A"))}, []string{"row 1", "a=A"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, bs := newLedger(), one(t)
			l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B"), product("gone", "G")))
			l.read(t, bs, false, c.batches...)
			expect(t, "titles", l.titles(), map[string]string{"a": "A", "b": "B2", "gone": "G"})
			var positions []string
			for _, q := range l.quarantined {
				if q.Reason != DuplicateKey || q.Key != "a" || q.Detail == "" {
					t.Errorf("quarantined %+v", q)
				}
				positions = append(positions, q.Position)
			}
			expect(t, "positions", positions, c.want)
			if l.last.Complete || !strings.Contains(l.last.Reason, "a") || !l.last.Has("a") {
				t.Errorf("closing %+v", l.last)
			}
			expect(t, "missing", l.missing(), nil)
			expect(t, "stored row", titleOf(t, l.rows["a"]), "A")

			// Once the source is right again, so is the image.
			l.read(t, bs, false, batchOf(product("a", "first"), product("b", "B2"), product("gone", "G")))
			expect(t, "titles at last", l.titles(), map[string]string{"a": "first", "b": "B2", "gone": "G"})
		})
	}
}

func TestNumberAndItsTextAreDuplicates(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product(json.Number("1"), "number"), product("1", "text")))
	expect(t, "titles", l.titles(), map[string]string{})
	expect(t, "quarantine", l.reasons(), []string{"duplicate_key 1", "duplicate_key 1"})
}

func TestSeveralDuplicateKeysAreCounted(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.readAs(t, bs, true, connectors.Closing{Complete: true}, batchOf(product("b", "1"), product("a", "1"), product("a", "2"), product("b", "2")))
	expect(t, "reason", l.last.Reason, `2 keys stand in more than one row; the first is "a"`)
	l.readAs(t, bs, true, connectors.Closing{Reason: "page 3 of 5 failed"}, batchOf(product("a", "1"), product("a", "2")))
	expect(t, "reason", l.last.Reason, "page 3 of 5 failed")
}

// What was committed before the duplicate came is undone.
func TestLateDuplicateOfACommittedRowIsUndone(t *testing.T) {
	t.Run("in a first reading", func(t *testing.T) {
		l, bs := newLedger(), one(t)
		l.read(t, bs, true, batchOf(product("a", "first"), product("b", "B")), batchOf(product("a", "second")))
		expect(t, "titles", l.titles(), map[string]string{"b": "B"})
		if _, stored := l.rows["a"]; stored {
			t.Error("the row is still stored")
		}
		l.read(t, bs, false, batchOf(product("a", "first"), product("b", "B")))
		expect(t, "titles at last", l.titles(), map[string]string{"a": "first", "b": "B"})
	})
	t.Run("in a reading with very many changes", func(t *testing.T) {
		l, bs := newLedger(), one(t)
		l.read(t, bs, true, batchOf(product("a", "A")))
		rows := []connectors.Row{product("a", "first")}
		for i := range windowRows {
			rows = append(rows, product(fmt.Sprint("n", i), "new"))
		}
		l.read(t, bs, false, batchOf(rows...), batchOf(product("a", "second"), product("n1", "second")))
		titles := l.titles()
		expect(t, "title", titles["a"], "A")
		expect(t, "title of a new one", titles["n1"], "")
		expect(t, "title of another", titles["n2"], "new")
		rows[2] = product("n1", "new")
		l.read(t, bs, false, batchOf(rows...))
		expect(t, "title at last", l.titles()["a"], "first")
		expect(t, "title of a new one at last", l.titles()["n1"], "new")
	})
}

// Property: a partial reading deletes nothing.
func TestPartialReadingDeletesNothing(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B")))
	l.readAs(t, bs, false, connectors.Closing{Reason: "cut short"}, batchOf(product("a", "A2")))
	expect(t, "missing", l.missing(), nil)
	expect(t, "titles", l.titles(), map[string]string{"a": "A2", "b": "B"})
	expect(t, "reason", l.last.Reason, "cut short")
}

func TestCompleteReadingMarksWhatItDoesNotHaveAndClearsWhatReturns(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B")))
	l.read(t, bs, false, batchOf(product("a", "A")))
	expect(t, "missing", l.missing(), []string{"b"})
	plans := l.read(t, bs, false, batchOf(product("a", "A"), product("b", "B")))
	expectChanges(t, plans, 1, 0)
	expect(t, "missing", l.missing(), nil)
}

func TestUnchangedReadingConfirmsOnly(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A")))
	plans := l.readAs(t, bs, false, connectors.Closing{Complete: true, Unchanged: true, Cursor: connectors.Cursor("etag")}, batchOf())
	expectChanges(t, plans, 0, 0)
	if c := plans[0].Closes; !c.Unchanged || string(c.Cursor) != "etag" || !c.At.Equal(clock) {
		t.Errorf("closing %+v", c)
	}
	expect(t, "missing", l.missing(), nil)
}

func TestEmptySourceIsHeld(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A")))
	l.read(t, bs, false, batchOf())
	if v := l.held["cards"]; !v.HoldChanges || !v.HoldRemoval {
		t.Errorf("verdict %+v", v)
	}
	// A header that was renamed leaves rows, but none with a key.
	l.read(t, bs, false, batchOf(connectors.Row{Key: []any{nil}}, connectors.Row{Key: []any{nil}}))
	if v := l.held["cards"]; !v.HoldChanges || !v.HoldRemoval {
		t.Errorf("verdict %+v", v)
	}
}

func TestHeldChangeIsProposedAgainUntilItIsTaken(t *testing.T) {
	bs := []*Binding{mustCompile(t, func(c *Config) { c.Guard = Guard{MaxChanged: 0.5, MaxDeleted: 1} })}
	l := newLedger()
	l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B")))
	l.read(t, bs, false, batchOf(product("a", "A2"), product("b", "B2")))
	expect(t, "titles while held", l.titles(), map[string]string{"a": "A", "b": "B"})
	expect(t, "reason", l.held["cards"].Reason, "2 of 2 images would change (limit 50 %)")

	// The rows are stored as they are now, and yet the reading proposes them.
	expectChanges(t, l.read(t, bs, false, batchOf(product("a", "A2"), product("b", "B2"))), 0, 2)
	expect(t, "titles while held", l.titles(), map[string]string{"a": "A", "b": "B"})

	// One goes back: its proposal is withdrawn, and the other alone passes.
	expectChanges(t, l.read(t, bs, false, batchOf(product("a", "A2"), product("b", "B"))), 1, 2)
	expect(t, "titles", l.titles(), map[string]string{"a": "A2", "b": "B"})
	expectChanges(t, l.read(t, bs, false, batchOf(product("a", "A2"), product("b", "B"))), 0, 0)
}

// A reading that died leaves what it committed; the next one finishes it.
func TestReadingThatDiedIsTakenUpByTheNext(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A")))
	rows := []connectors.Row{product("a", "A2")}
	for i := range windowRows {
		rows = append(rows, product(fmt.Sprint("n", i), "new"))
	}
	l.seq++
	l.step(t, l.begin(bs, false), bs, batchOf(rows...))
	expect(t, "title after death", l.titles()["a"], "A")
	l.read(t, bs, false, batchOf(rows...))
	expect(t, "title", l.titles()["a"], "A2")
	expect(t, "images", len(l.titles()), windowRows+1)
}

func TestRowThatTheSourceDeletesIsGone(t *testing.T) {
	deleted := connectors.Row{Key: []any{"a"}, Deleted: true}
	t.Run("and its image where the binding says so", func(t *testing.T) {
		l, bs := newLedger(), []*Binding{mustCompile(t, func(c *Config) { c.OnDelete = Remove })}
		l.read(t, bs, true, batchOf(product("a", "A"), product("b", "B")))
		expectChanges(t, l.read(t, bs, false, batchOf(deleted, product("b", "B"))), 1, 1)
		expect(t, "titles", l.titles(), map[string]string{"b": "B"})
		if l.last.Has("a") || l.last.Rows != 1 {
			t.Errorf("the reading has a deleted row: rows %d", l.last.Rows)
		}
		expectChanges(t, l.read(t, bs, false, batchOf(deleted, product("b", "B"))), 0, 0)
	})
	t.Run("and its image stays where it is kept", func(t *testing.T) {
		l, bs := newLedger(), one(t)
		l.read(t, bs, true, batchOf(product("a", "A")))
		expectChanges(t, l.read(t, bs, false, batchOf(deleted)), 1, 0)
		expect(t, "titles", l.titles(), map[string]string{"a": "A"})
		expect(t, "rows", len(l.rows), 0)
	})
}

func TestSeveralBindingsPlanTheSameRow(t *testing.T) {
	bs := []*Binding{mustCompile(t, nil), mustCompile(t, func(c *Config) { c.Name = "stories"; c.Map = map[string]string{"title": `title + "!"`} })}
	l := newLedger()
	expectChanges(t, l.read(t, bs, true, batchOf(product("a", "A"))), 1, 2)
	expect(t, "story", slots(l.items["stories"]["a"].wanted)[0], "A!")
	row := product("a", "A")
	row.Values["note"] = "n"
	expectChanges(t, l.read(t, bs, false, batchOf(row)), 1, 2)
}

// A binding that the ledger has no item of gets one, even of a row that is as before.
func TestNewBindingFindsRowsThatAreStored(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.asked = true
	l.read(t, bs, true, batchOf(product("a", "A")))
	more := append(bs, mustCompile(t, func(c *Config) { c.Name = "stories" }))
	expectChanges(t, l.read(t, more, false, batchOf(product("a", "A"))), 0, 1)
	expectChanges(t, l.read(t, more, false, batchOf(product("a", "A"))), 0, 0)
}

func TestClosedReadingPlansNoMore(t *testing.T) {
	l, bs := newLedger(), one(t)
	r := l.begin(bs, false)
	l.step(t, r, bs, connectors.Batch{Closes: &connectors.Closing{Complete: true}})
	if _, err := r.Sift(batchOf(product("a", "A")), nil); err == nil {
		t.Error("a batch after the close was planned")
	}
}

// A binding that cannot be planned, because its template is broken, has no guard
// to say what may go.
func TestBindingThatIsNotPlannedIsHeld(t *testing.T) {
	l, bs := newLedger(), one(t)
	p := l.step(t, l.begin(bs, false), bs, connectors.Batch{Closes: &connectors.Closing{Complete: true}})
	v := p.Closes.Judge("other", Counts{Live: 10, Gone: 6, Rows: 4})
	if !v.HoldChanges || !v.HoldRemoval || v.Reason == "" {
		t.Errorf("verdict %+v, want all held with a reason", v)
	}
}

// Of several states of a row in one reading the newest counts, also where it
// leaves nothing to do.
func TestNewestStateOfARowInAReadingCounts(t *testing.T) {
	state := func(key, title string, version int64) connectors.Row {
		row := product(key, title)
		row.Version = version
		return row
	}
	t.Run("back to what is stored", func(t *testing.T) {
		l, bs := newLedger(), one(t)
		l.read(t, bs, true, batchOf(state("a", "A", 1)))
		l.read(t, bs, false, batchOf(state("a", "B", 2), state("a", "A", 3)))
		expect(t, "titles", l.titles(), map[string]string{"a": "A"})
		expect(t, "stored", titleOf(t, l.rows["a"]), "A")
	})
	t.Run("made and deleted", func(t *testing.T) {
		l, bs := newLedger(), one(t)
		l.read(t, bs, true, batchOf(state("a", "A", 1)))
		deleted := connectors.Row{Key: []any{"b"}, Version: 3, Deleted: true}
		l.read(t, bs, false, batchOf(state("a", "A", 1), state("b", "B", 2), deleted))
		expect(t, "titles", l.titles(), map[string]string{"a": "A"})
		expect(t, "rows", len(l.rows), 1)
	})
}

func titleOf(tb testing.TB, row StoredRow) string {
	tb.Helper()
	values, err := Values(row.Values)
	if err != nil {
		tb.Fatal(err)
	}
	return fmt.Sprint(values["title"])
}

func TestOtherValuesUnderTheSameVersionChangeNothing(t *testing.T) {
	l, bs := newLedger(), one(t)
	row := product("a", "A")
	row.Version = 7
	l.read(t, bs, true, batchOf(row))
	other := product("a", "A2")
	other.Version = 7
	expectChanges(t, l.read(t, bs, false, batchOf(other)), 0, 0)
	expect(t, "titles", l.titles(), map[string]string{"a": "A"})
}

func TestRowThatReturnsAfterItsImageWentIsProposed(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(product("a", "A")))
	delete(l.rows, "a")
	l.items["cards"]["a"].wanted.Remove = true
	expectChanges(t, l.read(t, bs, false, batchOf(product("a", "A"))), 1, 1)
}

// A change that waits for the guard is withdrawn when its row goes out of stock,
// and the image that is gone already does not go twice.
func TestHeldReturnOfAnImageIsWithdrawn(t *testing.T) {
	bs := []*Binding{mustCompile(t, func(c *Config) { c.Where = "stock > 0" })}
	l := newLedger()
	row := product("a", "A")
	row.Values["stock"] = "1"
	l.read(t, bs, true, batchOf(row))
	row.Values["stock"] = "0"
	l.read(t, bs, false, batchOf(row))
	image := l.items["cards"]["a"]
	image.open, image.openIn = &Proposal{Owner: "binding/cards", Key: "a", Digest: "held"}, "catalog#0"
	image.wanted.Digest = "removed when its row was reaped"
	row.Values["note"] = "still none"
	expectChanges(t, l.read(t, bs, false, batchOf(row)), 1, 1)
	if image.open != nil || image.generation != 2 {
		t.Errorf("open proposal %v, generation %d", image.open, image.generation)
	}
}
