package store

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
)

// planFault plans a failure of the row "a", which is told at once without a picture.
func planFault(tb testing.TB, s *Store, code string) {
	tb.Helper()
	p := bindings.Proposal{Owner: bindings.BindingOwner("cards"), Key: "a", Digest: "!" + code, Problem: &bindings.Problem{Code: code, Message: code}}
	if _, err := s.Replan(tb.Context(), "cards", []bindings.Proposal{p}); err != nil {
		tb.Fatal(err)
	}
}

func tellNext(tb testing.TB, s *Store, d Delivered) DeliveryClaim {
	tb.Helper()
	turn := Turn{ID: 1, Sink: "hook"}
	claims, err := s.ClaimDeliveries(tb.Context(), turn, 10)
	if err != nil || len(claims) != 1 {
		tb.Fatalf("claimed is %+v, %v; want one", claims, err)
	}
	d.ID = claims[0].ID
	if err := s.FinishDeliveries(tb.Context(), turn, []Delivered{d}, true); err != nil {
		tb.Fatal(err)
	}
	return claims[0]
}

// A dead letter that is sent again after something newer arrived would have the
// receiver go back.
func TestReplayedLetterOlderThanWhatArrivedIsSuperseded(t *testing.T) {
	s := newSQLite(t)
	s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {sink.RenderFailed}})
	planFault(t, s, "one")
	dead := tellNext(t, s, Delivered{Err: errors.New("no"), Dead: true})
	planFault(t, s, "two")
	tellNext(t, s, Delivered{}) // the dead one holds nothing up
	if err := s.write(t.Context(), func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE deliveries SET state = 'waiting', due_at = 0 WHERE id = $1`, dead.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if claims, err := s.ClaimDeliveries(t.Context(), Turn{ID: 2, Sink: "hook"}, 10); err != nil || len(claims) != 0 {
		t.Errorf("claimed is %+v, %v; want nothing", claims, err)
	}
	counts, err := s.DeliveryCounts(t.Context())
	if want := (DeliveryCount{Sink: "hook", Planned: 2, Delivered: 1, Superseded: 1}); err != nil || len(counts) != 1 || counts[0] != want {
		t.Errorf("counts are %+v, %v; want %+v", counts, err, want)
	}
}

func TestDeliveriesOfBeforeAreCounted(t *testing.T) {
	s := newSQLite(t)
	s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {sink.RenderFailed}})
	planFault(t, s, "one")
	tellNext(t, s, Delivered{})
	planFault(t, s, "two")
	tellNext(t, s, Delivered{Err: errors.New("no"), Dead: true})
	planFault(t, s, "three")
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := goose.NewProvider(goose.DialectSQLite3, s.db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.DownTo(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.UpTo(t.Context(), 21); err != nil {
		t.Fatal(err)
	}
	counts, err := s.DeliveryCounts(t.Context())
	if want := (DeliveryCount{Sink: "hook", Planned: 3, Delivered: 1, Dead: 1, Waiting: 1}); err != nil || len(counts) != 1 || counts[0] != want {
		t.Errorf("counts are %+v, %v; want %+v", counts, err, want)
	}
}
