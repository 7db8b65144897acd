package daemon

import (
	"context"
	"errors"
	"slices"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/store/blob"
)

// server is the API with this daemon's rooms behind it.
func (d *Daemon) server(ctx context.Context) (*api.Server, error) {
	keys, err := d.store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	relayKey, err := d.store.Setting(ctx, "relay_key", newSecret)
	if err != nil {
		return nil, err
	}
	if d.member() {
		return d.doorOfMember(keys, relayKey)
	}
	return d.door(api.Deps{
		Log:                d.log,
		Version:            d.options.Version,
		BaseURL:            d.urls.base,
		Intake:             d.store,
		Origins:            origins{d},
		Sampler:            sampler{d},
		Trials:             trials{d},
		Client:             d.documents(),
		Jobs:               shownJobs{d.store, d},
		Steering:           d.store,
		Bindings:           ledger{d.store, d},
		Runs:               d,
		Resources:          d,
		Workshop:           d,
		Subscriptions:      d,
		ExperimentDesk:     experimentDesk{d},
		Copilot:            d.copilot,
		CopilotRuns:        d.store.CopilotRuns(),
		Refresher:          d,
		Guards:             d,
		Streams:            d,
		Hooks:              d,
		Images:             d.store,
		Gallery:            exhibition{d.store, d},
		Exhibit:            d.exhibit,
		Templates:          d.store,
		Drafts:             d.store,
		Desk:               d.desk(),
		Publisher:          d.publisher(),
		Blobs:              d.blobs,
		Assets:             shownFiles{d},
		Easel:              easel{d},
		Live:               watchtower{d},
		Changes:            d.store,
		Spool:              d.spool,
		MergePDFFunc:       mergePDF,
		Keys:               d.store,
		StoredKeys:         keys,
		Deletions:          eraser{d},
		Deliveries:         d.store,
		Valve:              d,
		Audit:              d.store.Audit(),
		SweepFunc:          d.askSweep,
		RoomFunc:           d.room,
		ConfiguredFunc:     d.configured,
		BindingFunc:        d.oneConfigured,
		DeleteTemplateFunc: d.retireTemplate,
		CompileFunc: func(ctx context.Context, name string, number int64) (bindings.Template, error) {
			return d.templates.at(ctx, name, number)
		},
		TestFunc:      d.namedByJob,
		CheckURLFunc:  d.guard.CheckURL,
		ReadyFunc:     d.able,
		FreshnessFunc: d.freshness,
		LoadFunc:      d.load,
		SystemFunc:    d.system,
		Registry:      d.metrics.registry,
		Traces:        d.traces,
		CountersFunc:  d.counters,
		RelayKey:      []byte(relayKey),
	})
}

// door is the API over those rooms, with the keys that sign addresses.
func (d *Daemon) door(rooms api.Deps) (*api.Server, error) {
	rooms.URLSecrets = d.urls.signers.secrets()
	server, err := api.New(d.settings.Server, rooms)
	if err == nil {
		server.SetURLKeys(d.urls.signers.all())
	}
	return server, err
}

// configured is every binding with what keeps it from working.
func (d *Daemon) configured() []api.Binding {
	now := d.roster()
	all := make([]api.Binding, len(now.bindings))
	for i, b := range now.bindings {
		all[i] = d.shown(now, b)
	}
	return all
}

// oneConfigured is the binding of that name.
func (d *Daemon) oneConfigured(name string) (api.Binding, bool) {
	now := d.roster()
	for _, b := range now.bindings {
		if b.Name == name {
			return d.shown(now, b), true
		}
	}
	return api.Binding{}, false
}

// shown is a binding of the roster as the API has it.
func (d *Daemon) shown(now *roster, b bindings.Config) api.Binding {
	d.mu.Lock()
	unable := d.unable[b.Name]
	d.mu.Unlock()
	one := api.Binding{
		Name: b.Name, Source: b.Source, Template: b.Template, Public: b.Public, Sinks: b.Sinks, OnRun: b.OnRun,
		Error: errors.Join(now.lacks(b), unable, d.templates.problem(b.Template)),
	}
	one.Placeholder = b.Placeholder
	if !now.paused[b.Name] {
		one.Live = b.Live
	}
	now.describe(&one)
	outputs, err := bindings.Outputs(b.Outputs, "outputs")
	if err != nil { // refused when the file was read
		one.Error = errors.Join(one.Error, err)
		return one
	}
	for _, o := range outputs {
		format, _ := render.ParseFormat(o.Format)
		one.Outputs = append(one.Outputs, api.Output{Name: o.Name, Ext: format.Ext()})
	}
	return one
}

// able says why the daemon cannot do its work now.
func (d *Daemon) able(ctx context.Context) error {
	if err := d.store.Certain(); err != nil {
		return err
	}
	if err := d.store.Ping(ctx); err != nil {
		return err
	}
	if err := d.room(ctx); err != nil {
		return err
	}
	if far, ok := d.blobs.(blob.Prober); ok {
		if err := far.Ready(ctx); err != nil {
			return err
		}
	}
	if d.pool == nil || !d.roles().Has(RoleRender) {
		return nil
	}
	if !slices.ContainsFunc(d.pool.Status(), isUp) {
		return problem.New(problem.Surroundings, "no Chrome runs").WithHint("the log says why; it is tried again")
	}
	return nil
}

// counters are the store's figures for /metrics.
func (d *Daemon) counters(ctx context.Context) (api.Counters, error) {
	c, err := d.store.Counters(ctx)
	return api.Counters(c), err
}

func isUp(b chrome.BrowserStatus) bool { return b.State == "ready" || b.State == "busy" }
