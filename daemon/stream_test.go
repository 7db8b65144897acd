package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A tape is a source of the tests that tells of its changes, and forgets those that
// were acknowledged: whoever comes back behind that has a gap.
type tape struct {
	mu       sync.Mutex
	changes  []change
	pruned   int // of them, that are forgotten
	added    chan struct{}
	rows     map[string]string
	halts    bool
	plain    bool // it is told from its beginning, without a snapshot
	released int
	runs     int
	poison   map[string]bool // keys whose values can't be read
	keyless  bool            // nor the keys themselves
}

// A change is one of them; a name of "" is a deletion, a key of "" empties it all.
type change struct{ key, name string }

// tapes are those of the tests that run, by their name.
var tapes sync.Map

func newTape(tb testing.TB, rows ...string) (*tape, string) {
	t := &tape{added: make(chan struct{}), rows: map[string]string{}, poison: map[string]bool{}}
	for _, key := range rows {
		t.rows[key] = "Mug " + key
	}
	name := tb.TempDir()
	tapes.Store(name, t)
	tb.Cleanup(func() { tapes.Delete(name) })
	return t, name
}

func (t *tape) do(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
	close(t.added)
	t.added = make(chan struct{})
}

func (t *tape) set(key, name string) {
	t.do(func() {
		t.changes = append(t.changes, change{key, name})
		switch {
		case key == "":
			t.rows = map[string]string{}
		case name == "":
			delete(t.rows, key)
		default:
			t.rows[key] = name
		}
	})
}

// lose forgets changes that nobody was told of.
func (t *tape) lose() { t.do(func() { t.pruned = len(t.changes) }) }

var tapeKind = connectors.Kind{
	Name: "tape", Summary: "changes of a test",
	Config: func() connectors.Config { return &tapeConfig{} },
	New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
		c := cfg.(*tapeConfig)
		one, ok := tapes.Load(c.Tape)
		if !ok {
			return nil, errors.New("there is no such tape")
		}
		return &tapeSource{one.(*tape), c}, nil
	},
}

type tapeConfig struct {
	connectors.Common
	Tape string `yaml:"tape"`
}

func (c *tapeConfig) Validate() error { return nil }
func (c *tapeConfig) Streams() bool   { return true }
func (c *tapeConfig) Holds() string   { return c.Tape }

type tapeSource struct {
	*tape
	cfg *tapeConfig
}

type tapeCursor struct {
	Next     int
	Snapshot bool
}

func (s *tapeSource) Poll(context.Context, connectors.Cursor, connectors.Emit) error {
	return errors.New("is never polled")
}

func (s *tapeSource) Release(context.Context) error {
	s.do(func() { s.released++ })
	return nil
}

