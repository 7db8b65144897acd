package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/daemon"
)

type benchCommands struct {
	Run    benchRun    `cmd:"" default:"withargs" help:"Draw a workload and print how fast that was."`
	Export benchExport `cmd:"" help:"Write a workload as files, for other programs to draw."`
}

// workloadFlags say which rows are drawn.
type workloadFlags struct {
	Workload string `default:"card" placeholder:"NAME" help:"What is drawn: card, real-estate, usage-report, leaderboard or invoice."`
	Rows     int    `default:"1000" help:"How many rows there are, all different."`
	Seed     uint64 `default:"1" help:"What the rows are made from: the same seed makes the same rows."`
}

type benchRun struct {
	workloadFlags
	Format   string        `default:"png" help:"The format of the images."`
	Duration time.Duration `default:"0s" help:"No image is begun after so long; 0: all rows are drawn."`
	Warm     time.Duration `default:"2s" help:"How long to draw before anything is measured."`
	InFlight int           `default:"0" help:"Images at a time; 0: twice as many as the engine works at."`
	Trace    bool          `help:"Store the images as the daemon does, and print the time of each stage."`
	Keep     string        `placeholder:"DIR" help:"Write the first pictures there."`
	JSON     bool          `name:"json" help:"Print a line of JSON."`
}

func (c *benchRun) Run(t *terminal) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	b := daemon.Bench{Workload: c.Workload, Rows: c.Rows, Seed: c.Seed, Format: c.Format, Log: slog.New(slog.NewTextHandler(t.err, nil))}
	b.Options.Duration, b.Options.Warm, b.Options.InFlight = c.Duration, c.Warm, c.InFlight
	b.Options.Trace, b.Options.Keep = c.Trace, c.Keep
	result, err := b.Run(ctx)
	if err != nil {
		return err
	}
	result.Version = version
	if c.JSON {
		return json.NewEncoder(t.out).Encode(result)
	}
	fmt.Fprint(t.out, result)
	return nil
}

type benchExport struct {
	workloadFlags
	Dir string `arg:"" placeholder:"DIR" help:"The folder, which is made."`
}

func (c *benchExport) Run(*terminal) error {
	return daemon.ExportWorkload(c.Workload, c.Rows, c.Seed, c.Dir)
}
