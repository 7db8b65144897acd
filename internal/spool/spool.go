// Package spool keeps files that were made to be sent, so that a download can be
// resumed and many can have it: each is made once, and kept until nobody has
// asked for it for a while. They have no names on the disk: nothing is left of
// them when the process ends, however it does.
package spool

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Options are the choices of a Spool. Zero is the default.
type Options struct {
	File  int64         // bytes that one file has at most: 2 GiB
	All   int64         // bytes that all have at most: 8 GiB
	Idle  time.Duration // how long one is kept that nobody reads: 10 minutes
	Makes int           // how many are made at a time: 2
	Waits int           // how many more may wait to be made: 30
	Limit time.Duration // how long making one may take: 15 minutes
}

func (o Options) over() Options {
	set := func(v *int64, otherwise int64) {
		if *v == 0 {
			*v = otherwise
		}
	}
	set(&o.File, 2<<30)
	set(&o.All, 8<<30)
	set((*int64)(&o.Idle), int64(10*time.Minute))
	set((*int64)(&o.Limit), int64(15*time.Minute))
	if o.Makes == 0 {
		o.Makes = 2
	}
	if o.Waits == 0 {
		o.Waits = 30
	}
	return o
}

// A MakeFunc writes a file.
type MakeFunc func(ctx context.Context, w io.Writer) error

// A Spool keeps files. It is safe for concurrent use.
type Spool struct {
	dir     string
	options Options
	makes   chan struct{}
	ctx     context.Context // of all that is made; it ends with Close
	stop    context.CancelFunc
	makers  sync.WaitGroup

	mu    sync.Mutex
	kept  map[string]*entry
	bytes int64 // of files that are made
	queue int
}

// An entry is a file that is there, or is being made.
type entry struct {
	key     string
	made    chan struct{} // closed when it is, or err says why not
	err     error
	file    *os.File
	size    int64
	sum     string
	readers int
	used    time.Time
	dropped bool
	idle    *time.Timer
}

// New keeps files in dir.
func New(dir string, o Options) *Spool {
	o = o.over()
	s := &Spool{dir: dir, options: o, makes: make(chan struct{}, o.Makes), kept: map[string]*entry{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Open is the file of that key. When there is none it is made, by one for all
// who ask; it is made to its end also when they go away, so that who comes back
// finds it. The error of make is that of all who waited, and is not kept.
func (s *Spool) Open(ctx context.Context, key string, make MakeFunc) (*File, error) {
	e, err := s.entry(key, make)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.made:
	case <-ctx.Done():
		s.release(e)
		return nil, ctx.Err()
	}
	if e.err != nil {
		s.release(e)
		return nil, e.err
	}
	return &File{SectionReader: io.NewSectionReader(e.file, 0, e.size), Sum: e.sum, spool: s, entry: e}, nil
}

// entry is that of key, with one more reader.
func (s *Spool) entry(key string, makeFunc MakeFunc) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.kept[key]; ok {
		e.readers++
		if e.idle != nil {
			e.idle.Stop()
			e.idle = nil
		}
		return e, nil
	}
	if s.ctx.Err() != nil {
		return nil, s.ctx.Err()
	}
	if s.queue >= s.options.Makes+s.options.Waits {
		return nil, problem.New(problem.Overloaded, "%d files are being made already", s.queue).WithSlug("exports_busy").WithHint("ask again later")
	}
	s.queue++
	e := &entry{key: key, made: make(chan struct{}), readers: 1}
	s.kept[key] = e
	s.makers.Go(func() { s.make(e, makeFunc) })
	return e, nil
}

// make makes the file of e.
func (s *Spool) make(e *entry, makeFunc MakeFunc) {
	defer close(e.made)
	file, size, sum, err := s.write(makeFunc)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue--
	e.file, e.size, e.sum, e.err = file, size, sum, err
	if err != nil {
		s.drop(e)
		return
	}
	s.bytes += size
	e.used = time.Now()
	if e.readers == 0 {
		s.rest(e)
	}
}

func (s *Spool) write(makeFunc MakeFunc) (file *os.File, size int64, sum string, err error) {
	select {
	case s.makes <- struct{}{}:
		defer func() { <-s.makes }()
	case <-s.ctx.Done():
		return nil, 0, "", s.ctx.Err()
	}
	if file, err = Scratch(s.dir); err != nil {
		return nil, 0, "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(roomless(err), file.Close())
		}
	}()
	ctx, cancel := context.WithTimeout(s.ctx, s.options.Limit)
	defer cancel()
	digest := sha256.New()
	out := &counted{spool: s, ctx: ctx}
	buffer := bufio.NewWriterSize(io.MultiWriter(out, file, digest), 256<<10)
	if err = makeFunc(ctx, buffer); err == nil {
		err = buffer.Flush()
	}
	return file, out.bytes, hex.EncodeToString(digest.Sum(nil)), err
}

