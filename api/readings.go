package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

const (
	pastReadings = 50  // of a source, that are remembered
	pastRows     = 200 // of its last change
)

// A readingsView is how a source was read lately.
type readingsView struct {
	Readings  []pastReadingView `json:"readings"`          // newest first; one that changed nothing and went as the one before it is not among them
	Unchanged int64             `json:"unchangedReadings"` // since the last change
	EndedAt   *time.Time        `json:"endedAt"`           // of the newest reading, also of one that changed nothing
}

// A pastReadingView is one reading of a source.
type pastReadingView struct {
	ID        int64      `json:"id"`
	BeganAt   time.Time  `json:"beganAt"`
	EndedAt   *time.Time `json:"endedAt"` // null: it is under way
	TookMs    *int64     `json:"tookMs"`
	Rows      int64      `json:"rows"`
	Added     int64      `json:"added"`
	Changed   int64      `json:"changed"`
	Removed   int64      `json:"removed"` // rows that it did not have any more
	Unchanged int64      `json:"unchanged"`
	Faults    int64      `json:"faults"`           // rows that were kept out
	Complete  bool       `json:"complete"`         // it had all that the source was asked for
	Reason    string     `json:"reason,omitempty"` // why it was not
	Error     string     `json:"error,omitempty"`  // why it failed
	Guard     *heldView  `json:"guard,omitempty"`  // what the guard held of this binding
}

// A changesView is what the last reading changed which changed any row.
type changesView struct {
	Reading *int64       `json:"reading"` // null: none has, since they are noted
	EndedAt *time.Time   `json:"endedAt"` // null: it is under way
	Before  *time.Time   `json:"before"`  // the end of the reading that changed some before it
	Changes []changeView `json:"changes"` // by key
	More    int64        `json:"more"`    // rows that are not among them
}

// A changeView is a row that a reading changed.
type changeView struct {
	Key     string             `json:"key"` // canonical
	Name    string             `json:"name"`
	Change  string             `json:"change"`  // added, changed, removed
	Columns []columnChangeView `json:"columns"` // by name; of a changed row those with another value
}

// A columnChangeView is a value before and after.
type columnChangeView struct {
	Name   string          `json:"name"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

func (s *Server) listReadings(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	limit, err := intParam(r, "limit", pastReadings, 1, pastReadings)
	if err != nil {
		return err
	}
	all, err := s.deps.Bindings.PastReadings(r.Context(), b.Source, limit)
	if err != nil {
		return fmt.Errorf("list the readings of %q: %w", b.Source, err)
	}
	fresh, err := s.freshness(r.Context())
	if err != nil {
		return fmt.Errorf("read how current the sources are: %w", err)
	}
	v := readingsView{Readings: []pastReadingView{}, Unchanged: fresh[b.Source].Unchanged, EndedAt: moment(fresh[b.Source].EndedAt)}
	for _, one := range all {
		v.Readings = append(v.Readings, viewOfPast(one, b.Name))
	}
	return answer(w, http.StatusOK, v)
}

func viewOfPast(r bindings.PastReading, binding string) pastReadingView {
	v := pastReadingView{
		ID: r.ID, BeganAt: r.BeganAt.UTC(), EndedAt: moment(r.EndedAt), Rows: r.Rows, Added: r.Added, Changed: r.Changed, Removed: r.Removed,
		Unchanged: max(r.Rows-r.Added-r.Changed, 0), Faults: r.Faults, Complete: r.Complete || connectors.OnPurpose(r.Reason), Reason: r.Reason, Error: r.Error,
	}
	if !r.EndedAt.IsZero() {
		took := max(r.EndedAt.Sub(r.BeganAt), 0).Milliseconds()
		v.TookMs = &took
	}
	if held, ok := r.Held[binding]; ok {
		v.Guard = &heldView{held.Changes, held.Removals, held.Reason}
	}
	return v
}

func (s *Server) listChanges(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	limit, err := intParam(r, "limit", pastRows, 1, pastRows)
	if err != nil {
		return err
	}
	c, err := s.deps.Bindings.RowChanges(r.Context(), b.Source, limit)
	if err != nil {
		return fmt.Errorf("read the last change of %q: %w", b.Source, err)
	}
	v := changesView{EndedAt: moment(c.EndedAt), Before: moment(c.Before), Changes: []changeView{}, More: c.More}
	if c.Reading > 0 {
		v.Reading = &c.Reading
	}
	for _, row := range c.Rows {
		one := changeView{Key: row.Key, Name: bindings.KeyText(row.Key), Change: row.Change, Columns: []columnChangeView{}}
		if one.Columns, err = columnsOf(row); err != nil {
			return fmt.Errorf("read the change of row %q: %w", row.Key, err)
		}
		v.Changes = append(v.Changes, one)
	}
	return answer(w, http.StatusOK, v)
}

// columnsOf are the columns of a row whose value is another.
func columnsOf(row bindings.PastRow) ([]columnChangeView, error) {
	var before, after map[string]json.RawMessage
	for _, one := range []struct {
		text []byte
		into *map[string]json.RawMessage
	}{{row.Before, &before}, {row.After, &after}} {
		if len(one.text) == 0 {
			continue
		}
		if err := json.Unmarshal(one.text, one.into); err != nil {
			return nil, err
		}
	}
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	columns := []columnChangeView{}
	for _, name := range sortedNames(names) {
		if !bytes.Equal(before[name], after[name]) { // canonical, so that equal values are equal texts
			columns = append(columns, columnChangeView{name, before[name], after[name]})
		}
	}
	return columns, nil
}
