// Command batch measures the whole way of a row: it starts a daemon in an empty
// folder, sends it the rows of a workload by the batch API, and waits until all
// images are stored and the job is recorded as completed. It prints a line of
// JSON, as the peers do.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/bench"
)

const (
	startLimit = time.Minute
	stopLimit  = 30 * time.Second
	restLimit  = time.Minute // measuring the lanes comes first on a new machine
	jobLimit   = 20 * time.Minute
)

func main() {
	var r intake
	flag.StringVar(&r.binary, "pictifyd", "bin/pictifyd", "the daemon")
	flag.StringVar(&r.workload, "workload", "card", "what is drawn")
	flag.StringVar(&r.format, "format", "png", "the format of the images")
	flag.IntVar(&r.rows, "rows", 10_000, "how many rows are sent")
	seed := flag.Uint64("seed", 1, "what the rows are made from")
	flag.Parse()
	// Whoever ends this ends the daemon as well.
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	w, err := bench.Open(r.workload, r.rows, *seed)
	var result bench.Result
	if err == nil {
		result, err = r.measure(ctx, w)
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

// An intake is one batch and the daemon that it is sent to.
type intake struct {
	binary, workload, format string
	rows                     int

	dir, url string
}

func (r *intake) measure(ctx context.Context, w *bench.Workload) (result bench.Result, err error) {
	if r.dir, err = os.MkdirTemp("", "pictifyd-bench-"); err != nil {
		return result, err
	}
	defer os.RemoveAll(r.dir)
	if err := r.layOut(w); err != nil {
		return result, err
	}
	body, err := r.body(w)
	if err != nil {
		return result, err
	}
	daemon, err := r.start(ctx)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, stop(daemon)) }()

	var health struct {
		Version string `json:"version"`
	}
	if err := r.call(ctx, http.MethodGet, "/healthz", nil, http.StatusOK, &health); err != nil {
		return result, err
	}
	result.Peer, result.Version = bench.Daemon, health.Version
	rest := atRest(daemon.Process.Pid)
	result.IdleMB, result.IdleOthers = rest.OwnMB(), rest.Processes-1

	meter := bench.Watch(daemon.Process.Pid, 500*time.Millisecond)
	began := time.Now()
	jobErr := r.job(ctx, body)
	took := time.Since(began).Seconds()
	usage := meter.Stop()
	if jobErr != nil {
		return result, jobErr
	}
	result.Workload, result.Format, result.Images = r.workload, r.format, r.rows
	result.Seconds, result.ImagesPerSecond = took, float64(r.rows)/took
	result.CPUMillis = float64(usage.CPU.Milliseconds()) / float64(r.rows)
	result.PeakMB, result.QuartersMB = usage.PeakMB(), usage.QuartersMB()
	result.MeanBytes, err = r.meanBytes()
	return result, err
}

// layOut makes the daemon's folder.
func (r *intake) layOut(w *bench.Workload) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	listener.Close()
	r.url = "http://" + address
	if err := w.WriteTemplate(filepath.Join(r.dir, "templates")); err != nil {
		return err
	}
	settings := fmt.Sprintf("server: { listen: %q }\ntemplates: templates\n", address)
	return os.WriteFile(filepath.Join(r.dir, "pictifyd.yaml"), []byte(settings), 0o644)
}

func (r *intake) body(w *bench.Workload) ([]byte, error) {
	rows := make([]map[string]any, w.Len())
	for n := range rows {
		rows[n] = w.Row(n)
	}
	return json.Marshal(map[string]any{"format": r.format, "variables": rows})
}

// start runs the daemon until it is ready.
func (r *intake) start(ctx context.Context) (*exec.Cmd, error) {
	cmd := exec.Command(r.binary, "run", "-c", filepath.Join(r.dir, "pictifyd.yaml"))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the daemon: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		var ready struct{}
		err := r.call(ctx, http.MethodGet, "/readyz", nil, http.StatusOK, &ready)
		if err == nil {
			return cmd, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("the daemon does not get ready: %w", err), stop(cmd))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// atRest is what a daemon without work uses. The Chrome that it was checked with
// is given the time to end.
func atRest(pid int) (u bench.Usage) {
	for began := time.Now(); time.Since(began) < restLimit && u.Processes != 1; {
		meter := bench.Watch(pid, time.Second)
		time.Sleep(2 * time.Second)
		u = meter.Stop()
	}
	return u
}

// stop ends the daemon as its operator would.
func stop(cmd *exec.Cmd) error {
	kill := time.AfterFunc(stopLimit, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the daemon: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the daemon ended: %w", err)
	}
	return nil
}

// job sends the batch and waits until it has ended, without a row that failed.
func (r *intake) job(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, jobLimit)
	defer cancel()
	var accepted struct {
		JobID string `json:"jobId"`
	}
	if err := r.call(ctx, http.MethodPost, "/template/"+r.workload+"/batch", body, http.StatusAccepted, &accepted); err != nil {
		return err
	}
	for {
		var job struct {
			Status    string `json:"status"`
			Completed int    `json:"completedItems"`
		}
		if err := r.call(ctx, http.MethodGet, "/jobs/"+accepted.JobID+"?limit=1", nil, http.StatusOK, &job); err != nil {
			return err
		}
		switch job.Status {
		case "pending", "processing":
			time.Sleep(200 * time.Millisecond)
		case "completed":
			if job.Completed != r.rows {
				return fmt.Errorf("%d of %d rows were completed", job.Completed, r.rows)
			}
			return nil
		default:
			return fmt.Errorf("the job is %s, with %d of %d rows completed", job.Status, job.Completed, r.rows)
		}
	}
}

func (r *intake) call(ctx context.Context, method, path string, body []byte, want int, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != want {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 300)) // of why, as far as it comes
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, said)
	}
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// meanBytes is the mean size of the images that were stored.
func (r *intake) meanBytes() (float64, error) {
	var files, size int64
	err := filepath.WalkDir(filepath.Join(r.dir, "data", "images"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || len(e.Name()) < 32 || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files, size = files+1, size+info.Size()
		return nil
	})
	if err == nil && files == 0 {
		err = errors.New("no image was stored")
	}
	return float64(size) / float64(max(files, 1)), err
}
