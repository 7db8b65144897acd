package main

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/bench/server"
)

// A heap watches the Go heap of a daemon until it is asked.
type heap struct {
	stop context.CancelFunc
	done sync.WaitGroup
	peak float64
}

func watchHeap(ctx context.Context, s *server.Server) *heap {
	h := &heap{}
	ctx, h.stop = context.WithCancel(ctx)
	h.done.Go(func() {
		for ctx.Err() == nil {
			h.peak = max(h.peak, heapOf(ctx, s))
			time.Sleep(50 * time.Millisecond)
		}
	})
	return h
}

// most is the most that was seen, in MB.
func (h *heap) most() float64 {
	h.stop()
	h.done.Wait()
	return h.peak / (1 << 20)
}

// heapOf is the heap in use now, 0 when the daemon does not tell.
func heapOf(ctx context.Context, s *server.Server) float64 {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/metrics", nil)
	if err != nil {
		return 0
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "go_memstats_heap_inuse_bytes "); ok {
			bytes, _ := strconv.ParseFloat(value, 64) // 0 where it is none
			return bytes
		}
	}
	return 0
}
