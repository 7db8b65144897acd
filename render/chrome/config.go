package chrome

import (
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	auto        = "auto"
	maxBrowsers = 64
	maxTabs     = 16
)

// lanePlain is what Config.Lane says to keep to the plain lane.
const lanePlain = "plain"

// The other ways that render.Output.Lane names.
const (
	laneStaged = "staged"
	lanePrint  = "print"
)

// What Config.Sandbox may say.
const (
	SandboxRequired = "required" // without a working sandbox no Chrome starts
	SandboxNone     = "none"     // Chrome runs without one, and every start warns
)

// Config is the section render of the configuration. An empty string means the
// default.
type Config struct {
	Browsers string          `yaml:"browsers"` // how many Chromes: a number, or auto, one per core up to 4
	Chrome   string          `yaml:"chrome"`   // name or path of the binary, or auto, see Find
	User     string          `yaml:"user"`     // whom Chrome runs as when the daemon is root: a user, a numeric id, or auto
	Sandbox  string          `yaml:"sandbox"`  // required or none
	Lane     string          `yaml:"lane"`     // auto, or plain: only what needs nothing but Chrome's own captures, slower
	Idle     config.Duration `yaml:"idle"`     // after so long without work the Chromes stop; 0: they never do

	// RemoteAssets says whether pages may show images that rows name by URL; see
	// AllowsRemote for what it is when nobody wrote it.
	RemoteAssets *bool `yaml:"remote_assets"`
}

// AllowsRemote reports whether pages may show files of other hosts. Chrome
// decodes them, so without its sandbox they are off unless turned on.
func (c Config) AllowsRemote() bool {
	if c.RemoteAssets != nil {
		return *c.RemoteAssets
	}
	return c.Sandbox != SandboxNone
}

// DefaultConfig is the section as it is when nobody wrote it.
func DefaultConfig() Config {
	return Config{Browsers: auto, Chrome: auto, User: auto, Sandbox: SandboxRequired, Lane: auto, Idle: config.Duration(5 * time.Minute)}
}

// Validate reports every problem of c as a problem.List, with paths relative
// to the section. It does not look at the machine.
func (c Config) Validate() error {
	var list problem.List
	if _, err := c.browsers(); err != nil {
		list = append(list, problem.New(problem.Invalid, "%w", err).At("browsers"))
	}
	switch c.Sandbox {
	case "", SandboxRequired, SandboxNone:
	default:
		list = append(list, problem.New(problem.Invalid, "is %q, but must be %q or %q", c.Sandbox, SandboxRequired, SandboxNone).At("sandbox"))
	}
	switch c.Lane {
	case "", auto, lanePlain:
	default:
		list = append(list, problem.New(problem.Invalid, "is %q, but must be %q or %q", c.Lane, auto, lanePlain).At("lane"))
	}
	if c.Idle < 0 {
		list = append(list, problem.New(problem.Invalid, "must not be negative").At("idle"))
	}
	return list.Err()
}

// browsers is how many Chromes c asks for.
func (c Config) browsers() (int, error) {
	if c.Browsers == "" || c.Browsers == auto {
		return min(runtime.NumCPU(), 4), nil
	}
	n, err := strconv.Atoi(c.Browsers)
	if err != nil {
		return 0, errors.New(`wants a number of browsers or "auto"`)
	}
	if n < 1 || n > maxBrowsers {
		return 0, errors.New("must be from 1 to " + strconv.Itoa(maxBrowsers))
	}
	return n, nil
}

// Options are what the program, not its user, decides about a Pool. The zero
// value is ready for use.
type Options struct {
	Log      *slog.Logger  // nil discards
	Deadline time.Duration // for one try at one picture; 0 means 30 s
	Tabs     int           // that one browser works in at a time; 0 means 2
	Pictures int           // after which a browser is replaced; 0 means 5,000
	Memory   int64         // bytes of a browser's processes above which it is replaced; 0 means 1 GiB
	Plain    bool          // only the lane that needs nothing but Chrome's own captures
	Pace     string        // the file that keeps how fast the lanes are here; "" measures nothing
	Dir      string        // where profiles are kept while Chrome runs; "" is /dev/shm if it has room, else the temporary folder
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Deadline <= 0 {
		o.Deadline = 30 * time.Second
	}
	if o.Tabs <= 0 {
		o.Tabs = 2
	}
	o.Tabs = min(o.Tabs, maxTabs)
	if o.Pictures <= 0 {
		o.Pictures = 5000
	}
	if o.Memory <= 0 {
		o.Memory = 1 << 30
	}
	return o
}
