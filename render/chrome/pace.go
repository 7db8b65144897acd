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

// clearly is how much faster the plain lane has to be to be taken.
const clearly = 1.15

func (p pace) prefersPlain(f render.Format) bool { return p[f].Plain > clearly*p[f].Staged }

// paceFormats are the formats that both lanes make.
var paceFormats = []render.Format{render.PNG, render.JPEG, render.WebP}

// paceRounds is how often each lane is measured, in turns with the other. The
// best round counts: other work on the machine makes a lane slower, never faster.
const paceRounds = 2

// paceAge is how long a pace is believed.
const paceAge = 30 * 24 * time.Hour

// A keptPace is a pace in the file.
type keptPace struct {
	Measured time.Time `json:"measured"`
	Rates    pace      `json:"rates"`
}

// paceKey is what a pace holds for: another Chrome, machine or pool has another,
// and so has another way of measuring.
func (p *Pool) paceKey(version string) string {
	return fmt.Sprintf("%s, %s, %d cores, %d browsers of %d tabs, best of %d warm rounds of %d",
		version, runtime.GOARCH, runtime.NumCPU(), len(p.places), p.options.Tabs, paceRounds, pacePictures)
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
	if kept := all[p.paceKey(version)]; time.Since(kept.Measured) < paceAge {
		p.pace = kept.Rates
	}
	p.measures = p.pace == nil && p.stages
	for _, format := range paceFormats {
		if r := p.pace[format]; p.pace.prefersPlain(format) {
			p.options.Log.Info("Chrome's own screenshots are faster here than the stage, and are taken",
				slog.String("format", string(format)), slog.Float64("plain", r.Plain), slog.Float64("staged", r.Staged))
		}
	}
}

// readPaces is every pace that is kept at path, by its key.
func readPaces(path string) (map[string]keptPace, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all map[string]keptPace
	return all, json.Unmarshal(text, &all)
}

// calibrate measures the pace and keeps it. It takes some seconds of the whole
// machine. Rows that come meanwhile get their seats as usual, and it is put off
// to the next rest.
func (p *Pool) calibrate(version string) {
	measured := pace{}
	for _, format := range paceFormats {
		r, err := p.measure(format)
		if errors.Is(err, errNoRest) {
			p.mu.Lock()
			p.measures = true
			p.mu.Unlock()
			return
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
		all = map[string]keptPace{} // what can't be read is measured again
	}
	all[key] = keptPace{Measured: time.Now().UTC(), Rates: measured}
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

var errNoRest = errors.New("rows came while the lanes were measured")

// measure is the best rate of each lane.
// Beside rows of callers the rates would be theirs: errNoRest.
func (p *Pool) measure(format render.Format) (best Rates, err error) {
	asked := p.asked.Load()
	for round := range paceRounds {
		staged, err := p.rate(format, round, func(w *waiter) { w.staged = true })
		if err != nil {
			return best, err
		}
		plain, err := p.rate(format, round, func(w *waiter) { w.plain = true })
		if err != nil {
			return best, err
		}
		best.Staged, best.Plain = max(best.Staged, staged), max(best.Plain, plain)
		if p.asked.Load() != asked {
			return best, errNoRest
		}
	}
	return best, nil
}

// pacePictures is how many pictures each slot makes in a round: a stage takes the
// next ones while the last are on their way.
const pacePictures = 3

// rate is how many pictures a second one lane makes, with as many in flight as
// the pool has slots, once its tabs are open: the other lane had the seats before.
// It counts pictures, not time: one that takes long must not fall out of the window.
func (p *Pool) rate(format render.Format, round int, into func(*waiter)) (float64, error) {
	if _, err := p.fillSlots(format, -1-round, 1, into); err != nil {
		return 0, err
	}
	took, err := p.fillSlots(format, round, pacePictures, into)
	return float64(p.Slots()*pacePictures) / took.Seconds(), err
}

// fillSlots has each slot make so many pictures, and is how long that took.
func (p *Pool) fillSlots(format render.Format, round, pictures int, into func(*waiter)) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(p.life, p.options.Deadline)
	defer cancel()
	slots := p.Slots()
	failed := make([]error, slots)
	began := time.Now()
	var all sync.WaitGroup
	for slot := range slots {
		all.Go(func() {
			for n := 0; n < pictures && failed[slot] == nil; n++ {
				w := newWaiter(ctx, paceRow((round*slots+slot)*pacePictures+n, format))
				into(w)
				_, failed[slot] = p.finish(ctx, w)
			}
		})
	}
	all.Wait()
	return time.Since(began), errors.Join(failed...)
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
