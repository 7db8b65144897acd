package daemon

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template"
)

// In these tests nothing runs by itself: each turn is taken by hand, so that
// what happens between two of them is not a matter of time.

// mustDraw reads the source catalog and draws what it changed.
func (d *Daemon) mustDraw(tb testing.TB) {
	tb.Helper()
	if err := d.bind(tb.Context(), d.roster().feeds["catalog"]); err != nil {
		tb.Fatal(err)
	}
	if err := d.poll(tb.Context(), store.Turn{ID: 1, Source: "catalog"}); err != nil {
		tb.Fatal(err)
	}
	if err := d.draw(tb.Context(), store.Turn{ID: 2}); err != nil {
		tb.Fatal(err)
	}
}

func (d *Daemon) mustDeliver(tb testing.TB) {
	tb.Helper()
	if err := d.deliver(tb.Context(), store.Turn{ID: 3, Sink: "hook"}); err != nil {
		tb.Fatal(err)
	}
}

func TestWebhookIsTriedAgainWithItsID(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.receiver.refuse = 1
	s.write("rows.csv", csvRows(1, "one"))
	d := s.open()
	d.mustDraw(t)
	d.mustDeliver(t)
	d.mustDeliver(t) // the delivery rests, so that this turn finds nothing
	if tried := s.receiver.tried; len(tried) != 1 || tried[0] == "" {
		t.Fatalf("tried %q, want one try, and then a rest", tried)
	}

	// A newer state ends the rest: what was tried goes first, as what it was.
	s.write("rows.csv", csvRows(1, "two"))
	d.mustDraw(t)
	d.mustDeliver(t)
	d.mustDeliver(t)
	tried := s.receiver.tried
	if len(tried) != 3 || tried[1] != tried[0] || tried[2] == tried[0] {
		t.Errorf("tried %q, want the first id twice and then another", tried)
	}
	if got := len(s.receiver.all("render.completed")); got != 2 {
		t.Errorf("%d webhooks arrived, want 2", got)
	}
}

func TestRetriesFollowTheScheduleAndEnd(t *testing.T) {
	s := newSite(t, catalogWithHook)
	d := s.open()
	broken := errors.New("503")
	for n, want := range retrySchedule {
		got := d.judge(store.DeliveryClaim{ID: "d", Sink: "hook", Attempt: n + 1}, broken)
		if got.Dead || got.Retry < want*9/10 || got.Retry > want*11/10 {
			t.Errorf("after try %d: %+v, want a wait of about %s", n+1, got, want)
		}
	}
	if got := d.judge(store.DeliveryClaim{ID: "d", Sink: "hook", Attempt: len(retrySchedule) + 1}, broken); !got.Dead {
		t.Errorf("after the last try: %+v, want a dead letter", got)
	}
}

// A sinkFunc is a sink.
type sinkFunc func(ctx context.Context, d sink.Delivery) error

func (f sinkFunc) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	return sink.Receipt{}, f(ctx, d)
}

func TestDeliveryAnsweredAtTheEndOfGraceIsNotSentAgain(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(1, "one"))
	d := s.open()
	d.mustDraw(t)
	ctx, endGrace := context.WithCancel(t.Context())
	sent := 0
	d.roster().sinks["hook"] = sinkFunc(func(context.Context, sink.Delivery) error {
		sent++
		endGrace()
		return nil
	})
	_ = d.deliver(ctx, store.Turn{ID: 3, Sink: "hook"})
	if _, err := d.store.ClaimDeliveries(t.Context(), store.Turn{ID: 3, Sink: "hook"}, 1); err != nil {
		t.Fatal(err)
	}
	c, err := d.store.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if open := c.DeliveriesWaiting + c.DeliveriesClaimed; sent != 1 || open != 0 {
		t.Errorf("sent %d times and %d deliveries are open, want it sent once and known as such", sent, open)
	}
}

func TestDeliveryCutOffByTheEndOfGraceIsNotJudged(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(1, "one"))
	d := s.open()
	d.mustDraw(t)
	ctx, endGrace := context.WithCancel(t.Context())
	d.roster().sinks["hook"] = sinkFunc(func(ctx context.Context, _ sink.Delivery) error {
		endGrace()
		return ctx.Err()
	})
	if err := d.deliver(ctx, store.Turn{ID: 3, Sink: "hook"}); !errors.Is(err, context.Canceled) {
		t.Errorf("the turn ended with %v, want it cut off", err)
	}
	if len(d.faults.since) != 0 {
		t.Errorf("faults %v, want none", d.faults.since)
	}
}

