package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const (
	// trusted is how long a file must have been left alone before its size, time
	// and inode stand for its content: file systems keep time in steps, and two
	// writes within one step look the same.
	trusted = 2 * time.Second
	// soon is when files are read again that did not stay as they were.
	soon = 2 * time.Second
)

// state is what the cursor holds.
type state struct {
	Digest  string   `json:"digest"`
	Files   []found  `json:"files"`
	Cut     []string `json:"cut,omitempty"` // names of tables whose last line has no end
	Settled bool     `json:"settled"`       // the stamps may stand for the content
}

// ended reports whether the table of that name was there, and its last line had an end.
func (s state) ended(name string) bool {
	_, known := s.find(name)
	return known && !slices.Contains(s.Cut, name)
}

// find is the file of that name as it was.
func (s state) find(name string) (found, bool) {
	i, known := slices.BinarySearchFunc(s.Files, name, func(f found, name string) int { return strings.Compare(f.Name, name) })
	if !known {
		return found{}, false
	}
	return s.Files[i], true
}

type source struct {
	cfg     *Config
	pattern pattern
	binding poll.Binding
	partial string // why a reading is never complete; empty where it is
}

var (
	_ connectors.Poller = (*source)(nil)
	_ connectors.Waker  = (*source)(nil)
)

func newPoller(cfg *Config, env connectors.Env) (connectors.Poller, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(cfg.Path) {
		here := *cfg
		// Not filepath.Join, which takes the slash away that makes it a folder.
		here.Path = filepath.Clean(env.Dir) + string(filepath.Separator) + cfg.Path
		cfg = &here
	}
	if path, err := parsePath(cfg.Path); err != nil {
		return nil, err
	} else if !path.Static() {
		return &timed{cfg: cfg, path: path}, nil
	}
	return newSource(cfg)
}

// newSource is a source of a path without expressions.
func newSource(cfg *Config) (*source, error) {
	p, invalid := parsePattern(cfg.Path)
	if invalid != nil {
		return nil, invalid
	}
	binding, err := poll.Bind(cfg.Path, cfg.Layout, cfg.Key, cfg.FileColumn)
	if err != nil {
		return nil, err
	}
	return &source{cfg: cfg, pattern: p, binding: binding}, nil
}

// Poll implements connectors.Poller. All files are read twice: to compare them
// with those of the cursor, and to decode them. A reading is closed only if the
// second pass met the bytes of the first, and all files are as they were. When one
// file of several changed all are decoded, as a reading without the rows of the
// others would not be complete.
func (s *source) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var last state
	known := s.binding.Open(from, &last)
	if known && last.Settled {
		if now, err := s.list(last); err == nil && same(now, last.Files) {
			return poll.Unchanged(ctx, emit, nil)
		}
	}
	seen, err := s.look(ctx, last)
	if err != nil {
		return s.explain(err)
	}
	cursor, err := s.binding.Seal(state{Digest: seen.digest, Files: seen.files, Cut: seen.cut, Settled: seen.settled})
	if err != nil {
		return err
	}
	if known && seen.digest == last.Digest {
		return poll.Unchanged(ctx, emit, cursor)
	}
	seen.cut = slices.DeleteFunc(seen.cut, func(name string) bool { return !last.ended(name) })
	return s.explain(s.read(ctx, seen, cursor, emit))
}

// same compares without the paths, which no cursor has.
func same(a, b []found) bool {
	return slices.EqualFunc(a, b, func(a, b found) bool { return a.Name == b.Name && a.Stamp == b.Stamp })
}

// list is the files of the source, of which there is at least one.
func (s *source) list(last state) ([]found, error) {
	files, err := s.pattern.list()
	switch {
	case err != nil:
		return nil, err
	case len(files) > 0:
		// A folder is listed in the order of its names, and folders of folders are not.
		slices.SortFunc(files, func(a, b found) int { return cmp.Compare(a.Name, b.Name) })
		return files, nil
	case len(last.Files) > 0:
		return nil, problem.New(problem.NotFound, "no file matches %q, where %d did", s.pattern.path, len(last.Files)).
			WithSlug("file_missing").WithHint("see that the disk is there; to have no rows, leave a file with a header and nothing else")
	}
	return nil, problem.New(problem.NotFound, "no file matches %q", s.pattern.path).
		WithSlug("file_missing").WithHint("put one there, or correct path")
}

