package api

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// A System is what the daemon runs on, and what it is made of.
type System struct {
	StartedAt time.Time
	Ledger    LedgerState
	Chrome    *ChromeState // nil: none is used
	Waiting   map[int]int64
	Caches    []CacheState
	Disk      int64 // all bytes of the fuller disk; 0: nobody can say
	Config    json.RawMessage
	Findings  []Sign
	Processes []ProcessState // at work on the ledger, its holder first, then those that were put out lately
}

// A ProcessState is a process at work on the ledger, or one that was until lately.
type ProcessState struct {
	Place   string     `json:"place"`           // its number and machine
	State   string     `json:"state"`           // well, late (a sign of life is overdue) or gone (it gave none, and was put out)
	Cause   string     `json:"cause,omitempty"` // why it is not well
	Next    string     `json:"next,omitempty"`  // what to do about it
	Roles   []string   `json:"roles"`           // api, connect, render, deliver
	Version string     `json:"version"`         // of pictifyd
	Address string     `json:"address"`         // where the others reach it
	Holder  bool       `json:"holder"`          // it reads sources and plans, and answers what others hand on
	Since   time.Time  `json:"since"`
	HeardAt *time.Time `json:"heardAt"`          // its last sign of life; null: nobody can say
	GoneAt  *time.Time `json:"goneAt,omitempty"` // when it was put out
	InHand  HandState  `json:"inHand"`
}

// A HandState is what a process has in hand; what it draws for those who wait is not among it.
type HandState struct {
	Turns      int64 `json:"turns"` // of the queue that it works
	Renders    int64 `json:"renders"`
	Deliveries int64 `json:"deliveries"`
}

// A LedgerState is what the ledger is kept in.
type LedgerState struct {
	Kind   string `json:"kind"`   // sqlite or postgres
	Schema int64  `json:"schema"` // the number of its newest migration
	Bytes  int64  `json:"-"`
}

// A ChromeState is how the Chromes of the pool are.
type ChromeState struct {
	Lanes    LaneState      `json:"lanes"`
	Browsers []BrowserState `json:"browsers"`
}

// A LaneState is what is known of the faster way of drawing.
type LaneState struct {
	Staged  bool `json:"staged"`  // pages can be drawn in canvases
	Agreed  int  `json:"agreed"`  // pages that are drawn so
	Refused int  `json:"refused"` // pages that are not, because they came out otherwise
}

// A BrowserState is one place of the pool.
type BrowserState struct {
	ID        int        `json:"id"` // as logs name it
	State     string     `json:"state"`
	Version   string     `json:"version"`
	PID       int        `json:"pid"` // 0: there is no process, as nothing was to be drawn for a while
	StartedAt *time.Time `json:"startedAt"`
	Served    int        `json:"served"`   // pictures that this process made
	Restarts  int        `json:"restarts"` // of the place
	RSSBytes  int64      `json:"rssBytes"` // that only its processes hold; 0: the machine does not tell
	Current   int        `json:"current,omitempty"`
	Error     string     `json:"error,omitempty"` // why the last start failed
}

// A CacheState is what is kept in memory so that it is not made again.
type CacheState struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
	Bytes   *int64 `json:"bytes,omitempty"`
	Hits    int64  `json:"hits"`
	Misses  int64  `json:"misses"`
}

// A Sign is one thing that was looked at on the machine, as pictifyd doctor shows it.
type Sign struct {
	Check   string `json:"check"`
	Level   string `json:"level"` // ok, warn or error
	Message string `json:"message"`
	Next    string `json:"next,omitempty"`
}

// A systemView is what the daemon runs on, as GET /system tells it.
type systemView struct {
	Version       string          `json:"version"`
	GoVersion     string          `json:"goVersion"`
	Platform      string          `json:"platform"`
	StartedAt     time.Time       `json:"startedAt"`
	UptimeSeconds int64           `json:"uptimeSeconds"`
	MemoryBytes   int64           `json:"memoryBytes"` // of the daemon itself, as Go counts it
	Ledger        LedgerState     `json:"ledger"`
	Chrome        *ChromeState    `json:"chrome"` // null: none is used
	Queue         longQueueView   `json:"queue"`
	Caches        []CacheState    `json:"caches"`
	Storage       storageView     `json:"storage"`
	Keys          keyCounts       `json:"keys"`
	Config        json.RawMessage `json:"config"` // as it is in effect, its secrets as ***
	Findings      []Sign          `json:"findings"`
	Processes     []ProcessState  `json:"processes"` // at work on the ledger, its holder first, then those that were put out lately
	At            time.Time       `json:"at"`
}

// A longQueueView is what there is to draw, and who waits for it.
type longQueueView struct {
	queueView

	ByPriority map[string]int64 `json:"byPriority"` // what waits: now, change, batch, replan
}

// A storageView is what of the disks is used, and what is left.
type storageView struct {
	LedgerBytes int64     `json:"ledgerBytes"` // of a server: all of the database
	Blobs       blobsView `json:"blobs"`
	FreeBytes   int64     `json:"freeBytes"`  // of the fuller disk
	TotalBytes  int64     `json:"totalBytes"` // of it; 0: nobody can say
}

// A blobsView is what the last sweep saw of images and their files.
type blobsView struct {
	Bytes           int64      `json:"bytes"`
	Files           int64      `json:"files"`
	SupersededBytes int64      `json:"supersededBytes"` // that nothing shows any more
	MeasuredAt      *time.Time `json:"measuredAt"`      // null: there was no sweep since the start
}

// keyCounts is how many keys open the API.
type keyCounts struct {
	File int `json:"file"` // of the configuration
	Made int `json:"made"` // over the API
}

var priorityWords = map[int]string{
	bindings.PriorityNow: "now", bindings.PriorityChange: "change", bindings.PriorityBatch: "batch", bindings.PriorityReplan: "replan",
}

func (s *Server) showSystem(w http.ResponseWriter, r *http.Request) error {
	v, err := s.system(r.Context())
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}

func (s *Server) system(ctx context.Context) (systemView, error) {
	now := time.Now()
	is, err := s.deps.SystemFunc(ctx)
	if err != nil {
		return systemView{}, err
	}
	load, err := s.load.get(ctx)
	if err != nil {
		return systemView{}, err
	}
	v := systemView{
		Version: s.deps.Version, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		StartedAt: is.StartedAt.UTC(), UptimeSeconds: int64(now.Sub(is.StartedAt).Seconds()), MemoryBytes: ownMemory(),
		Ledger: is.Ledger, Chrome: is.Chrome, Queue: longQueueView{viewOfQueue(load), map[string]int64{}},
		Caches: append(list(is.Caches), s.canvases.state()),
		Storage: storageView{
			LedgerBytes: is.Ledger.Bytes, FreeBytes: max(load.Disk.Free, 0), TotalBytes: is.Disk,
			Blobs: blobsView{load.Disk.Bytes, load.Disk.Files, load.Disk.Superseded, moment(load.Disk.MeasuredAt)},
		},
		Keys: s.keys.counts(), Config: is.Config, Findings: list(is.Findings), Processes: list(is.Processes), At: now.UTC(),
	}
	for priority, word := range priorityWords {
		v.Queue.ByPriority[word] = is.Waiting[priority]
	}
	if v.Chrome != nil {
		v.Chrome.Browsers = list(v.Chrome.Browsers)
	}
	if len(v.Config) == 0 {
		v.Config = json.RawMessage("{}")
	}
	return v, nil
}

// ownMemory is what the program has from the machine.
func ownMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}
