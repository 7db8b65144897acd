package poll_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors/poll"
)

func all(tb testing.TB, d poll.Decoder) (elements []poll.Element, err error) {
	tb.Helper()
	for {
		e, err := d.Next()
		if errors.Is(err, io.EOF) {
			return elements, nil
		} else if err != nil {
			return elements, err
		}
		elements = append(elements, e)
	}
}

func decoderOf(tb testing.TB, text string) poll.Decoder {
	tb.Helper()
	d, err := asCSV.Decoder(poll.CSV, strings.NewReader(text), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestNamedElementsSayWhereTheyAreFrom(t *testing.T) {
	got, err := all(t, poll.Origin{Name: "b.csv", Column: "file"}.Named(decoderOf(t, "id;name\n1;a\n2\n")))
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, []map[string]any{{"id": "1", "name": "a", "file": "b.csv"}}, rowsOf(got))
	mustEqual(t, []string{"b.csv line 3 bad_record: 1 cells where the header has 2"}, faultsOf(got))
	mustEqual(t, "b.csv line 2", got[0].Position)
}

func TestColumnThatTheTableHasDoesNotTakeTheName(t *testing.T) {
	_, err := all(t, poll.Origin{Name: "b.csv", Column: "name"}.Named(decoderOf(t, "id,name\n1,a\n")))
	mustProblem(t, err, 0, "file_column", `"name"`, "b.csv line 2")
}

func TestLastElementOfAnUnendedTableIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		rows   int
		faults []string
	}{
		"a row":         {"id,name\n1,a\n2,b", 1, []string{"line 3 bad_record: the last line has no end, where the file had one before: it may be cut short"}},
		"a fault":       {"id,name\n1,a\n2", 1, []string{"line 3 bad_record: 1 cells where the header has 2"}},
		"one row alone": {"id,name\n1,a", 0, []string{"line 2 bad_record: the last line has no end, where the file had one before: it may be cut short"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all(t, poll.Unended(decoderOf(t, c.text)))
			if err != nil || len(rowsOf(got)) != c.rows {
				t.Errorf("%d rows, %v", len(rowsOf(got)), err)
			}
			mustEqual(t, c.faults, faultsOf(got))
		})
	}
	_, err := all(t, poll.Unended(decoderOf(t, "id,na")))
	mustProblem(t, err, 0, "header has no end")
	_, err = all(t, poll.Unended(decoderOf(t, "id,name\n1,\"a")))
	mustProblem(t, err, 2, "quote")
}