func (s *tapeSource) Replay(_ context.Context, raw []byte) (connectors.Row, error) {
	var c struct{ Key, Name string }
	if err := json.Unmarshal(raw, &c); err != nil {
		return connectors.Row{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poison[c.Key] {
		return connectors.Row{}, problem.New(problem.Invalid, "still no name")
	}
	return s.row(c.Key, c.Name), nil
}

func (s *tapeSource) row(key, name string) connectors.Row {
	return connectors.Row{Key: []any{key}, Values: map[string]any{"sku": key, "name": name}, Position: key}
}

func (s *tapeSource) Stream(ctx context.Context, from connectors.Cursor, to connectors.Stream) error {
	var at tapeCursor
	known := json.Unmarshal(from, &at) == nil && !at.Snapshot
	s.mu.Lock()
	s.runs++
	halts, pruned, end := s.halts, s.pruned, len(s.changes)
	s.mu.Unlock()
	if halts && !to.Resnapshot {
		return connectors.Halt(problem.New(problem.Upstream, "the tape is torn").WithHint("refresh it"))
	}
	gap := ""
	if known && at.Next < pruned {
		gap = "the tape was wiped behind our place"
	}
	if (!known && !s.plain) || gap != "" || to.Resnapshot {
		at.Next = end
		if err := s.snapshot(ctx, to, gap, at.Next); err != nil {
			return err
		}
	}
	for {
		s.mu.Lock()
		changes, added := slices.Clone(s.changes[at.Next:]), s.added
		s.mu.Unlock()
		to.Report(connectors.StreamState{Phase: connectors.PhaseStreaming, HeardAt: time.Now(), Lag: map[string]int64{"0": int64(len(changes))}})
		if len(changes) == 0 {
			select {
			case <-added:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		if err := s.tell(ctx, to, changes, &at); err != nil {
			return err
		}
	}
}

func (s *tapeSource) tell(ctx context.Context, to connectors.Stream, changes []change, at *tapeCursor) error {
	var b connectors.Batch
	b.Closes = &connectors.Closing{}
	for i, c := range changes {
		if c.key == "" && i > 0 {
			break
		}
		at.Next++
		if c.key == "" {
			b.Closes.Snapshot = connectors.SnapshotMark{Begins: true, Ends: true}
			b.Closes.Complete = true
			break
		}
		s.mu.Lock()
		poison := s.poison[c.key]
		s.mu.Unlock()
		if poison {
			raw, _ := json.Marshal(map[string]string{"key": c.key, "name": c.name})
			f := connectors.Fault{Key: []any{c.key}, Position: fmt.Sprintf("tape@%d", at.Next-1), Reason: "no_name", Detail: "its name is poison", Raw: raw, Behind: len(b.Rows)}
			if s.keyless {
				f.Key = nil
			}
			b.Faults = append(b.Faults, f)
			continue
		}
		row := s.row(c.key, c.name)
		if row.Deleted = c.name == ""; row.Deleted {
			row.Values = nil
		}
		b.Rows = append(b.Rows, row)
	}
	b.Closes.Cursor, _ = json.Marshal(at)
	if err := to.Emit(ctx, b); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pruned = max(s.pruned, at.Next)
	return nil
}

// snapshot tells of all rows, two by two.
func (s *tapeSource) snapshot(ctx context.Context, to connectors.Stream, gap string, next int) error {
	s.mu.Lock()
	keys := make([]string, 0, len(s.rows))
	for key := range s.rows {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	names := map[string]string{}
	for _, key := range keys {
		names[key] = s.rows[key]
	}
	s.mu.Unlock()
	cursor, _ := json.Marshal(tapeCursor{Next: next, Snapshot: true})
	b := connectors.Batch{Closes: &connectors.Closing{Snapshot: connectors.SnapshotMark{Begins: true}, Gap: gap, Cursor: cursor}}
	for len(keys) > 0 {
		n := min(2, len(keys))
		for _, key := range keys[:n] {
			b.Rows = append(b.Rows, s.row(key, names[key]))
		}
		keys = keys[n:]
		if len(keys) == 0 { // the last rows end it
			break
		}
		to.Report(connectors.StreamState{Phase: connectors.PhaseSnapshot, Rows: int64(len(names) - len(keys)), OfRows: int64(len(names))})
		if err := to.Emit(ctx, b); err != nil {
			return err
		}
		b = connectors.Batch{Closes: &connectors.Closing{Cursor: cursor}}
	}
	b.Closes.Complete = true
	b.Closes.Snapshot.Ends = true
	b.Closes.Cursor, _ = json.Marshal(tapeCursor{Next: next})
	if err := to.Emit(ctx, b); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pruned = max(s.pruned, next)
	return nil
}

// A taped is a daemon with a binding "cards" on a tape.
type taped struct {
	*site
	process
	tape *tape
	null *rendertest.Null
	d    *Daemon
	stop func()
}

func newTaped(tb testing.TB, binding string, rows ...string) *taped {
	tb.Helper()
	tape, name := newTape(tb, rows...)
	return runTape(tb, tape, name, binding)
}

// runTape is such a daemon on a tape that there is already.
func runTape(tb testing.TB, tape *tape, name, binding string) *taped {
	tb.Helper()
	t := &taped{tape: tape, null: &rendertest.Null{}}
	t.site = newSite(tb, fmt.Sprintf(`
sources: { shop: { kind: tape, tape: %q, key: sku } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: shop, template: card, map: { title: name }, sinks: [hook], public: true, on_delete: remove, delete_grace: 0s%s } ]
`, name, binding))
	t.process.tb = tb
	t.start()
	return t
}

func (t *taped) settings() *Settings {
	t.site.tb.Helper()
	path := filepath.Join(t.dir, "pictifyd.yaml")
	src, err := os.ReadFile(path)
	if err != nil {
		t.site.tb.Fatal(err)
	}
	s, err := decode(path, src, config.Options{Env: os.LookupEnv, ReadFile: os.ReadFile, Dir: t.dir}, append(Connectors(), tapeKind), Sinks())
	if err != nil {
		t.site.tb.Fatal(err)
	}
	return s
}

func (t *taped) start() {
	t.site.tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended, listening := make(chan error, 1), make(chan string, 1)
	o := Options{Log: quiet(t.site.tb), Renderer: t.null, Listening: func(a net.Addr) { listening <- a.String() }, started: func(d *Daemon) { t.d = d }}
	settings := t.settings()
	go func() { ended <- Run(ctx, settings, o) }()
	t.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.site.tb.Errorf("the daemon ended: %v", err)
		}
	})
	t.site.tb.Cleanup(t.stop)
	select {
	case addr := <-listening:
		t.url = "http://" + addr
	case err := <-ended:
		ended <- nil
		t.site.tb.Fatalf("the daemon ended: %v", err)
	}
}

func (t *taped) shows(key, name string) {
	t.site.tb.Helper()
	eventually(t.site.tb, fmt.Sprintf("%s shows %q", key, name), func() bool { return t.name(key) == name })
}

// name is what the image of a row shows; "" when there is none.
func (t *taped) name(key string) string { return shown(t.null, t.url, "cards", key) }

// shown is the title of the card that the image of a row shows; "" when there is none.
func shown(null *rendertest.Null, url, binding, key string) string {
	resp, err := http.Get(url + "/b/" + binding + "/" + key + ".png")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	bytes, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	for _, r := range null.Requests() {
		if rendertest.Fingerprint(r) == string(bytes) {
			if title := titleIn.FindStringSubmatch(r.HTML); title != nil {
				return title[1]
			}
		}
	}
	return ""
}

// titleIn is the title in the page of a card.
var titleIn = regexp.MustCompile(`<h1 id="title"[^>]*>([^<]*)</h1>`)

func TestStreamTellsOfItsRowsAndThenOfChanges(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B", "C")
	for _, key := range []string{"A", "B", "C"} {
		s.shows(key, "Mug "+key)
	}
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 3 })
	drawn := s.null.Count()
	s.tape.set("B", "Cup B")
	s.shows("B", "Cup B")
	s.tape.set("C", "")
	eventually(t, "C is gone", func() bool { return s.picture("/b/cards/C.png") == "" })
	// Of several states in one batch the last one counts, also after a deletion.
	s.tape.do(func() {
		s.tape.changes = append(s.tape.changes, change{"D", "one"}, change{"D", "two"}, change{"D", ""}, change{"D", "three"}, change{"A", "four"}, change{"A", "Mug A"})
	})
	s.shows("D", "three")
	if s.name("A") != "Mug A" {
		t.Errorf("A shows %q", s.name("A"))
	}
	if n := s.null.Count() - drawn; n != 2 {
		t.Errorf("%d pictures were drawn for two that are new", n)
	}
	s.stop()
	s.tape.set("B", "Bowl B")
	runs := s.tape.runs
	s.start()
	s.shows("B", "Bowl B")
	if s.tape.runs != runs+1 || s.null.Count()-drawn != 3 {
		t.Errorf("after a restart it ran %d times, and %d pictures were drawn", s.tape.runs-runs, s.null.Count()-drawn)
	}
}

