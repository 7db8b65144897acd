package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

var resources = map[string]func(*testing.T, Open){
	"ResourcesAreKeptAllOrNone": func(t *testing.T, open Open) {
		s := newStore(t, open)
		shop := store.Resource{Kind: "source", Name: "shop", Spec: `{"kind":"http"}`, Secrets: map[string]string{"bearer": "v1.x"}, MadeFor: "cards", Author: "Ada"}
		cards := store.Resource{Kind: "binding", Name: "cards", Spec: `{}`}
		must(t, s.SaveResources(t.Context(), []store.Resource{shop, cards}))
		shop.Revision, cards.Revision = 1, 1
		same := []cmp.Option{cmpopts.IgnoreFields(store.Resource{}, "CreatedAt", "UpdatedAt"), cmpopts.EquateEmpty()}
		all := got(s.Resources(t.Context()))(t)
		if diff := cmp.Diff([]store.Resource{cards, shop}, all, same...); diff != "" {
			t.Errorf("resources (-want +got):\n%s", diff)
		}
		if all[0].CreatedAt.IsZero() || time.Since(all[0].CreatedAt) > time.Minute {
			t.Errorf("made at %v", all[0].CreatedAt)
		}
		// One of several that cannot be saved keeps the others as they were.
		changed, taken := shop, store.Resource{Kind: "binding", Name: "cards", Spec: `{"new":1}`}
		changed.Spec = `{"changed":1}`
		if err := s.SaveResources(t.Context(), []store.Resource{changed, taken}); kind(err) != store.ResourceExists {
			t.Errorf("a name that is taken: %v", err)
		}
		stale := shop
		stale.Revision = 7
		if err := s.SaveResources(t.Context(), []store.Resource{stale}); kind(err) != store.ResourceMoved {
			t.Errorf("another revision: %v", err)
		}
		missing := store.Resource{Kind: "sink", Name: "none", Revision: 1}
		if err := s.SaveResources(t.Context(), []store.Resource{missing}); kind(err) != store.ResourceNotFound {
			t.Errorf("none to change: %v", err)
		}
		if diff := cmp.Diff(all, got(s.Resources(t.Context()))(t)); diff != "" {
			t.Errorf("what was refused changed something (-want +got):\n%s", diff)
		}
		must(t, s.SaveResources(t.Context(), []store.Resource{changed}))
		if now := got(s.Resources(t.Context()))(t)[1]; now.Revision != 2 || now.Spec != changed.Spec || !now.CreatedAt.Equal(all[1].CreatedAt) {
			t.Errorf("changed to %+v", now)
		}
	},

	"DeletedBindingTakesItsSourceAlong": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SaveResources(t.Context(), []store.Resource{
			{Kind: "source", Name: "shop", MadeFor: "cards"}, {Kind: "source", Name: "other"}, {Kind: "binding", Name: "cards"}, {Kind: "sink", Name: "shop"},
		}))
		must(t, s.DeleteResource(t.Context(), "binding", "cards", "shop"))
		var left []string
		for _, r := range got(s.Resources(t.Context()))(t) {
			left = append(left, r.Kind+" "+r.Name)
		}
		if diff := cmp.Diff([]string{"sink shop", "source other"}, left); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
		if err := s.DeleteResource(t.Context(), "binding", "cards", ""); kind(err) != store.ResourceNotFound {
			t.Errorf("deleted twice: %v", err)
		}
	},

	"PauseIsKeptAndEndsWithTheBinding": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetPaused(t.Context(), "cards", source, true, "")) // also before it was ever read
		if p := got(s.Paused(t.Context()))(t); !p["cards"] || !status(t, s).Paused {
			t.Errorf("paused: %v", p)
		}
		must(t, s.SetBinding(t.Context(), "cards", source, "d1"))
		if !status(t, s).Paused {
			t.Error("planned again, it is paused no more")
		}
		must(t, s.SetPaused(t.Context(), "cards", source, false, ""))
		if p := got(s.Paused(t.Context()))(t); len(p) != 0 {
			t.Errorf("paused: %v", p)
		}
		must(t, s.SetPaused(t.Context(), "cards", source, true, "it goes in a circle"))
		if why := status(t, s).PausedReason; why != "it goes in a circle" {
			t.Errorf("it is paused because %q", why)
		}
		must(t, s.SetPaused(t.Context(), "cards", source, true, ""))
		if why := status(t, s).PausedReason; why != "" {
			t.Errorf("a person has paused it, because %q", why)
		}
		must(t, s.SetPaused(t.Context(), "cards", source, true, "again"))
		must(t, s.SetPaused(t.Context(), "cards", source, false, ""))
		if why := status(t, s).PausedReason; why != "" {
			t.Errorf("it is resumed, and paused because %q", why)
		}
		must(t, s.SetPaused(t.Context(), "cards", source, true, "again"))
		must(t, s.ForgetBinding(t.Context(), "cards"))
		must(t, s.SetPaused(t.Context(), "cards", source, true, ""))
		if why := status(t, s).PausedReason; why != "" {
			t.Errorf("the next of its name is paused because %q", why)
		}
		must(t, s.ForgetBinding(t.Context(), "cards"))
		if p := got(s.Paused(t.Context()))(t); len(p) != 0 {
			t.Errorf("paused after it is deleted: %v", p)
		}
	},

	"RemovedImagesAreTold": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {sink.RenderCompleted, sink.ImageRemoved}})
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "2"}, promote: true})
		draw(t, s)
		deliver(t, s, "hook", nil)
		if n := got(s.RemoveImages(t.Context(), "cards"))(t); n != 2 {
			t.Errorf("%d images removed, want 2", n)
		}
		var events []string
		for _, d := range deliver(t, s, "hook", nil) {
			events = append(events, d.Event+" "+d.Key)
		}
		if diff := cmp.Diff([]string{"image.removed a", "image.removed b"}, events, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if n := got(s.RemoveImages(t.Context(), "cards"))(t); n != 0 {
			t.Errorf("%d images removed again", n)
		}
	},

	"ForgottenSourceBeginsWithNothing": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		before := got(s.SourceStates(t.Context()))(t)[source]
		if before.Rows != 1 || before.ReadAt.IsZero() || !before.Complete {
			t.Errorf("state %+v", before)
		}
		must(t, s.ForgetSource(t.Context(), source))
		if now := got(s.SourceStates(t.Context()))(t)[source]; now != (store.SourceState{}) {
			t.Errorf("state %+v, want nothing", now)
		}
		if rows := got(s.Rows(t.Context(), source, "", 10))(t); len(rows) != 0 {
			t.Errorf("%d rows are left", len(rows))
		}
		from, _, seq, err := s.BeginPoll(t.Context(), store.Turn{ID: 1, Source: source})
		must(t, err)
		if from != nil || seq < 1 {
			t.Errorf("it is read from %q, as reading %d", from, seq)
		}
	},

	"BindingsOfASourceAreDroppedApart": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for _, b := range [][2]string{{"cards", "shop"}, {"old", "shop"}, {"theirs", "crm"}} {
			must(t, s.SetBinding(t.Context(), b[0], b[1], "d1"))
		}
		must(t, s.DropBindingsOf(t.Context(), "shop", []string{"cards"}))
		for name, want := range map[string]string{"cards": "d1", "old": "", "theirs": "d1"} {
			if digest := got(s.BindingDigest(t.Context(), name))(t); digest != want {
				t.Errorf("%s is planned as %q, want %q", name, digest, want)
			}
		}
	},

	"RowHasItsHistory": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {sink.RenderCompleted}})
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "2"}, promote: true})
		draw(t, s)
		deliver(t, s, "hook", errDown)
		h := got(s.RowHistory(t.Context(), source, owner, "a", nil))(t)
		if h.Row == nil || h.State != "ready" || h.Generation != 1 || len(h.Images) != 1 || len(h.Deliveries) != 1 {
			t.Fatalf("history %+v", h)
		}
		if d := h.Deliveries[0]; d.Sink != "hook" || d.State != "waiting" || d.Attempts != 1 || d.Event != sink.RenderCompleted {
			t.Errorf("delivery %+v", d)
		}
		if first := got(s.Row(t.Context(), source, ""))(t); first.Key != "a" {
			t.Errorf("the first row is %q", first.Key)
		}
		for name, err := range map[string]error{
			"unknown row":     second(s.Row(t.Context(), source, "x")),
			"empty source":    second(s.Row(t.Context(), "none", "")),
			"unknown history": second(s.RowHistory(t.Context(), source, bindings.BindingOwner("other"), "x", nil)),
		} {
			if kind(err) != store.RowNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
	},
}

func second[T any](_ T, err error) error { return err }
