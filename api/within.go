package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// passedOn are the headers by which the sender of a request is judged.
var passedOn = []string{"Authorization", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "User-Agent"}

// within answers a request that is made inside of this process for the caller of another
// one: by the same key, and judged, limited and counted as if it had come by itself.
// The answer is read while it is written. Whoever closes it ends its handler. It ends
// with the caller's request.
func (s *Server) within(r *http.Request) (*http.Response, error) {
	caller, ok := r.Context().Value(callerKey{}).(*http.Request)
	if !ok {
		return nil, errors.New("a request within the server is nobody's")
	}
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(caller.Context(), cancel)
	inner := r.Clone(ctx)
	inner.Host, inner.RemoteAddr, inner.TLS, inner.RequestURI = caller.Host, caller.RemoteAddr, caller.TLS, r.URL.RequestURI()
	inner.Proto, inner.ProtoMajor, inner.ProtoMinor = "HTTP/1.1", 1, 1
	for _, name := range passedOn {
		if values := caller.Header.Values(name); len(values) > 0 {
			inner.Header[name] = values
		}
	}
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	out := newInnerAnswer()
	go func() {
		defer close(out.ended)
		defer stop()
		s.serveWithin(out, inner)
	}()
	select {
	case <-out.began:
	case <-out.ended:
		out.begin(http.StatusOK)
	}
	return &http.Response{
		StatusCode: out.status, Status: http.StatusText(out.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.sent, ContentLength: -1, Request: r, Body: &innerBody{PipeReader: out.body, cancel: cancel, ended: out.ended},
	}, nil
}

// serveWithin answers r. A handler that panics would end the process here: there is no
// server of connections around it.
func (s *Server) serveWithin(out *innerAnswer, r *http.Request) {
	defer func() {
		why := recover()
		if why == nil {
			out.end(nil)
			return
		}
		err := problem.New(problem.Internal, "a handler broke off")
		if why != http.ErrAbortHandler { //nolint:errorlint // it is no error in a chain
			s.log.Error("handler panicked", slog.String("path", r.URL.Path), slog.String("panic", fmt.Sprint(why)), slog.String("stack", string(debug.Stack())))
		}
		out.begin(http.StatusInternalServerError)
		out.end(err)
	}()
	s.ServeHTTP(out, r)
}

// An innerAnswer is an answer on its way to whoever asked within the process.
type innerAnswer struct {
	header http.Header
	body   *io.PipeReader
	write  *io.PipeWriter
	begun  sync.Once
	began  chan struct{} // closed once status and sent are set
	ended  chan struct{} // closed when the handler has returned
	status int
	sent   http.Header
}

func newInnerAnswer() *innerAnswer {
	a := &innerAnswer{header: http.Header{}, began: make(chan struct{}), ended: make(chan struct{})}
	a.body, a.write = io.Pipe()
	return a
}

func (a *innerAnswer) begin(status int) {
	a.begun.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.began)
	})
}

func (a *innerAnswer) end(err error) {
	a.begin(http.StatusOK)
	_ = a.write.CloseWithError(err) // it never fails
}

func (a *innerAnswer) Header() http.Header { return a.header }

func (a *innerAnswer) WriteHeader(status int) {
	if status >= http.StatusOK {
		a.begin(status)
	}
}

func (a *innerAnswer) Write(p []byte) (int, error) {
	a.begin(http.StatusOK)
	return a.write.Write(p)
}

// Flush has nothing to do: what is written is read.
func (a *innerAnswer) Flush() { a.begin(http.StatusOK) }

// An innerBody is the body of such an answer.
type innerBody struct {
	*io.PipeReader
	cancel context.CancelFunc
	ended  chan struct{}
}

// Close ends the handler, and returns when it has ended.
func (b *innerBody) Close() error {
	b.cancel()
	err := b.PipeReader.Close()
	<-b.ended
	return err
}
