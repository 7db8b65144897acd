package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
)

// Options say how Run draws.
type Options struct {
	Format   render.Format
	Duration time.Duration // no image is begun after it; 0: all rows are drawn
	Warm     time.Duration // of drawing before anything is measured
	InFlight int           // images at a time; 0: twice as many as the renderer works at
	Trace    bool          // Stages are in the result
	Keep     string        // the folder that the first pictures are written to; "" for none

	// StoreFunc keeps the bytes of an image; nil keeps none.
	StoreFunc func(ctx context.Context, data []byte) error
}

// kept is how many pictures Keep gets.
const kept = 3

// Run draws the rows of w once and measures it. The first image that fails ends
// the run.
func Run(ctx context.Context, r render.Renderer, w *Workload, o Options) (Result, error) {
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	if o.InFlight == 0 {
		o.InFlight = 2 * r.Slots()
	}
	warm := runner{Options: o, renderer: r, workload: w, again: true}
	warm.Duration, warm.Keep = o.Warm, ""
	warm.StoreFunc = nil // what it stored would not be written again
	if o.Warm > 0 {
		if err := warm.run(ctx); err != nil {
			return Result{}, err
		}
	}
	run := runner{Options: o, renderer: r, workload: w}
	meter := Watch(os.Getpid(), 500*time.Millisecond)
	began := time.Now()
	err := run.run(ctx)
	took := time.Since(began).Seconds()
	usage := meter.Stop()
	if err != nil {
		return Result{}, err
	}
	images := float64(run.images)
	result := Result{
		Peer: Engine, Workload: w.name, Format: string(o.Format), Images: run.images, Seconds: took,
		ImagesPerSecond: images / took, MeanBytes: float64(run.bytes) / images,
		CPUMillis: millis(usage.CPU) / images, PeakMB: usage.PeakMB(),
	}
	if o.Trace {
		result.Stages = Stages{}
		for name, sum := range run.stages {
			if sum > 0 {
				result.Stages[name] = millis(sum) / images
			}
		}
	}
	return result, nil
}

// Validate says what of o can't be followed, and makes the folder Keep.
func (o Options) Validate() error {
	if o.Duration < 0 || o.Warm < 0 || o.InFlight < 0 {
		return problem.New(problem.Invalid, "a run of %v after %v with %d images at a time can't be made", o.Duration, o.Warm, o.InFlight).
			WithHint("use no negative numbers; 0 is the default")
	}
	if o.Keep == "" {
		return nil
	}
	if err := os.MkdirAll(o.Keep, 0o755); err != nil {
		return problem.New(problem.Invalid, "make the folder of the pictures: %w", err)
	}
	return nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// A runner draws one row after another, several at a time.
type runner struct {
	Options
	renderer render.Renderer
	workload *Workload
	again    bool // from the first row, behind the last

	mu     sync.Mutex
	next   int
	images int
	bytes  int64
	stages map[string]time.Duration
}

func (r *runner) run(ctx context.Context) error {
	r.stages = map[string]time.Duration{}
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for range r.InFlight {
		g.Go(func() error {
			for r.Duration == 0 || time.Since(began) < r.Duration {
				n, ok := r.take()
				if !ok {
					return nil
				}
				if err := r.draw(ctx, n); err != nil {
					return fmt.Errorf("row %d: %w", n, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// take is the next row; ok is false when all have been drawn.
func (r *runner) take() (n int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = r.next
	r.next++
	if r.again {
		n %= r.workload.Len()
	}
	return n, n < r.workload.Len()
}

func (r *runner) draw(ctx context.Context, n int) error {
	began := time.Now()
	request := r.workload.Request(n, r.Format)
	filled := time.Now()
	out, err := r.renderer.Render(ctx, request)
	if err != nil {
		return err
	}
	drawn := time.Now()
	stages := engineStages(out)
	stages[StageFill] = filled.Sub(began)
	stages[StageWait] = max(drawn.Sub(filled)-out.Duration, 0)
	if r.StoreFunc != nil {
		if err := r.StoreFunc(ctx, out.Bytes); err != nil {
			return err
		}
		stages[StageStore] = time.Since(drawn)
	}
	if err := r.keep(n, out.Bytes); err != nil {
		return err
	}
	r.count(out, stages)
	return nil
}

func (r *runner) keep(n int, data []byte) error {
	if r.Keep == "" || n >= kept {
		return nil
	}
	name := fmt.Sprintf("pictifyd-%s-%d.%s", r.workload.name, n, r.Format.Ext())
	return os.WriteFile(filepath.Join(r.Keep, name), data, 0o644)
}

func (r *runner) count(out render.Output, stages map[string]time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.images++
	r.bytes += int64(len(out.Bytes))
	for name, took := range stages {
		r.stages[name] += took
	}
}
