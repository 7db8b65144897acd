package spool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/spool"
)

func mustSpool(tb testing.TB, o spool.Options) *spool.Spool {
	tb.Helper()
	s := spool.New(tb.TempDir(), o)
	tb.Cleanup(func() { s.Close() })
	return s
}

// says makes a file of a text, and counts how often.
func says(text string, made *atomic.Int32) spool.MakeFunc {
	return func(_ context.Context, w io.Writer) error {
		made.Add(1)
		_, err := io.WriteString(w, text)
		return err
	}
}

func mustRead(tb testing.TB, s *spool.Spool, key string, makeFunc spool.MakeFunc) string {
	tb.Helper()
	f, err := s.Open(tb.Context(), key, makeFunc)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil || int64(len(text)) != f.Size() || len(f.Sum) != 64 {
		tb.Fatalf("%d of %d bytes, sum %q: %v", len(text), f.Size(), f.Sum, err)
	}
	return string(text)
}

func TestFileIsMadeOnceForAllWhoAsk(t *testing.T) {
	s := mustSpool(t, spool.Options{})
	var made atomic.Int32
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			if got := mustRead(t, s, "a", says("results", &made)); got != "results" {
				t.Errorf("got %q", got)
			}
		})
	}
	readers.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times", made.Load())
	}
}

func TestNothingHasANameOnTheDisk(t *testing.T) {
	dir := t.TempDir()
	s := spool.New(dir, spool.Options{})
	defer s.Close()
	f, err := s.Open(t.Context(), "a", func(_ context.Context, w io.Writer) error {
		left, err := os.ReadDir(dir)
		if len(left) > 0 {
			err = fmt.Errorf("%v is there while it is made", left)
		}
		return errors.Join(err, func() error { _, err := io.WriteString(w, "x"); return err }())
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestFileThatNobodyReadsIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustSpool(t, spool.Options{Idle: time.Minute})
		var made atomic.Int32
		mustRead(t, s, "a", says("one", &made))
		time.Sleep(40 * time.Second)
		mustRead(t, s, "a", says("one", &made))
		time.Sleep(40 * time.Second)
		mustRead(t, s, "a", says("one", &made))
		if made.Load() != 1 {
			t.Errorf("made %d times within a minute of each other", made.Load())
		}
		f, err := s.Open(t.Context(), "a", says("one", &made))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if text, err := io.ReadAll(f); string(text) != "one" {
			t.Errorf("who reads for long gets %q, %v", text, err)
		}
		f.Close()
		time.Sleep(2 * time.Minute)
		mustRead(t, s, "a", says("one", &made))
		if made.Load() != 2 {
			t.Errorf("made %d times, want 2", made.Load())
		}
	})
}

func TestFailureIsThatOfAllAndIsNotKept(t *testing.T) {
	s := mustSpool(t, spool.Options{})
	broken := errors.New("the store is away")
	if _, err := s.Open(t.Context(), "a", func(context.Context, io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	var made atomic.Int32
	if got := mustRead(t, s, "a", says("now", &made)); got != "now" {
		t.Errorf("then %q", got)
	}
}

func TestMakingGoesOnWithoutWhoAsked(t *testing.T) {
	s := mustSpool(t, spool.Options{})
	begun, goOn := make(chan struct{}), make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	go func() { <-begun; leave() }()
	_, err := s.Open(ctx, "a", func(_ context.Context, w io.Writer) error {
		close(begun)
		<-goOn
		_, err := io.WriteString(w, "whole")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("who left got %v", err)
	}
	close(goOn)
	var made atomic.Int32
	if got := mustRead(t, s, "a", says("again", &made)); got != "whole" || made.Load() != 0 {
		t.Errorf("who came back got %q", got)
	}
}

func TestForgottenFileIsReadToItsEndByWhoHasIt(t *testing.T) {
	s := mustSpool(t, spool.Options{})
	var made atomic.Int32
	f, err := s.Open(t.Context(), "job/a", says("old", &made))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s.Forget("job/")
	if got := mustRead(t, s, "job/a", says("new", &made)); got != "new" {
		t.Errorf("the next one got %q", got)
	}
	if text, err := io.ReadAll(f); string(text) != "old" || err != nil {
		t.Errorf("who had it got %q, %v", text, err)
	}
	// A file that forgets itself while it is made is for those who wait only.
	mustRead(t, s, "job/b", func(_ context.Context, w io.Writer) error {
		s.Forget("job/b")
		_, err := io.WriteString(w, "once")
		return err
	})
	if got := mustRead(t, s, "job/b", says("twice", &made)); got != "twice" {
		t.Errorf("the next one got %q", got)
	}
}

func TestBounds(t *testing.T) {
	var made atomic.Int32
	large := strings.Repeat("x", 600<<10)
	t.Run("one file", func(t *testing.T) {
		s := mustSpool(t, spool.Options{File: 500 << 10})
		if _, err := s.Open(t.Context(), "a", says(large, &made)); problem.CodeOf(err) != problem.TooLarge {
			t.Errorf("got %v", err)
		}
	})
	t.Run("all files: the oldest that nobody reads gives way", func(t *testing.T) {
		s := mustSpool(t, spool.Options{All: 1 << 20})
		made.Store(0)
		mustRead(t, s, "a", says(large, &made))
		mustRead(t, s, "b", says(large, &made))
		mustRead(t, s, "b", says(large, &made))
		mustRead(t, s, "a", says(large, &made))
		if made.Load() != 3 {
			t.Errorf("made %d times, want 3", made.Load())
		}
	})
	t.Run("all files are read", func(t *testing.T) {
		s := mustSpool(t, spool.Options{All: 1 << 20})
		f, err := s.Open(t.Context(), "a", says(large, &made))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := s.Open(t.Context(), "b", says(large, &made)); problem.CodeOf(err) != problem.Overloaded {
			t.Errorf("got %v", err)
		}
	})
	t.Run("waiting", func(t *testing.T) {
		s := mustSpool(t, spool.Options{Makes: 1, Waits: 1})
		goOn := make(chan struct{})
		wait := func(context.Context, io.Writer) error { <-goOn; return nil }
		left, leave := context.WithCancel(t.Context())
		leave()
		for _, key := range []string{"a", "b"} {
			if _, err := s.Open(left, key, wait); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if _, err := s.Open(left, "c", wait); problem.CodeOf(err) != problem.Overloaded {
			t.Errorf("got %v", err)
		}
		close(goOn)
	})
	t.Run("time", func(t *testing.T) {
		s := mustSpool(t, spool.Options{Limit: time.Millisecond})
		_, err := s.Open(t.Context(), "a", func(ctx context.Context, _ io.Writer) error { <-ctx.Done(); return ctx.Err() })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
