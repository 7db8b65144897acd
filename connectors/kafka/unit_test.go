package kafka

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
	"github.com/pictifyd/pictifyd/connectors/stream"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
)

// newIdleReader reads nothing by itself: a test hands it the answers of a leader. It is
// at the offset 5 of partition 0.
func newIdleReader(t *testing.T, l *ledger) *reader {
	t.Helper()
	topic := wire.Topic{Name: "goods", Partitions: []wire.Partition{{Number: 0, Leader: 1}}}
	at := newPosition(topic)
	at.Parts[0] = place{Next: 5, Epoch: 1}
	r := newReader(at, topic, time.Now())
	decoder, err := value.New(value.Defaults(), nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	r.decoder, r.log, r.explain = decoder, slog.New(slog.DiscardHandler), func(err error) error { return err }
	r.collector = stream.NewCollector(l.emit, stream.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.collector.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

func mustTake(t *testing.T, r *reader, f wire.Fetched, first bool) {
	t.Helper()
	if f.Cut == 0 {
		f.Cut = -1
	}
	if err := r.take(t.Context(), f, first, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// P1: where all records behind an offset were compacted away, batches and all, a leader
// answers that there is nothing, for ever. (*reader).hole cures it.
func TestWhatALeaderHasNothingOfIsSteppedOver(t *testing.T) {
	r := newIdleReader(t, newLedger())
	nothing := wire.Fetched{Number: 0, End: 9, Committed: 8}
	for range 5 { // others may have taken all the room of the answer
		mustTake(t, r, nothing, false)
	}
	if next := r.position().Parts[0].Next; next != 5 {
		t.Fatalf("next = %d after answers in which the partition was not first, want 5", next)
	}
	mustTake(t, r, nothing, true)
	if next := r.position().Parts[0].Next; next != 5 {
		t.Fatalf("next = %d after one answer, want 5", next)
	}
	mustTake(t, r, nothing, true)
	if next := r.position().Parts[0].Next; next != 8 {
		t.Errorf("next = %d, want 8, where what is committed ends", next)
	}
}

// What is too large for an answer is asked for again with more room, and not stepped over.
func TestBatchThatIsCutOffIsAskedForWithMoreRoom(t *testing.T) {
	r := newIdleReader(t, newLedger())
	for range 3 {
		mustTake(t, r, wire.Fetched{Number: 0, End: 9, Committed: 9, Batches: make([]byte, 40)[:11]}, true)
	}
	r.following[1] = true
	places, room, _ := r.places(1, time.Now())
	if places[0].Offset != 5 || places[0].MaxBytes != 8*placeBytes || room < places[0].MaxBytes {
		t.Errorf("places = %+v, room %d, want the same offset with eight times the room", places, room)
	}
}

// P1: whatever keeps a partition from going on, a person hears of it. (*reader).stalled
// cures it.
func TestPartitionThatDoesNotGoOnIsToldOf(t *testing.T) {
	r := newIdleReader(t, newLedger())
	now := time.Now()
	mustTake(t, r, wire.Fetched{Number: 0, End: 9, Committed: 9}, false)
	if w := r.state(now.Add(stallAfter / 2)).Warning; w != nil {
		t.Errorf("warning = %v too soon", w)
	}
	if w := r.state(now.Add(2 * stallAfter)).Warning; w == nil || !strings.Contains(w.Error(), "partition 0 has not gone on for 1m0s at offset 5, although it ends at 9") {
		t.Errorf("warning = %v, want that it stalls", w)
	}
	mustTake(t, r, wire.Fetched{Number: 0, End: 5, Committed: 5}, false)
	if w := r.state(time.Now().Add(time.Second)).Warning; w != nil {
		t.Errorf("warning = %v although nothing is left", w)
	}
}

func TestTransactionThatIsOpenForLongIsToldOf(t *testing.T) {
	r := newIdleReader(t, newLedger())
	mustTake(t, r, wire.Fetched{Number: 0, End: 9, Committed: 5}, true)
	s := r.state(time.Now().Add(time.Minute))
	if s.Warning != nil || s.Lag["0"] != 4 || s.HeardAt.IsZero() {
		t.Errorf("state = %+v, want a lag of 4 and no warning", s)
	}
	if w := r.state(time.Now().Add(time.Hour)).Warning; w == nil || !strings.Contains(w.Error(), "a transaction in partition 0 has been open for 1h0m0s") {
		t.Errorf("warning = %v", w)
	}
}

// batchAt is a batch of records with the keys, from an offset on.
func batchAt(t *testing.T, first byte, keys ...string) []byte {
	t.Helper()
	p := transaction{}
	var all []message
	for _, key := range keys {
		all = append(all, put(key, 1))
	}
	b := p.encode(t, 0, 0, all)[4:]
	b[7] = first // is not under the checksum
	return b
}

// A batch that is not as it was written is set aside once it is known where the next one
// begins; what its own head says of that may be wrong, too.
func TestDamagedBatchIsSetAside(t *testing.T) {
	l := newLedger()
	r := newIdleReader(t, l)
	bad, good := batchAt(t, 5, "a", "b", "c"), batchAt(t, 8, "d")
	bad[len(bad)-1] ^= 1
	bad[26]++ // the number of its last offset, too
	mustTake(t, r, wire.Fetched{Number: 0, End: 8, Committed: 8, Batches: bad}, true)
	if next := r.position().Parts[0].Next; next != 5 {
		t.Fatalf("next = %d while nothing stands behind it, want 5", next)
	}
	if w := r.state(time.Now().Add(time.Minute)).Warning; w == nil || !strings.Contains(w.Error(), "its checksum is another one") {
		t.Errorf("warning = %v", w)
	}
	mustTake(t, r, wire.Fetched{Number: 0, End: 9, Committed: 9, Batches: append(bad, good...)}, true)
	if err := r.collector.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if next := r.position().Parts[0].Next; next != 9 || len(l.rows) != 1 || len(l.faults) != 1 || l.faults[0].Position != "goods/0@5-7" {
		t.Errorf("next = %d, rows %v, faults %+v, want 9, d and one fault of 5 to 7", next, l.rows, l.faults)
	}
	if w := r.state(time.Now()).Warning; w != nil {
		t.Errorf("warning = %v", w)
	}
}

func TestOffsetThatIsRefusedIsLookedAtAnew(t *testing.T) {
	r := newIdleReader(t, newLedger())
	refused := wire.Fetched{Number: 0, Cut: -1, Err: outOfRange}
	for try := range 3 {
		if err := r.take(t.Context(), refused, true, time.Now()); !errors.Is(err, errAgain) {
			t.Fatalf("take = %v, want that all is looked at again", err)
		}
		if r.cut[0] != (try == 2) { // it is in the range, and refused all the same
			t.Errorf("cut = %t after %d refusals", r.cut[0], try+1)
		}
	}
}