func (s *source) read(ctx context.Context, seen sight, cursor connectors.Cursor, emit connectors.Emit) error {
	reading := poll.NewReading(s.cfg.Key, emit)
	if s.pattern.many() {
		reading = reading.OfSeveral()
	}
	for i, f := range seen.files {
		digest, err := s.readFile(ctx, f, reading, slices.Contains(seen.cut, f.Name))
		if err == nil && digest != seen.digests[i] {
			err = fmt.Errorf("%s: %w", f.path, errWriting)
		}
		if err != nil {
			return s.asItWas(seen, inFile(f.path, err))
		}
	}
	if err := s.asItWas(seen, nil); err != nil {
		return err
	}
	return reading.Close(ctx, connectors.Closing{Complete: s.partial == "", Reason: s.partial, Cursor: cursor})
}

// asItWas is err, or errWriting where the files are not as they were seen: that is
// then the reason of whatever is wrong in them.
func (s *source) asItWas(seen sight, err error) error {
	var found *problem.Error
	if err != nil && !errors.As(err, &found) {
		return err
	}
	now, listErr := s.list(state{Files: seen.files})
	switch {
	case listErr == nil && !slices.Equal(now, seen.files):
		return fmt.Errorf("%s: %w", s.pattern.path, errWriting)
	case err == nil:
		return listErr
	}
	return err
}

// readFile emits the rows of a file, the last of which may be cut, and returns the
// digest of what was read.
func (s *source) readFile(ctx context.Context, f found, reading *poll.Reading, cut bool) (digest string, err error) {
	file, err := os.Open(f.path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	m := poll.Measure(file, s.cfg.MaxSize)
	document, err := poll.Unpack(m, s.cfg.MaxSize)
	if err != nil {
		return "", err
	}
	defer document.Close()
	format := s.cfg.format(f.Name)
	if format == "" {
		return "", noFormat(fmt.Sprintf("file %q", f.Name))
	}
	inFile := slices.DeleteFunc(slices.Clone(s.cfg.Key), func(column string) bool { return column == s.cfg.FileColumn })
	decoder, err := s.cfg.Decoder(format, document, inFile)
	if err != nil {
		return "", err
	}
	if cut {
		decoder = poll.Unended(decoder)
	}
	if err := reading.Copy(ctx, s.named(f, decoder)); err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, m) // a decoder may end ahead of what follows its document
	return m.Digest(), err
}

// named says with each row of several files which one it is from.
func (s *source) named(f found, d poll.Decoder) poll.Decoder {
	if !s.pattern.many() && s.cfg.FileColumn == "" {
		return d
	}
	return poll.Origin{Name: f.Name, Column: s.cfg.FileColumn}.Named(d)
}

// inFile names the file in a problem that the decoder found in it.
func inFile(path string, err error) error {
	var p *problem.Error
	if errors.As(err, &p) && p.Pos.File == "" {
		p.Pos.File = path
	}
	return err
}

// explain says what to do about files that can't be read.
func (s *source) explain(err error) error {
	var known *problem.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	path := s.pattern.base
	var at *fs.PathError
	if errors.As(err, &at) {
		path = at.Path
	}
	return explain(path, err)
}

func explain(path string, err error) error {
	switch {
	case errors.Is(err, errWriting):
		return retry.After(fmt.Errorf("read file %w", err), soon)
	case errors.Is(err, fs.ErrNotExist):
		return because(err, problem.New(problem.NotFound, "file %q is not there", path)).
			WithSlug("file_missing").WithHint("put it back, or correct path")
	case errors.Is(err, fs.ErrPermission):
		return because(err, problem.New(problem.Forbidden, "file %q may not be read", path)).
			WithSlug("file_forbidden").WithHint("let the user that runs pictifyd read it")
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		return fmt.Errorf("read file %q: %w", path, err)
	}
	return err
}

// because gives p its cause, whose text would only say the same again.
func because(cause error, p *problem.Error) *problem.Error {
	p.Err = cause
	return p
}
