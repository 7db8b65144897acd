package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/campaign"
)

// A flood is what a crowd of clients was answered.
type flood struct {
	mu sync.Mutex

	jobs    map[string]int // accepted, with their rows
	refused map[int]int    // by status
	wrong   []string
}

func (f *flood) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, fmt.Sprintf(format, args...))
}

// send sends one request with the key, and keeps what came of it. It reports
// whether it was refused.
func (f *flood) send(by *http.Client, url, key, body string, rows int) (refused bool) {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		f.note("%v", err)
		return true
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := by.Do(req)
	if err != nil {
		f.note("%v", err)
		return true
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		f.note("%v", err)
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var accepted struct{ JobID string }
	switch {
	case res.StatusCode == http.StatusOK:
	case res.StatusCode == http.StatusAccepted && json.Unmarshal(answer, &accepted) == nil && accepted.JobID != "":
		f.jobs[accepted.JobID] = rows
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusServiceUnavailable:
		f.refused[res.StatusCode]++
		if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err != nil || n < 1 {
			f.wrong = append(f.wrong, fmt.Sprintf("%d with Retry-After %q: %s", res.StatusCode, res.Header.Get("Retry-After"), answer))
		}
		return true
	default:
		f.wrong = append(f.wrong, fmt.Sprintf("%d: %s", res.StatusCode, answer))
	}
	return false
}

// gauge is a figure of the daemon about itself.
func (p *process) gauge(name string) float64 {
	p.tb.Helper()
	for line := range strings.Lines(p.text("/metrics")) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				p.tb.Fatal(err)
			}
			return n
		}
	}
	p.tb.Fatalf("no figure %s", name)
	return 0
}

// A crowd asks for twice and more what the daemon can do: what it accepts is
// done to the last row, the rest is told when to come again, and afterwards it
// is as it was. The renderer takes a fixed time, 500 rows a second in all.
func TestOverloadLosesNothing(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("the race detector makes a crowd too slow to be one: runs in the pass without -short")
	}
	lasts := 2 * time.Second
	if os.Getenv("PICTIFYD_TEST_LONG") != "" {
		lasts = 30 * time.Second
	}
	s := newSite(t, "")
	s.write("pictifyd.yaml", `
server:
  listen: "127.0.0.1:0"
  limits: { uploads: 2, backlog: 300 }
templates: templates
`)
	p := s.start()
	slow, err := client.Remote{URL: p.url}.NewKey(t.Context(), client.KeyOrder{Name: "slow", Rate: 60})
	if err != nil {
		t.Fatal(err)
	}
	warm := &flood{jobs: map[string]int{}, refused: map[int]int{}}
	warm.send(http.DefaultClient, p.url+"/templates/card/batch-render", "", overloadRows("warm", 50), 50)
	warm.mustEnd(t, p)
	goroutines, heap := p.gauge("go_goroutines"), p.gauge("go_memstats_heap_alloc_bytes")

	f := &flood{jobs: map[string]int{}, refused: map[int]int{}}
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	each := &http.Client{Transport: transport, Timeout: time.Minute}
	end := time.Now().Add(lasts)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				key := ""
				if i%4 == 3 {
					key = slow.Key
				}
				if i%3 == 2 {
					f.send(each, p.url+"/templates/card/render", key, fmt.Sprintf(`{"variables":{"title":"one %d %d"}}`, i, n), 0)
				} else {
					f.send(each, p.url+"/templates/card/batch-render", key, overloadRows(fmt.Sprint(i, "-", n), 40), 40)
				}
			}
		})
	}
	all.Wait()
	transport.CloseIdleConnections()
	t.Logf("in %v accepted %d batches, refused %v", lasts, len(f.jobs), f.refused)
	if f.refused[429] == 0 || f.refused[503] == 0 || len(f.jobs) == 0 {
		t.Errorf("accepted %d batches, refused %v: it was no overload", len(f.jobs), f.refused)
	}
	f.mustEnd(t, p)

	after := &flood{jobs: map[string]int{}, refused: map[int]int{}}
	if after.send(http.DefaultClient, p.url+"/templates/card/batch-render", "", overloadRows("after", 50), 50) {
		t.Errorf("afterwards it refuses still: %v", after.wrong)
	}
	after.mustEnd(t, p)
	// The queue's own come one after the other after a start; a leak would be one of each of the requests.
	eventually(t, "no more goroutines than before", func() bool { return p.gauge("go_goroutines") <= goroutines+40 })
	if now := p.gauge("go_memstats_heap_alloc_bytes"); now > heap+64<<20 {
		t.Errorf("the heap was %.0f MB, and is %.0f MB", heap/1e6, now/1e6)
	}
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// mustEnd waits until every job is completed with all of its rows.
func (f *flood) mustEnd(tb testing.TB, p *process) {
	tb.Helper()
	for i, wrong := range f.wrong {
		if i < 10 {
			tb.Error(wrong)
		}
	}
	for id, rows := range f.jobs {
		var v jobView
		eventually(tb, "job "+id+" completes", func() bool {
			return p.get("/jobs/"+id+"?limit=1", &v) == http.StatusOK && v.Status == "completed"
		})
		if v.TotalItems != rows || v.CompletedItems != rows || v.FailedItems != 0 {
			tb.Errorf("job %s has %d items, %d completed, %d failed; want %d", id, v.TotalItems, v.CompletedItems, v.FailedItems, rows)
		}
	}
}

func overloadRows(word string, n int) string {
	var b bytes.Buffer
	b.WriteString(`{"variables":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"title":"%s %d"}`, word, i)
	}
	b.WriteString(`]}`)
	return b.String()
}
