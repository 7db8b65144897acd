package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// Those who come while a commit is under way share the next one, and each gets
// its own answers.
func TestConvoySharesCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var commits [][]int
		hold := make(chan struct{})
		c := newConvoy(100, func(_ context.Context, asked []int) ([]string, error) {
			commits = append(commits, slices.Clone(asked))
			<-hold
			answers := make([]string, len(asked))
			for i, n := range asked {
				answers[i] = fmt.Sprint("answer ", n)
			}
			return answers, nil
		})
		var wg sync.WaitGroup
		ask := func(n int) {
			wg.Go(func() {
				got, err := c.do(t.Context(), n, n+1000)
				if want := []string{fmt.Sprint("answer ", n), fmt.Sprint("answer ", n+1000)}; err != nil || !slices.Equal(got, want) {
					t.Errorf("%d got %q, %v; want %q", n, got, err, want)
				}
			})
		}
		ask(0)
		synctest.Wait()
		for n := range 9 {
			ask(n + 1)
		}
		synctest.Wait()
		close(hold)
		wg.Wait()
		if len(commits) != 2 || len(commits[1]) != 18 {
			t.Errorf("%d commits %v, want two: one of the first, one of the nine who waited", len(commits), commits)
		}
	})
}

// More than fits goes in several commits, and what one rider is at fault for the
// others do not suffer.
func TestConvoyIsBoundedAndKeepsFaultsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("no such experiment")
		hold := make(chan struct{})
		largest := 0
		c := newConvoy(4, func(_ context.Context, asked []int) ([]int, error) {
			<-hold
			largest = max(largest, len(asked))
			if slices.Contains(asked, 13) {
				return nil, bad
			}
			return asked, nil
		})
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() {
				if _, err := c.do(t.Context(), n); (n == 13) != errors.Is(err, bad) {
					t.Errorf("%d got %v", n, err)
				}
			})
		}
		synctest.Wait()
		close(hold)
		wg.Wait()
		if largest > 4 {
			t.Errorf("%d in one commit, want at most 4", largest)
		}
	})
}

// Whoever has gone is not committed, if that has not begun.
func TestConvoyLeavesBehindWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		var committed []int
		c := newConvoy(100, func(_ context.Context, asked []int) ([]int, error) {
			<-hold
			committed = append(committed, asked...)
			return asked, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.do(t.Context(), 1) })
		synctest.Wait()
		gone, leave := context.WithCancel(t.Context())
		wg.Go(func() {
			if _, err := c.do(gone, 2); !errors.Is(err, context.Canceled) {
				t.Errorf("who has gone got %v", err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		close(hold)
		wg.Wait()
		if !slices.Equal(committed, []int{1}) {
			t.Errorf("committed %v, want what the first asked alone", committed)
		}
	})
}
