// Package storetest is the suite that every database of the store passes.
package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// Open opens the ledger of a test. Called again for the same test after Close,
// it opens the same one.
type Open func(tb testing.TB) *store.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, group := range []map[string]func(*testing.T, Open){settings, readings, guards, renders, places, gallery, redrawn, deliveries, sinks, counts, letters, jobs, intakes, steering, rowEvents, turns, views, interrupted, drafts, rechecks, keys, lately, keeping, asked, resources, inboxes, arrivals, looks, freshness, lookups, runs, forced, numbering, subscriptions, news, streams, rowPlaces, mapped, ledger, past, experiments, experimentNews, treated, copilots, audits, reseals} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) { test(t, open) })
		}
	}
}

// start is the moment of the readings in the suite.
var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// newStore opens a ledger that is closed at the end of the test.
func newStore(tb testing.TB, open Open) *store.Store {
	tb.Helper()
	s := open(tb)
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	return s
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// got is the value of a call that must not fail.
func got[T any](v T, err error) func(tb testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		must(tb, err)
		return v
	}
}

// owner is the binding of most tests.
var owner = bindings.BindingOwner("cards")

const source = "shop"

// wants is a proposal with one output whose picture says text.
func wants(key, text string) bindings.Proposal {
	return wantsOutputs(owner, key, "card="+text)
}

// wantsOutputs is a proposal with outputs NAME=TEXT.
func wantsOutputs(o bindings.Owner, key string, outputs ...string) bindings.Proposal {
	p := bindings.Proposal{Owner: o, Key: key, Priority: bindings.PriorityChange}
	for _, output := range outputs {
		name, text, _ := strings.Cut(output, "=")
		spec := bindings.Spec{Template: "card", Version: 1, Page: "page-" + name, Size: name, Values: []string{text}, Encoding: bindings.Encoding{Format: "png"}}
		p.Wants = append(p.Wants, bindings.Want{Output: name, Fingerprint: "fp-" + name + "-" + text, Spec: spec})
		p.Digest += output + ";"
	}
	return p
}

// fails is a proposal of a row that is at fault.
func fails(key, code string) bindings.Proposal {
	return bindings.Proposal{Owner: owner, Key: key, Digest: "!" + code,
		Problem: &bindings.Problem{Code: code, Field: "variables.title", Message: "the title is missing"}}
}

// removes is a proposal of an item that goes.
func removes(key string) bindings.Proposal {
	return bindings.Proposal{Owner: owner, Key: key, Remove: true, Digest: "-"}
}

// row is a row whose values are text.
func row(key string, version int64, text string) bindings.RowChange {
	return bindings.RowChange{Key: key, Version: version, Values: fmt.Appendf(nil, `{"id":%q,"text":%q}`, key, text), Digest: "row-" + text}
}

// A reading commits the whole of a source, planned as bindings plans it.
type reading struct {
	seq     int64
	rows    map[string]string // key to text
	partial bool
	at      time.Time
	judge   func(binding string, c bindings.Counts) bindings.Verdict
	promote bool // it is the first one
}

// read plans r against what the store knows, and commits it.
func read(tb testing.TB, s *store.Store, r reading) store.CommitResult {
	tb.Helper()
	p := plan(tb, s, r)
	if r.at.IsZero() {
		r.at = start.Add(time.Duration(r.seq) * time.Minute)
	}
	p.Closes = &bindings.Closing{
		Complete: !r.partial, Cursor: fmt.Appendf(nil, "after %d", r.seq), At: r.at, Rows: len(r.rows),
		Has: func(key string) bool { _, ok := r.rows[key]; return ok }, Judge: r.judge,
	}
	return got(s.Commit(tb.Context(), p))(tb)
}

