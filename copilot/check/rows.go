package check

import (
	"time"

	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/sample"
)

// A Row is one row to look at a document with.
type Row struct {
	Name   string         // what it is hard by: "title: longest"
	Values map[string]any // of the variables; nil: the examples of the manifest
}

// kinds is the order in which rows are taken: what breaks most pages first.
var kinds = []sample.Kind{
	sample.KindLong, sample.KindLongest, sample.KindRTL, sample.KindEmpty, sample.KindMissingImage, sample.KindCJK, sample.KindMany,
	sample.KindWord, sample.KindNumber, sample.KindEmoji, sample.KindShortest, sample.KindOption, sample.KindFalse, sample.KindTrue, sample.KindFar, sample.KindPast,
}

// Hardest are at most so many rows to try t with: the first of rows, or the
// examples where there are none, and of what template/sample makes and finds one
// of each kind in turn.
func Hardest(t *template.Template, rows []map[string]any, most int) []Row {
	vars := t.Vars()
	base := t.Examples()
	extremes := sample.NewExtremes(vars)
	for i, row := range rows {
		extremes.Add(sample.Row{At: i, Columns: row, Values: row})
	}
	all := []Row{{Name: "the examples", Values: base}}
	now := time.Now()
	for _, row := range rows { // one that the template refuses shows nothing
		if _, err := t.Resolve(row, now); err == nil {
			base = row
			all[0] = Row{Name: "the first row", Values: base}
			break
		}
	}
	cases := sample.Stress(vars, extremes, base, func(values map[string]any) bool {
		_, err := t.Resolve(values, now)
		return err == nil
	})
	of := map[sample.Kind][]sample.Case{}
	for _, c := range cases {
		if _, err := t.Resolve(c.Values, now); err == nil { // rows that were found may be refused, too
			of[c.Kind] = append(of[c.Kind], c)
		}
	}
	for left := true; left && len(all) < most; {
		left = false
		for _, kind := range kinds {
			if of[kind] == nil {
				continue
			}
			all, of[kind], left = append(all, Row{Name: of[kind][0].Name, Values: of[kind][0].Values}), of[kind][1:], true
			if len(of[kind]) == 0 {
				delete(of, kind)
			}
		}
	}
	return all[:max(0, min(most, len(all)))]
}
