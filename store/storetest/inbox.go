package storetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

var inboxes = map[string]func(*testing.T, Open){
	"MessageIsKnownWithItsRowsAndNotWithout": func(t *testing.T, open Open) {
		s := newStore(t, open)
		p := bindings.Plan{
			Promote: promoteCards, Messages: []string{"msg_1", "ä ö"},
			Rows: []bindings.RowChange{row("a", 1, "1")}, Proposals: []bindings.Proposal{wants("a", "1")},
		}
		arrive(t, s, p)
		seen := got(s.Seen(t.Context(), source, []string{"msg_1", "msg_2", "ä ö"}))(t)
		if len(seen) != 2 || !seen["msg_1"] || !seen["ä ö"] {
			t.Errorf("seen are %v", seen)
		}
		if seen := got(s.Seen(t.Context(), "another", []string{"msg_1"}))(t); len(seen) > 0 {
			t.Errorf("another source knows %v", seen)
		}

		// The same message once more: nothing of its plan happens.
		p.Messages, p.Rows, p.Proposals = []string{"msg_2", "msg_1"}, []bindings.RowChange{row("a", 2, "2")}, []bindings.Proposal{wants("a", "2")}
		p.Source, p.Reading, p.Closes = source, "again", &bindings.Closing{Told: true, At: start}
		if _, err := s.Commit(t.Context(), p); err == nil {
			t.Error("a message is taken twice")
		}
		if seen := got(s.Seen(t.Context(), source, []string{"msg_2"}))(t); len(seen) > 0 {
			t.Error("a message is known whose commit failed")
		}
		if rows := got(s.Rows(t.Context(), source, "", 10))(t); len(rows) != 1 || rows[0].Version != 1 {
			t.Errorf("rows are %+v, want them as before", rows)
		}
	},

	"MessageWithoutRowsIsTaken": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.TakeMessage(t.Context(), source, "msg_1"))
		if err := s.TakeMessage(t.Context(), source, "msg_1"); err == nil {
			t.Error("it is taken twice")
		}
		arrive(t, s, bindings.Plan{Messages: []string{"msg_2"}})
		if seen := got(s.Seen(t.Context(), source, []string{"msg_1", "msg_2"}))(t); len(seen) != 2 {
			t.Errorf("seen are %v", seen)
		}
	},

	"OneOfManyAtOnceTakesAMessage": func(t *testing.T, open Open) {
		s := newStore(t, open)
		var all sync.WaitGroup
		taken := make(chan bool, 20)
		for range cap(taken) {
			all.Go(func() { taken <- s.TakeMessage(t.Context(), source, "msg_1") == nil })
		}
		all.Wait()
		close(taken)
		n := 0
		for ok := range taken {
			if ok {
				n++
			}
		}
		if n != 1 {
			t.Errorf("it was taken %d times", n)
		}
	},

	"OldMessagesAreForgotten": func(t *testing.T, open Open) {
		s := newStore(t, open)
		var ids []string
		for i := range 1200 { // more than one statement takes
			ids = append(ids, fmt.Sprint("msg_", i))
		}
		arrive(t, s, bindings.Plan{Messages: ids})
		must(t, s.ForgetMessages(t.Context(), time.Now().Add(-time.Hour)))
		if seen := got(s.Seen(t.Context(), source, ids))(t); len(seen) != len(ids) {
			t.Errorf("%d are known of %d new ones", len(seen), len(ids))
		}
		must(t, s.ForgetMessages(t.Context(), time.Now().Add(time.Hour)))
		if seen := got(s.Seen(t.Context(), source, ids))(t); len(seen) > 0 {
			t.Errorf("%d are known after their time", len(seen))
		}
	},

	"MessagesGoWithTheirSource": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.TakeMessage(t.Context(), source, "msg_1"))
		must(t, s.ForgetSource(t.Context(), source))
		if seen := got(s.Seen(t.Context(), source, []string{"msg_1"}))(t); len(seen) > 0 {
			t.Errorf("seen are %v", seen)
		}
	},

	"PlacesOfArrivalsDoNotMeet": func(t *testing.T, open Open) {
		s := newStore(t, open)
		first, last, err := s.BeginReading(t.Context(), source, 5)
		must(t, err)
		next, after, err := s.BeginReading(t.Context(), source, 3)
		must(t, err)
		if last != 5 || after != 8 || first == next || !strings.HasPrefix(first, source) {
			t.Errorf("%s ends at %d, %s at %d", first, last, next, after)
		}
	},
}
