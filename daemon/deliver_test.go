package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render/rendertest"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// oweTo is a daemon by hand that owes n deliveries to the sink hook, which is to.
func oweTo(tb testing.TB, to sink.Sink, n int) *Daemon {
	tb.Helper()
	s := newSite(tb, oweYAML)
	s.write("rows.csv", csvRows(1, "one"))
	d := s.open()
	d.roster().sinks["hook"] = to
	d.mustOwe(tb, n)
	return d
}

// delivering is a turn on hook under way; wait is for its end.
func (d *Daemon) delivering(tb testing.TB) (wait func()) {
	ended := make(chan error, 1)
	go func() { ended <- d.deliver(tb.Context(), store.Turn{ID: 3, Sink: "hook"}) }()
	return func() {
		tb.Helper()
		if err := <-ended; err != nil {
			tb.Fatal(err)
		}
	}
}

// count is what became of the deliveries to hook.
func (d *Daemon) count(tb testing.TB) store.DeliveryCount {
	tb.Helper()
	counts, err := d.store.DeliveryCounts(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	i := slices.IndexFunc(counts, func(c store.DeliveryCount) bool { return c.Sink == "hook" })
	if i < 0 {
		return store.DeliveryCount{}
	}
	return counts[i]
}

func (d *Daemon) sinkIs(tb testing.TB, name string) store.SinkState {
	tb.Helper()
	state, err := d.store.SinkState(tb.Context(), name)
	if err != nil {
		tb.Fatal(err)
	}
	return state
}

// With fifty receivers that take a connection and say nothing, and a few that refuse one,
// the good one hears of each row at once, and the end comes within its grace.
func TestDeadReceiversSlowNoOther(t *testing.T) {
	over := make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer hung.Close()
	defer close(over)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refuses := "http://" + closed.Addr().String()
	closed.Close()
	var sinks, names []string
	for i := range 55 {
		address := hung.URL
		if i >= 50 {
			address = refuses
		}
		names = append(names, fmt.Sprint("dead", i))
		sinks = append(sinks, fmt.Sprintf("  dead%d: { kind: webhook, url: %q }", i, address))
	}
	s := newSite(t, strings.NewReplacer("sinks: [hook]", "sinks: ["+strings.Join(append(names, "hook"), ", ")+"]",
		`sinks: { hook: { kind: webhook, url: "RECEIVER" } }`, "sinks:\n  hook: { kind: webhook, url: \"RECEIVER\" }\n"+strings.Join(sinks, "\n")).Replace(catalogWithHook))
	const rows = 15 // fewer than the guard looks at
	s.write("rows.csv", csvRows(rows, "one"))
	ctx, end := context.WithCancel(t.Context())
	defer end()
	url, ended := s.begin(ctx, Options{Renderer: &rendertest.Null{}, Grace: 100 * time.Millisecond})
	p := &process{tb: t, url: url}
	for round, word := range []string{"one", "two", "three"} {
		s.write("rows.csv", csvRows(rows, word))
		p.refresh("cards")
		eventually(t, word+" is drawn", func() bool { return p.ready("cards") == rows && strings.Contains(p.row("cards", "SKU-000"), word) })
		began := time.Now()
		eventually(t, "the good one knows", func() bool { return len(s.receiver.all("")) == (round+1)*rows })
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s was told after %s", word, took)
		}
	}
	end()
	began := time.Now()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the end took %s", took)
	}
}

// A row whose delivery hangs holds up no other of its sink, neither one that waits
// nor one that comes later, and what arrived is recorded meanwhile.
func TestDeliveryThatHangsHoldsUpNoOther(t *testing.T) {
	release := make(chan struct{})
	var first atomic.Bool
	d := oweTo(t, sinkFunc(func(context.Context, sink.Delivery) error {
		if first.CompareAndSwap(false, true) {
			<-release
		}
		return nil
	}), 50)
	wait := d.delivering(t)
	eventually(t, "the others are recorded", func() bool { return d.count(t).Delivered == 49 })
	d.mustOwe(t, 30)
	eventually(t, "those that came later are recorded", func() bool { return d.count(t).Delivered == 79 })
	close(release)
	wait()
	d.mustCount(t, 80, 0)
}

// A sink that fails is left alone after a few tries, however much waits for it.
func TestSinkThatFailsIsLeftAlone(t *testing.T) {
	var mu sync.Mutex
	tries, down := map[string]int{}, true
	d := oweTo(t, sinkFunc(func(_ context.Context, it sink.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		tries[it.ID]++
		if down {
			return errors.New("503")
		}
		return nil
	}), 400)
	d.mustDeliver(t)
	d.mustDeliver(t)
	if n := len(tries); n < restAfter || n > restAfter+2*leastFlights {
		t.Errorf("%d deliveries were tried, want about %d", n, restAfter)
	}
	if is := d.sinkIs(t, "hook"); is.Is() != store.SinkResting || is.Failures < restAfter {
		t.Errorf("the sink is %+v", is)
	}
	if due, err := d.store.DeliveriesDue(t.Context(), "hook"); err != nil || !due {
		t.Errorf("due: %v, %v", due, err)
	}
	down = false
	if err := d.store.ResumeSink(t.Context(), "hook"); err != nil {
		t.Fatal(err)
	}
	d.mustDeliver(t)
	d.mustCount(t, 400, 0)
	for id, n := range tries {
		if n > 2 {
			t.Errorf("%s was tried %d times", id, n)
		}
	}
}

