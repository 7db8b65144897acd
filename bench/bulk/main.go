// Command bulk measures what the bulk API promises, on a daemon of its own with a
// real Chrome: how fast a large batch is accepted, made, and known again; what a
// small one waits for beside it; what one image takes. It prints a table.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/bench"
	"github.com/pictifyd/pictifyd/bench/server"
)

func main() {
	var b bulk
	flag.StringVar(&b.binary, "pictifyd", "bin/pictifyd", "the daemon")
	flag.IntVar(&b.rows, "rows", 50_000, "how many rows the large batch has")
	seed := flag.Uint64("seed", 1, "what the rows are made from")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	err := b.measure(ctx, *seed)
	b.print(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bulk:", err)
		cancel()
		os.Exit(1) //nolint:gocritic // cancel was called
	}
}

const (
	template   = "card"
	format     = "jpeg"
	small      = 100
	medium     = 1000
	singles    = 300
	jobLimit   = time.Hour
	afterStart = 5 * time.Second // that the large batch runs before a small one comes
)

// A bulk is one measurement.
type bulk struct {
	binary string
	rows   int

	server  *server.Server
	rowsOf  *bench.Workload
	used    int // rows of the workload that were sent
	figures []figure
}

// A figure is a line of the table.
type figure struct{ what, wanted, is string }

func (b *bulk) note(what, wanted, is string, args ...any) {
	b.figures = append(b.figures, figure{what, wanted, fmt.Sprintf(is, args...)})
}

func (b *bulk) print(out io.Writer) {
	fmt.Fprint(out, "| what | wanted | is |\n|---|---|---|\n")
	for _, f := range b.figures {
		fmt.Fprintf(out, "| %s | %s | %s |\n", f.what, f.wanted, f.is)
	}
}

// fresh are rows that nobody has sent.
func (b *bulk) fresh(rows int, more map[string]any) ([]byte, error) {
	body, err := server.Body(b.rowsOf, format, b.used, rows, more)
	b.used += rows
	return body, err
}

func (b *bulk) measure(ctx context.Context, seed uint64) (err error) {
	ctx, cancel := context.WithTimeout(ctx, jobLimit)
	defer cancel()
	if b.rowsOf, err = bench.Open(template, b.rows+4*medium+10*small+2*singles, seed); err != nil {
		return err
	}
	hook, err := newHook()
	if err != nil {
		return err
	}
	defer hook.close()
	// A caller's webhook is on this machine, which only the operator can allow.
	if b.server, err = server.Start(ctx, b.binary, b.rowsOf, "egress: { allow: [127.0.0.1] }\n"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.Stop()) }()
	b.server.Rest()
	for _, step := range []func(context.Context) error{
		b.warm,
		func(ctx context.Context) error { return b.hundred(ctx, hook) },
		b.oneByOne, b.large,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// warm starts the Chromes and has the page proven.
func (b *bulk) warm(ctx context.Context) error {
	body, err := b.fresh(4*small, nil)
	if err != nil {
		return err
	}
	_, err = b.run(ctx, body, 4*small)
	return err
}

// run is how long a batch takes from its request to its end.
func (b *bulk) run(ctx context.Context, body []byte, rows int) (time.Duration, error) {
	began := time.Now()
	job, err := b.server.Send(ctx, template, body)
	if err != nil {
		return 0, err
	}
	err = b.server.Wait(ctx, job, rows)
	return time.Since(began), err
}

func (b *bulk) hundred(ctx context.Context, hook *hook) error {
	body, err := b.fresh(small, map[string]any{"webhookUrl": hook.url})
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := b.server.Send(ctx, template, body); err != nil {
		return err
	}
	if err := hook.wait(ctx); err != nil {
		return err
	}
	b.note("100 rows, from the request to the webhook, warm", "3 s", "%.1f s", time.Since(began).Seconds())
	return nil
}

// oneByOne compares rows as a batch with calls one after another.
func (b *bulk) oneByOne(ctx context.Context) error {
	var took []time.Duration
	for range singles {
		row, err := json.Marshal(map[string]any{"format": format, "variables": b.rowsOf.Row(b.used)})
		if err != nil {
			return err
		}
		b.used++
		began := time.Now()
		if err := b.server.Post(ctx, "/templates/"+template+"/render", row, nil); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	hundred := time.Duration(0)
	for _, t := range took[singles-small:] {
		hundred += t
	}
	slices.Sort(took)
	b.note("a single render, median", "60 ms", "%d ms", took[len(took)/2].Milliseconds())
	b.note("a single render, of 100 the slowest", "200 ms", "%d ms", took[len(took)*99/100].Milliseconds())
	body, err := b.fresh(medium, nil)
	if err != nil {
		return err
	}
	batch, err := b.run(ctx, body, medium)
	if err != nil {
		return err
	}
	b.note("1,000 rows as a batch, beside 100 calls one after another", fmt.Sprintf("%.1f s", hundred.Seconds()), "%.1f s", batch.Seconds())
	return nil
}

// large sends the large batch, a small one beside it, and the large one again.
func (b *bulk) large(ctx context.Context) error {
	body, err := b.fresh(b.rows, nil)
	if err != nil {
		return err
	}
	beside, err := b.fresh(small, nil)
	if err != nil {
		return err
	}
	heap := watchHeap(ctx, b.server)
	meter := bench.Watch(b.server.PID(), time.Second)
	began := time.Now()
	job, err := b.server.Send(ctx, template, body)
	if err != nil {
		return err
	}
	accepted := time.Since(began)
	b.note(fmt.Sprintf("%d rows of JSON accepted", b.rows), "3 s", "%.1f s, %.0f MB of Go heap", accepted.Seconds(), heap.most())
	time.Sleep(afterStart)
	took, err := b.run(ctx, beside, small)
	if err != nil {
		return err
	}
	b.note("a job of 100 rows while that one runs", "10 s", "%.1f s", took.Seconds())
	if err := b.server.Wait(ctx, job, b.rows); err != nil {
		return err
	}
	whole := time.Since(began)
	usage := meter.Stop()
	b.note(fmt.Sprintf("%d rows, JPEG, whole", b.rows), "10 minutes", "%.1f minutes, %.1f images/s, at most %.0f MB, quarters %.0f",
		whole.Minutes(), float64(b.rows)/whole.Seconds(), usage.PeakMB(), usage.QuartersMB())
	if took, err = b.run(ctx, body, b.rows); err != nil {
		return err
	}
	b.note("the same batch again", "5,000 rows/s", "%.0f rows/s", float64(b.rows)/took.Seconds())
	return nil
}
