package api

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

func TestPageIsToldTheWholeStateAfterEachChange(t *testing.T) {
	w := newWorld()
	w.acceptedJob("batch_1", 2)
	w.put("cards", "a%2Fb", "card", "png", picture)
	address := mustServe(t, mustServer(t, open(), w))
	events := mustStream(t, address, "/events")
	if got := events.answer.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
	read := func() overview {
		name, data := events.event(t)
		var o overview
		if err := json.Unmarshal([]byte(data), &o); err != nil || name != "state" {
			t.Fatalf("event %s %s: %v", name, data, err)
		}
		return o
	}
	first := read()
	if len(first.Bindings) != 2 || len(first.Jobs) != 1 || len(first.Images) != 1 || first.Version != "1.2.3" {
		t.Errorf("first %+v", first)
	}
	if i := first.Images[0]; i.Name != "a/b" || i.StablePath != "/b/cards/a%2Fb/card.png" || i.Path != "/images/"+hashOf(picture)+".png" {
		t.Errorf("image %+v", i)
	}
	w.change(func() {
		st := w.statuses["cards"]
		st.HeldChanges, st.HeldReason = 4000, "4,000 of 10,000 images would change (limit 50 %)"
		w.statuses["cards"] = st
	})
	if held := read().Bindings[0]; held.State != "held" || held.Held == nil || held.Held.Changes != 4000 {
		t.Errorf("then %+v", held)
	}
}

func TestStreamsEndWhenTheServerDoes(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	l, err := Listen(t.Context(), Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	events := mustStream(t, l.Addr().String(), "/events")
	events.event(t)
	stop()
	events.mustEnd(t)
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestStateThatCannotBeReadIsAProblem(t *testing.T) {
	w := newWorld()
	w.broken = errors.New("disk I/O error on /secret/path")
	s := mustServer(t, open(), w)
	out := get("/events").to(t, s)
	d := mustProblem(t, out, 500, "internal")
	if strings.Contains(out.Body.String(), "secret") || !d.Retryable {
		t.Errorf("the outside learns %s", out.Body)
	}
	if log := w.logged.String(); !strings.Contains(log, "/secret/path") || !strings.Contains(log, d.RequestID) {
		t.Errorf("the log has %s", log)
	}
}

func TestStateIsLookedUpOnceForAllWatchers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		m := newMemo(200*time.Millisecond, func(context.Context) (any, error) {
			looks++
			return looks, nil
		})
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if data, err := m.get(t.Context()); err != nil || string(data) != "1" {
					t.Errorf("got %s, %v", data, err)
				}
			})
		}
		wg.Wait()
		<-time.After(200 * time.Millisecond)
		if data, err := m.get(t.Context()); err != nil || string(data) != "2" {
			t.Errorf("after the window: %s, %v", data, err)
		}
	})
}

func TestChangesInQuickSuccessionAreOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, open(), newWorld())
		changed := make(chan struct{}, 1)
		changed <- struct{}{}
		began := time.Now()
		if !s.wait(t.Context(), changed) || time.Since(began) != changeWindow {
			t.Errorf("waited %s after a change, want %s", time.Since(began), changeWindow)
		}
		began = time.Now()
		if !s.wait(t.Context(), changed) || time.Since(began) != heartbeat+changeWindow {
			t.Errorf("waited %s without one, want a heartbeat", time.Since(began))
		}
		s.close()
		if s.wait(t.Context(), changed) {
			t.Error("it goes on when the server ends")
		}
	})
}

func TestBindingHasOneWordForItsState(t *testing.T) {
	read := time.Now()
	for want, c := range map[string]struct {
		binding Binding
		status  bindings.Status
	}{
		"ok":      {Binding{}, bindings.Status{ReadAt: read, Live: 3, Ready: 3}},
		"new":     {Binding{}, bindings.Status{}},
		"working": {Binding{}, bindings.Status{ReadAt: read, Live: 3, Waiting: 1}},
		"held":    {Binding{}, bindings.Status{ReadAt: read, Waiting: 1, HeldRemoval: 2, HeldReason: "2 of 3 rows are gone"}},
		"failing": {Binding{Error: errors.New("the template has an error")}, bindings.Status{ReadAt: read, HeldChanges: 1}},
	} {
		if got := viewOfBinding(c.binding, c.status).State; got != want {
			t.Errorf("%+v: state %q, want %q", c.status, got, want)
		}
	}
}
