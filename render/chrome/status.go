package chrome

import (
	"maps"
	"time"

	"github.com/pictifyd/pictifyd/render"
)

// A BrowserStatus is one place of a pool at one moment.
type BrowserStatus struct {
	Number   int       // of the place, as logs name it
	PID      int       // of Chrome's main process; 0 when there is none
	Started  time.Time // the process; zero when there is none
	Busy     int       // pictures that it has in hand
	Version  string    // as Chrome names itself: "HeadlessChrome/156.0.…"
	State    string    // ready, busy, starting, failed or stopped
	Pictures int       // made by this process
	Restarts int       // of the place since the pool was opened
	Err      string    // why the last start failed; "" when it did not
	Retry    time.Time // when the next start is tried, while failed
}

// Status is every place of the pool, in a constant order.
func (p *Pool) Status() []BrowserStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]BrowserStatus, len(p.places))
	for i, pl := range p.places {
		list[i] = pl.status()
	}
	return list
}

func (pl *place) status() BrowserStatus {
	s := BrowserStatus{Number: pl.number, Restarts: max(pl.starts-1, 0), State: "stopped"}
	if pl.err != nil {
		s.State, s.Err, s.Retry = "failed", pl.err.Error(), pl.notBefore
	}
	if pl.starting {
		s.State = "starting"
	}
	if b := pl.browser; b != nil {
		s.PID, s.Version, s.Pictures = b.proc.pid, b.version, b.pictures
		s.Started, s.Busy = b.proc.started, b.busy
		s.State = "ready"
		if b.busy > 0 {
			s.State = "busy"
		}
	}
	return s
}

// MemoryOf is how many bytes only the processes of the Chrome hold whose main
// process is pid; 0 where the machine does not tell.
func MemoryOf(pid int) int64 { return privateMemory(pid) }

// A LaneStatus is what the pool knows of its lanes.
type LaneStatus struct {
	Staged  bool // its Chromes draw pages in canvases
	Agreed  int  // pages that are drawn so
	Refused int  // pages that are not, because they came out otherwise

	Rates map[render.Format]Rates // nil until measured
}

// Lanes is what the pool knows of its lanes.
func (p *Pool) Lanes() LaneStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := LaneStatus{Staged: p.stages, Rates: maps.Clone(p.pace)}
	for _, proof := range p.ledger.proofs {
		switch proof.state {
		case agreed:
			status.Agreed++
		case refused:
			status.Refused++
		}
	}
	return status
}
