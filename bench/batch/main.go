// Command batch measures the whole way of a row: it starts a daemon in an empty
// folder, sends it the rows of a workload by the batch API, and waits until all
// images are stored and the job is recorded as completed. It prints a line of
// JSON, as the peers do.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/bench"
	"github.com/pictifyd/pictifyd/bench/server"
)

const jobLimit = 20 * time.Minute

func main() {
	var m measurement
	flag.StringVar(&m.binary, "pictifyd", "bin/pictifyd", "the daemon")
	flag.StringVar(&m.workload, "workload", "card", "what is drawn")
	flag.StringVar(&m.format, "format", "png", "the format of the images")
	flag.IntVar(&m.rows, "rows", 10_000, "how many rows are sent")
	seed := flag.Uint64("seed", 1, "what the rows are made from")
	flag.Parse()
	// Whoever ends this ends the daemon as well.
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	w, err := bench.Open(m.workload, m.rows, *seed)
	var result bench.Result
	if err == nil {
		result, err = m.take(ctx, w)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "batch:", err)
		cancel()
		os.Exit(1) //nolint:gocritic // cancel was called
	}
}

// A measurement is one batch and the daemon that it is sent to.
type measurement struct {
	binary, workload, format string
	rows                     int
}

func (m *measurement) take(ctx context.Context, w *bench.Workload) (result bench.Result, err error) {
	body, err := server.Body(w, m.format, 0, m.rows, nil)
	if err != nil {
		return result, err
	}
	s, err := server.Start(ctx, m.binary, w, "")
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	var health struct {
		Version string `json:"version"`
	}
	if err := s.Get(ctx, "/healthz", &health); err != nil {
		return result, err
	}
	result.Peer, result.Version = bench.Daemon, health.Version
	rest := s.Rest()
	result.IdleMB, result.IdleOthers = rest.OwnMB(), rest.Processes-1

	meter := bench.Watch(s.PID(), 500*time.Millisecond)
	began := time.Now()
	jobErr := m.job(ctx, s, body)
	took := time.Since(began).Seconds()
	usage := meter.Stop()
	if jobErr != nil {
		return result, jobErr
	}
	result.Workload, result.Format, result.Images = m.workload, m.format, m.rows
	result.Seconds, result.ImagesPerSecond = took, float64(m.rows)/took
	result.CPUMillis = float64(usage.CPU.Milliseconds()) / float64(m.rows)
	result.PeakMB, result.QuartersMB = usage.PeakMB(), usage.QuartersMB()
	result.MeanBytes, err = s.MeanBytes()
	return result, err
}

// job sends the batch and waits until it has ended, without a row that failed.
func (m *measurement) job(ctx context.Context, s *server.Server, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, jobLimit)
	defer cancel()
	job, err := s.Send(ctx, m.workload, body)
	if err != nil {
		return err
	}
	return s.Wait(ctx, job, m.rows)
}
