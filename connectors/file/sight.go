package file

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	quiet    = 20 * time.Millisecond // without a write for so long, a file counts as written
	slow     = time.Second           // the same, where it looks as if more were to come
	patience = 25 * quiet            // so long is waited beyond that
)

// errWriting says that files did not stay as they were while they were read.
var errWriting = errors.New("it is still being written")

// A sight is the files of a source as they were while nobody wrote to them.
type sight struct {
	files   []found
	digests []string // of each
	digest  string   // of all, and of their names
	cut     []string // names of tables whose last line has no end
	settled bool     // the stamps may stand for the content
}

// look reads all files, and decodes nothing. It waits for those that are being
// written, but not for ever.
func (s *source) look(ctx context.Context, last state) (sight, error) {
	begin := time.Now()
	rest := quiet
	for {
		seen, need, err := s.tryLook(ctx, last)
		if err != nil || need.wait == 0 {
			return seen, err
		}
		if rest = max(rest, need.rest); time.Since(begin) > patience+rest {
			return sight{}, fmt.Errorf("%s: %w", need.path, errWriting)
		}
		select {
		case <-ctx.Done():
			return sight{}, ctx.Err()
		case <-time.After(need.wait):
		}
	}
}

// A need is what a file still has to be left alone for.
type need struct {
	path       string
	wait, rest time.Duration // rest is what wait is what is left of
}

// needOf is how long a file has to be left alone further. A time in the future
// tells nothing; then only the second stamp does.
func needOf(f found, rest time.Duration) need {
	age := f.Stamp.age()
	if age < 0 || age >= rest {
		return need{}
	}
	return need{path: f.path, wait: rest - age, rest: rest}
}

func (s *source) tryLook(ctx context.Context, last state) (sight, need, error) {
	files, err := s.list(last)
	if err != nil {
		return sight{}, need{}, err
	}
	for _, f := range files {
		if n := needOf(f, s.rest(f, last)); n.wait > 0 {
			return sight{}, n, nil
		}
	}
	seen := sight{files: files, digests: make([]string, len(files)), settled: true}
	all, buf := sha256.New(), make([]byte, 256<<10)
	for i, f := range files {
		c, err := s.measure(ctx, f, buf)
		switch {
		case s.pattern.many() && errors.Is(err, fs.ErrNotExist):
			return sight{}, need{path: f.path, wait: quiet}, nil
		case err != nil:
			return sight{}, need{}, explain(f.path, inFile(f.path, err))
		case c.size != f.Stamp.Size:
			return sight{}, need{path: f.path, wait: quiet}, nil
		}
		if s.isCut(f, c) {
			if n := needOf(f, cmp.Or(s.cfg.Settle.Std(), slow)); n.wait > 0 {
				return sight{}, n, nil
			}
			seen.cut = append(seen.cut, f.Name)
		}
		seen.digests[i] = c.digest
		seen.settled = seen.settled && f.Stamp.age() > trusted
		fmt.Fprintf(all, "%q %s\n", f.Name, c.digest)
	}
	if after, err := s.list(last); err != nil {
		return sight{}, need{}, err
	} else if !slices.Equal(after, files) {
		return sight{}, need{path: s.pattern.path, wait: quiet}, nil
	}
	for _, f := range files {
		if f.Stamp.Size == 0 {
			return sight{}, need{}, empty(f.path)
		}
	}
	seen.digest = hex.EncodeToString(all.Sum(nil))
	return seen, need{}, nil
}

func empty(path string) error {
	return problem.New(problem.Invalid, "file %q is empty", path).
		WithSlug("file_empty").WithHint("a table without rows still has its header; write [] for JSON without rows")
}

// rest is how long a file has to be left alone before it is read. One that was
// emptied and is written again, in its place, is smaller than it was until the
// end; one that was swapped for another is whole at once.
func (s *source) rest(f found, last state) time.Duration {
	if s.cfg.Settle > 0 {
		return s.cfg.Settle.Std()
	}
	before, known := last.find(f.Name)
	if known && before.Stamp.Inode == f.Stamp.Inode && f.Stamp.Size < before.Stamp.Size {
		return slow
	}
	return quiet
}

// isCut reports whether a table ends in the middle of a line. It seldom does, but
// where it was not written to its end; the other formats say themselves whether
// they are whole.
func (s *source) isCut(f found, c content) bool {
	format := s.cfg.format(f.Name)
	return !c.ended && (format == poll.CSV || format == poll.TSV)
}

// A content is what is remembered of a file that was read to its end.
type content struct {
	digest string
	size   int64
	ended  bool // with the end of a line, or packed
}

// measure reads a file to its end.
func (s *source) measure(ctx context.Context, f found, buf []byte) (content, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return content{}, err
	}
	defer file.Close()
	m := poll.Measure(file, s.cfg.MaxSize)
	var edge edges
	if _, err := io.CopyBuffer(&edge, readerOnly{ctx, m}, buf); err != nil {
		return content{}, err
	}
	return content{digest: m.Digest(), size: m.Size(), ended: edge.ended()}, nil
}

// A readerOnly stops with its context, and has nothing but Read.
type readerOnly struct {
	ctx  context.Context //nolint:containedctx // of one call
	from io.Reader
}

func (r readerOnly) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

// edges keeps the first and the last bytes of what is written to it.
type edges struct{ first, last []byte }

func (e *edges) Write(p []byte) (int, error) {
	if len(e.first) < 4 {
		e.first = append(e.first, p[:min(len(p), 4)]...)
	}
	e.last = append(e.last, p[max(0, len(p)-2):]...)
	e.last = e.last[max(0, len(e.last)-2):]
	return len(p), nil
}

// ended reports whether the last character is the end of a line, in UTF-16 too.
// What is packed says itself where it ends.
func (e *edges) ended() bool {
	last := bytes.TrimRight(e.last, "\x00")
	return poll.Packed(e.first) || bytes.HasSuffix(last, []byte("\n")) || bytes.HasSuffix(last, []byte("\r"))
}
