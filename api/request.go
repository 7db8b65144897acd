package api

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

const (
	// A body or an answer may take as long as it moves. A body has to bring
	// leastPace bytes a second beside: who sends one now and then keeps a place
	// from others.
	readStall  = 30 * time.Second
	writeStall = 60 * time.Second
	leastPace  = 1 << 10
	// Setting a deadline costs a system call or a lock: not for each small read.
	deadlineEvery = time.Second
)

type requestIDKey struct{}

// requestID is the id under which the log knows r.
func requestID(r *http.Request) string {
	id, _ := r.Context().Value(requestIDKey{}).(string)
	return id
}

// newID is prefix and 26 characters that nobody can guess.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// identified gives a request its id.
func identified(w http.ResponseWriter, r *http.Request) *http.Request {
	id := newID("req_")
	w.Header().Set("X-Request-Id", id)
	return r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
}

// A response remembers how it began, and moves its deadline with each write.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	status  int    // 0 before the header
	route   string // the pattern that took the request; "" when none was asked
	moved   time.Time
}

func newResponse(w http.ResponseWriter) *response {
	return &response{ResponseWriter: w, control: http.NewResponseController(w)}
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.move()
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.move()
	return w.ResponseWriter.Write(p)
}

// sendPart is how much is sent between two moves of the deadline.
const sendPart = 256 << 10

// ReadFrom lets the system send a file by itself.
func (w *response) ReadFrom(src io.Reader) (sent int64, err error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	whole, ok := src.(*io.LimitedReader) // as http.ServeContent has it: around a file there may be one, not two
	if !ok {
		whole = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	for whole.N > 0 {
		w.move()
		part := min(whole.N, sendPart)
		n, err := io.Copy(w.ResponseWriter, &io.LimitedReader{R: whole.R, N: part})
		sent += n
		whole.N -= n
		if err != nil || n < part {
			return sent, err
		}
	}
	return sent, nil
}

// Unwrap lets http.ResponseController find the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) move() {
	if now := time.Now(); now.Sub(w.moved) >= deadlineEvery {
		w.moved = now
		_ = w.control.SetWriteDeadline(now.Add(writeStall)) // a recorder in a test has none
	}
}

// A movingBody gives a request as long as its body moves, and no end after it:
// the handler may then work or stream as long as it likes.
type movingBody struct {
	io.ReadCloser
	control *http.ResponseController
	moved   time.Time
	came    int64
	waited  time.Duration // for the client, not for us
}

// movesBody replaces the server's deadline for whole requests.
func movesBody(control *http.ResponseController, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		_ = control.SetReadDeadline(time.Time{})
		return
	}
	r.Body = &movingBody{ReadCloser: r.Body, control: control}
}

func (b *movingBody) Read(p []byte) (int, error) {
	now := time.Now()
	if now.Sub(b.moved) >= deadlineEvery {
		b.moved = now
		_ = b.control.SetReadDeadline(now.Add(b.patience()))
	}
	n, err := b.ReadCloser.Read(p)
	b.came += int64(n)
	b.waited += time.Since(now)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// patience is how long the client may keep us waiting now.
func (b *movingBody) patience() time.Duration {
	earned := time.Duration(b.came) * time.Second / leastPace
	return max(0, min(readStall, readStall+earned-b.waited))
}
