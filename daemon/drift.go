package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/expr"
)

const (
	driftSample  = 50  // stored rows that tell what columns there were before the start
	driftColumns = 500 // beyond so many, columns are data, and none of them is news
)

// A drift watches the columns of the rows that a source is sent. Nobody promised
// them, and a sender that renames one says nothing: its rows arrive, and pictures
// lack what they showed.
type drift struct {
	mu sync.Mutex

	known   map[string]bool // columns that rows had; nil before the first look
	missing map[string]string
	fresh   map[string]string
	said    map[string]bool // warnings that were logged
}

// warnings are what is not as it was.
func (x *drift) warnings() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append(slices.Sorted(maps.Values(x.missing)), slices.Sorted(maps.Values(x.fresh))...)
}

// learn takes columns for known.
func (x *drift) learn(row map[string]any) {
	for column := range row {
		x.known[column] = true
	}
}

// see looks at rows that came. readers are the bindings that read a column. It
// returns the warnings that are new, and how many rows lack a column or have a new one.
func (x *drift) see(rows []connectors.Row, readers map[string][]string) (news []string, drifted int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	first := len(x.known) == 0
	for i := range rows {
		row := rows[i].Values
		if rows[i].Deleted { // often no more than a key
			continue
		}
		if first {
			x.learn(row)
			first = false
			continue
		}
		absent, added := x.compare(row, readers)
		if len(absent)+len(added) > 0 {
			drifted++
		}
		for _, column := range added {
			x.fresh[column] = fmt.Sprintf("rows have a new column %q", column)
			news = x.say(news, x.fresh[column])
			x.known[column] = true
		}
		for _, column := range absent {
			text := fmt.Sprintf("rows lack the column %q that they had before, and %s %s it", column,
				list(readers[column]), plural(len(readers[column]), "reads", "read"))
			if near := expr.Nearest(column, added); near != "" {
				text += fmt.Sprintf("; was it renamed to %q?", near)
			}
			if x.missing[column] == "" {
				x.missing[column] = text
			}
			news = x.say(news, x.missing[column])
		}
	}
	return news, drifted
}

// compare says what of the columns is not as before. A column that is there
// again is missing no more.
func (x *drift) compare(row map[string]any, readers map[string][]string) (absent, added []string) {
	for column := range readers {
		if _, there := row[column]; there {
			delete(x.missing, column)
		} else if x.known[column] {
			absent = append(absent, column)
		}
	}
	if len(x.known) < driftColumns {
		for column := range row {
			if !x.known[column] {
				added = append(added, column)
			}
		}
	}
	slices.Sort(absent)
	slices.Sort(added)
	return absent, added
}

func (x *drift) say(news []string, text string) []string {
	if x.said[text] {
		return news
	}
	x.said[text] = true
	return append(news, text)
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// begin is what is known before the first row: the columns of stored rows.
func (x *drift) begin(stored []bindings.StoredRow) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.known, x.missing, x.fresh, x.said = map[string]bool{}, map[string]string{}, map[string]string{}, map[string]bool{}
	for _, row := range stored {
		if values, err := bindings.Values(row.Values); err == nil {
			x.learn(values)
		}
	}
}

// learnColumns looks at the rows that were stored before the start. The caller is
// inside the gate.
func (d *Daemon) learnColumns(ctx context.Context, f *feed) {
	if f.drift.known != nil {
		return
	}
	stored, err := d.store.Rows(ctx, f.name, "", driftSample)
	if err == nil { // else it is tried again: it is the rows that count
		f.drift.begin(stored)
	}
}

// watchColumns looks at rows that f was sent. The caller is inside the gate.
func (d *Daemon) watchColumns(f *feed, rows []connectors.Row) {
	if f.drift.known == nil {
		return
	}
	readers := map[string][]string{}
	for _, b := range f.bindings {
		columns, _ := b.Columns()
		for _, column := range columns {
			readers[column] = append(readers[column], b.Name())
		}
	}
	news, drifted := f.drift.see(rows, readers)
	d.metrics.hooks.drifts.WithLabelValues(f.name).Add(float64(drifted))
	for _, text := range news {
		d.log.Warn("the rows of a source are not as before", slog.String("source", f.name), slog.String("what", text))
	}
}
