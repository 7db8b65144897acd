package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// A pathFault is what a faulty path does to one request.
type pathFault string

// The faults of a path. Of some the receiver sees nothing; of others it has
// taken what the sender believes lost.
const (
	none        pathFault = "none"
	dropped     pathFault = "dropped"      // the connection ends before anything is read
	cutRequest  pathFault = "cut request"  // half of the request arrives on the path
	delayed     pathFault = "delayed"      // it arrives after a while
	stray       pathFault = "stray"        // it arrives long after the sender has given up
	resetAfter  pathFault = "reset after"  // it arrives, and the connection is reset
	failed      pathFault = "500"          // it does not arrive
	failedAfter pathFault = "503 after"    // it arrives
	limited     pathFault = "429"          // it does not arrive, and the next may in a second
	halfAnswer  pathFault = "half answer"  // it arrives; the answer breaks off behind its status
	late        pathFault = "200 too late" // it arrives; nobody waits for the answer any more
)

var everyFault = []pathFault{dropped, cutRequest, delayed, stray, resetAfter, failed, failedAfter, limited, halfAnswer, late}

// A faultyPath stands between a sender and a journal of what arrived.
type faultyPath struct {
	server  *httptest.Server
	journal *journal
	rest    sync.WaitGroup // requests that are still on their way

	mu    sync.Mutex
	rng   *rand.Rand
	calm  bool
	met   map[pathFault]int
	turns int
}

const (
	pathPatience = 400 * time.Millisecond // of the sender; `timeout` of its configuration
	pathLate     = 3 * pathPatience
)

func newFaultyPath(tb testing.TB, seed uint64) *faultyPath {
	p := &faultyPath{journal: newJournal(), rng: rand.New(rand.NewPCG(seed, 7)), met: map[pathFault]int{}}
	p.server = httptest.NewServer(p)
	tb.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
		p.rest.Wait()
	})
	return p
}

// next is the fault of the coming request: each of them first, then half of the
// requests go well.
func (p *faultyPath) next() pathFault {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := none
	switch {
	case p.calm:
	case p.turns < 2*len(everyFault) && p.turns%2 == 0:
		f = everyFault[p.turns/2]
	case p.rng.IntN(2) == 0:
		f = everyFault[p.rng.IntN(len(everyFault))]
	}
	p.turns++
	p.met[f]++
	return f
}

func (p *faultyPath) quiet() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calm = true
}

func (p *faultyPath) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := p.next()
	switch f {
	case dropped:
		hangUp(w)
		return
	case cutRequest:
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		hangUp(w)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil { // the sender was killed
		hangUp(w)
		return
	}
	a := passage{ID: r.Header.Get("webhook-id"), Body: body}
	switch f {
	case none:
		p.journal.take(a)
	case delayed:
		time.Sleep(pathPatience / 4)
		p.journal.take(a)
	case stray:
		p.rest.Go(func() {
			time.Sleep(pathLate)
			p.journal.take(a)
		})
		wait(r.Context(), pathLate)
		hangUp(w)
	case resetAfter:
		p.journal.take(a)
		hangUp(w)
	case failed:
		http.Error(w, "not now", http.StatusInternalServerError)
	case failedAfter:
		p.journal.take(a)
		http.Error(w, "taken, and then it broke", http.StatusServiceUnavailable)
	case limited:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many", http.StatusTooManyRequests)
	case halfAnswer:
		p.journal.take(a)
		w.Header().Set("Content-Length", strconv.Itoa(100))
		_, _ = io.WriteString(w, `{"ok": tr`)
	case late:
		p.journal.take(a)
		wait(r.Context(), pathLate)
	}
}

// hangUp resets the connection.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// A passage is a webhook that came through.
type passage struct {
	ID   string
	Body []byte

	Event string
	Data  struct {
		Key         string
		Generation  int64
		URL         string
		ContentHash string
	}
}

// A journal is the log of a receiver that does as it is told: an id that it knows
// is no news, and an older generation changes nothing.
type journal struct {
	mu       sync.Mutex
	passages []passage
	bodies   map[string][]byte  // by id
	state    map[string]passage // of each key, the newest generation
	effects  map[string]int     // of each key
	faults   []string
}

func newJournal() *journal {
	return &journal{bodies: map[string][]byte{}, state: map[string]passage{}, effects: map[string]int{}}
}

func (r *journal) take(a passage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := json.Unmarshal(a.Body, &a); err != nil {
		r.faults = append(r.faults, fmt.Sprintf("%s is %q: %v", a.ID, a.Body, err))
		return
	}
	r.passages = append(r.passages, a)
	if known, ok := r.bodies[a.ID]; ok {
		if !bytes.Equal(known, a.Body) {
			r.faults = append(r.faults, fmt.Sprintf("%s came first as %s and then as %s", a.ID, known, a.Body))
		}
		return
	}
	r.bodies[a.ID] = a.Body
	held, ok := r.state[a.Data.Key]
	if ok && held.Data.Generation == a.Data.Generation {
		r.faults = append(r.faults, fmt.Sprintf("generation %d of %s came as %s and as %s", a.Data.Generation, a.Data.Key, held.ID, a.ID))
	}
	if !ok || held.Data.Generation < a.Data.Generation {
		r.state[a.Data.Key] = a
		r.effects[a.Data.Key]++
	}
}

// of is what the receiver has for key.
func (r *journal) of(key string) (a passage, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok = r.state[key]
	return a, ok
}

// repeated are the ids that came more than once.
func (r *journal) repeated() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]int{}
	for _, a := range r.passages {
		seen[a.ID]++
	}
	n := 0
	for _, times := range seen {
		if times > 1 {
			n++
		}
	}
	return n
}

// check reports what a receiver must never see.
func (r *journal) check(tb testing.TB) {
	tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range slices.Compact(slices.Clone(r.faults)) {
		tb.Error(f)
	}
}
