package daemon

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soakEnv says for how long BenchmarkSoak works: "2h". Two minutes without.
const soakEnv = "PICTIFYD_SOAK"

// A gauge is what must not grow while the work is the same, by the samples of it.
type gauge struct {
	name, unit string
	read       func() (float64, error)
	samples    []float64
}

// quarter is the mean of the nth quarter of the samples, from 0.
func (g *gauge) quarter(n int) float64 {
	part := g.samples[len(g.samples)*n/4 : len(g.samples)*(n+1)/4]
	sum := 0.0
	for _, v := range part {
		sum += v
	}
	return sum / float64(max(len(part), 1))
}

// BenchmarkSoak is a daemon in a process of its own with Chrome that works for long:
// rows change by change data capture, batches come and go, webhooks meet every fault.
// What it takes of the machine is sampled and printed by quarters of the time, each beside the
// second: what grows there does so for years. Terms and sweeps are as much shorter as the time
// is than a year or two, so that what is kept comes to rest within the first quarter.
func BenchmarkSoak(b *testing.B) {
	needChrome(b)
	length := 2 * time.Minute
	if text := os.Getenv(soakEnv); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			b.Fatalf("%s: %v", soakEnv, err)
		}
	}
	for b.Loop() {
		newSoak(b, length).run()
	}
	b.ReportMetric(0, "ns/op")
}

type soak struct {
	b      *testing.B
	length time.Duration
	r      *replicated
	p      *process
	gauges []*gauge

	updates, batches, told, refused atomic.Int64
}

const soakRows = 200

func newSoak(b *testing.B, length time.Duration) *soak {
	b.Helper()
	s := &soak{b: b, length: length}
	// Half of what it is told it takes; nothing is kept, so that this process is flat too.
	hear := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch rand.IntN(8) {
		case 0:
			s.refused.Add(1)
			http.Error(w, "not now", http.StatusServiceUnavailable)
		case 1:
			s.refused.Add(1)
			hangUp(w)
		default:
			s.told.Add(1)
		}
	}))
	b.Cleanup(hear.Close)
	s.r = newReplicated(b, soakRows, "", ", sinks: [hook]")
	yaml, err := os.ReadFile(filepath.Join(s.r.site.dir, "pictifyd.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	s.r.site.write("pictifyd.yaml", string(yaml)+fmt.Sprintf("sinks: { hook: { kind: webhook, url: %q } }\n", hear.URL))
	s.p = s.r.site.start(childChrome+"=1", childHaste+"=1", childKeep+"="+(length/12).String())
	s.r.url, s.r.process.url = s.p.url, s.p.url
	eventually(b, "all rows have images", func() bool { return s.p.ready("cards") == soakRows })
	pid := s.p.cmd.Process.Pid
	data := filepath.Join(s.r.site.dir, "data")
	s.gauges = []*gauge{
		{name: "memory", unit: "MB", read: func() (float64, error) { return statusMB(pid, "VmRSS") }},
		{name: "heap in use", unit: "MB", read: func() (float64, error) { v, err := s.metric("go_memstats_heap_inuse_bytes"); return v / 1e6, err }},
		{name: "goroutines", read: func() (float64, error) { return s.metric("go_goroutines") }},
		{name: "descriptors", read: func() (float64, error) { return countEntries(fmt.Sprintf("/proc/%d/fd", pid)) }},
		{name: "Chrome's memory", unit: "MB", read: func() (float64, error) { return childrenMB(pid) }},
		{name: "temporary files", read: func() (float64, error) { return filesUnder(filepath.Join(data, "images", "tmp")) }},
		{name: "pictures", read: func() (float64, error) { return filesUnder(filepath.Join(data, "images")) }},
		{name: "ledger", unit: "MB", read: func() (float64, error) { return sizeMB(filepath.Join(data, "pictifyd.db*")) }},
	}
	return s
}

// run works for the length of the soak, and prints what came out.
func (s *soak) run() {
	ctx, stop := context.WithTimeout(s.b.Context(), s.length)
	defer stop()
	var work sync.WaitGroup
	work.Go(func() { s.change(ctx) })
	work.Go(func() { s.batch(ctx) })
	every := time.NewTicker(max(s.length/80, time.Second))
	defer every.Stop()
	for ctx.Err() == nil {
		select {
		case <-every.C:
			s.sample()
		case <-ctx.Done():
		}
	}
	work.Wait()
	s.report()
}

// change has rows change, a few each second, for ever to what they never were.
func (s *soak) change(ctx context.Context) {
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := s.r.db.ExecContext(ctx, `UPDATE products SET name = $1 WHERE sku = $2`, fmt.Sprint("Mug, change ", n), tableKey(n%soakRows)); err == nil {
			s.updates.Add(1)
		} else if ctx.Err() == nil {
			s.b.Error(err)
			return
		}
	}
}

