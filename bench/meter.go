package bench

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Usage is what a process and all that it started have used, from /proc. Where
// there is none, it is zero.
type Usage struct {
	CPU    time.Duration
	Memory []int64 // bytes, sampled at intervals; shared pages are counted once
	Own    []int64 // of that, what the process itself holds

	Processes int // the most at a time
}

// PeakMB is the most memory of any sample.
func (u Usage) PeakMB() float64 { return megabytes(slices.Max(u.Memory)) }

// OwnMB is the most memory of the process itself.
func (u Usage) OwnMB() float64 { return megabytes(slices.Max(u.Own)) }

// QuartersMB is the mean memory in each quarter of the time.
func (u Usage) QuartersMB() []float64 {
	const parts = 4
	quarters := make([]float64, parts)
	for i := range quarters {
		samples := u.Memory[i*len(u.Memory)/parts : max((i+1)*len(u.Memory)/parts, i*len(u.Memory)/parts+1)]
		for _, m := range samples {
			quarters[i] += megabytes(m) / float64(len(samples))
		}
	}
	return quarters
}

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// A Meter watches a process and all that it started.
type Meter struct {
	pid    int
	before time.Duration
	cancel context.CancelFunc
	done   sync.WaitGroup
	usage  Usage // of the sampling goroutine, until done
}

// Watch begins to measure the process pid, and takes its memory each interval.
// Stop must be called.
func Watch(pid int, interval time.Duration) *Meter {
	ctx, cancel := context.WithCancel(context.Background())
	m := &Meter{pid: pid, cancel: cancel, before: cpuOf(family(pid))}
	m.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			m.sample()
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return m
}

// Stop ends the measurement.
func (m *Meter) Stop() Usage {
	m.cancel()
	m.done.Wait()
	m.sample()
	m.usage.CPU = cpuOf(family(m.pid)) - m.before
	return m.usage
}

func (m *Meter) sample() {
	all := family(m.pid)
	m.usage.Processes = max(m.usage.Processes, len(all))
	own := memoryOf(all[:1])
	m.usage.Own = append(m.usage.Own, own)
	m.usage.Memory = append(m.usage.Memory, own+memoryOf(all[1:]))
}

// family is pid with all its descendants.
func family(pid int) []int {
	children := map[int][]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return []int{pid}
	}
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if fields := statOf(child); fields != nil {
			if parent, err := strconv.Atoi(fields[1]); err == nil {
				children[parent] = append(children[parent], child)
			}
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// statOf are the fields of /proc/PID/stat from the state on, nil if there are none.
func statOf(pid int) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	// The name in parentheses may hold anything, also a parenthesis.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return nil
	}
	return fields
}

// tick is the unit of times in /proc, which is the same on every Linux.
const tick = time.Second / 100

// cpuOf is the time that the processes have used, with what their children had
// used that have ended.
func cpuOf(pids []int) (sum time.Duration) {
	for _, pid := range pids {
		fields := statOf(pid)
		if fields == nil {
			continue
		}
		for _, field := range fields[11:15] { // user, system, and both of ended children
			if n, err := strconv.ParseInt(field, 10, 64); err == nil {
				sum += time.Duration(n) * tick
			}
		}
	}
	return sum
}

// memoryOf is the memory that the processes hold: each shared page in parts,
// one for each process that shares it.
func memoryOf(pids []int) (sum int64) {
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			value, ok := strings.CutPrefix(line, "Pss:")
			if !ok {
				continue
			}
			if kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
				sum += kb << 10
			}
		}
	}
	return sum
}