func TestGapOfAStreamIsClosedByReadingAllRows(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B", "C", "D", "E")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 5 })
	drawn := s.null.Count()
	s.stop()
	s.tape.set("A", "")
	s.tape.set("B", "Cup B")
	s.tape.lose()
	s.start()
	s.shows("B", "Cup B")
	eventually(t, "A, whose deletion was missed, is gone", func() bool { return s.picture("/b/cards/A.png") == "" })
	if n := s.null.Count() - drawn; n != 1 {
		t.Errorf("%d pictures were drawn for one that is new", n)
	}
	place, err := s.d.store.StreamPlace(t.Context(), "shop")
	if err != nil || place.Gaps != 1 || place.Gap != "" {
		t.Errorf("the place is %+v, %v; want one gap that is closed", place, err)
	}
}

func TestEmptiedStreamIsHeldUntilSomebodyAccepts(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B", "C")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 3 })
	s.tape.set("", "")
	var v struct {
		Guard struct {
			Held *struct{ Removals int }
		}
	}
	eventually(t, "the removals are held", func() bool {
		s.get("/bindings/cards/guard", &v)
		return v.Guard.Held != nil && v.Guard.Held.Removals == 3
	})
	s.tape.set("A", "Bowl A") // comes back, and the rest of the stream goes on
	s.shows("A", "Bowl A")
	if s.picture("/b/cards/B.png") == "" {
		t.Error("a held removal was done")
	}
	s.mustSend(200, "POST", "/bindings/cards/guard/accept", "")
	eventually(t, "the removals", func() bool { return s.picture("/b/cards/B.png") == "" && s.picture("/b/cards/C.png") == "" })
	if s.name("A") != "Bowl A" {
		t.Error("a row that came back is gone")
	}
}

