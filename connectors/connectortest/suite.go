package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/connectors"
)

// patience is how long something that happens promptly may take on a busy machine.
const patience = 20 * time.Second

// A Suite is what the tests have to know of a kind.
type Suite struct {
	Kind connectors.Kind
	// Open makes a source of its own for one test.
	Open func(tb testing.TB) Source
	// Values are columns of one more row beside the texts that the suite makes
	// up, as they have to be seen: what the kind has in types and nesting.
	Values map[string]any
}

// A Source is a source that the suite can change. Its configuration has the key
// column "id"; its rows have the columns "id" and "name", and those of Values.
type Source struct {
	Config connectors.Config
	// Set makes the source hold exactly these rows, in this order.
	Set func(tb testing.TB, rows []map[string]any)
	// Break makes the source one that can't be read, until the next Set. nil where
	// that can't be.
	Break func(tb testing.TB)
	// Cut makes the source one that breaks off after these rows, until the next Set.
	// nil where that can't be.
	Cut func(tb testing.TB, rows []map[string]any)
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *fixture)
	}{
		{"ReadsEveryRow", readsEveryRow},
		{"ReadsTheSameTwice", readsTheSameTwice},
		{"KeepsTypes", keepsTypes},
		{"ClosesWithoutRows", closesWithoutRows},
		{"ConfirmsWhatTheCursorHas", confirmsWhatTheCursorHas},
		{"SeesAChangeAfterTheCursor", seesAChangeAfterTheCursor},
		{"ReadsAllUnderACursorOfOthers", readsUnderForeignCursor},
		{"ClosesNothingWhenItCannotRead", closesNothingWhenBroken},
		{"ClosesNothingWhenTheSourceBreaksOff", closesNothingWhenCut},
		{"StopsWhenABatchIsRefused", stopsWhenRefused},
		{"StopsWhenTheClosingIsRefused", stopsWhenClosingRefused},
		{"EndsWithItsContext", endsWithContext},
		{"ReadsNothingUnderAnEndedContext", readsNothingUnderEndedContext},
		{"WakesOnAChange", wakesOnChange},
		{"StopsWakingWithItsContext", stopsWaking},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, &fixture{suite: s, source: s.Open(t)})
		})
	}
}

type fixture struct {
	suite  Suite
	source Source
}

// poller is a new one, as after a restart: only the cursor carries over.
func (f *fixture) poller(tb testing.TB) connectors.Poller {
	tb.Helper()
	p, err := f.suite.Kind.New(f.source.Config, connectors.Env{Name: "suite"})
	if err != nil {
		tb.Fatalf("new poller: %v", err)
	}
	if c, ok := p.(io.Closer); ok {
		tb.Cleanup(func() {
			if err := c.Close(); err != nil {
				tb.Errorf("close poller: %v", err)
			}
		})
	}
	return p
}

// poll polls once and reports what broke the contract, whatever came out of it.
func (f *fixture) poll(tb testing.TB, from connectors.Cursor, r *Recorder) error {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	err := f.poller(tb).Poll(ctx, from, r.Emit)
	f.check(tb, r)
	if err == nil && r.Closing == nil {
		tb.Error("Poll returned nil and closed nothing")
	}
	return err
}

func (f *fixture) check(tb testing.TB, r *Recorder) {
	tb.Helper()
	for _, broken := range r.broken {
		tb.Error(broken)
	}
	columns := f.source.Config.Base().Key
	for _, row := range r.Rows {
		if diff := cmp.Diff(connectors.KeyOf(columns, row.Values), row.Key); diff != "" && !row.Deleted {
			tb.Errorf("%s: key (-want +got):\n%s", row.Position, diff)
		}
	}
}

// mustPoll is a reading that was closed as complete.
func (f *fixture) mustPoll(tb testing.TB, from connectors.Cursor) *Recorder {
	tb.Helper()
	var r Recorder
	if err := f.poll(tb, from, &r); err != nil {
		tb.Fatalf("poll: %v", err)
	}
	if r.Closing == nil || !r.Closing.Complete {
		tb.Fatalf("closing is %+v, want a complete one", r.Closing)
	}
	return &r
}

// newRows makes up n rows.
func newRows(n int) []map[string]any {
	rows := make([]map[string]any, n)
	for i := range rows {
		rows[i] = map[string]any{"id": fmt.Sprintf("%04d", i), "name": fmt.Sprintf("Ada; \"no. %d\", ä\n", i)}
	}
	return rows
}

func valuesOf(rows []connectors.Row) []map[string]any {
	values := make([]map[string]any, len(rows))
	for i, row := range rows {
		values[i] = row.Values
	}
	return values
}

func mustEqual(tb testing.TB, want, got any) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Fatalf("(-want +got):\n%s", diff)
	}
}

var errRefused = errors.New("refused")
