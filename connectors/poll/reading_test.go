package poll_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/poll"
)

// made is a document of so many rows of so many bytes, which then ends with err.
type made struct {
	rows int
	size int64
	err  error
}

func (m *made) Next() (poll.Element, error) {
	if m.rows == 0 {
		return poll.Element{}, m.err
	}
	m.rows--
	return poll.Element{Values: map[string]any{"id": fmt.Sprint(m.rows)}, Position: fmt.Sprintf("line %d", m.rows), Size: m.size}, nil
}

func TestBatchesAreBoundInRowsAndBytes(t *testing.T) {
	for name, c := range map[string]struct {
		document made
		want     []int
	}{
		"many small":  {made{rows: 1201, size: 10, err: io.EOF}, []int{500, 500, 201}},
		"a full last": {made{rows: 500, size: 10, err: io.EOF}, []int{500, 0}},
		"few large":   {made{rows: 5, size: 4 << 20, err: io.EOF}, []int{2, 2, 1}},
		"none":        {made{err: io.EOF}, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			reading := poll.NewReading([]string{"id"}, func(_ context.Context, b connectors.Batch) error {
				got = append(got, len(b.Rows))
				return nil
			})
			if err := reading.Copy(t.Context(), &c.document); err != nil {
				t.Fatal(err)
			}
			if err := reading.Close(t.Context(), connectors.Closing{Complete: true}); err != nil {
				t.Fatal(err)
			}
			mustEqual(t, c.want, got)
		})
	}
}

func TestRowsBeforeAnErrorAreEmitted(t *testing.T) {
	broken := errors.New("broken")
	var r connectortest.Recorder
	err := poll.NewReading([]string{"id"}, r.Emit).Copy(t.Context(), &made{rows: 3, err: broken})
	if !errors.Is(err, broken) || len(r.Rows) != 3 || r.Closing != nil {
		t.Errorf("Copy returned %v after %d rows, closing %v", err, len(r.Rows), r.Closing)
	}
}

func TestDocumentOfFaultsOnlyIsNotUnderstood(t *testing.T) {
	var r connectortest.Recorder
	d, err := asCSV.Decoder(poll.CSV, strings.NewReader("id,name\n1;x\n2;y\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = poll.NewReading([]string{"id"}, r.Emit).Copy(t.Context(), d)
	mustProblem(t, err, 0, "line 2: 1 cells where the header has 2", "delimiter")
}

func TestCursorOpensOnlyUnderItsBinding(t *testing.T) {
	bind := func(parts ...any) poll.Binding {
		b, err := poll.Bind(parts...)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	mine := bind("products.csv", []string{"sku"})
	cursor, err := mine.Seal(map[string]int{"n": 7})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]int
	if !bind("products.csv", []string{"sku"}).Open(cursor, &got) || got["n"] != 7 {
		t.Errorf("opened as %v", got)
	}
	for _, other := range []poll.Binding{bind("products.csv", []string{"id"}), bind("products.csvsku"), ""} {
		if other.Open(cursor, &got) {
			t.Errorf("binding %q opened a cursor of another", other)
		}
	}
	for _, broken := range []string{"", "{", "null", strings.Replace(string(cursor), "7", `"x"`, 1)} {
		if mine.Open(connectors.Cursor(broken), &got) {
			t.Errorf("opened the cursor %q", broken)
		}
	}
}

func TestReadAllStopsAtTheLimit(t *testing.T) {
	for _, announced := range []int64{-1, 0, 5, 10, 11} {
		if _, err := poll.ReadAll(strings.NewReader("12345678901"), announced, 10); err == nil || !strings.Contains(err.Error(), "larger than 10B") {
			t.Errorf("11 bytes, announced as %d: %v, want larger than 10B", announced, err)
		}
	}
	got, err := poll.ReadAll(strings.NewReader("1234567890"), -1, 10)
	if err != nil || string(got) != "1234567890" {
		t.Errorf("10 bytes: %q, %v", got, err)
	}
}
