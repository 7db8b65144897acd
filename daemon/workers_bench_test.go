package daemon

import (
	"cmp"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// workersEnv are the numbers of processes that BenchmarkWorkers has draw: "1,2,4,8" without.
const workersEnv = "PICTIFYD_BENCH_WORKERS"

// pictureEnv is how long a simulated picture takes, without CPU: "400ms" without. Pictures that take less than
// 250ms share commits.
const pictureEnv = "PICTIFYD_BENCH_PICTURE"

const workFor = 40 * time.Second // that the processes of a measure have work for

// workTime is what pictureEnv says.
func workTime(b *testing.B) time.Duration {
	b.Helper()
	text := cmp.Or(os.Getenv(pictureEnv), "400ms")
	took, err := time.ParseDuration(text)
	if err != nil || took <= 0 {
		b.Fatalf("%s: %q is no time", pictureEnv, text)
	}
	return took
}

// BenchmarkWorkers is a batch, told to a webhook, that processes draw together: one that connects, answers and
// delivers, and 1, 2, 4 … that draw one picture at a time, all on one PostgreSQL. A picture takes its time and no CPU,
// so that what is measured is the queue and the bookkeeping: printed are images a second from the first to the last,
// beside one process, the CPU that pictifyd and PostgreSQL take for each, and what both take while there is nothing to
// do. With 400 ms each is a commit of its own, since it takes longer than pictures wait for others: the
// most that the bookkeeping can cost. On one machine it bends where its cores are full.
func BenchmarkWorkers(b *testing.B) {
	counts := []int{1, 2, 4, 8}
	if text := os.Getenv(workersEnv); text != "" {
		counts = nil
		for word := range strings.SplitSeq(text, ",") {
			n, err := strconv.Atoi(word)
			if err != nil || n < 1 {
				b.Fatalf("%s: %q is no number of processes", workersEnv, word)
			}
			counts = append(counts, n)
		}
	}
	took := workTime(b)
	for b.Loop() {
		fmt.Printf("\n%9s %10s %10s %10s %22s %10s %22s\n", "processes", "images/s", "beside one", "of the sum", "CPU an image: pictifyd", "PostgreSQL", "idle, of a core: both")
		one := 0.0
		for _, n := range counts {
			w := newWorkers(b, "", simulated(took))
			for range n {
				w.add(childRoles+"=render", simulated(took))
			}
			idle := w.idle()
			most := float64(n) / took.Seconds()
			rate, own, database := w.batch(int(most * workFor.Seconds()))
			if one == 0 {
				one = rate / float64(n)
			}
			fmt.Printf("%9d %10.1f %9.2fx %9.0f%% %19.2f ms %7.2f ms %9.2f %% + %5.2f %%\n", n, rate, rate/one, 100*rate/most, own, database, 100*idle[0], 100*idle[1])
			w.end()
		}
	}
	b.ReportMetric(0, "ns/op")
}

// simulated has a child draw one picture at a time, each of which takes so long.
func simulated(took time.Duration) string { return fmt.Sprintf("%s=%s/1", childNull, took) }

// BenchmarkRenderProcesses is one process with two Chromes beside two with one each, which draw the same
// batch on one PostgreSQL.
func BenchmarkRenderProcesses(b *testing.B) {
	needChrome(b)
	for b.Loop() {
		one := 0.0
		for _, n := range []int{1, 2, 1, 2} { // twice, for what changes on the machine
			w := newWorkers(b, fmt.Sprintf("render: { chrome: %q, browsers: %d }\n", os.Getenv("PICTIFYD_TEST_CHROME"), 2/n), childChrome+"=1")
			for range n {
				w.add(childRoles+"=render", childChrome+"=1")
			}
			w.batch(200) // so that Chromes are there, and their pace is known
			rate, own, database := w.batch(3000)
			if n == 1 {
				one = rate
			}
			fmt.Printf("%d process(es) with %d Chrome(s) each: %.1f images/s, %.2fx; CPU an image: pictifyd %.2f ms, PostgreSQL %.2f ms\n", n, 2/n, rate, rate/one, own, database)
			w.end()
		}
	}
	b.ReportMetric(0, "ns/op")
}

type workers struct {
	b    *testing.B
	site *site
	db   *sql.DB
	all  []*process // the first answers
	sent int        // rows
}

// newWorkers is a process that connects, answers and delivers. render is the configuration of those
// that draw, "" for simulated ones; draws is what the variable of its renderer says, which it never asks.
func newWorkers(b *testing.B, render, draws string) *workers {
	b.Helper()
	dsn := newDatabase(b)
	w := &workers{b: b, site: newSite(b, "store: {}\n")}
	var err error
	if w.db, err = sql.Open("pgx", dsn); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.db.Close() })
	w.site.write("pictifyd.yaml", cmp.Or(render, chromeFor("")+"\n")+fmt.Sprintf(`
server: { listen: "127.0.0.1:0", public_url: "http://127.0.0.1" }
egress: { allow: ["127.0.0.1"] }
templates: templates
store: { url: %q }
`, dsn))
	w.add(childRoles+"=connect,api,deliver", draws)
	<-w.all[0].runs
	return w
}

