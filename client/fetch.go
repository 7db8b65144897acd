package client

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// parallel is how many pictures are fetched at a time.
const parallel = 8

// A Fetch brings what came of a job into a folder: the pictures of its rows, with
// the names that they have in results.zip, and tables. What is there already,
// byte for byte, is not fetched again.
type Fetch struct {
	Remote   Remote
	Job      string
	Dir      string
	Patience time.Duration

	names *batch.Names
	files int
}

// Pictures fetches the pictures of all rows that succeeded, of a job that has
// ended, and returns how many there are.
func (f *Fetch) Pictures(ctx context.Context) (int, error) {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return 0, problem.New(problem.Invalid, "make the folder of the pictures: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	after := int64(-1)
	err := persist(ctx, f.Patience, func() error { return f.rows(ctx, g, &after) })
	if failed := g.Wait(); failed != nil { // which ended the reading of rows as well
		err = failed
	}
	return f.files, err
}

// rows reads the rows behind after, and has their pictures fetched.
func (f *Fetch) rows(ctx context.Context, g *errgroup.Group, after *int64) error {
	res, err := f.Remote.Do(ctx, http.MethodGet, jobPath(f.Job)+"/results.ndjson?after="+strconv.FormatInt(*after, 10), nil, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := json.NewDecoder(bufio.NewReader(res.Body))
	for {
		var row batch.RowResult
		err := lines.Decode(&row)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return f.Remote.cut(err)
		}
		*after = row.Index
		if !row.Success {
			continue
		}
		for _, p := range row.Outputs {
			name := f.name(row, p)
			f.files++
			g.Go(func() error { return f.picture(ctx, p, filepath.Join(f.Dir, filepath.FromSlash(name))) })
		}
	}
}

// name is the file of a picture. All rows of a job have the same outputs.
func (f *Fetch) name(row batch.RowResult, p batch.OutputPicture) string {
	if f.names == nil {
		var outputs []batch.Output
		for _, o := range row.Outputs {
			out := batch.Output{Name: o.Output}
			out.Format = o.Format
			outputs = append(outputs, out)
		}
		f.names = batch.NewNames(outputs, false)
	}
	ext := strings.TrimPrefix(path.Ext(p.URL), ".")
	return f.names.Of(batch.Result{Index: row.Index, Key: row.Key}, batch.Picture{Output: p.Output, Ext: ext})
}

// picture fetches one picture, unless the file has its bytes.
func (f *Fetch) picture(ctx context.Context, p batch.OutputPicture, file string) error {
	if have, err := digestOf(file); err == nil && have == p.ContentHash {
		return nil
	}
	u, err := url.Parse(p.URL)
	if err != nil {
		return problem.New(problem.Upstream, "the address of a picture is %q: %w", p.URL, err)
	}
	// The daemon may be known here by another name than in its addresses.
	return persist(ctx, f.Patience, func() error {
		got, err := f.save(ctx, u.EscapedPath(), file)
		if err == nil && got != p.ContentHash {
			err = problem.New(problem.Upstream, "the bytes of %s are others than they should be", p.URL)
		}
		return err
	})
}

func digestOf(file string) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, in)
	return hex.EncodeToString(sum.Sum(nil)), err
}

// save writes what path answers to file, whole or not at all, and is its digest.
func (f *Fetch) save(ctx context.Context, path, file string) (digest string, err error) {
	res, err := f.Remote.Do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	part, err := os.CreateTemp(filepath.Dir(file), ".part-*")
	if err != nil {
		return "", problem.New(problem.Invalid, "write %s: %w", file, err)
	}
	defer os.Remove(part.Name()) // which is gone where all went well
	digest, err = f.take(part, file, res)
	if err != nil {
		part.Close()
		return "", err
	}
	if err := errors.Join(part.Chmod(0o644), part.Close(), os.Rename(part.Name(), file)); err != nil {
		return "", problem.New(problem.Invalid, "write %s: %w", file, err)
	}
	return digest, nil
}

// take writes an answer to what becomes file. It tells apart what broke on the
// way, which may go better the next time, and what broke here.
func (f *Fetch) take(to io.Writer, file string, res *http.Response) (digest string, err error) {
	sum := sha256.New()
	from := &source{Reader: res.Body}
	size, err := io.Copy(io.MultiWriter(to, sum), from)
	switch {
	case from.err != nil:
		return "", f.Remote.cut(from.err)
	case err != nil:
		return "", problem.New(problem.Surroundings, "write %s: %w", file, err).WithHint("make room, and run the same command again: it goes on where it was")
	case res.ContentLength >= 0 && size != res.ContentLength:
		return "", f.Remote.cut(io.ErrUnexpectedEOF)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// A source remembers why reading broke off.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// Table fetches results.csv or failed.csv of the job to file.
func (f *Fetch) Table(ctx context.Context, table, file string) error {
	return persist(ctx, f.Patience, func() error {
		_, err := f.save(ctx, jobPath(f.Job)+"/"+table, file)
		return err
	})
}
