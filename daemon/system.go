package daemon

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/template"
)

// system looks at what the daemon runs on, and what it is made of.
func (d *Daemon) system(ctx context.Context) (api.System, error) {
	ledger, err := d.store.Ledger(ctx)
	if err != nil {
		return api.System{}, err
	}
	waiting, err := d.store.WaitingByPriority(ctx)
	if err != nil {
		return api.System{}, err
	}
	processes, err := d.store.Processes(ctx)
	if err != nil {
		return api.System{}, err
	}
	file := d.file()
	is := api.System{
		StartedAt: d.began, Ledger: api.LedgerState{Kind: ledger.Kind, Schema: ledger.Schema, Bytes: ledger.Bytes},
		Chrome: d.chromeState(), Waiting: waiting, Caches: d.caches(), Disk: fullerDisk(file.dataFolders()), Config: file.shown(),
		Processes: processStates(processes),
	}
	for _, sign := range slices.Concat(d.chromeSigns(), processSigns(processes), machineSigns(file)) {
		is.Findings = append(is.Findings, findingOf(sign))
	}
	if err := d.lowDisk(int64(file.Keep.MinFree)); err != nil {
		is.Findings = append(is.Findings, findingOf(signOf("intake", err)))
	}
	return is, nil
}

func (d *Daemon) chromeState() *api.ChromeState {
	if d.pool == nil {
		return nil
	}
	lanes := d.pool.Lanes()
	is := &api.ChromeState{Lanes: api.LaneState{Staged: lanes.Staged, Agreed: lanes.Agreed, Refused: lanes.Refused}}
	for _, b := range d.pool.Status() {
		one := api.BrowserState{
			ID: b.Number, State: b.State, Version: b.Version, PID: b.PID, Served: b.Pictures, Restarts: b.Restarts, Current: b.Busy, Error: b.Err,
		}
		if b.PID != 0 {
			started := b.Started.UTC()
			one.StartedAt, one.RSSBytes = &started, chrome.MemoryOf(b.PID)
		}
		is.Browsers = append(is.Browsers, one)
	}
	return is
}

// chromeSigns are those of the Chromes that there are: none is started for them.
func (d *Daemon) chromeSigns() []Sign {
	if d.pool == nil {
		return nil
	}
	all := d.pool.Status()
	sign := Sign{Name: "Chrome", Health: Well, Says: "none runs, as nothing was to be drawn for a while"}
	var signs []Sign
	for _, b := range all {
		if isUp(b) {
			sign.Says = b.Version + " draws"
			signs = []Sign{sandboxSign(d.settings.Render.Sandbox, b.PID, chrome.LookAtSandbox), lanesSign(d.pool.Lanes())}
			break
		}
	}
	for _, b := range all {
		if b.Err == "" {
			continue
		}
		sign.Health, sign.Says, sign.Do = Warn, "one does not start: "+b.Err, "it is tried again; pictifyd doctor says what this machine lacks"
		if len(signs) == 0 {
			sign.Health = Missing
		}
	}
	return append([]Sign{sign}, signs...)
}

// caches are what is kept in memory so that it is not made again.
func (d *Daemon) caches() []api.CacheState {
	expressions := api.CacheState{Name: "compiled expressions"}
	expressions.Entries, expressions.Hits, expressions.Misses = template.CompiledExpressions()
	return []api.CacheState{d.templates.use(), expressions}
}

// use is how the compiled templates that are kept are used.
func (l *templates) use() api.CacheState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return api.CacheState{Name: "compiled templates", Entries: len(l.compiled), Hits: l.hits, Misses: l.misses}
}

// fullerDisk is the size of the disk with the least room of those that folders are on.
func fullerDisk(folders []string) int64 {
	var size, least uint64
	for _, dir := range folders {
		if free, total, err := space(existing(dir)); err == nil && (size == 0 || free < least) {
			size, least = total, free
		}
	}
	return int64(size)
}

// findingOf is a sign as the API has it.
func findingOf(s Sign) api.Sign {
	level := map[Health]string{Well: "ok", Warn: "warn", Missing: "error"}[s.Health]
	return api.Sign{Check: s.Name, Level: level, Message: s.Says, Next: s.Do}
}

// shown is the configuration as it is in effect, without its secrets.
func (s *Settings) shown() json.RawMessage {
	section := func(name string, v any) json.RawMessage {
		n, _ := s.root.Child(name)
		return n.Shown(v)
	}
	sources, sinks := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for _, one := range s.Sources {
		sources[one.Name] = one.node.Shown(one.Config)
	}
	for _, one := range s.Sinks {
		sinks[one.Name] = one.node.Shown(one.Config)
	}
	bound := []json.RawMessage{}
	for _, b := range s.Bindings {
		bound = append(bound, s.nodes[b.Name].Shown(b))
	}
	text, err := json.Marshal(struct {
		Server    json.RawMessage            `json:"server"`
		Store     json.RawMessage            `json:"store"`
		Blobs     json.RawMessage            `json:"blobs"`
		Keep      json.RawMessage            `json:"keep"`
		Render    json.RawMessage            `json:"render"`
		Egress    json.RawMessage            `json:"egress"`
		Templates json.RawMessage            `json:"templates"`
		Sources   map[string]json.RawMessage `json:"sources"`
		Sinks     map[string]json.RawMessage `json:"sinks"`
		Bindings  []json.RawMessage          `json:"bindings"`
		Secrets   json.RawMessage            `json:"secrets"`
	}{
		section("server", s.Server), section("store", s.Store), section("blobs", s.Blobs), section("keep", s.Keep), section("render", s.Render),
		section("egress", s.Egress), section("templates", s.Templates),
		sources, sinks, bound, section("secrets", s.Secrets),
	})
	if err != nil {
		return nil // every part is a document
	}
	return text
}