// add starts a process, and waits until it is ready.
func (w *workers) add(env ...string) {
	w.b.Helper()
	p := w.site.start(env...)
	w.all = append(w.all, p)
	eventually(w.b, fmt.Sprintf("process %d is ready", len(w.all)), func() bool { return p.status("/readyz") == http.StatusOK })
}

// batch draws so many rows, and says how many a second, and what each took of the CPU, in ms.
func (w *workers) batch(rows int) (rate, own, database float64) {
	w.b.Helper()
	before := w.cpu()
	all := make([]map[string]any, rows)
	for i := range all {
		w.sent++ // no two batches have a picture in common
		all[i] = map[string]any{"title": fmt.Sprintf("Card %d", w.sent), "price": w.sent}
	}
	id, err := w.all[0].postBatch(all, w.site.receiver.server.URL)
	if err != nil {
		w.b.Fatal(err)
	}
	began := time.Now()
	for done := 0; done < rows; {
		if err := w.db.QueryRow(`SELECT succeeded + failed FROM jobs WHERE id = $1`, id).Scan(&done); err != nil {
			w.b.Fatal(err)
		}
		if time.Since(began) > 10*time.Minute {
			w.b.Fatalf("%d of %d rows are drawn after ten minutes", done, rows)
		}
		time.Sleep(50 * time.Millisecond)
	}
	took := time.Since(began).Seconds()
	after, n := w.cpu(), float64(rows)
	return n / took, 1e3 * (after[0] - before[0]) / n, 1e3 * (after[1] - before[1]) / n
}

// idle is the share of a core that pictifyd and the database take while nothing is to be done.
func (w *workers) idle() (share [2]float64) {
	w.b.Helper()
	const watch = 5 * time.Second
	before := w.cpu()
	time.Sleep(watch)
	for i, after := range w.cpu() {
		share[i] = (after - before[i]) / watch.Seconds()
	}
	return share
}

// cpu is what pictifyd and the database have taken, in seconds.
func (w *workers) cpu() (took [2]float64) {
	w.b.Helper()
	for _, p := range w.all {
		took[0] += cpuOf(w.b, p.cmd.Process.Pid).Seconds()
	}
	took[1] = w.databaseCPU()
	return took
}

// databaseCPU is what all processes of the server have taken that live, in seconds: its
// connections last as long as the daemons do.
func (w *workers) databaseCPU() (sum float64) {
	w.b.Helper()
	rows, err := w.db.Query(`SELECT pid FROM pg_stat_activity`)
	if err != nil {
		w.b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			w.b.Fatal(err)
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		for _, ticks := range fields[11:13] { // utime and stime, of 10 ms
			n, _ := strconv.ParseFloat(ticks, 64)
			sum += n / 100
		}
	}
	if err := rows.Err(); err != nil {
		w.b.Fatal(err)
	}
	return sum
}

func (w *workers) end() {
	w.b.Helper()
	for i := len(w.all) - 1; i >= 0; i-- {
		w.all[i].terminate()
	}
}
