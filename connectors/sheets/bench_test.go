package sheets_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
)

const benchRows = 50_000

// A large sheet has to come through whole within Google's quota of 60 reads a
// minute, which the emulator counts.
func BenchmarkASheetOfFiftyThousandRows(b *testing.B) {
	sheets.Usual()
	defer sheets.Small()
	rows := products(benchRows)
	for _, bench := range []struct {
		name  string
		known bool // nothing changed since the cursor
	}{{"first", false}, {"unchanged", true}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			requests, refused := 0, 0
			var cursor connectors.Cursor
			for b.Loop() {
				b.StopTimer()
				// Each has the quota of a minute of its own.
				e := sheetstest.New(sheetstest.Options{Anonymous: true})
				e.Add("BOOK", "Shop").AddSheet("Products", rows...)
				server := httptest.NewServer(e)
				cfg := newConfig(server.URL)
				p, err := sheets.Kind.New(cfg, connectors.Env{Name: "sheet"})
				if err != nil {
					b.Fatal(err)
				}
				if bench.known {
					cursor = poll(b, p, nil)
				}
				before := len(e.Calls())
				b.StartTimer()
				poll(b, p, cursor)
				b.StopTimer()
				requests += len(e.Calls()) - before
				refused += e.Refusals()
				_ = p.(io.Closer).Close()
				server.Close()
				b.StartTimer()
			}
			if refused > 0 {
				b.Errorf("%d requests were over the quota", refused)
			}
			b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
		})
	}
}

func poll(b *testing.B, p connectors.Poller, from connectors.Cursor) (cursor connectors.Cursor) {
	b.Helper()
	err := p.Poll(b.Context(), from, func(_ context.Context, batch connectors.Batch) error {
		if batch.Closes != nil {
			if !batch.Closes.Complete {
				return errors.New(batch.Closes.Reason)
			}
			cursor = batch.Closes.Cursor
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return cursor
}
