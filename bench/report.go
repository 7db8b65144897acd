package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// ReadResults reads lines of JSON.
func ReadResults(r io.Reader) ([]Result, error) {
	var all []Result
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		var result Result
		if err := json.Unmarshal(lines.Bytes(), &result); err != nil {
			return nil, fmt.Errorf("line %d is no result: %w", n, err)
		}
		all = append(all, result)
	}
	return all, lines.Err()
}

// A wish is a figure that pictifyd is held to on the card.
type wish struct {
	format, peer string
	factor       float64
}

var wishes = []wish{
	{"jpeg", "puppeteer", 6}, {"jpeg", "chromedp tutorial", 14}, {"jpeg", "takumi", 1.1},
	{"png", "puppeteer", 18}, {"png", "chromedp tutorial", 24}, {"png", "takumi", 1},
	{"pdf", "puppeteer", 2},
}

// The names of what is measured beside the peers.
const (
	Engine = "pictifyd"        // rows to images
	Daemon = "pictifyd daemon" // rows to stored images and recorded state
)

// Report writes results as Markdown: the repetitions of one peer, workload and
// format in one row, with their median and spread, and the ratios that are wanted
// beside those that there are.
func Report(w io.Writer, results []Result) {
	p := &paper{out: w}
	for _, r := range results {
		p.sort(r)
	}
	p.versions()
	p.ratios()
	p.rates()
	p.stages()
	p.daemon()
}

// A paper is a report as it is written.
type paper struct {
	out    io.Writer
	runs   []run // in the order of their first results
	traced []Result
	whole  []Result
}

// A run is the repetitions of one peer, workload and format.
type run struct {
	peer, workload, format string
	results                []Result
	failed                 string // why the last that failed did
}

func (p *paper) sort(r Result) {
	switch {
	case r.Error == "" && r.Stages != nil:
		p.traced = append(p.traced, r)
		return
	case r.Peer == Daemon:
		p.whole = append(p.whole, r)
		return
	}
	at := p.find(r.Peer, r.Workload, r.Format)
	if at == nil {
		p.runs = append(p.runs, run{peer: r.Peer, workload: r.Workload, format: r.Format})
		at = &p.runs[len(p.runs)-1]
	}
	if r.Error != "" {
		at.failed = r.Error
		return
	}
	at.results = append(at.results, r)
}

func (p *paper) find(peer, workload, format string) *run {
	i := slices.IndexFunc(p.runs, func(r run) bool { return r.peer == peer && r.workload == workload && r.format == format })
	if i < 0 {
		return nil
	}
	return &p.runs[i]
}

// rate is the median of images a second, NaN where nothing was measured.
func (p *paper) rate(peer, workload, format string) float64 {
	r := p.find(peer, workload, format)
	if r == nil {
		return math.NaN()
	}
	return r.median(func(r Result) float64 { return r.ImagesPerSecond })
}

func (r run) median(of func(Result) float64) float64 {
	values := r.values(of)
	if len(values) == 0 {
		return math.NaN()
	}
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func (r run) values(of func(Result) float64) []float64 {
	var values []float64
	for _, result := range r.results {
		values = append(values, of(result))
	}
	slices.Sort(values)
	return values
}

func (p *paper) line(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p *paper) versions() {
	var list []string
	for _, r := range p.runs {
		for _, result := range r.results {
			name, _, _ := strings.Cut(r.peer, ",")
			if v := name + " " + result.Version; r.peer != Engine && !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	}
	if len(list) > 0 {
		p.line("Peers: %s.\n", strings.Join(list, "; "))
	}
}

func (p *paper) ratios() {
	p.line("## The card, beside what is wanted\n")
	p.line("| format | beside | wanted | is | pictifyd, images/s | the peer, images/s |")
	p.line("|---|---|---|---|---|---|")
	for _, w := range wishes {
		own, other := p.rate(Engine, "card", w.format), p.rate(w.peer, "card", w.format)
		p.line("| %s | %s | %gx | %s | %s | %s |", w.format, w.peer, w.factor, figure(own/other, "%.2fx"), figure(own, "%.1f"), figure(other, "%.1f"))
	}
	p.line("")
}

func figure(value float64, format string) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return "not measured"
	}
	return fmt.Sprintf(format, value)
}