// After its rest a sink is tried by the queue itself, with one delivery, and the
// first that arrives lets all go.
func TestSinkThatIsBackGetsAllThatWaited(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.receiver.refuse = 2*leastFlights + 20
	const rows = 60
	s.write("rows.csv", csvRows(rows, "one"))
	before := sinkRest
	sinkRest = retry.Backoff{Base: 100 * time.Millisecond, Max: 200 * time.Millisecond}
	t.Cleanup(func() { sinkRest = before })
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	eventually(t, "the sink rests", func() bool { return d.sinkIs(t, "hook").Is() == store.SinkResting })
	s.receiver.mu.Lock()
	s.receiver.refuse = min(s.receiver.refuse, 2)
	s.receiver.mu.Unlock()
	eventually(t, "all have arrived", func() bool { return len(s.receiver.lastGenerations(t)) == rows })
	eventually(t, "the metrics say so", func() bool {
		text := (&process{tb: t, url: url}).text("/metrics")
		return strings.Contains(text, fmt.Sprintf(`pictifyd_deliveries{sink="hook",state="delivered"} %d`, rows)) && strings.Contains(text, `pictifyd_sink_state{sink="hook",state="well"} 1`)
	})
}

// A receiver that asks for it is left alone, and its Retry-After is not taken for
// the fault of a row.
func TestSinkThatAsksToWaitIsLeftAlone(t *testing.T) {
	tries := 0
	var mu sync.Mutex
	d := oweTo(t, sinkFunc(func(context.Context, sink.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		tries++
		return retry.After(errors.New("429"), 10*time.Minute)
	}), 100)
	d.mustDeliver(t)
	d.mustDeliver(t)
	if tries > 2*leastFlights {
		t.Errorf("%d tries", tries)
	}
	if rest := time.Until(d.sinkIs(t, "hook").RestUntil); rest < 9*time.Minute || rest > 10*time.Minute {
		t.Errorf("it rests %s", rest)
	}
}

// config is the text of the site's configuration.
func (s *site) config() string {
	s.tb.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		s.tb.Fatal(err)
	}
	return string(text)
}

// 410 ends one delivery; the others wait, counted and visible, and a daemon that
// runs once ends all the same.
func TestSinkThatIsGoneIsDisabledUntilItIsResumed(t *testing.T) {
	s := newSite(t, catalogWithHook)
	const rows = 30
	s.write("rows.csv", csvRows(rows, "one"))
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "moved away", http.StatusGone) }))
	defer gone.Close()
	s.write("pictifyd.yaml", strings.ReplaceAll(s.config(), s.receiver.server.URL, gone.URL))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, ended := s.begin(ctx, Options{Renderer: &rendertest.Null{}, Once: true})
	if err := <-ended; err != nil || ctx.Err() != nil {
		t.Fatalf("%v, %v", err, ctx.Err())
	}
	s.write("pictifyd.yaml", strings.ReplaceAll(s.config(), gone.URL, s.receiver.server.URL))
	url, d := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	is := d.sinkIs(t, "hook")
	if is.Is() != store.SinkDisabled || !strings.Contains(is.Reason, "410") {
		t.Errorf("the sink is %+v", is)
	}
	if text := p.text("/metrics"); !strings.Contains(text, `pictifyd_sink_state{sink="hook",state="disabled"} 1`) {
		t.Error("the metrics do not say so")
	}
	dead := d.count(t).Dead
	if dead == 0 || dead > leastFlights || len(s.receiver.all("")) > 0 {
		t.Errorf("%d dead letters, and %d arrived", dead, len(s.receiver.all("")))
	}
	if err := d.store.ResumeSink(t.Context(), "hook"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the others have arrived", func() bool { return int64(len(s.receiver.lastGenerations(t))) == rows-dead })
}

func TestSinkIsDisabledWhenNothingArrivesForDays(t *testing.T) {
	d := oweTo(t, sinkFunc(func(context.Context, sink.Delivery) error { return errors.New("503") }), 1)
	d.roster().wants["hook"].DisableAfter = 1
	d.mustDeliver(t)
	d.mustOwe(t, 1)
	d.mustDeliver(t)
	if is := d.sinkIs(t, "hook"); is.Is() != store.SinkDisabled || !strings.Contains(is.Reason, "503") {
		t.Errorf("the sink is %+v", is)
	}
	d.mustCount(t, 0, 2)
}

// A batcher takes many at once, and notes how it was called.
type batcher struct {
	most   int
	linger time.Duration
	end    func(d sink.Delivery) error
	cut    bool // says nothing of the last of a batch

	mu    sync.Mutex
	calls [][]string
	busy  bool
	wrong []string
}

