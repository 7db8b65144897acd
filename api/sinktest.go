package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// A SinkTestOf says what a test event tells of: a row that there is not, or one
// of a binding as it was drawn last.
type SinkTestOf struct {
	Event   string `json:"event,omitempty"`   // by default render.completed, or what is so of the row
	Binding string `json:"binding,omitempty"` // of the row
	Key     string `json:"key,omitempty"`     // of the row, as in addresses
}

// A SinkTest is what came of a test event.
type SinkTest struct {
	Event    string
	Delivery string // its id; "" where the sink was only asked whether it is there
	Took     time.Duration
	Receipt  sink.Receipt
	Err      error // nil: it arrived
}

// A sinkTestView is what came of a test event.
type sinkTestView struct {
	Sink       string       `json:"sink"`
	OK         bool         `json:"ok"`               // it arrived
	Probed     bool         `json:"probed,omitempty"` // nothing was sent: what a made-up row leaves there would stay. Name a row of a binding to send one
	Event      string       `json:"event"`
	DeliveryID string       `json:"deliveryId,omitempty"`
	DurationMs int64        `json:"durationMs"`
	Code       string       `json:"code,omitempty"`
	Error      string       `json:"error,omitempty"`
	Hint       string       `json:"hint,omitempty"`
	Request    *sinkRequest `json:"request,omitempty"` // as it was sent
	Answer     *sinkAnswer  `json:"answer,omitempty"`  // as it came back
}

// A sinkRequest is a request as a sink sent it.
type sinkRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`            // without its query
	Headers map[string]string `json:"headers"`        // with the signatures; what is configured is ***
	Body    string            `json:"body,omitempty"` // byte for byte what is signed; left out where it is large or a picture
}

// A sinkAnswer is what a receiver answered.
type sinkAnswer struct {
	Status  int               `json:"status,omitempty"`  // of HTTP
	Headers map[string]string `json:"headers,omitempty"` // those that help
	Body    string            `json:"body,omitempty"`    // its beginning
	Ref     string            `json:"ref,omitempty"`     // where the receiver has it: a path, an object's key
}

// testSink sends one test event. That it did not arrive is an answer like another.
func (s *Server) testSink(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	of, err := s.sinkTestOf(r)
	if err != nil {
		return err
	}
	done, err := s.deps.Resources.TestSink(r.Context(), name, of)
	if err != nil {
		return fmt.Errorf("test sink %q: %w", name, err)
	}
	view := viewOfSinkTest(name, done)
	if view.Code == string(problem.Internal) {
		s.log.Error("test sink", "sink", name, "err", done.Err)
		view.Error = "something went wrong inside pictifyd; its log says what"
	}
	return answer(w, http.StatusOK, view)
}

// sinkTestOf reads what a test tells of. Whoever names a row may read it.
func (s *Server) sinkTestOf(r *http.Request) (of SinkTestOf, err error) {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&of); err != nil && !errors.Is(err, io.EOF) {
		return of, problem.New(problem.Invalid, `the body is not JSON of the form {"binding": "cards", "key": "SKU-1", "event": "render.completed"}: %w`, err).WithSlug(slugMalformed)
	}
	switch {
	case of.Binding == "" && of.Key == "":
		return of, nil
	case of.Key == "":
		return of, problem.New(problem.Invalid, "is missing: which row of the binding?").At("key")
	case of.Binding == "":
		return of, problem.New(problem.Invalid, "is missing: of which binding is the row?").At("binding")
	}
	if of.Key, err = bindings.NormalKey(of.Key); err != nil {
		return of, problem.New(problem.Invalid, "%q is not a key: %w", of.Key, err).At("key")
	}
	if _, err := s.permit(r, BindingsRead); err != nil {
		return of, err
	}
	if b, ok := s.configured(of.Binding); !ok || !asker(r.Context()).uses(b.Template) {
		return of, s.noBinding(of.Binding)
	}
	return of, nil
}

func viewOfSinkTest(name string, done SinkTest) sinkTestView {
	view := sinkTestView{
		Sink: name, OK: done.Err == nil, Probed: done.Delivery == "", Event: done.Event, DeliveryID: done.Delivery, DurationMs: done.Took.Milliseconds(),
	}
	if sent := done.Receipt.Sent; sent != nil {
		view.Request = &sinkRequest{Method: sent.Method, URL: sent.URL, Headers: sent.Header, Body: sent.Body}
	}
	if got := done.Receipt; got.Status != 0 || got.Body != "" || got.Ref != "" {
		view.Answer = &sinkAnswer{Status: got.Status, Headers: got.Header, Body: got.Body, Ref: got.Ref}
	}
	if done.Err != nil {
		why := problem.All(done.Err)[0]
		view.Code, view.Error, view.Hint = why.Kind(), why.Message, why.Hint
	}
	return view
}
