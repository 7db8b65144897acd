package s3test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
)

// Says answers as S3 does where something is wrong. header is names and values in
// turn.
func Says(status int, code, message string, header ...string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>%s</Message><RequestId>r-1</RequestId></Error>`, code, message)
		return true
	}
}

// Hangs takes what comes and does not answer.
func Hangs(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

// Cuts takes half of a body and closes the connection.
func Cuts(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
	Drop(w)
	return true
}

// Swallows has the server do what it is asked, and loses the answer.
func Swallows(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	next.ServeHTTP(httptest.NewRecorder(), r)
	Drop(w)
	return true
}

// Late has the server do what it is asked, and never answers.
func Late(_ http.ResponseWriter, r *http.Request, next http.Handler) bool {
	next.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
	<-r.Context().Done()
	return true
}

// Spoils changes a byte on the way there.
func Spoils(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	data, err := io.ReadAll(r.Body)
	if err != nil || len(data) == 0 {
		return false
	}
	data[len(data)/2] ^= 1
	r.Body = io.NopCloser(bytes.NewReader(data))
	next.ServeHTTP(w, r)
	return true
}

// Answers has the server answer, and change do something to the body before it is
// sent; what it returns is sent, and where it is shorter than what was promised
// the connection is closed.
func Answers(change func(body []byte) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		said := httptest.NewRecorder()
		next.ServeHTTP(said, r)
		for name, values := range said.Header() {
			w.Header()[name] = values
		}
		sent := change(said.Body.Bytes())
		w.Header().Set("Content-Length", strconv.Itoa(said.Body.Len()))
		w.WriteHeader(said.Code)
		_, _ = w.Write(sent)
		if len(sent) < said.Body.Len() {
			_ = http.NewResponseController(w).Flush()
			Drop(w)
		}
		return true
	}
}

// Drop closes the connection.
func Drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(errors.Join(errors.New("hijack"), err))
	}
	_ = conn.Close()
}

// On is f for the requests of a method alone, the first n of them.
func On(method string, n int, f Fault) Fault {
	var met atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		return r.Method == method && met.Add(1) <= int64(n) && f(w, r, next)
	}
}