// counted ends a file that has become too large, or that nobody waits for.
type counted struct {
	spool *Spool
	ctx   context.Context
	bytes int64
}

func (c *counted) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	switch {
	case c.ctx.Err() != nil:
		return 0, c.ctx.Err()
	case c.bytes > c.spool.options.File:
		return 0, problem.New(problem.TooLarge, "the file would be larger than %d MiB", c.spool.options.File>>20).WithSlug("export_too_large")
	case !c.spool.room(c.bytes):
		return 0, problem.New(problem.Overloaded, "too many large files are being sent").WithSlug("exports_busy").WithHint("ask again later")
	}
	return len(p), nil
}

// room makes room for so many bytes among what nobody reads, oldest first.
func (s *Spool) room(bytes int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.bytes+bytes > s.options.All {
		var oldest *entry
		for _, e := range s.kept {
			if e.idle != nil && (oldest == nil || e.used.Before(oldest.used)) {
				oldest = e
			}
		}
		if oldest == nil {
			return false
		}
		s.drop(oldest)
	}
	return true
}

// release ends the reading of one.
func (s *Spool) release(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.readers--
	e.used = time.Now()
	if e.readers == 0 && e.file != nil {
		s.rest(e)
	}
}

// rest keeps a file that nobody reads for a while.
func (s *Spool) rest(e *entry) {
	if e.dropped {
		s.close(e)
		return
	}
	if e.idle != nil {
		e.idle.Stop()
	}
	e.idle = time.AfterFunc(s.options.Idle, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if e.readers == 0 && time.Since(e.used) >= s.options.Idle {
			s.drop(e)
		}
	})
}

// drop forgets a file: nobody gets it from now on, and it is gone when those who
// read it have.
func (s *Spool) drop(e *entry) {
	if e.dropped {
		return
	}
	e.dropped = true
	if s.kept[e.key] == e {
		delete(s.kept, e.key)
	}
	if e.readers == 0 {
		s.close(e)
	}
}

func (s *Spool) close(e *entry) {
	if e.idle != nil {
		e.idle.Stop()
		e.idle = nil
	}
	if e.file != nil {
		s.bytes -= e.size
		_ = e.file.Close() // it has no name, and nothing of it is wanted
		e.file = nil
	}
}

// Forget drops the files whose keys begin with prefix: what they were made of
// is gone.
func (s *Spool) Forget(prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.kept {
		if strings.HasPrefix(key, prefix) {
			s.drop(e)
		}
	}
}

// Close drops all files.
func (s *Spool) Close() error {
	s.stop()
	s.makers.Wait()
	s.Forget("")
	return nil
}

// A File is one that was made. Whoever opened it closes it.
type File struct {
	*io.SectionReader
	Sum string // SHA-256 of the bytes, hex

	spool  *Spool
	entry  *entry
	closed sync.Once
}

// Close ends the reading.
func (f *File) Close() error {
	f.closed.Do(func() { f.spool.release(f.entry) })
	return nil
}

// Forget drops this file: whoever asks next gets a new one.
func (f *File) Forget() {
	f.spool.mu.Lock()
	defer f.spool.mu.Unlock()
	f.spool.drop(f.entry)
}

// Scratch is a file in dir that has no name and is gone when it is closed.
func Scratch(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "export-*")
	if err != nil {
		return nil, fmt.Errorf("make a file to send: %w", roomless(err))
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("make a file to send: %w", err), file.Close())
	}
	return file, nil
}

// Scratch is a file for what is needed while one is made.
func (s *Spool) Scratch() (*os.File, error) { return Scratch(s.dir) }

// roomless turns a full disk into what only the machine's owner can cure.
func roomless(err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return problem.New(problem.Surroundings, "the disk has no room for the file: %w", err).WithSlug("disk_full").
		WithHint("make room on the disk of the images")
}