func (b *batcher) Deliver(context.Context, sink.Delivery) (sink.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = append(b.wrong, "told of one by itself")
	return sink.Receipt{}, nil
}

func (b *batcher) Batch() (int, time.Duration) { return b.most, b.linger }

func (b *batcher) DeliverAll(_ context.Context, ds []sink.Delivery) []sink.Outcome {
	b.mu.Lock()
	if b.busy {
		b.wrong = append(b.wrong, "two calls at once")
	}
	b.busy = true
	b.mu.Unlock()
	time.Sleep(time.Millisecond) // so that calls at once would meet
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy = false
	var call []string
	keys := map[string]bool{}
	outcomes := make([]sink.Outcome, len(ds))
	for i, d := range ds {
		if keys[d.Key] {
			b.wrong = append(b.wrong, "two of "+d.Key+" in a call")
		}
		keys[d.Key] = true
		call = append(call, d.ID)
		if b.end != nil {
			outcomes[i].Err = b.end(d)
		}
	}
	b.calls = append(b.calls, call)
	if b.cut {
		outcomes = outcomes[:len(outcomes)-1]
	}
	return outcomes
}

func (b *batcher) sizes() (all []int) {
	for _, call := range b.calls {
		all = append(all, len(call))
	}
	return all
}

func (b *batcher) check(t *testing.T) {
	t.Helper()
	for _, wrong := range b.wrong {
		t.Error(wrong)
	}
}

func TestBatcherIsToldOfManyAtOnceAndOneCallAtATime(t *testing.T) {
	b := &batcher{most: 10}
	d := oweTo(t, b, 95)
	other := d.delivering(t) // two turns on a sink, as there may be for a moment
	d.mustDeliver(t)
	other()
	d.mustCount(t, 95, 0)
	if sizes := b.sizes(); len(sizes) != 10 || slices.Max(sizes) != 10 {
		t.Errorf("the calls were of %v", sizes)
	}
	b.check(t)
}

func TestBatchWaitsForOthersAsLongAsItMay(t *testing.T) {
	b := &batcher{most: 100, linger: 2 * time.Second}
	d := oweTo(t, b, 3)
	began := time.Now()
	wait := d.delivering(t)
	d.mustOwe(t, 4)
	wait()
	if sizes := b.sizes(); !slices.Equal(sizes, []int{7}) || time.Since(began) > 20*time.Second {
		t.Errorf("the calls were of %v, after %s", sizes, time.Since(began))
	}
	b.check(t)
	d.mustOwe(t, 100)
	began = time.Now()
	d.mustDeliver(t)
	if sizes := b.sizes(); !slices.Equal(sizes, []int{7, 100}) || time.Since(began) > time.Second {
		t.Errorf("a full batch waited %s, %v", time.Since(began), sizes)
	}
}

func TestEachOfABatchEndsByItself(t *testing.T) {
	bad := map[string]bool{}
	b := &batcher{most: 10}
	b.end = func(d sink.Delivery) error {
		if len(bad) < 2 {
			bad[d.ID] = true
		}
		switch {
		case bad[d.ID] && d.Attempt == 1:
			return retry.Permanent(errors.New("this row does not fit"))
		case d.Key[len(d.Key)-1] == '7':
			return errors.New("not now")
		}
		return nil
	}
	d := oweTo(t, b, 20)
	d.mustDeliver(t)
	if c := d.count(t); c.Dead != 2 || c.Waiting != 2 || c.Delivered != 16 {
		t.Errorf("%+v, want 2 dead, 2 to be tried again and the others delivered", c)
	}
	b.check(t)
}

func TestBatchOfWhichLittleIsSaidIsTriedAgain(t *testing.T) {
	b := &batcher{most: 10, cut: true}
	d := oweTo(t, b, 20)
	d.mustDeliver(t)
	if c := d.count(t); c.Delivered != 18 || c.Waiting != 2 {
		t.Errorf("%+v, want 18 delivered and 2 to be tried again", c)
	}
}

// What was claimed and not sent when grace ends keeps its tries.
func TestEndOfGraceGivesBackWhatWasNotTried(t *testing.T) {
	ctx, endGrace := context.WithCancel(t.Context())
	var mu sync.Mutex
	tried := 0
	d := oweTo(t, sinkFunc(func(ctx context.Context, _ sink.Delivery) error {
		mu.Lock()
		tried++
		end := tried == leastFlights
		mu.Unlock()
		if end {
			endGrace()
		}
		<-ctx.Done()
		return ctx.Err()
	}), 300)
	if err := d.deliver(ctx, store.Turn{ID: 3, Sink: "hook"}); !errors.Is(err, context.Canceled) {
		t.Errorf("the turn ended with %v", err)
	}
	claims, err := d.store.ClaimDeliveries(t.Context(), store.Turn{ID: 4, Sink: "hook"}, 300)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if c.Attempt != 1 {
			t.Errorf("%s was not tried and is at try %d", c.ID, c.Attempt)
		}
	}
	if len(claims) != 300-leastFlights {
		t.Errorf("%d wait, want all but the %d that were on their way, which the end of the turn puts back", len(claims), leastFlights)
	}
}
