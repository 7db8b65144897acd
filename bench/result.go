package bench

import (
	"fmt"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/render"
)

// A Result is what one peer made of one workload: a line of JSON, the same from
// every peer.
type Result struct {
	Peer            string  `json:"peer"`
	Version         string  `json:"version"`
	Workload        string  `json:"workload"`
	Format          string  `json:"format"`
	Images          int     `json:"images"`
	Seconds         float64 `json:"seconds"`
	ImagesPerSecond float64 `json:"imagesPerSecond"`
	MeanBytes       float64 `json:"meanBytes"`

	CPUMillis float64 `json:"cpuMsPerImage,omitempty"` // of all processes
	PeakMB    float64 `json:"peakMB,omitempty"`        // of all processes, shared pages counted once
	Stages    Stages  `json:"stages,omitempty"`
	Error     string  `json:"error,omitempty"` // why there is nothing else

	// Of a daemon: the mean memory of each quarter of the run, and before it,
	// without work, the memory of its own process and how many others there were.
	QuartersMB []float64 `json:"quartersMB,omitempty"`
	IdleMB     float64   `json:"idleMB,omitempty"`
	IdleOthers int       `json:"idleOthers,omitempty"`
}

// Stages say where the time of an image goes: milliseconds of the clock by the
// stage's name. Several images are on their way at once, so that together they
// are longer than the mean time between two images.
type Stages map[string]float64

// The stages, in the order in which an image passes them. An engine may tell of
// its own within StageEngine.
const (
	StageFill     = "fill"     // values into the page, in Go
	StageWait     = "wait"     // for the engine's turn
	StageEngine   = "engine"   // from the request to the bytes, without the wait
	StagePrepare  = "prepare"  // of that: the document into the page, until fonts and images are there
	StageDraw     = "draw"     // of that: the page to pixels
	StageEncode   = "encode"   // of that: pixels to the format
	StageTransfer = "transfer" // of that: the bytes to the daemon
	StageStore    = "store"    // bytes to the disk, synced
)

// StageNames are all of them in order.
var StageNames = []string{StageFill, StageWait, StageEngine, StagePrepare, StageDraw, StageEncode, StageTransfer, StageStore}

// engineStages are those that the engine tells of one image.
func engineStages(out render.Output) map[string]time.Duration {
	return map[string]time.Duration{StageEngine: out.Duration}
}

// String is r for a reader, in lines.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s as %s: %d images in %.1f s, %.1f images/s\n", r.Workload, r.Format, r.Images, r.Seconds, r.ImagesPerSecond)
	fmt.Fprintf(&b, "%.1f KB an image, %.1f ms of CPU an image, at most %.0f MB of memory\n", r.MeanBytes/1024, r.CPUMillis, r.PeakMB)
	for _, name := range StageNames {
		if took, ok := r.Stages[name]; ok {
			fmt.Fprintf(&b, "%8s %7.2f ms\n", name, took)
		}
	}
	return b.String()
}
