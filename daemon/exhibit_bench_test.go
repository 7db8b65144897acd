package daemon

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkExperiment is what the public doors of experiments do in a daemon of its
// own process, whose client shares the machine with it: a plain image under its hash
// as the baseline, the image of a unit that is known, that of units who come for the
// first time, and events, one in a call and a hundred.
func BenchmarkExperiment(b *testing.B) {
	s, e := newSite(b, ""), newExperiment("two-cards")
	const key = "benchmark-key-of-experiments"
	yaml, err := os.ReadFile(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	s.write("pictifyd.yaml", strings.Replace(string(yaml), `"127.0.0.1:0"`, `"127.0.0.1:0", keys: [ { name: bench, key: "`+key+`", scopes: [experiments:write] } ]`, 1))
	var plain string
	s.inside(func(d *Daemon) {
		e = d.exhibits(b, e)
		stand, err := d.exhibit.of(e.ID)
		if err != nil {
			b.Fatal(err)
		}
		plain = "/images/" + stand.pictures["plain"].Hash + ".png"
	})
	p := s.start()
	const known = 1000
	for i := range known {
		fetchAs(b, http.MethodGet, fmt.Sprint(p.url, "/s/two-cards/known-", i, ".png"), "")
	}
	asks := func(path string) string {
		return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: " + firefox + "\r\n\r\n"
	}
	sends := func(events ...string) string {
		body := `{"events":[` + strings.Join(events, ",") + "]}"
		return fmt.Sprintf("POST /s/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", key, len(body), body)
	}
	event := func(n int64) string {
		return fmt.Sprintf(`{"experiment":"two-cards","event":"conversion","unit":"known-%d","id":"e%d"}`, n%known, n)
	}
	var sent atomic.Int64
	for _, one := range []struct {
		name    string
		request func(n int64) string
		events  int
	}{
		{"Plain", func(int64) string { return asks(plain) }, 0},
		{"Known", func(n int64) string { return asks(fmt.Sprint("/s/two-cards/known-", n%known, ".png")) }, 0},
		{"New", func(n int64) string { return asks(fmt.Sprint("/s/two-cards/new-", n, ".png")) }, 0},
		{"Event", func(n int64) string { return sends(event(n)) }, 1},
		{"Events100", func(n int64) string {
			hundred := make([]string, 100)
			for i := range hundred {
				hundred[i] = event(1e9 + 100*n + int64(i))
			}
			return sends(hundred...)
		}, 100},
	} {
		b.Run(one.name, func(b *testing.B) {
			var mu sync.Mutex
			var took []time.Duration
			before, began := cpuOf(b, p.cmd.Process.Pid), time.Now()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				answers := bufio.NewReaderSize(conn, 128<<10)
				var own []time.Duration
				for pb.Next() {
					asked := time.Now()
					if _, err := io.WriteString(conn, one.request(sent.Add(1))); err != nil {
						b.Error(err)
						return
					}
					answer, err := http.ReadResponse(answers, nil)
					if err != nil {
						b.Error(err)
						return
					}
					text, err := io.ReadAll(answer.Body)
					if err != nil || answer.StatusCode != http.StatusOK {
						b.Errorf("status %d, %s, %v", answer.StatusCode, text, err)
						return
					}
					own = append(own, time.Since(asked))
				}
				mu.Lock()
				took = append(took, own...)
				mu.Unlock()
			})
			seconds := time.Since(began).Seconds()
			slices.Sort(took)
			b.ReportMetric(float64(b.N)/seconds, "req/s")
			if one.events > 0 {
				b.ReportMetric(float64(b.N*one.events)/seconds, "events/s")
			}
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64((cpuOf(b, p.cmd.Process.Pid)-before).Microseconds())/float64(b.N), "server-µs/req")
			b.ReportMetric(0, "ns/op")
		})
	}
}
