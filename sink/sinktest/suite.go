package sinktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
)

// A Fault is a way in which a receiver fails.
type Fault int

// The faults.
const (
	Down Fault = iota // for a while; another try makes sense
	Gone              // for good
	Hung              // takes what comes and does not answer
)

// A Subject is one kind of sink with its receiver.
type Subject struct {
	Sink sink.Sink
	// Holds is the hash of the picture that the receiver now has for key, "" for none.
	Holds func(key string) string
	// Effects is how many things happened at the receiver for key. One that is
	// told ids counts a repeated id once, as a user's would.
	Effects func(key string) int
	// Break makes the receiver fail until heal is called; ok is false if this
	// kind has no such failure.
	Break func(f Fault) (heal func(), ok bool)
	// ToldOfTests says that the receiver is one that knows tests by their id, so
	// that of what it was told nothing has to be taken away.
	ToldOfTests bool
}

// Run asks the whole promise of the sink that newSubject makes; each test gets
// one of its own.
func Run(t *testing.T, newSubject func(tb testing.TB) Subject) {
	for name, test := range map[string]func(*testing.T, Subject){
		"DeliveryArrives":                      deliveryArrives,
		"SameDeliveryTwiceHasOneEffect":        sameDeliveryTwiceHasOneEffect,
		"LastGenerationStays":                  lastGenerationStays,
		"RemovalArrivesAndMayBeRepeated":       removalArrives,
		"FailedRenderKeepsThePicture":          failedRenderKeepsThePicture,
		"ManyKeysAtATimeAllArrive":             manyKeysAtATime,
		"FailureForAWhileIsNotPermanent":       failureForAWhile,
		"FailureForGoodIsPermanent":            failureForGood,
		"DeadlineIsHonouredAndIsNotPermanent":  deadlineIsHonoured,
		"EndedContextDeliversNothing":          endedContext,
		"EventAboutNoRowIsNoFault":             eventAboutNoRow,
		"HostileKeyIsDeliveredOrRefusedByName": hostileKey,
		"HostileRowHoldsUpNoOther":             hostileRow,
		"BatchEndsEachInItsOrder":              batchInOrder,
		"BatchOfAnEndedContextEndsEach":        endedBatch,
		"TestLeavesNothingBehind":              testLeavesNothing,
		"ProbeHasNoEffect":                     probeHasNoEffect,
	} {
		t.Run(name, func(t *testing.T) { test(t, newSubject(t)) })
	}
}

// Picture is the bytes of a picture whose hash is that text.
func Picture(hash string) []byte { return []byte("picture " + hash) }

// HashOf is the hash of a Picture, "" for other bytes.
func HashOf(picture []byte) string {
	hash, ok := bytes.CutPrefix(picture, []byte("picture "))
	if !ok {
		return ""
	}
	return string(hash)
}

// OpenPicture is the Env.Bytes of the suite.
func OpenPicture(ctx context.Context, hash string) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(Picture(hash))), ctx.Err()
}

// Completed is the delivery of a row's one picture.
func Completed(key string, generation int64) sink.Delivery {
	return sink.Delivery{
		ID:         fmt.Sprintf("dlv_%x_%d", key, generation),
		Event:      sink.RenderCompleted,
		Time:       time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Binding:    "cards",
		Key:        key,
		Generation: generation,
		Row:        map[string]any{"id": key},
		Outputs:    []sink.Output{output(fmt.Sprintf("hash-%d", generation))},
		Attempt:    1,
	}
}

func output(hash string) sink.Output {
	return sink.Output{
		Name: "card", URL: "https://img.example/images/" + hash + ".png", Hash: hash,
		Format: "png", Ext: "png", Width: 1200, Height: 630,
	}
}

func removed(key string, generation int64) sink.Delivery {
	d := Completed(key, generation)
	d.Event = sink.ImageRemoved
	return d
}