func TestJobWhoseTemplateCannotDrawAnyMoreEndsAsFailedRows(t *testing.T) {
	s := newSite(t, "")
	d := s.open()
	v, err := d.store.PublishTemplate(t.Context(), template.Version{Name: "old", Digest: "x", Source: []byte("<p>{{ of another time }}</p>")})
	if err != nil {
		t.Fatal(err)
	}
	rows := []batch.Row{{Index: 0, Key: "0", Values: []byte(`{"title":"a"}`)}, {Index: 1, Key: "1", Values: []byte(`{"title":"b"}`)}}
	if err := d.store.StageRows(t.Context(), "job_1", rows); err != nil {
		t.Fatal(err)
	}
	job := batch.Job{
		ID: "job_1", Template: "old", Version: v.Number, Outputs: []batch.Output{{Name: "default", Encoding: bindings.Encoding{Format: "png"}}},
		Total: 2, CreatedAt: time.Now(), WebhookURL: s.receiver.server.URL,
	}
	if err := d.store.AcceptJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if err := d.planJob(t.Context(), store.Turn{ID: 1, Job: "job_1"}); err != nil {
		t.Fatal(err)
	}
	ended, err := d.store.Job(t.Context(), "job_1")
	if err != nil {
		t.Fatal(err)
	}
	if ended.Status != batch.Failed || ended.Failed != 2 {
		t.Errorf("the job is %s with %d failed rows, want it failed with 2", ended.Status, ended.Failed)
	}
	results, err := d.store.Results(t.Context(), "job_1", -1, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Error == nil || r.Error.Message == "" {
			t.Errorf("row %d: %+v, want a reason", r.Index, r.Error)
		}
	}
}

// mustAccept makes a job of rows with the given photos.
func (d *Daemon) mustAccept(tb testing.TB, id string, photos ...string) {
	tb.Helper()
	rows := make([]batch.Row, len(photos))
	for i, photo := range photos {
		rows[i] = batch.Row{Index: int64(i), Key: string(rune('0' + i)), Values: []byte(`{"title":"a","photo":"` + photo + `"}`)}
	}
	if err := d.store.StageRows(tb.Context(), id, rows); err != nil {
		tb.Fatal(err)
	}
	job := batch.Job{
		ID: id, Template: "card", Version: 1, Outputs: []batch.Output{{Name: "default", Size: "default", Encoding: bindings.Encoding{Format: "png"}}},
		Total: int64(len(rows)), CreatedAt: time.Now(),
	}
	if err := d.store.AcceptJob(tb.Context(), job); err != nil {
		tb.Fatal(err)
	}
	if err := d.planJob(tb.Context(), store.Turn{ID: 1, Job: id}); err != nil {
		tb.Fatal(err)
	}
}

// stuck is a host of images of which one comes when the test lets it.
func stuck(tb testing.TB) (url string, release func()) {
	gate := make(chan struct{})
	picture := photos(tb)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/slow") {
			select {
			case <-gate:
			case <-r.Context().Done():
			}
		}
		http.Redirect(w, r, picture+"/photo.png", http.StatusFound)
	}))
	tb.Cleanup(server.Close)
	return server.URL, func() { close(gate) }
}

func TestFinishedPictureIsRecordedWhileTheNextOnesFileIsOnItsWay(t *testing.T) {
	s := newSite(t, "")
	d := s.open()
	host, release := stuck(t)
	d.mustAccept(t, "job_1", host+"/fast.png", host+"/slow.png")
	drawn := make(chan error, 1)
	go func() { drawn <- d.draw(t.Context(), store.Turn{ID: 2}) }()
	eventually(t, "the finished row is recorded", func() bool {
		j, err := d.store.Job(t.Context(), "job_1")
		return err == nil && j.Succeeded == 1
	})
	release()
	if err := <-drawn; err != nil {
		t.Fatal(err)
	}
	if j, err := d.store.Job(t.Context(), "job_1"); err != nil || j.Succeeded != 2 {
		t.Errorf("%+v, %v: want both rows", j, err)
	}
}

// breakBlobs makes the folder of the pictures a file, which nothing can be put in.
func (s *site) breakBlobs() {
	s.tb.Helper()
	path := filepath.Join(s.dir, "data", "images")
	if err := os.RemoveAll(path); err != nil {
		s.tb.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		s.tb.Fatal(err)
	}
}

func TestTurnThatFailsDoesNotWaitForFiles(t *testing.T) {
	s := newSite(t, "")
	d := s.open()
	host, release := stuck(t)
	defer release()
	d.mustAccept(t, "job_1", host+"/fast.png", host+"/slow.png")
	s.breakBlobs()
	ended := make(chan error, 1)
	go func() { ended <- d.draw(t.Context(), store.Turn{ID: 2}) }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the turn ended well without a place for its pictures")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the failed turn waits for a file that nobody needs")
	}
}

func TestFaultOfTheDiskIsNotTheRows(t *testing.T) {
	s := newSite(t, "")
	d := s.open()
	d.mustAccept(t, "job_1", photos(t)+"/photo.png")
	s.breakBlobs()
	if err := d.draw(t.Context(), store.Turn{ID: 2}); err == nil {
		t.Error("the turn ended well without a place for its pictures")
	}
	if j, err := d.store.Job(t.Context(), "job_1"); err != nil || j.Failed != 0 {
		t.Errorf("%+v, %v: want no row failed for a fault of the disk", j, err)
	}
}
