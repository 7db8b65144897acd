package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// trusted is how long a file must have been left alone before its size, time
// and inode stand for its content: file systems keep time in steps, and two
// writes within one step look the same.
const trusted = 2 * time.Second

// state is what the cursor holds.
type state struct {
	Digest  string `json:"digest"`
	Stamp   stamp  `json:"stamp"`
	Settled bool   `json:"settled"` // the stamp may stand for the content
}

type source struct {
	cfg     *Config
	binding poll.Binding
}

var (
	_ connectors.Poller = (*source)(nil)
	_ connectors.Waker  = (*source)(nil)
)

func newSource(cfg *Config, env connectors.Env) (*source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(cfg.Path) {
		here := *cfg
		here.Path = filepath.Join(env.Dir, cfg.Path)
		cfg = &here
	}
	binding, err := poll.Bind(cfg.Path, cfg.format(), cfg.Layout, cfg.Key)
	if err != nil {
		return nil, err
	}
	return &source{cfg: cfg, binding: binding}, nil
}

// Poll implements connectors.Poller.
func (s *source) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var last state
	known := s.binding.Open(from, &last)
	if known && last.Settled {
		if now, err := stampOf(s.cfg.Path); err == nil && now == last.Stamp {
			return poll.Unchanged(ctx, emit, nil)
		}
	}
	file, err := readQuiet(ctx, s.cfg.Path, s.cfg.MaxSize)
	if err != nil {
		return explain(s.cfg.Path, err)
	}
	next := state{Digest: poll.Digest(file.data), Stamp: file.stamp, Settled: file.age > trusted}
	cursor, err := s.binding.Seal(next)
	if err != nil {
		return err
	}
	if known && next.Digest == last.Digest {
		return poll.Unchanged(ctx, emit, cursor)
	}
	return s.read(ctx, file.data, cursor, emit)
}

func (s *source) read(ctx context.Context, data []byte, cursor connectors.Cursor, emit connectors.Emit) error {
	decoder, err := s.cfg.Decoder(s.cfg.format(), bytes.NewReader(data), s.cfg.Key)
	if err != nil {
		return s.inFile(err)
	}
	reading := poll.NewReading(s.cfg.Key, emit)
	if err := reading.Copy(ctx, decoder); err != nil {
		return s.inFile(err)
	}
	return reading.Close(ctx, connectors.Closing{Complete: true, Cursor: cursor})
}

// inFile names the file in a problem that the decoder found in it.
func (s *source) inFile(err error) error {
	var p *problem.Error
	if errors.As(err, &p) && p.Pos.File == "" {
		p.Pos.File = s.cfg.Path
	}
	return err
}

// explain says what to do about a file that can't be read.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problem.New(problem.NotFound, "file %q is not there: %w", path, err).
			WithSlug("file_missing").WithHint("put it back, or correct path")
	case errors.Is(err, fs.ErrPermission):
		return problem.New(problem.Forbidden, "file %q may not be read: %w", path, err).
			WithSlug("file_forbidden").WithHint("let the user that runs pictifyd read it")
	}
	err = fmt.Errorf("read file %q: %w", path, err)
	if errors.Is(err, errWriting) {
		return retry.After(err, again)
	}
	return err
}
