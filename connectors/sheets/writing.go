package sheets

import (
	"context"
	"slices"
	"strings"
	"time"

	sheets "google.golang.org/api/sheets/v4"

	"github.com/pictifyd/pictifyd/internal/a1"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// Protected is the slug of a writing to cells that the account may not edit.
const Protected = "cells_protected"

// largestWrite is about how many bytes a request writes: Google advises 2 MB.
const largestWrite = 1 << 20

// A Cell is a value for the i-th column of a row as it was read.
type Cell struct {
	Row    Row
	Column int
	Value  any // bool, float64 or string; "" empties the cell
}

// Write writes cells, each where its row was read. What is not a formula of ours is
// taken as it is. A request whose answer is lost is not sent again: rows may have
// moved since they were read.
func (c *Columns) Write(ctx context.Context, cells []Cell) error {
	input := "RAW"
	if c.formulas {
		input = "USER_ENTERED"
	}
	data := together(cells)
	for len(data) > 0 {
		n, size := 0, 0
		for n < len(data) && (n == 0 || size < largestWrite) {
			size += weight(data[n])
			n++
		}
		if err := c.source.client.update(ctx, input, data[:n]); err != nil {
			return c.source.named(ctx, "write", err)
		}
		data = data[n:]
	}
	return nil
}

// together has cells that stand below each other be one range.
func together(cells []Cell) []*sheets.ValueRange {
	sorted := slices.Clone(cells)
	slices.SortFunc(sorted, func(a, b Cell) int {
		if by := strings.Compare(a.Row.place.sheet, b.Row.place.sheet); by != 0 {
			return by
		}
		if by := a.Row.columns[a.Column] - b.Row.columns[b.Column]; by != 0 {
			return by
		}
		return a.Row.place.row - b.Row.place.row
	})
	var data []*sheets.ValueRange
	var last a1.Range
	for _, c := range sorted {
		at := c.Row.columns[c.Column]
		here := a1.Range{Sheet: c.Row.place.sheet, Left: at, Right: at, Top: c.Row.place.row, Down: c.Row.place.row}
		if n := len(data); n > 0 && last.Sheet == here.Sheet && last.Left == at && last.Down+1 == here.Top && weight(data[n-1]) < largestWrite {
			last.Down++
			data[n-1].Range, data[n-1].Values = last.String(), append(data[n-1].Values, []any{c.Value})
			continue
		}
		last = here
		data = append(data, &sheets.ValueRange{Range: here.String(), MajorDimension: "ROWS", Values: [][]any{{c.Value}}})
	}
	return data
}

// weight is about how many bytes a range takes.
func weight(v *sheets.ValueRange) int {
	bytes := 64
	for _, row := range v.Values {
		bytes += 16 + len(text(row[0]))
	}
	return bytes
}

// update writes ranges in one request, all of them or none.
func (c *client) update(ctx context.Context, input string, data []*sheets.ValueRange) error {
	if wait := c.writing.wait(time.Now()); wait > maxQueue {
		return retry.After(problem.New(problem.Overloaded, "the quota of writes of these credentials is used up").WithSlug("quota").
			WithHint("have fewer sinks write with them, or ask for a higher quota in the Google Cloud console"), wait)
	}
	if err := c.writing.take(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	_, err := c.api.Spreadsheets.Values.BatchUpdate(c.id, &sheets.BatchUpdateValuesRequest{ValueInputOption: input, Data: data}).Context(limited).Do()
	if err == nil || ctx.Err() != nil {
		return err
	}
	if tooMany(err) {
		_, after := c.passing(err)
		c.writing.pause(max(after, c.patience.backoff.Base))
	}
	return c.explain(err)
}
