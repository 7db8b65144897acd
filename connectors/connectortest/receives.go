package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A ReceiverSuite is what the tests have to know of a source that is sent its rows.
type ReceiverSuite struct {
	Kind connectors.Kind
	// Config has the key column "id", and rows in an array that is the whole body.
	Config connectors.Config
	// Sign makes h the headers of a genuine call with this body.
	Sign func(tb testing.TB, h http.Header, body []byte)
	// ID is what Sign names the message.
	ID string
}

// RunReceiver runs the suite.
func RunReceiver(t *testing.T, s ReceiverSuite) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, ReceiverSuite)
	}{
		{"TakesEveryRow", takesEveryRow},
		{"TakesNothingThatWasChanged", takesNothingChanged},
		{"RefusesStrangersBeforeTheirBody", refusesStrangers},
		{"TakesNothingOfABodyThatBreaksOff", takesNothingCut},
		{"TakesNothingThatIsNotJSON", takesNothingElse},
		{"IsNeverPolled", isNeverPolled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s) })
	}
}

func (s ReceiverSuite) open(tb testing.TB) (connectors.Poller, connectors.Receiver) {
	tb.Helper()
	p, err := s.Kind.New(s.Config, connectors.Env{Name: "suite"})
	if err != nil {
		tb.Fatalf("open the source: %v", err)
	}
	return p, p.(connectors.Receiver)
}

// request is a genuine call with body, of which only sent is sent.
func (s ReceiverSuite) request(tb testing.TB, body []byte, sent io.Reader) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "http://127.0.0.1/hooks/suite", sent)
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	s.Sign(tb, r.Header, body)
	return r
}

func takesEveryRow(t *testing.T, s ReceiverSuite) {
	_, receiver := s.open(t)
	body := []byte(`[{"id":"a","n":12.50,"big":12345678901234567890,"deep":{"x":[null,true]}},{"id":7,"名前":"ä€😀"}]`)
	for range 2 { // sent again it is the same
		m, err := receiver.Receive(s.request(t, body, bytes.NewReader(body)))
		if err != nil {
			t.Fatalf("receive: %v", err)
		}
		want := connectors.Message{ID: s.ID, Rows: []connectors.Row{
			{Key: []any{"a"}, Position: "$[0]", Values: map[string]any{"id": "a", "n": json.Number("12.50"),
				"big": json.Number("12345678901234567890"), "deep": map[string]any{"x": []any{nil, true}}}},
			{Key: []any{json.Number("7")}, Position: "$[1]", Values: map[string]any{"id": json.Number("7"), "名前": "ä€😀"}},
		}}
		if diff := cmp.Diff(want, m); diff != "" {
			t.Errorf("message (-want +got):\n%s", diff)
		}
	}
}

func takesNothingChanged(t *testing.T, s ReceiverSuite) {
	_, receiver := s.open(t)
	r := s.request(t, []byte(`[{"id":"a"}]`), bytes.NewReader([]byte(`[{"id":"b"}]`)))
	s.mustRefuse(t, receiver, r, problem.Unauthorized)
}

// untouched fails the test when it is read.
type untouched struct{ tb testing.TB }

func (u untouched) Read([]byte) (int, error) {
	u.tb.Error("the body of a stranger was read")
	return 0, io.EOF
}

func refusesStrangers(t *testing.T, s ReceiverSuite) {
	_, receiver := s.open(t)
	r := s.request(t, nil, untouched{t})
	r.Header = http.Header{"Content-Type": {"application/json"}}
	s.mustRefuse(t, receiver, r, problem.Unauthorized)
}

// breaking is text whose sender goes.
type breaking struct{ text io.Reader }

var errGone = errors.New("connection reset by peer")

func (b breaking) Read(p []byte) (int, error) {
	n, err := b.text.Read(p)
	if errors.Is(err, io.EOF) {
		err = errGone
	}
	return n, err
}

func takesNothingCut(t *testing.T, s ReceiverSuite) {
	_, receiver := s.open(t)
	body := []byte(`[{"id":"a"},{"id":"b"}]`)
	for cut := range body {
		m, err := receiver.Receive(s.request(t, body, breaking{bytes.NewReader(body[:cut])}))
		if !errors.Is(err, errGone) || len(m.Rows)+len(m.Faults) > 0 {
			t.Errorf("cut at %d: %+v, %v; want no rows and why", cut, m, err)
		}
	}
}

func takesNothingElse(t *testing.T, s ReceiverSuite) {
	_, receiver := s.open(t)
	for _, body := range []string{"", "<html></html>", `[{"id":"a"},{"id":`, `[{"id":"a"}] [`, "[{\"id\":\"\xff\"}]", `"text"`, `null`, `7`} {
		s.mustRefuse(t, receiver, s.request(t, []byte(body), bytes.NewReader([]byte(body))), problem.Invalid)
	}
}

func (s ReceiverSuite) mustRefuse(t *testing.T, receiver connectors.Receiver, r *http.Request, code problem.Code) {
	t.Helper()
	m, err := receiver.Receive(r)
	if err == nil || problem.CodeOf(err) != code || len(m.Rows)+len(m.Faults) > 0 {
		t.Errorf("got %+v, %v; want no rows and a problem of code %s", m, err, code)
	}
}

func isNeverPolled(t *testing.T, s ReceiverSuite) {
	poller, _ := s.open(t)
	err := poller.Poll(t.Context(), nil, func(context.Context, connectors.Batch) error {
		t.Error("it emits")
		return nil
	})
	if err == nil {
		t.Error("a poll ends as if it had read something")
	}
	if p, ok := s.Config.(connectors.Passive); !ok || !p.Passive() {
		t.Error("its configuration is not passive")
	}
	if told, ok := s.Config.(connectors.Told); !ok || told.HookPath() == "" {
		t.Error("its configuration does not say where it is called")
	}
}
