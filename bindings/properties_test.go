package bindings

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/connectors"
)

// Property: the same row by any road gives the same key and the same picture.
// One road is a CSV file, where every cell is text; the other is JSON, with
// numbers as numbers and the names in another order.
func TestSameRowByAnyRoadIsTheSamePicture(t *testing.T) {
	b := mustCompile(t, func(c *Config) {
		c.Where = "stock > 0"
		c.Map = map[string]string{"price": "price * 2"}
	})
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`0|[1-9][0-9]{0,6}(\.[0-9]{1,3})?`)
		cells := map[string]string{
			"sku":   number.Draw(t, "sku"),
			"title": rapid.StringMatching(`[a-zé",; \n<&]{1,8}`).Draw(t, "title"),
			"price": number.Draw(t, "price"),
			"stock": number.Draw(t, "stock"),
		}
		names := slices.Sorted(maps.Keys(cells))
		byCSV := fromCSV(t, rapid.Permutation(names).Draw(t, "columns"), cells)
		byJSON := fromJSON(t, rapid.Permutation(names).Draw(t, "names"), cells)

		keyCSV, err := CanonicalKey([]any{byCSV["sku"]})
		if err != nil {
			t.Fatal(err)
		}
		keyJSON, err := CanonicalKey([]any{byJSON["sku"]})
		if err != nil {
			t.Fatal(err)
		}
		if keyCSV != keyJSON {
			t.Fatalf("keys %s and %s", keyCSV, keyJSON)
		}
		one, other := b.Propose(keyCSV, byCSV, nil, clock, 0), b.Propose(keyJSON, byJSON, nil, clock, 0)
		if diff := cmp.Diff(one, other); diff != "" {
			t.Fatalf("(-CSV +JSON):\n%s", diff)
		}
		if one.Problem != nil {
			t.Fatalf("problem %+v", one.Problem)
		}
	})
}

func fromCSV(t *rapid.T, columns []string, cells map[string]string) map[string]any {
	var file strings.Builder
	w := csv.NewWriter(&file)
	var line []string
	for _, c := range columns {
		line = append(line, cells[c])
	}
	if err := w.WriteAll([][]string{columns, line}); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(file.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	row := map[string]any{}
	for i, c := range lines[0] {
		row[c] = lines[1][i]
	}
	return row
}

func fromJSON(t *rapid.T, names []string, cells map[string]string) map[string]any {
	var fields []string
	for _, name := range names {
		value := cells[name]
		if name == "title" {
			quoted, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			value = string(quoted)
		}
		fields = append(fields, fmt.Sprintf("%q: %s", name, value))
	}
	row, err := Values([]byte("{ " + strings.Join(fields, " , ") + " }"))
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// Property: a column that nothing reads is in no proposal, whatever it holds.
func TestUnusedColumnsAreInNoProposal(t *testing.T) {
	b := mustCompile(t, func(c *Config) {
		c.Where = "stock > 0"
		c.Map = map[string]string{"title": "name"}
	})
	used, _ := b.Columns()
	rapid.Check(t, func(t *rapid.T) {
		row := map[string]any{}
		for _, c := range used {
			row[c] = rapid.SampledFrom([]any{"1", "x", json.Number("2"), nil, "0"}).Draw(t, c)
		}
		before := b.Propose("k", row, nil, clock, 0)
		for name, value := range rows().Draw(t, "unused columns") {
			if !slices.Contains(used, name) {
				row[name] = value
			}
		}
		if diff := cmp.Diff(before, b.Propose("k", row, nil, clock, 0)); diff != "" {
			t.Fatalf("(-without +with unused columns):\n%s", diff)
		}
	})
}

// Property: an older version never wins. The states of one row, told in any
// order and in any cut of batches and readings, end in the newest one.
func TestOlderVersionNeverWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		newest := rapid.IntRange(1, 6).Draw(t, "versions")
		var told []int
		for v := 1; v <= newest; v++ {
			for range rapid.IntRange(1, 2).Draw(t, "times") { // replays are part of life
				told = append(told, v)
			}
		}
		told = rapid.Permutation(told).Draw(t, "order")
		l, bs := newLedger(), []*Binding{mustCompile(t, nil)}
		first := true
		for len(told) > 0 {
			cut := rapid.IntRange(1, len(told)).Draw(t, "cut")
			var batches []connectors.Batch
			for _, v := range told[:cut] {
				row := product("a", fmt.Sprint("v", v))
				row.Version = int64(v)
				if len(batches) == 0 || rapid.Bool().Draw(t, "new batch") {
					batches = append(batches, connectors.Batch{})
				}
				last := &batches[len(batches)-1]
				last.Rows = append(last.Rows, row)
			}
			l.read(t, bs, first, batches...)
			if l.last.Reason != "" {
				t.Fatalf("states of one row count as duplicates: %s", l.last.Reason)
			}
			told, first = told[cut:], false
		}
		want := fmt.Sprint("v", newest)
		if got := l.titles()["a"]; got != want {
			t.Fatalf("the image shows %s, want %s", got, want)
		}
		if got := l.rows["a"].Version; got != int64(newest) {
			t.Fatalf("version %d is stored, want %d", got, newest)
		}
	})
}