// limit ends what hangs, long after it should have ended.
func limit(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

func mustDeliver(tb testing.TB, s Subject, d sink.Delivery) {
	tb.Helper()
	if _, err := s.Sink.Deliver(limit(tb), d); err != nil {
		tb.Fatalf("deliver %s of %q, generation %d: %v", d.Event, d.Key, d.Generation, err)
	}
}

func wantHeld(tb testing.TB, s Subject, key, want string) {
	tb.Helper()
	if got := s.Holds(key); got != want {
		tb.Errorf("the receiver holds %q for %q, want %q", got, key, want)
	}
}

func deliveryArrives(t *testing.T, s Subject) {
	mustDeliver(t, s, Completed("a", 1))
	wantHeld(t, s, "a", "hash-1")
}

func sameDeliveryTwiceHasOneEffect(t *testing.T, s Subject) {
	d := Completed("a", 1)
	mustDeliver(t, s, d)
	d.Attempt = 2
	mustDeliver(t, s, d)
	if n := s.Effects("a"); n != 1 {
		t.Errorf("%d effects, want 1", n)
	}
	wantHeld(t, s, "a", "hash-1")
}

func lastGenerationStays(t *testing.T, s Subject) {
	for generation := range int64(5) {
		mustDeliver(t, s, Completed("a", generation+1))
	}
	wantHeld(t, s, "a", "hash-5")
}

func removalArrives(t *testing.T, s Subject) {
	d := removed("a", 2)
	d.Outputs[0].Hash = "hash-1" // of the picture that goes
	mustDeliver(t, s, d)         // of what was never there
	mustDeliver(t, s, Completed("a", 1))
	mustDeliver(t, s, Completed("b", 1))
	d.ID, d.Generation = "dlv_again", 3
	mustDeliver(t, s, d)
	mustDeliver(t, s, d)
	wantHeld(t, s, "a", "")
	wantHeld(t, s, "b", "hash-1")
}

func failedRenderKeepsThePicture(t *testing.T, s Subject) {
	mustDeliver(t, s, Completed("a", 1))
	d := Completed("a", 2)
	d.Event = sink.RenderFailed
	d.Outputs = []sink.Output{{Name: "card", Code: "asset_fetch_failed", Error: "404 from https://x.example/a.jpg"}}
	mustDeliver(t, s, d)
	wantHeld(t, s, "a", "hash-1")
}

func manyKeysAtATime(t *testing.T, s Subject) {
	var wg sync.WaitGroup
	keys := make([]string, 30)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
		wg.Go(func() {
			for generation := range int64(3) {
				if _, err := s.Sink.Deliver(limit(t), Completed(keys[i], generation+1)); err != nil {
					t.Errorf("deliver %s: %v", keys[i], err)
				}
			}
		})
	}
	wg.Wait()
	for _, key := range keys {
		wantHeld(t, s, key, "hash-3")
	}
}

func failureForAWhile(t *testing.T, s Subject) {
	heal := mustBreak(t, s, Down)
	d := Completed("a", 1)
	if _, err := s.Sink.Deliver(limit(t), d); err == nil || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want an error that is not permanent", err)
	}
	heal()
	mustDeliver(t, s, d)
	wantHeld(t, s, "a", "hash-1")
}

func failureForGood(t *testing.T, s Subject) {
	defer mustBreak(t, s, Gone)()
	if _, err := s.Sink.Deliver(limit(t), Completed("a", 1)); !retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want a permanent error", err)
	}
}

func deadlineIsHonoured(t *testing.T, s Subject) {
	heal := mustBreak(t, s, Hung)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Sink.Deliver(ctx, Completed("a", 1))
		ended <- err
	}()
	select {
	case err := <-ended:
		if err == nil || retry.IsPermanent(err) {
			t.Errorf("deliver = %v, want an error that is not permanent", err)
		}
		heal()
	case <-limit(t).Done():
		heal()
		t.Fatalf("the deadline was not honoured; the delivery ended with %v once the receiver answered", <-ended)
	}
	mustDeliver(t, s, Completed("a", 1))
	wantHeld(t, s, "a", "hash-1")
}

func endedContext(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Sink.Deliver(ctx, Completed("a", 1)); err == nil || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want an error that is not permanent", err)
	}
	wantHeld(t, s, "a", "")
}

func eventAboutNoRow(t *testing.T, s Subject) {
	mustDeliver(t, s, sink.Delivery{
		ID: "dlv_job", Event: sink.BatchCompleted, Time: time.Now(), Generation: 1, Attempt: 1, Data: []byte(`{"jobId":"job_1"}`),
	})
}

func hostileKey(t *testing.T, s Subject) {
	for _, key := range []string{
		"../../x", "/etc/passwd", "a/b", "a\x00b", "..", ".", "ключ", "a b&c=<d>", "%2e%2e", "a\nb", "a\\b",
		"%00", "a%0D%0AX-Evil: 1", `"a'b"`, "=cmd()", "\u202egnp.x", "'; DROP TABLE products; --", "{{ key }}", longKey(),
	} {
		_, err := s.Sink.Deliver(limit(t), Completed(key, 1))
		switch {
		case err == nil:
			wantHeld(t, s, key, "hash-1")
		case !retry.IsPermanent(err):
			t.Errorf("deliver %.80q = %v, want delivery or a permanent error", key, err)
		}
	}
}

// longKey is one of 64 KiB that nothing makes shorter, as an index would like to.
func longKey() string {
	noise := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	var b strings.Builder
	for b.Len() < 64<<10 {
		fmt.Fprintf(&b, "%016x", noise.Uint64())
	}
	return b.String()
}

