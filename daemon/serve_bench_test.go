package daemon

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/store/blob"
)

// BenchmarkServe is what serving images costs the daemon, in a process of its
// own: the time of its processor for a request, whatever the client and the rest
// of the machine do. `make load` measures the same with a load tool.
func BenchmarkServe(b *testing.B) {
	s := newSite(b, catalogYAML)
	s.write("rows.csv", csvRows(100, "steady"))
	p := s.start()
	eventually(b, "the images", func() bool { return p.ready("cards") == 100 })
	path, tag := s.bigImage(), etag(b, p.url+"/b/cards/SKU-042.png")
	for name, request := range map[string]string{
		"Image65KB": "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
		"Unchanged": "GET /b/cards/SKU-042.png HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-None-Match: " + tag + "\r\n\r\n",
		"Stable":    "GET /b/cards/SKU-042.png HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
	} {
		b.Run(name, func(b *testing.B) {
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
				for pb.Next() {
					if _, err := io.WriteString(conn, request); err != nil {
						b.Error(err)
						return
					}
					answer, err := http.ReadResponse(answers, nil)
					if err != nil {
						b.Error(err)
						return
					}
					if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode >= 400 {
						b.Errorf("status %d, %v", answer.StatusCode, err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "req/s")
			b.ReportMetric(float64((cpuOf(b, p.cmd.Process.Pid)-before).Microseconds())/float64(b.N), "server-µs/req")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// bigImage keeps 65 KB under their hash, and is where they are served.
func (s *site) bigImage() (path string) {
	s.tb.Helper()
	folder, err := blob.Open(blob.Config{URL: "file:data/images"}, s.dir)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer folder.Close()
	data := make([]byte, 65<<10)
	chacha := rand.NewChaCha8([32]byte{})
	_, _ = chacha.Read(data)
	hash, err := folder.Put(s.tb.Context(), data)
	if err != nil {
		s.tb.Fatal(err)
	}
	return "/images/" + hash + ".jpg"
}

// cpuOf is the processor time that a process has had.
func cpuOf(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Skip("no /proc here: ", err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	var ticks int64
	for _, f := range fields[11:13] { // of the user, of the system; 100 a second on Linux
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}
