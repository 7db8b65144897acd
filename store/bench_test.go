package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// BenchmarkReading commits a reading of 10,000 rows of which 10 changed, in
// batches of 1,000 as they come from a source: what is known, what changed, the
// judgement at the end.
func BenchmarkReading(b *testing.B) {
	for name, url := range databases(b) {
		b.Run(name, func(b *testing.B) {
			s := open(b, url)
			defer s.Close()
			const rows, batch = 10000, 1000
			texts := make([]int, rows)
			commitReading(b, s, 1, texts, batch)
			var seq int64 = 1
			for b.Loop() {
				seq++
				for i := range 10 {
					texts[i*rows/10]++
				}
				commitReading(b, s, seq, texts, batch)
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkFirstReading is one in which all 10,000 rows are new.
func BenchmarkFirstReading(b *testing.B) {
	for name, url := range databases(b) {
		b.Run(name, func(b *testing.B) {
			s := open(b, url)
			defer s.Close()
			const rows = 10000
			texts := make([]int, rows)
			var seq int64
			for b.Loop() {
				seq++
				for i := range texts {
					texts[i]++
				}
				commitReading(b, s, seq, texts, 1000)
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func databases(b *testing.B) map[string]string {
	b.Helper()
	all := map[string]string{"sqlite": "sqlite:" + filepath.Join(b.TempDir(), "pictifyd.db")}
	if dsn := os.Getenv("PICTIFYD_TEST_POSTGRES"); dsn != "" {
		all["postgres"] = schemaOf(b, dsn)
	}
	return all
}

func commitReading(tb testing.TB, s *store.Store, seq int64, texts []int, size int) {
	tb.Helper()
	id := fmt.Sprintf("shop#%d", seq)
	for at := 0; at < len(texts); at += size {
		end := min(at+size, len(texts))
		keys := make([]string, 0, size)
		for i := at; i < end; i++ {
			keys = append(keys, fmt.Sprintf("sku-%06d", i))
		}
		known, err := s.Known(tb.Context(), "shop", keys, []string{"cards"})
		if err != nil {
			tb.Fatal(err)
		}
		p := bindings.Plan{Source: "shop", Reading: id, Seen: len(keys), Promote: map[string]bool{"cards": seq == 1}}
		for i, key := range keys {
			text := texts[at+i]
			digest := fmt.Sprintf("digest-%d-%d", at+i, text)
			if k := known[key]; k.Row != nil && k.Row.Digest == digest {
				continue
			}
			p.Rows = append(p.Rows, bindings.RowChange{Key: key, Version: seq, Digest: digest,
				Values: fmt.Appendf(nil, `{"sku":%q,"title":"A product with a name of usual length","price":"%d.99","stock":"7"}`, key, text)})
			spec := bindings.Spec{Template: "card", Version: 1, Page: "page", Size: "card", Values: []string{key, fmt.Sprint(text)}, Encoding: bindings.Encoding{Format: "png"}}
			p.Proposals = append(p.Proposals, bindings.Proposal{Owner: bindings.BindingOwner("cards"), Key: key, Digest: digest,
				Priority: bindings.PriorityChange, Wants: []bindings.Want{{Output: "card", Fingerprint: "fp-" + digest, Spec: spec}}})
		}
		if end == len(texts) {
			p.Closes = &bindings.Closing{Complete: true, At: time.Now(), Rows: len(texts), Has: func(string) bool { return true }}
		}
		if _, err := s.Commit(tb.Context(), p); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkTurn is the time from a commit that leaves a render waiting to the
// worker that has claimed it.
func BenchmarkTurn(b *testing.B) {
	for name, url := range databases(b) {
		b.Run(name, func(b *testing.B) {
			s := open(b, url)
			defer s.Close()
			claimed := make(chan error, 1)
			idle := func(context.Context, store.Turn) error { return nil }
			w := store.Workers{Slots: 1, Deliver: idle, Poll: idle, Plan: idle, Render: func(ctx context.Context, t store.Turn) error {
				claims, err := s.ClaimRenders(ctx, t, 100)
				claimed <- err
				var done []store.Rendered
				for _, c := range claims {
					done = append(done, store.Rendered{Fingerprint: c.Fingerprint, Hash: "h", Ext: "png"})
				}
				return s.FinishRenders(ctx, t, done, true)
			}}
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx, w, time.Second) }()
			n := 0
			for b.Loop() {
				n++
				text := fmt.Sprint(n)
				spec := bindings.Spec{Template: "card", Page: "page", Values: []string{text}, Encoding: bindings.Encoding{Format: "png"}}
				if _, err := s.Replan(b.Context(), "cards", []bindings.Proposal{{Owner: bindings.BindingOwner("cards"), Key: text, Digest: text,
					Wants: []bindings.Want{{Output: "card", Fingerprint: text, Spec: spec}}}}); err != nil {
					b.Fatal(err)
				}
				if err := <-claimed; err != nil {
					b.Fatal(err)
				}
			}
			cancel()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
		})
	}
}