// batch sends a batch each few seconds, whose end is told to somebody who is not always there.
func (s *soak) batch(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		if n%3 == 0 {
			s.r.site.receiver.refuseNext(2)
		}
		rows := batchRows(20)
		for i := range rows {
			rows[i]["title"] = fmt.Sprintf("Batch %d, card %d", n, i)
		}
		if _, err := s.p.postBatch(rows, s.r.site.receiver.server.URL); err == nil {
			s.batches.Add(1)
		} else if ctx.Err() == nil {
			s.b.Error(err)
			return
		}
		s.r.site.receiver.forget()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *soak) sample() {
	for _, g := range s.gauges {
		v, err := g.read()
		if err != nil {
			s.b.Fatalf("%s: %v\n%s", g.name, err, s.p.log.String())
		}
		g.samples = append(g.samples, v)
	}
}

func (s *soak) report() {
	fmt.Printf("\n%d changes, %d batches of 20, %d told, %d refused, in %s\n%-16s %10s %10s %10s %10s   last beside the second\n", s.updates.Load(), s.batches.Load(), s.told.Load(), s.refused.Load(), s.length, "mean of quarter", "1", "2", "3", "4")
	for _, g := range s.gauges {
		second, last := g.quarter(1), g.quarter(3)
		growth := 0.0
		if second > 0 {
			growth = 100 * (last - second) / second
		}
		fmt.Printf("%-16s %10.1f %10.1f %10.1f %10.1f   %+.1f %% %s\n", g.name, g.quarter(0), second, g.quarter(2), last, growth, g.unit)
		s.b.ReportMetric(growth, strings.NewReplacer(" ", "-", "'", "").Replace(g.name)+"-%")
	}
}

// metric is the value of a metric without labels.
func (s *soak) metric(name string) (float64, error) {
	res, err := http.Get(s.p.url + "/metrics")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s (%d)", name, res.StatusCode)
}

// statusMB is a size of /proc/PID/status.
func statusMB(pid int, field string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), "\n"+field+":")
	if !ok {
		return 0, fmt.Errorf("process %d has no %s", pid, field)
	}
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	return kb / 1e3, err
}

// childrenMB is the memory of all processes below pid, what they share once.
func childrenMB(pid int) (sum float64, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, err
	}
	for _, file := range tasks {
		text, _ := os.ReadFile(file) // a thread may have ended
		for _, word := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				return 0, err
			}
			sum += pssMB(child)
			below, err := childrenMB(child)
			if err != nil {
				return 0, err
			}
			sum += below
		}
	}
	return sum, nil
}

// pssMB is a process's share of the memory that it has with others; nothing of one that ended.
func pssMB(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(text), "\nPss:")
	if !ok {
		return 0
	}
	kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64) // the kernel writes numbers
	return kb / 1e3
}

func countEntries(dir string) (float64, error) {
	entries, err := os.ReadDir(dir)
	return float64(len(entries)), err
}

func filesUnder(dir string) (n float64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return nil // what has gone meanwhile is gone
	})
	return n, err
}

func sizeMB(pattern string) (sum float64, err error) {
	files, err := filepath.Glob(pattern)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: there are no such files", pattern)
	}
	for _, file := range slices.Sorted(slices.Values(files)) {
		if info, err := os.Stat(file); err == nil { // a log may be gone
			sum += float64(info.Size()) / 1e6
		}
	}
	return sum, err
}