// plan is what the rows of r change.
func plan(tb testing.TB, s *store.Store, r reading) bindings.Plan {
	tb.Helper()
	keys := make([]string, 0, len(r.rows))
	for key := range r.rows {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	known := got(s.Known(tb.Context(), source, keys, []string{"cards"}))(tb)
	p := bindings.Plan{Source: source, Reading: fmt.Sprintf("%s#%d", source, r.seq), Seen: len(keys)}
	if r.promote {
		p.Promote = map[string]bool{"cards": true}
	}
	for _, key := range keys {
		k, text := known[key], r.rows[key]
		change := row(key, r.seq, text)
		if k.Row == nil || k.Row.Digest != change.Digest || k.Row.Missing {
			p.Rows = append(p.Rows, change)
		}
		if want, item := wants(key, text), k.Items["cards"]; want.Digest != item.Digest || item.Removed || item.Proposed != "" {
			p.Proposals = append(p.Proposals, want)
		}
	}
	return p
}

// hand is a turn that no queue gave.
func hand(id int64) store.Turn { return store.Turn{ID: id} }

// draw claims and finishes every waiting render, and tells what was drawn.
func draw(tb testing.TB, s *store.Store) (drawn []string) {
	tb.Helper()
	for turn := int64(1000); ; turn++ {
		claims := got(s.ClaimRenders(tb.Context(), hand(turn), 100))(tb)
		if len(claims) == 0 {
			return drawn
		}
		var done []store.Rendered
		for _, c := range claims {
			drawn = append(drawn, c.Fingerprint)
			done = append(done, picture(c))
		}
		must(tb, s.FinishRenders(tb.Context(), hand(turn), done, true))
	}
}

func picture(c store.Claim) store.Rendered {
	return store.Rendered{Fingerprint: c.Fingerprint, Hash: "hash of " + c.Fingerprint, Ext: c.Spec.Format, Bytes: 10, Width: 4, Height: 3, Duration: time.Millisecond}
}

// deliver claims and finishes every due delivery of sink with result.
func deliver(tb testing.TB, s *store.Store, sink string, result error) (sent []store.DeliveryClaim) {
	tb.Helper()
	turn := store.Turn{ID: 2000, Sink: sink}
	for {
		claims := got(s.ClaimDeliveries(tb.Context(), turn, 50))(tb)
		if len(claims) == 0 {
			return sent
		}
		sent = append(sent, claims...)
		var done []store.Delivered
		for _, c := range claims {
			done = append(done, store.Delivered{ID: c.ID, Err: result, Retry: time.Hour})
		}
		must(tb, s.FinishDeliveries(tb.Context(), turn, done, true))
	}
}

// image is the served picture of the item's only output.
func image(tb testing.TB, s *store.Store, key string) bindings.Image {
	tb.Helper()
	return got(s.Image(tb.Context(), owner, key, "", "png"))(tb)
}

// status is the state of the binding.
func status(tb testing.TB, s *store.Store) bindings.Status {
	tb.Helper()
	return got(s.Bindings(tb.Context(), []string{"cards"}))(tb)[0]
}

// acceptJob stages and accepts a job of n rows and returns it with its rows.
func acceptJob(tb testing.TB, s *store.Store, id string, n int) batch.Job {
	tb.Helper()
	rows := make([]batch.Row, n)
	for i := range rows {
		rows[i] = batch.Row{Index: int64(i), Key: fmt.Sprint(i), Values: fmt.Appendf(nil, `{"title":"row %d"}`, i)}
	}
	must(tb, s.StageRows(tb.Context(), id, rows))
	j := batch.Job{ID: id, Template: "card", Version: 1, Outputs: []batch.Output{{Name: "card", Encoding: bindings.Encoding{Format: "png"}}}, RowKey: "title",
		Metadata: json.RawMessage(`{"campaign":7}`), WebhookURL: "https://example.com/hook", IdempotencyKey: "key of " + id,
		BodyDigest: "digest", Status: batch.Pending, Total: int64(n), CreatedAt: start}
	must(tb, s.AcceptJob(tb.Context(), j))
	j.Run = 1
	return j
}

// planJob plans all rows of a job in pages; text says what the picture of a row shows.
func planJob(tb testing.TB, s *store.Store, id string, text func(index int64) string) {
	tb.Helper()
	const page = 300
	for planned := int64(0); ; {
		rows := got(s.UnplannedRows(tb.Context(), id, page))(tb)
		var proposals []bindings.Proposal
		for _, r := range rows {
			p := bindings.Proposal{Owner: bindings.JobOwner(id), Key: r.Key, Digest: "!bad", Problem: &bindings.Problem{Code: "missing_variable", Message: "the title is missing"}}
			if shows := text(r.Index); shows != "" {
				p = wantsOutputs(bindings.JobOwner(id), r.Key, "card="+shows)
			}
			p.Index, p.Priority = r.Index, bindings.PriorityBatch
			proposals = append(proposals, p)
		}
		planned += int64(len(rows))
		must(tb, s.PlanRows(tb.Context(), hand(3000), id, proposals, planned, len(rows) < page))
		if len(rows) < page {
			return
		}
	}
}

// deadline is a context that ends when a test has hung.
func deadline(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	tb.Cleanup(cancel)
	return ctx
}
