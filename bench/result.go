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

// The stages, in the order in which an image passes them.
const (
	StageFill    = "fill"    // values into the page, in Go
	StageWait    = "wait"    // for the engine's turn
	StageEngine  = "engine"  // from then to the bytes; what the engine tells of it follows
	StagePrepare = "prepare" // the document into the page, its files, its layout
	StagePaint   = "paint"   // the page to pixels
	StageQueue   = "queue"   // waiting for the encoder
	StageEncode  = "encode"  // pixels to the format
	StageStore   = "store"   // bytes to the disk, synced
)

// StageNames are all of them in order.
var StageNames = []string{StageFill, StageWait, StageEngine, StagePrepare, StagePaint, StageQueue, StageEncode, StageStore}

// engineStages are those that the engine tells of one image. Which they are
// depends on how it drew; those that it says nothing of are zero.
func engineStages(out render.Output) map[string]time.Duration {
	return map[string]time.Duration{
		StageEngine: out.Duration, StagePrepare: out.Stages.Prepare, StagePaint: out.Stages.Paint,
		StageQueue: out.Stages.Queue, StageEncode: out.Stages.Encode,
	}
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
