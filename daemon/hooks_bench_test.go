package daemon

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/signing"
)

// BenchmarkHooks is signed calls of one row each by 32 senders over HTTP, into
// SQLite, until each is answered. The null renderer draws nothing meanwhile. new
// has another row in each call, hot the same row of all of them.
func BenchmarkHooks(b *testing.B) {
	for _, c := range []struct {
		name string
		key  func(n int64) string
	}{
		{"new", func(n int64) string { return fmt.Sprint("row-", n) }},
		{"hot", func(int64) string { return "hot" }},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := newSite(b, crmSite).open()
			server, err := d.server(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			site := httptest.NewServer(server)
			defer site.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			defer client.CloseIdleConnections()
			var sent atomic.Int64
			b.SetParallelism(16)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := sent.Add(1)
					body := []byte(records(record(c.key(n), fmt.Sprint("Ada ", n))))
					req, err := http.NewRequest(http.MethodPost, site.URL+"/hooks/crm", bytes.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					m := signing.Message{ID: fmt.Sprint("msg_", n), Sent: time.Now(), Body: body}
					if err := m.Sign(req.Header, crmSecret); err != nil {
						b.Error(err)
						return
					}
					res, err := client.Do(req)
					if err != nil {
						b.Error(err)
						return
					}
					text, _ := io.ReadAll(res.Body)
					res.Body.Close()
					if res.StatusCode != http.StatusOK {
						b.Errorf("%d %s", res.StatusCode, text)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