// Property: whatever a source did, and however it was read, after each reading
// the images are those of its rows, and of keys that stand twice those before;
// only a complete reading marks rows missing; and the same reading again
// changes nothing.
func TestImagesFollowTheSource(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, bs := newLedger(), []*Binding{mustCompile(t, func(c *Config) {
			c.Where, c.Guard = "stock > 0", Guard{MaxChanged: 1, MaxDeleted: 1, Floor: 1000}
		})}
		want := map[string]string{}
		for reading := range rapid.IntRange(1, 5).Draw(t, "readings") {
			source := rapid.SliceOfN(sourceRow(), 1, 8).Draw(t, "source")
			complete := rapid.Bool().Draw(t, "complete")
			batches := cutIntoBatches(t, source)
			end := connectors.Closing{Complete: complete}
			l.asked = rapid.Bool().Draw(t, "asked")
			l.readAs(t, bs, reading == 0, end, batches...)

			times := map[string]int{}
			for _, row := range source {
				times[row.Key[0].(string)]++
			}
			for _, row := range source {
				key := row.Key[0].(string)
				switch {
				case times[key] > 1:
				case row.Values["stock"] == "0":
					delete(want, key)
				default:
					want[key] = fmt.Sprint(row.Values["title"])
				}
			}
			if diff := cmp.Diff(want, l.titles()); diff != "" {
				t.Fatalf("images after reading %d (-want +got):\n%s", reading, diff)
			}
			doubled := slices.ContainsFunc(slices.Collect(maps.Values(times)), func(n int) bool { return n > 1 })
			if (!complete || doubled) == l.last.Complete {
				t.Fatalf("reading with duplicates %v, complete %v, is taken for complete: %v", doubled, complete, l.last.Complete)
			}
			if !l.last.Complete {
				continue
			}
			promoted := l.promoted
			plans := l.readAs(t, bs, false, end, batches...)
			if rows, proposals := changes(plans); rows+proposals > 0 || l.promoted != promoted {
				t.Fatalf("the same reading again changes %d rows and %d images", rows, proposals)
			}
			for _, key := range l.missing() {
				if times[key] > 0 {
					t.Fatalf("row %s is missing, and was read", key)
				}
			}
		}
	})
}

func sourceRow() *rapid.Generator[connectors.Row] {
	return rapid.Custom(func(t *rapid.T) connectors.Row {
		row := product(
			rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}).Draw(t, "key"),
			rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "title"),
		)
		row.Values["stock"] = rapid.SampledFrom([]string{"0", "1"}).Draw(t, "stock")
		return row
	})
}

func cutIntoBatches(t *rapid.T, rows []connectors.Row) []connectors.Batch {
	batches := []connectors.Batch{{}}
	for _, row := range rows {
		if rapid.Bool().Draw(t, "cut") {
			batches = append(batches, connectors.Batch{})
		}
		last := &batches[len(batches)-1]
		last.Rows = append(last.Rows, row)
	}
	return batches
}

// Property: where batches end makes no difference to what a reading changes.
func TestBatchBoundariesMakeNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfNDistinct(sourceRow(), 1, 6, func(r connectors.Row) any { return r.Key[0] }).Draw(t, "before")
		after := rapid.SliceOfN(sourceRow(), 1, 8).Draw(t, "after")
		cut := cutIntoBatches(t, after)
		bs := []*Binding{mustCompile(t, nil)}
		whole, parts := newLedger(), newLedger()
		for _, l := range []*ledger{whole, parts} {
			l.read(t, bs, true, batchOf(before...))
		}
		whole.read(t, bs, false, batchOf(after...))
		parts.read(t, bs, false, cut...)
		if diff := cmp.Diff(whole.rows, parts.rows); diff != "" {
			t.Fatalf("rows (-whole +parts):\n%s", diff)
		}
		if diff := cmp.Diff(whole.titles(), parts.titles()); diff != "" {
			t.Fatalf("images (-whole +parts):\n%s", diff)
		}
		if diff := cmp.Diff(whole.reasons(), parts.reasons()); diff != "" {
			t.Fatalf("quarantine (-whole +parts):\n%s", diff)
		}
	})
}

// Property: what was looked through before a reading changes nothing of what the
// ledger would have said row by row, whatever the guard holds, dies half way, is
// deleted, doubled or stands in several states.
func TestSettledRowsMakeNoDifference(t *testing.T) {
	state := rapid.Custom(func(t *rapid.T) connectors.Row {
		row := sourceRow().Draw(t, "row")
		row.Version = rapid.Int64Range(0, 6).Draw(t, "version")
		row.Deleted = rapid.IntRange(0, 5).Draw(t, "deleted") == 0
		return row
	})
	rapid.Check(t, func(t *rapid.T) {
		bs := []*Binding{mustCompile(t, func(c *Config) { c.Where, c.Guard, c.OnDelete = "stock > 0", Guard{MaxChanged: 0.3, Floor: 1}, Remove })}
		asked, settled := newLedger(), newLedger()
		asked.asked = true
		for reading := range rapid.IntRange(1, 6).Draw(t, "readings") {
			batches := cutIntoBatches(t, rapid.SliceOfN(state, 1, 8).Draw(t, "source"))
			closes := rapid.IntRange(0, 4).Draw(t, "dies") > 0
			end := connectors.Closing{Complete: rapid.Bool().Draw(t, "complete")}
			for _, l := range []*ledger{asked, settled} {
				if closes {
					l.readAs(t, bs, reading == 0, end, batches...)
					continue
				}
				l.seq++
				r := l.begin(bs, reading == 0)
				for _, b := range batches {
					l.step(t, r, bs, b)
				}
			}
			if diff := cmp.Diff(asked.rows, settled.rows); diff != "" {
				t.Fatalf("rows (-asked +settled):\n%s", diff)
			}
			if diff := cmp.Diff(asked.titles(), settled.titles()); diff != "" {
				t.Fatalf("images (-asked +settled):\n%s", diff)
			}
			if diff := cmp.Diff(asked.reasons(), settled.reasons()); diff != "" {
				t.Fatalf("quarantine (-asked +settled):\n%s", diff)
			}
			if diff := cmp.Diff(asked.held, settled.held); diff != "" {
				t.Fatalf("held (-asked +settled):\n%s", diff)
			}
		}
	})
}
