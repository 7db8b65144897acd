package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// A stream is a connection that takes server-sent events.
type stream struct {
	w    http.ResponseWriter
	ctrl *http.ResponseController
}

func newStream(w http.ResponseWriter) (*stream, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	s := &stream{w, http.NewResponseController(w)}
	_, err := fmt.Fprint(w, "retry: 2000\n\n")
	if err == nil {
		err = s.ctrl.Flush()
	}
	return s, err
}

func (s *stream) send(e event) error {
	if e.id != "" {
		if _, err := fmt.Fprintf(s.w, "id: %s\n", e.id); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", e.name, e.data); err != nil {
		return err
	}
	return s.ctrl.Flush()
}

// beat keeps proxies from closing an idle connection.
func (s *stream) beat() error {
	if _, err := fmt.Fprint(s.w, ": still here\n\n"); err != nil {
		return err
	}
	return s.ctrl.Flush()
}

// An event is what a stream shows of something at one moment.
type event struct {
	name string
	data []byte // without line breaks
	last bool   // nothing will follow it
	id   string // by which a client that comes back says what it had; "" of a state
}

// untilExpiry is ctx that ends when the key of its asker expires.
func untilExpiry(ctx context.Context) (context.Context, context.CancelFunc) {
	if at := asker(ctx).expires; !at.IsZero() {
		return context.WithDeadline(ctx, at)
	}
	return context.WithCancel(ctx)
}

// follow sends what look gives now and after each change, until the last event,
// or until the client goes, its key ends or the server ends. What has not changed
// is not sent again.
func (s *Server) follow(r *http.Request, out *stream, look func(context.Context) (event, error)) error {
	ctx, cancel := untilExpiry(r.Context())
	defer cancel()
	changed, stop := s.deps.Changes.Changes()
	defer stop()
	var sent event
	for {
		now, err := look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if now.name == sent.name && bytes.Equal(now.data, sent.data) {
			err = out.beat()
		} else {
			err = out.send(now)
		}
		if err != nil || now.last {
			return err
		}
		sent = now
		if !s.wait(ctx, changed) {
			return nil
		}
	}
}

// wait returns a window after something changed, so that changes in quick
// succession are looked at once. It reports whether to go on. A hint may be
// lost, so that it returns after a heartbeat, too.
func (s *Server) wait(ctx context.Context, changed <-chan struct{}) bool {
	for _, limit := range []struct {
		time time.Duration
		hint <-chan struct{}
	}{{heartbeat, changed}, {changeWindow, nil}} {
		timer := time.NewTimer(limit.time)
		select {
		case <-limit.hint:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-s.closing:
			timer.Stop()
			return false
		case <-asker(ctx).revoked:
			timer.Stop()
			return false
		}
		timer.Stop()
	}
	return true
}

// stateEvents sends the state of everything, whole each time: whoever comes
// back has missed nothing.
func (s *Server) stateEvents(w http.ResponseWriter, r *http.Request) error {
	if err := s.seesAll(r); err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		return nil
	}
	if _, err := s.state.get(r.Context()); err != nil {
		return err // said while it can still be said as a problem
	}
	out, err := newStream(w)
	if err != nil {
		return nil
	}
	s.ended(r, s.follow(r, out, func(ctx context.Context) (event, error) {
		data, err := s.state.get(ctx)
		return event{name: "state", data: data}, err
	}))
	return nil
}

// A memo makes a value for all who ask within a window, so that the work does
// not grow with the number of watchers.
type memo struct {
	window time.Duration
	look   func(context.Context) (any, error)

	mu    sync.Mutex
	began time.Time // of the look that gave data
	data  []byte
}

func newMemo(window time.Duration, look func(context.Context) (any, error)) *memo {
	return &memo{window: window, look: look}
}

// get is the JSON of a value that was looked up less than the window ago.
func (m *memo) get(ctx context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.data != nil && time.Since(m.began) < m.window {
		return m.data, nil
	}
	// The asker may go while others wait for the same look.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	began := time.Now()
	value, err := m.look(ctx)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	m.began, m.data = began, data
	return data, nil
}