// What a stream changes within a minute is judged together, however many batches it
// comes in.
func TestGuardOfAStreamLooksAtAMinute(t *testing.T) {
	t.Parallel()
	var rows []string
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("K%02d", i))
	}
	s := newTaped(t, ", guard: { max_changed: 20%, floor: 2 }", rows...)
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 20 })
	for i := range 4 {
		s.tape.set(rows[i], "Cup")
		s.shows(rows[i], "Cup")
	}
	s.tape.set(rows[4], "Cup")
	var v struct {
		Guard struct{ Held *struct{ Changes int } }
	}
	eventually(t, "the fifth change is held", func() bool {
		s.get("/bindings/cards/guard", &v)
		return v.Guard.Held != nil && v.Guard.Held.Changes == 1
	})
	if s.name(rows[4]) != "Mug K04" {
		t.Errorf("a held change is shown: %s", s.name(rows[4]))
	}
	s.mustSend(200, "POST", "/bindings/cards/guard/accept", "")
	s.shows(rows[4], "Cup")
	s.tape.set(rows[5], "Cup") // what was accepted does not count any more
	s.shows(rows[5], "Cup")
}

// Nothing is kept at a server for rows that nothing reads.
func TestStreamThatNothingReadsIsReleased(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 2 })
	s.stop()
	if s.tape.released != 0 {
		t.Fatal("a stop releases")
	}
	path := filepath.Join(s.dir, "pictifyd.yaml")
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(src), "sources:")
	s.write("pictifyd.yaml", before+"\nsinks: { hook: { kind: webhook, url: \"http://127.0.0.1:1/\" } }\n")
	s.start()
	released := func() bool {
		s.tape.mu.Lock()
		defer s.tape.mu.Unlock()
		return s.tape.released == 1
	}
	eventually(t, "what was kept is given back", released)
	eventually(t, "that is noted", func() bool {
		holds, err := s.d.store.StreamHolds(t.Context())
		return err == nil && len(holds) == 0
	})
}

func TestHaltedStreamWaitsForAPerson(t *testing.T) {
	t.Parallel()
	s := newTaped(t, "", "A", "B")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 2 })
	s.stop()
	s.tape.do(func() { s.tape.halts = true })
	s.start()
	eventually(t, "it says why", func() bool { return strings.Contains(s.source("shop").Source.Freshness.Cause, "the tape is torn") })
	if state := s.source("shop").Source.Freshness.State; state != connectors.StateError {
		t.Errorf("a halted stream is %s", state)
	}
	runs := s.tape.runs
	s.tape.set("A", "Cup A")
	s.mustSend(202, "POST", "/bindings/cards/refresh", "")
	s.shows("A", "Cup A")
	if s.tape.runs != runs+1 {
		t.Errorf("it ran %d times while it was halted", s.tape.runs-runs)
	}
	eventually(t, "it is well", func() bool { return s.source("shop").Source.Freshness.State == connectors.StateOK })
}

// No more images change than there are, however often a row does: all of them may,
// and nothing is held.
func TestRowThatChangesOftenIsOneToTheGuardOfAStream(t *testing.T) {
	t.Parallel()
	s := newTaped(t, ", guard: { max_changed: 100%, floor: 0 }", "A", "B")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 2 })
	for i := range 6 {
		s.tape.set("A", fmt.Sprint("Cup ", i))
		s.shows("A", fmt.Sprint("Cup ", i))
	}
}
