package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// eventPage is how many events of a run are read at a time.
const eventPage = 200

// copilotEvents sends what happens in a run, from its beginning or behind the event
// that the client had last. It ends with the run, unless the client wants to hear
// what people say on its steps.
func (s *Server) copilotEvents(w http.ResponseWriter, r *http.Request) error {
	run, err := s.copilotRunOf(r)
	if err != nil {
		return err
	}
	f := runFollower{server: s, run: run.ID, follow: r.URL.Query().Get("follow") == "true"}
	if f.after, err = lastEventOf(r); err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		return nil
	}
	if !f.follow && !run.Open() {
		left, err := s.deps.CopilotRuns.RunEvents(r.Context(), run.ID, f.after, 1)
		if err != nil {
			return err
		}
		if len(left) == 0 { // a browser that comes back by itself stays away then
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
	}
	out, err := newStream(w)
	if err != nil {
		return nil
	}
	s.ended(r, f.send(r, out))
	return nil
}

// lastEventOf is the number of the last event that the client has: of the header
// that browsers send when they come back, or of the query.
func lastEventOf(r *http.Request) (int64, error) {
	text, where := r.Header.Get("Last-Event-ID"), "Last-Event-ID"
	if text == "" {
		text, where = r.URL.Query().Get("after"), "after"
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, problem.New(problem.Invalid, "%q is no number of an event", text).WithSlug("invalid_type").At(where).WithHint("send the id of the last event that came, or nothing")
	}
	return n, nil
}

// A runFollower sends the events of one run to one client.
type runFollower struct {
	server *Server
	run    string
	follow bool  // beyond the run's end
	after  int64 // was sent
}

func (f *runFollower) send(r *http.Request, out *stream) error {
	ctx, cancel := untilExpiry(r.Context())
	defer cancel()
	changed, stop := f.server.deps.Changes.Changes()
	defer stop()
	for {
		run, err := f.server.deps.CopilotRuns.Run(ctx, f.run) // before its events: those of its end are among them then
		if problem.CodeOf(err) == problem.NotFound && err != nil {
			return nil // forgotten, with its template or for its age
		}
		before := f.after
		if err == nil {
			err = f.pass(r, out)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil || !run.Open() && !f.follow {
			return err
		}
		if f.after == before {
			if err := out.beat(); err != nil {
				return err
			}
		}
		if !f.server.wait(ctx, changed) {
			return nil
		}
	}
}

// pass sends the events that there are behind the last one.
func (f *runFollower) pass(r *http.Request, out *stream) error {
	for {
		page, err := f.server.deps.CopilotRuns.RunEvents(r.Context(), f.run, f.after, eventPage)
		if err != nil {
			return fmt.Errorf("read what happened in the run %s of the copilot: %w", f.run, err)
		}
		for _, e := range page {
			if err := out.send(eventOfRun(e)); err != nil {
				return err
			}
			f.after = e.Seq
		}
		if len(page) < eventPage {
			return nil
		}
	}
}

func eventOfRun(e copilot.Event) event {
	var line bytes.Buffer
	if json.Compact(&line, e.Data) != nil { // what cannot be one line is none
		line.Reset()
		line.WriteString("{}")
	}
	return event{name: e.Kind, data: line.Bytes(), id: strconv.FormatInt(e.Seq, 10)}
}
