package daemon

import (
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// BenchmarkSmallJobBesideLargeJob sends 100 rows while a batch of 50,000 is
// drawn, about 80 pictures a second of the null renderer, and waits for their
// webhook.
func BenchmarkSmallJobBesideLargeJob(b *testing.B) {
	s := newSite(b, "")
	url, _ := s.run(Options{Renderer: &rendertest.Null{Delay: 100 * time.Millisecond, Parallel: 8}})
	p := &process{tb: b, url: url}
	large := p.mustPost(batchRows(50_000), "")
	eventually(b, "the large job is drawn", func() bool { return p.glance(large).CompletedItems > 200 })
	var longest, spent time.Duration
	for n := 0; b.Loop(); n++ {
		rows := otherRows("small", 100)
		for i := range rows {
			rows[i]["price"] = n
		}
		began := time.Now()
		id := p.mustPost(rows, s.receiver.server.URL)
		s.receiver.ends(b, id, 1)
		took := time.Since(began)
		longest, spent = max(longest, took), spent+took
	}
	if p.glance(large).Status != "processing" {
		b.Fatal("the large job has ended")
	}
	b.ReportMetric(spent.Seconds()/float64(b.N), "s/job")
	b.ReportMetric(longest.Seconds(), "s-longest")
	p.mustMove(large, "cancel")
}

// BenchmarkSameBatchAgain sends 20,000 rows whose pictures are all there, and
// waits for the end of the job.
func BenchmarkSameBatchAgain(b *testing.B) {
	const rows = 20_000
	s := newSite(b, "")
	null := &rendertest.Null{Parallel: 16}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: b, url: url}
	batch := batchRows(rows)
	mustEnd := func(id string) {
		b.Helper()
		eventually(b, "the end of the job", func() bool { return p.glance(id).Status == "completed" })
	}
	mustEnd(p.mustPost(batch, ""))
	drawn := null.Count()
	before := cpuTime(b)
	for b.Loop() {
		mustEnd(p.mustPost(batch, ""))
	}
	used := cpuTime(b) - before
	if null.Count() != drawn {
		b.Fatalf("%d pictures were drawn again", null.Count()-drawn)
	}
	all := float64(rows * b.N)
	b.ReportMetric(all/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(used.Microseconds())/all, "cpu-us/row")
}

// cpuTime is what this process has used.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
