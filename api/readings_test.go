package api

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

func TestReadingsOfABinding(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	w := newWorld()
	w.past = []bindings.PastReading{
		{ID: 3, BeganAt: at, Rows: 0, Added: 2},
		{ID: 2, BeganAt: at, EndedAt: at.Add(1500 * time.Millisecond), Rows: 10, Added: 1, Changed: 2, Removed: 3, Faults: 1, Complete: true, Held: map[string]bindings.PastHeld{"cards": {Changes: 2, Reason: "too many"}, "private": {Changes: 9}}},
		{ID: 1, BeganAt: at, EndedAt: at, Reason: connectors.OfChanges},
	}
	v := mustAnswer[readingsView](t, get("/bindings/cards/readings").to(t, mustServer(t, open(), w)), http.StatusOK)
	took, none := int64(1500), int64(0)
	end, same := at.Add(1500*time.Millisecond), at
	want := []pastReadingView{
		{ID: 3, BeganAt: at, Added: 2},
		{ID: 2, BeganAt: at, EndedAt: &end, TookMs: &took, Rows: 10, Added: 1, Changed: 2, Removed: 3, Unchanged: 7, Faults: 1, Complete: true, Guard: &heldView{2, 0, "too many"}},
		{ID: 1, BeganAt: at, EndedAt: &same, TookMs: &none, Complete: true, Reason: connectors.OfChanges},
	}
	if diff := cmp.Diff(want, v.Readings); diff != "" {
		t.Errorf("the readings are not as they were (-want +got):\n%s", diff)
	}
	few := mustAnswer[readingsView](t, get("/bindings/cards/readings?limit=1").to(t, mustServer(t, open(), w)), http.StatusOK)
	if len(few.Readings) != 1 {
		t.Errorf("%d readings came, one was asked for", len(few.Readings))
	}
}

func TestChangesAreToldColumnByColumn(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	w := newWorld()
	s := mustServer(t, open(), w)
	if v := mustAnswer[changesView](t, get("/bindings/cards/changes").to(t, s), http.StatusOK); v.Reading != nil || v.Changes == nil || v.EndedAt != nil {
		t.Errorf("before any change it is %+v", v)
	}
	w.changes = bindings.RowChanges{Reading: 7, EndedAt: at, Before: at.Add(-time.Hour), More: 4, Rows: []bindings.PastRow{
		{Key: "a%20b", Change: bindings.RowChanged, Before: []byte(`{"name":"Mug","price":5,"same":[1]}`), After: []byte(`{"name":"Mug","price":null,"same":[1],"stock":2}`)},
		{Key: "b", Change: bindings.RowAdded, After: []byte(`{"name":"Cup"}`)},
		{Key: "c", Change: bindings.RowRemoved, Before: []byte(`{"name":"Hat"}`)},
	}}
	v := mustAnswer[changesView](t, get("/bindings/cards/changes").to(t, s), http.StatusOK)
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	want := []changeView{
		{"a%20b", "a b", "changed", []columnChangeView{{"price", raw("5"), raw("null")}, {"stock", nil, raw("2")}}},
		{"b", "b", "added", []columnChangeView{{"name", nil, raw(`"Cup"`)}}},
		{"c", "c", "removed", []columnChangeView{{"name", raw(`"Hat"`), nil}}},
	}
	if diff := cmp.Diff(want, v.Changes); diff != "" || *v.Reading != 7 || v.More != 4 || !v.Before.Equal(at.Add(-time.Hour)) {
		t.Errorf("the changes are %+v (-want +got):\n%s", v, diff)
	}
}
