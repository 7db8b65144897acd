package httpsink_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/sink"
	httpsink "github.com/pictifyd/pictifyd/sink/http"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

// A request is what arrived.
type request struct {
	method, uri string
	header      http.Header
	length      int64
	body        string
}

// A recorder is a server that keeps what it was sent, and answers as it is told.
type recorder struct {
	*httptest.Server

	mu sync.Mutex

	requests []request
	answer   http.HandlerFunc // nil: 204
}

func newRecorder(tb testing.TB) *recorder {
	tb.Helper()
	r := &recorder{}
	r.Server = httptest.NewServer(r)
	tb.Cleanup(r.Close)
	return r
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.requests = append(r.requests, request{req.Method, req.RequestURI, req.Header.Clone(), req.ContentLength, string(body)})
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	answer(w, req)
}

func (r *recorder) answers(h http.HandlerFunc) (heal func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.answer
	r.answer = h
	return func() { r.answers(before) }
}

func (r *recorder) all() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.requests...)
}

// last is the one request that arrived.
func (r *recorder) only(tb testing.TB) request {
	tb.Helper()
	all := r.all()
	if len(all) != 1 {
		tb.Fatalf("%d requests arrived, want 1", len(all))
	}
	return all[0]
}

func status(code int, body ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, strings.Join(body, ""))
	}
}

// decode reads a sink's section of the configuration. HOST in it is host.
func decode(tb testing.TB, host, text string) (*httpsink.Config, error) {
	tb.Helper()
	node, err := config.Parse("pictifyd.yaml", []byte(strings.ReplaceAll(text, "HOST", host)), config.Options{
		Env: func(name string) (string, bool) { return "value-of-" + name, true },
	})
	if err != nil {
		return nil, err
	}
	c := httpsink.Kind.Config().(*httpsink.Config)
	return c, node.Decode(c)
}

func mustSink(tb testing.TB, host, text string) sink.Sink {
	tb.Helper()
	return mustSinkWith(tb, host, text, sinktest.OpenPicture)
}

func mustSinkWith(tb testing.TB, host, text string, open func(context.Context, string) (io.ReadCloser, error)) sink.Sink {
	tb.Helper()
	c, err := decode(tb, host, text)
	if err != nil {
		tb.Fatalf("decode: %v", err)
	}
	s, err := httpsink.Kind.New(c, sink.Env{Name: "crm", Bytes: open})
	if err != nil {
		tb.Fatalf("new http sink: %v", err)
	}
	return s
}

// completed is a delivery whose picture is served at a stable address, too.
func completed(key string, generation int64) sink.Delivery {
	d := sinktest.Completed(key, generation)
	d.Outputs[0].Latest = "https://img.example/b/cards/" + strings.ReplaceAll(key, ".", "%2E") + ".png"
	return d
}

func removed(key string, generation int64) sink.Delivery {
	d := completed(key, generation)
	d.Event = sink.ImageRemoved
	return d
}

func mustDeliver(tb testing.TB, s sink.Sink, d sink.Delivery) sink.Receipt {
	tb.Helper()
	receipt, err := s.Deliver(tb.Context(), d)
	if err != nil {
		tb.Fatalf("deliver %s of %q: %v", d.Event, d.Key, err)
	}
	return receipt
}
