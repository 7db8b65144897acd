package chrome

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/render"
)

// A pace is how fast this machine makes each format in each lane. Its zero value
// knows nothing, and prefers the staged lane.
type pace map[render.Format]Rates

// Rates are pictures of 1200x630 a second.
type Rates struct {
	Plain  float64 `json:"plain"`
	Staged float64 `json:"staged"`
}

func (p pace) prefersPlain(f render.Format) bool { return p[f].Plain > p[f].Staged }

// paceFormats are the formats that both lanes make.
var paceFormats = []render.Format{render.PNG, render.JPEG, render.WebP}

const (
	paceWarm = 400 * time.Millisecond
	paceTime = 1200 * time.Millisecond
)

// paceKey is what a pace holds for: another Chrome, machine or pool has another.
func (p *Pool) paceKey(version string) string {
	return fmt.Sprintf("%s, %s, %d cores, %d browsers of %d tabs", version, runtime.GOARCH, runtime.NumCPU(), len(p.places), p.options.Tabs)
}

// recall takes the pace that was measured before. Without one the pool measures
// it in its first rest.
func (p *Pool) recall(version string) {
	if p.options.Pace == "" || p.options.Plain {
		return
	}
	all, err := readPaces(p.options.Pace)
	if err != nil {
		p.options.Log.Warn("the pace that was measured before can't be read, and is measured again", slog.Any("err", err))
	}
	p.pace = all[p.paceKey(version)]
	p.measures = p.pace == nil && p.stages
}

// readPaces is every pace that is kept at path, by its key.
func readPaces(path string) (map[string]pace, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all map[string]pace
	return all, json.Unmarshal(text, &all)
}

// calibrate measures the pace and keeps it. It takes some seconds of the whole
// machine; rows that come meanwhile get their seats as usual.
func (p *Pool) calibrate(version string) {
	measured := pace{}
	for _, format := range paceFormats {
		var r Rates
		var err error
		if r.Staged, err = p.measure(format, func(w *waiter) { w.staged = true }); err == nil {
			r.Plain, err = p.measure(format, func(w *waiter) { w.plain = true })
		}
		if err != nil {
			if p.life.Err() == nil {
				p.options.Log.Warn("the lanes can't be measured", slog.Any("err", err))
			}
			return
		}
		measured[format] = r
		p.options.Log.Info("the lanes are measured", slog.String("format", string(format)),
			slog.Float64("plain", r.Plain), slog.Float64("staged", r.Staged))
	}
	p.mu.Lock()
	p.pace = measured
	p.mu.Unlock()
	if err := keepPace(p.options.Pace, p.paceKey(version), measured); err != nil {
		p.options.Log.Warn("the pace is not kept, and is measured again at the next start", slog.Any("err", err))
	}
}

// keepPace writes a pace beside those that path has.
func keepPace(path, key string, measured pace) error {
	all, err := readPaces(path)
	if err != nil || all == nil {
		all = map[string]pace{} // what can't be read is measured again
	}
	all[key] = measured
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	next := path + ".new"
	if err := os.WriteFile(next, text, 0o644); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// measure is how many pictures a second one lane makes.
func (p *Pool) measure(format render.Format, into func(*waiter)) (rate float64, err error) {
	ctx, cancel := context.WithTimeout(p.life, p.options.Deadline)
	defer cancel()
	began := time.Now()
	var row, made atomic.Int64
	var once sync.Once
	var all sync.WaitGroup
	for range p.Slots() {
		all.Go(func() {
			for time.Since(began) < paceWarm+paceTime {
				w := newWaiter(ctx, paceRow(int(row.Add(1)), format))
				into(w)
				if _, fault := p.finish(ctx, w); fault != nil {
					once.Do(func() { err = fault })
					return
				}
				if since := time.Since(began); since > paceWarm && since < paceWarm+paceTime {
					made.Add(1)
				}
			}
		})
	}
	all.Wait()
	return float64(made.Load()) / paceTime.Seconds(), err
}

// paceRow is a card with a gradient, a shadow and some text, another one in
// every row.
func paceRow(i int, format render.Format) render.Request {
	return render.Request{
		Page: "pace", Width: 1200, Height: 630, Format: format,
		HTML: fmt.Sprintf(`<!doctype html><html lang="en"><head><meta charset="utf-8"><style>
body{margin:0;font:28px "Noto Sans",sans-serif;color:#fff;background:linear-gradient(135deg,#1b2a6b,#b3325a)}
div{margin:90px 80px;width:760px;padding:48px;border-radius:24px;background:#0005;box-shadow:0 30px 60px #0008}
h1{margin:0 0 16px;font-size:64px}</style></head><body><div><h1>Picture number %d</h1><p>How fast is this machine?</p><b>%d</b></div></body></html>`, i, i*7919),
	}
}
