package file

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// timed is a source whose path hangs on the time that it is read for.
type timed struct {
	cfg  *Config
	path *expr.Interpolation
}

var _ connectors.Timed = (*timed)(nil)

func parsePath(path string) (*expr.Interpolation, *problem.Error) {
	in, err := expr.ParseInterpolation(path, expr.Options{Names: []string{"run"}})
	if err == nil {
		return in, nil
	}
	var p *problem.Error
	errors.As(err, &p)
	return nil, p
}

// sketch is the path with something in the place of its expressions.
func sketch(path string) (string, *problem.Error) {
	in, err := parsePath(path)
	if err != nil {
		return "", err
	}
	return in.Sketch("x"), nil
}

// Poll implements connectors.Poller.
func (t *timed) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	return t.PollAt(ctx, time.Now(), from, emit)
}

// PollAt implements connectors.Timed.
func (t *timed) PollAt(ctx context.Context, at time.Time, from connectors.Cursor, emit connectors.Emit) error {
	path, err := t.path.Fill(map[string]any{"run": connectors.RunValues(at)}, expr.Env{Now: at, Zone: at.Location()}, asName)
	if err != nil {
		return fmt.Errorf("path %q: %w", t.cfg.Path, err)
	}
	cfg := *t.cfg
	cfg.Path = path
	s, err := newSource(&cfg)
	if err != nil {
		return err
	}
	s.partial = "the path hangs on the time: rows of another one are not gone"
	return s.Poll(ctx, from, emit)
}

// asName makes a value part of one name, that is no pattern.
func asName(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c < 0x20 || c == 0x7f || strings.IndexByte(`/\%*?[]`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