func (p *paper) rates() {
	var done []string
	for _, r := range p.runs {
		name := r.workload + " as " + r.format
		if slices.Contains(done, name) {
			continue
		}
		done = append(done, name)
		p.line("## %s\n", name)
		p.line("| peer | images/s, median | least to most | KB an image | CPU ms an image | MB at most |")
		p.line("|---|---|---|---|---|---|")
		for _, peer := range p.runs {
			if peer.workload == r.workload && peer.format == r.format {
				p.row(peer)
			}
		}
		p.line("")
	}
}

func (p *paper) row(r run) {
	rates := r.values(func(r Result) float64 { return r.ImagesPerSecond })
	if len(rates) == 0 {
		p.line("| %s | not measured: %s | | | | |", r.peer, strings.ReplaceAll(r.failed, "|", "/"))
		return
	}
	used := func(of func(Result) float64) string {
		if m := r.median(of); m > 0 {
			return fmt.Sprintf("%.1f", m)
		}
		return ""
	}
	p.line("| %s | %.1f | %.1f to %.1f of %d | %.1f | %s | %s |", r.peer, r.median(func(r Result) float64 { return r.ImagesPerSecond }),
		rates[0], rates[len(rates)-1], len(rates), r.median(func(r Result) float64 { return r.MeanBytes })/1024,
		used(func(r Result) float64 { return r.CPUMillis }), used(func(r Result) float64 { return r.PeakMB }))
}

func (p *paper) stages() {
	if len(p.traced) == 0 {
		return
	}
	p.line("## Where the time of an image goes, with storing it\n")
	p.line("Milliseconds of the clock, the mean of all images, several of which are on their way at once; `pictifyd bench --trace` prints it.\n")
	p.line("| workload | images/s | %s |", strings.Join(StageNames, " | "))
	p.line("|---|---%s|", strings.Repeat("|---", len(StageNames)))
	for _, r := range p.traced {
		cells := make([]string, len(StageNames))
		for i, name := range StageNames {
			if took, ok := r.Stages[name]; ok {
				cells[i] = fmt.Sprintf("%.2f", took)
			}
		}
		p.line("| %s as %s | %.1f | %s |", r.Workload, r.Format, r.ImagesPerSecond, strings.Join(cells, " | "))
	}
	p.line("")
}

func (p *paper) daemon() {
	if len(p.whole) == 0 {
		return
	}
	p.line("## From rows to stored images and recorded state\n")
	p.line("Rows of the card by the batch API of a daemon, from the request to the completed job. Wanted: 85 %% of the engine's own rate, " +
		"10,000 rows in 150 s, under 1,500 MB of all processes with the last quarter within 10 %% of the second, under 60 MB idle without Chrome.\n")
	p.line("| format | rows | seconds | images/s | of the engine's rate | MB at most | MB by quarter | MB idle | others idle |")
	p.line("|---|---|---|---|---|---|---|---|---|")
	for _, r := range p.whole {
		if r.Error != "" {
			p.line("| %s | not measured: %s | | | | | | | |", r.Format, r.Error)
			continue
		}
		share := 100 * r.ImagesPerSecond / p.rate(Engine, r.Workload, r.Format)
		quarters := make([]string, len(r.QuartersMB))
		for i, mb := range r.QuartersMB {
			quarters[i] = fmt.Sprintf("%.0f", mb)
		}
		p.line("| %s | %d | %.1f | %.1f | %s | %.0f | %s | %.0f | %d |", r.Format, r.Images, r.Seconds, r.ImagesPerSecond,
			figure(share, "%.0f %%"), r.PeakMB, strings.Join(quarters, ", "), r.IdleMB, r.IdleOthers)
	}
	p.line("")
}
