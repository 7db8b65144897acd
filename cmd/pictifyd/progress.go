package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/client"
)

// A meter shows a job's progress: on a terminal in one line that changes, in a
// pipe in a line now and then.
type meter struct {
	out   io.Writer
	line  bool
	shown time.Time
	wide  int
}

// metersEvery is how often a pipe gets a line.
const metersEvery = 10 * time.Second

func newMeter(out io.Writer) *meter {
	return &meter{out: out, line: onTerminal(out)}
}

func (m *meter) show(j client.Job) {
	text := progressOf(j)
	if m.line {
		m.wide = max(m.wide, len(text))
		fmt.Fprintf(m.out, "\r%-*s", m.wide, text)
		return
	}
	if time.Since(m.shown) >= metersEvery && !j.Status.Ended() {
		m.shown = time.Now()
		fmt.Fprintln(m.out, text)
	}
}

// end leaves the line.
func (m *meter) end() {
	if m.line && m.wide > 0 {
		fmt.Fprintln(m.out)
	}
}

const barWidth = 24

// progressOf is where a job stands, for a line of a terminal.
func progressOf(j client.Job) string {
	if j.Run != nil && (j.Run.Phase == "waiting" || j.Run.Phase == "reading") {
		return fmt.Sprintf("the source %s is read", j.Run.Source)
	}
	ended := j.Completed + j.Failed
	filled := 0
	if j.Total > 0 {
		filled = int(ended * barWidth / j.Total)
	}
	text := fmt.Sprintf("[%s%s] %d of %d", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), ended, j.Total)
	if j.Rate > 0 {
		text += fmt.Sprintf(", %.0f/s", j.Rate)
	}
	if j.ETA != nil && !j.Status.Ended() {
		text += fmt.Sprintf(", %s left", (time.Duration(*j.ETA) * time.Second).String())
	}
	if j.Failed > 0 {
		text += fmt.Sprintf(", %d failed", j.Failed)
	}
	if j.Status == "paused" {
		text += ", paused"
	}
	return text
}