// A row as nobody wants it: what is in it may be refused, and nothing else.
func hostileRow(t *testing.T, s Subject) {
	d := Completed("a", 1)
	d.Row = map[string]any{
		"id": "a", "null": nil, "list": []any{"x", nil, map[string]any{"y": json.Number("1")}}, "object": map[string]any{"": []any{}},
		"text": "\x00\r\n\"'\\{{ }}=IMAGE(\"\")\u202e\xff", "large": strings.Repeat("x", 1<<20), "number": json.Number("1e400"), "": true,
	}
	if _, err := s.Sink.Deliver(limit(t), d); err != nil && !retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want delivery or a permanent error", err)
	}
	mustDeliver(t, s, Completed("b", 1))
	wantHeld(t, s, "b", "hash-1")
}

func mustBatch(t *testing.T, s Subject) sink.Batcher {
	t.Helper()
	b, ok := s.Sink.(sink.Batcher)
	if !ok {
		t.Skip("this kind is told of each row by itself")
	}
	return b
}

// Each outcome is that of the delivery in its place, and a delivery of no row among
// them changes nothing.
func batchInOrder(t *testing.T, s Subject) {
	b := mustBatch(t, s)
	if most, linger := b.Batch(); most < 1 || linger < 0 {
		t.Errorf("a batch is of %d deliveries within %s", most, linger)
	}
	keys := []string{"key-3", "key-1", "key-2"}
	ds := []sink.Delivery{Completed("key-3", 1), Completed("a\x00b", 1), {ID: "dlv_none", Event: sink.RenderFailed, Key: "key-9", Binding: "cards", Generation: 1}, Completed("key-1", 1), Completed("key-2", 1)}
	outcomes := b.DeliverAll(limit(t), ds)
	if len(outcomes) != len(ds) {
		t.Fatalf("%d outcomes of %d deliveries", len(outcomes), len(ds))
	}
	for _, key := range keys {
		wantHeld(t, s, key, "hash-1")
	}
	for i, o := range outcomes {
		switch {
		case i == 1 && o.Err != nil && !retry.IsPermanent(o.Err):
			t.Errorf("a bad row ends with %v, want delivery or a permanent error", o.Err)
		case i != 1 && o.Err != nil:
			t.Errorf("delivery of %q: %v", ds[i].Key, o.Err)
		}
	}
	if none := b.DeliverAll(limit(t), nil); len(none) != 0 {
		t.Errorf("%d outcomes of nothing", len(none))
	}
}

func endedBatch(t *testing.T, s Subject) {
	b := mustBatch(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	outcomes := b.DeliverAll(ctx, []sink.Delivery{Completed("a", 1), Completed("b", 1)})
	if len(outcomes) != 2 {
		t.Fatalf("%d outcomes of 2 deliveries", len(outcomes))
	}
	for i, o := range outcomes {
		if o.Err == nil || retry.IsPermanent(o.Err) {
			t.Errorf("outcome %d is %v, want an error that is not permanent", i, o.Err)
		}
	}
	wantHeld(t, s, "a", "")
	wantHeld(t, s, "b", "")
}

// What a test tells is of a row that there is not, and does not stay one.
func testLeavesNothing(t *testing.T, s Subject) {
	tester, ok := s.Sink.(sink.Tester)
	if !ok {
		t.Skip("this kind is only asked whether it is there")
	}
	mustDeliver(t, s, Completed("a", 1))
	d := Completed("pictifyd-test", 5)
	d.Row = map[string]any{"test": true}
	if _, err := tester.Test(limit(t), d); err != nil {
		t.Errorf("test: %v", err)
	}
	if !s.ToldOfTests {
		wantHeld(t, s, "pictifyd-test", "")
	}
	wantHeld(t, s, "a", "hash-1")
}

func probeHasNoEffect(t *testing.T, s Subject) {
	prober, ok := s.Sink.(sink.Prober)
	if !ok {
		t.Skip("this kind can't be asked")
	}
	if err := prober.Probe(limit(t)); err != nil {
		t.Errorf("probe: %v", err)
	}
	mustDeliver(t, s, Completed("a", 1))
	if err := prober.Probe(limit(t)); err != nil {
		t.Errorf("probe: %v", err)
	}
	wantHeld(t, s, "a", "hash-1")
	if n := s.Effects("a"); n != 1 {
		t.Errorf("%d effects of a delivery and two probes, want 1", n)
	}
	mustDeliver(t, s, Completed("b", 1)) // a probe takes nothing away that a delivery needs
}

func mustBreak(t *testing.T, s Subject, f Fault) (heal func()) {
	t.Helper()
	heal, ok := s.Break(f)
	if !ok {
		t.Skip("this kind has no such failure")
	}
	return heal
}
