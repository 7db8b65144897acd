// Package server starts a daemon in an empty folder and speaks to it as its
// users do, so that benchmarks measure what they get.
package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/bench"
)

const (
	startLimit = time.Minute
	stopLimit  = 30 * time.Second
	restLimit  = time.Minute // a new machine measures its lanes first
)

// A Server is a daemon of its own.
type Server struct {
	URL string
	Dir string

	cmd *exec.Cmd
}

// Start runs binary on the template of w until it is ready. settings are more
// lines of its pictifyd.yaml. The caller must Stop it.
func Start(ctx context.Context, binary string, w *bench.Workload, settings string) (*Server, error) {
	return start(ctx, binary, func(dir string) error {
		text := "server: { listen: \"127.0.0.1:${PORT}\" }\ntemplates: templates\n" + settings
		return errors.Join(w.WriteTemplate(filepath.Join(dir, "templates")), os.WriteFile(filepath.Join(dir, "pictifyd.yaml"), []byte(text), 0o644))
	})
}

// StartExample runs binary on a copy of an example's folder, whose
// configuration listens on ${PORT}. more are variables of its environment, and
// prepare changes the copy before.
func StartExample(ctx context.Context, binary, example string, prepare func(dir string) error, more ...string) (*Server, error) {
	return start(ctx, binary, func(dir string) error {
		if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
			return err
		}
		return prepare(dir)
	}, more...)
}

func start(ctx context.Context, binary string, lay func(dir string) error, more ...string) (s *Server, err error) {
	s = &Server{}
	if s.Dir, err = os.MkdirTemp("", "pictifyd-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(s.Dir)
		}
	}()
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s.URL = "http://127.0.0.1:" + port
	if err := lay(s.Dir); err != nil {
		return nil, err
	}
	return s, s.run(ctx, binary, append(more, "PORT="+port))
}

// freePort is a port of this machine that nobody has.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

func (s *Server) run(ctx context.Context, binary string, more []string) error {
	s.cmd = exec.Command(binary, "run", "-c", filepath.Join(s.Dir, "pictifyd.yaml"))
	s.cmd.Env = append(os.Environ(), more...)
	s.cmd.Stdout, s.cmd.Stderr = os.Stderr, os.Stderr
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		err := s.Get(ctx, "/readyz", nil)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the daemon does not get ready: %w", err), s.end())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// PID is the daemon's process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Rest waits until the daemon has no Chrome any more, and is what it uses then.
func (s *Server) Rest() (u bench.Usage) {
	for began := time.Now(); time.Since(began) < restLimit && u.Processes != 1; {
		meter := bench.Watch(s.PID(), time.Second)
		time.Sleep(2 * time.Second)
		u = meter.Stop()
	}
	return u
}

// Stop ends the daemon as its operator would, and removes its folder.
func (s *Server) Stop() error { return errors.Join(s.end(), os.RemoveAll(s.Dir)) }

func (s *Server) end() error {
	kill := time.AfterFunc(stopLimit, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the daemon: %w", err)
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the daemon ended: %w", err)
	}
	return nil
}

// Get asks for path and reads the JSON of its answer, if answer is given.
func (s *Server) Get(ctx context.Context, path string, answer any) error {
	return s.call(ctx, http.MethodGet, path, nil, answer)
}

// Post sends JSON to path.
func (s *Server) Post(ctx context.Context, path string, body []byte, answer any) error {
	return s.call(ctx, http.MethodPost, path, body, answer)
}

func (s *Server) call(ctx context.Context, method, path string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 300)) // of why, as far as it comes
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, said)
	}
	if answer == nil {
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// Body is the request of a batch of all rows of w but the first skipped.
func Body(w *bench.Workload, format string, skipped, rows int, more map[string]any) ([]byte, error) {
	list := make([]map[string]any, rows)
	for n := range list {
		list[n] = w.Row(skipped + n)
	}
	body := map[string]any{"format": format, "variables": list}
	for name, value := range more {
		body[name] = value
	}
	return json.Marshal(body)
}

// Send has a batch accepted, and is its job.
func (s *Server) Send(ctx context.Context, template string, body []byte) (job string, err error) {
	var accepted struct {
		JobID string `json:"jobId"`
	}
	err = s.Post(ctx, "/template/"+template+"/batch", body, &accepted)
	return accepted.JobID, err
}

// pollEvery is how often a job is looked at.
const pollEvery = 200 * time.Millisecond

// Wait waits until job has ended, with so many rows and none that failed.
func (s *Server) Wait(ctx context.Context, job string, rows int) error {
	for {
		var j struct {
			Status    string `json:"status"`
			Completed int    `json:"completedItems"`
		}
		if err := s.Get(ctx, "/jobs/"+job+"?limit=1", &j); err != nil {
			return err
		}
		switch j.Status {
		case "pending", "processing":
		case "completed":
			if j.Completed != rows {
				return fmt.Errorf("%d of %d rows were completed", j.Completed, rows)
			}
			return nil
		default:
			return fmt.Errorf("the job is %s, with %d of %d rows completed", j.Status, j.Completed, rows)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// MeanBytes is the mean size of the images that were stored.
func (s *Server) MeanBytes() (float64, error) {
	var files, size int64
	err := filepath.WalkDir(filepath.Join(s.Dir, "data", "images"), func(path string, e fs.DirEntry, err error) error {
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
