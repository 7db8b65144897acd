package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/pictifyd/pictifyd/bench"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/store/blob"
)

// A Bench draws a workload with this machine's Chrome. Traced, the images are
// stored too, as a daemon does, in a temporary folder.
type Bench struct {
	Workload, Format string
	Rows             int
	Seed             uint64
	Options          bench.Options // without the format
	Log              *slog.Logger
}

// Run draws the workload and measures it.
func (b Bench) Run(ctx context.Context) (bench.Result, error) {
	o := b.Options
	var ok bool
	if o.Format, ok = render.ParseFormat(b.Format); !ok {
		return bench.Result{}, problem.New(problem.Unsupported, "%q is not a format that the engine makes", b.Format)
	}
	if err := o.Validate(); err != nil { // before a Chrome starts
		return bench.Result{}, err
	}
	w, err := bench.Open(b.Workload, b.Rows, b.Seed)
	if err != nil {
		return bench.Result{}, err
	}
	pool, err := chrome.Open(ctx, chrome.DefaultConfig(), w.Files(), chrome.Options{Log: b.Log})
	if err != nil {
		return bench.Result{}, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = pool.Close(ctx)
	}()
	if !o.Trace {
		return bench.Run(ctx, pool, w, o)
	}
	dir, err := os.MkdirTemp("", "pictifyd-bench-")
	if err != nil {
		return bench.Result{}, fmt.Errorf("make a folder for the images: %w", err)
	}
	defer os.RemoveAll(dir)
	blobs, err := blob.Open(blob.Config{URL: "file:images"}, dir)
	if err != nil {
		return bench.Result{}, err
	}
	defer blobs.Close()
	o.StoreFunc = func(ctx context.Context, data []byte) error {
		_, err := blobs.Put(ctx, data)
		return err
	}
	return bench.Run(ctx, pool, w, o)
}

// ExportWorkload writes a workload as files into a folder, which is made.
func ExportWorkload(name string, rows int, seed uint64, dir string) error {
	w, err := bench.Open(name, rows, seed)
	if err != nil {
		return err
	}
	if err := w.Export(dir); err != nil {
		return problem.New(problem.Invalid, "write the workload: %w", err)
	}
	return nil
}
