package modeltest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// A Wire is a protocol that a Server speaks.
type Wire string

// The wires.
const (
	OpenAI    Wire = "openai"    // POST …/chat/completions
	Anthropic Wire = "anthropic" // POST …/messages
)

// Seen is a request as it came.
type Seen struct {
	Wire    Wire
	Header  http.Header
	Body    []byte
	Request model.Request // what Body says
}

// A Server on loopback plays a script to whoever speaks one of its wires. It is
// stopped at the end of the test.
type Server struct {
	http   *httptest.Server
	script Script

	mu   sync.Mutex
	seen []Seen
}

// NewServer starts one.
func NewServer(tb testing.TB, script Script) *Server {
	tb.Helper()
	s := &Server{script: script}
	s.http = httptest.NewServer(s)
	tb.Cleanup(func() {
		s.http.CloseClientConnections() // a stalled answer would be waited for
		s.http.Close()
	})
	return s
}

// OpenAI is the base URL of the OpenAI-compatible endpoint, with its /v1.
func (s *Server) OpenAI() string { return s.http.URL + "/v1" }

// Anthropic is the base URL of the endpoint that speaks as Anthropic's does.
func (s *Server) Anthropic() string { return s.http.URL }

// Seen are the requests that came so far.
func (s *Server) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Seen(nil), s.seen...)
}

// ServeHTTP is the next turn of the script, in the wire of the request's path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wire := OpenAI
	switch {
	case r.Method != http.MethodPost:
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	case strings.HasSuffix(r.URL.Path, "/chat/completions"):
	case strings.HasSuffix(r.URL.Path, "/messages"):
		wire = Anthropic
	default:
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	asked, stream, err := decode(wire, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	n := len(s.seen)
	s.seen = append(s.seen, Seen{Wire: wire, Header: r.Header.Clone(), Body: body, Request: asked})
	s.mu.Unlock()

	t := s.script(n, asked)
	t.whole = t.whole || !stream
	serve(r.Context(), w, wire, n, t)
}

// Stream is what a Server writes for a turn, n-th of its script: for tests that
// cut and split it themselves.
func Stream(wire Wire, n int, t Turn) []byte {
	if t.raw != nil {
		return []byte(t.raw.body)
	}
	if wire == Anthropic {
		return anthropicStream(n, t)
	}
	return openaiStream(n, t)
}

func serve(ctx context.Context, w http.ResponseWriter, wire Wire, n int, t Turn) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(t.late):
	}
	if t.stall && t.cut == 0 {
		<-ctx.Done()
		return
	}
	if f := t.fault; f != nil {
		if f.retryAfter != "" {
			w.Header().Set("Retry-After", f.retryAfter)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.status)
		_, _ = w.Write(faultBody(wire, f))
		return
	}
	mediaType, bytes := "text/event-stream", Stream(wire, n, t)
	switch {
	case t.raw != nil:
		mediaType = t.raw.mediaType
	case t.whole:
		mediaType, bytes = "application/json", wholeBody(wire, n, t)
	}
	w.Header().Set("Content-Type", mediaType)
	if t.endless != "" {
		serveEndless(ctx, w, wire, t)
		return
	}
	switch {
	case t.cut > 0:
		bytes = bytes[:min(t.cut, len(bytes))]
	case t.cut < 0:
		bytes = bytes[:max(0, len(bytes)+t.cut)]
	}
	write(w, bytes, t.split)
	switch {
	case t.stall:
		<-ctx.Done()
	case t.cut != 0:
		panic(http.ErrAbortHandler) // ends the connection without the last chunk
	}
}

// write sends bytes in pieces of n, each flushed, or at once where n is 0.
func write(w http.ResponseWriter, bytes []byte, n int) {
	if n <= 0 {
		n = len(bytes)
	}
	flush := http.NewResponseController(w)
	for len(bytes) > 0 {
		piece := bytes[:min(n, len(bytes))]
		if _, err := w.Write(piece); err != nil {
			return
		}
		_ = flush.Flush()
		bytes = bytes[len(piece):]
	}
}

func serveEndless(ctx context.Context, w http.ResponseWriter, wire Wire, t Turn) {
	begin, piece := openaiEndless(t.endless)
	if wire == Anthropic {
		begin, piece = anthropicEndless(t.endless)
	}
	_, _ = w.Write(begin)
	for ctx.Err() == nil {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

func decode(wire Wire, body []byte) (r model.Request, stream bool, err error) {
	if wire == Anthropic {
		return decodeAnthropic(body)
	}
	return decodeOpenAI(body)
}

// quote is JSON's text of s; unlike json.Marshal's it leaves bytes that are no
// UTF-8 as they are.
func quote(s string) string {
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

// pieces are s in parts of n bytes; one that is empty for "".
func pieces(s string, n int) []string {
	parts := []string{}
	for len(s) > n {
		cut := n
		for cut < len(s) && cut < n+4 && s[cut]&0xC0 == 0x80 { // not within a character
			cut++
		}
		parts, s = append(parts, s[:cut]), s[cut:]
	}
	return append(parts, s)
}

func faultBody(wire Wire, f *fault) []byte {
	if wire == Anthropic {
		return []byte(`{"type":"error","error":{"type":` + quote(f.kind) + `,"message":` + quote(f.message) + `}}`)
	}
	return []byte(`{"error":{"message":` + quote(f.message) + `,"type":` + quote(f.kind) + `,"param":null,"code":` + quote(f.kind) + `}}`)
}

func wholeBody(wire Wire, n int, t Turn) []byte {
	if wire == Anthropic {
		return anthropicWhole(n, t)
	}
	return openaiWhole(n, t)
}

// object is JSON that is known to be an object, else {}.
func object(raw json.RawMessage) json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil {
		return json.RawMessage("{}")
	}
	return raw
}
