package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	overviewJobs   = 12
	overviewImages = 60
)

// An overview is all that the first page shows.
type overview struct {
	Version  string        `json:"version"`
	At       time.Time     `json:"at"` // it was judged and counted then
	Health   healthView    `json:"health"`
	Keys     bool          `json:"keys"` // a key opened the page, so that there is something to sign out of
	Bindings []bindingView `json:"bindings"`
	Jobs     []jobView     `json:"jobs"`
	Images   []imageView   `json:"images"`

	Attention     []attentionView `json:"attention"`     // what wants a person, the worst first
	AttentionMore int             `json:"attentionMore"` // that are left out here
	Tiles         tilesView       `json:"tiles"`
}

// An imageView is one picture of the gallery. Its addresses are paths, so that
// the page works under whatever name it was reached.
type imageView struct {
	Path       string    `json:"path"`
	StablePath string    `json:"stablePath,omitempty"`
	Binding    string    `json:"binding,omitempty"`
	Job        string    `json:"job,omitempty"`
	Key        string    `json:"key"`  // canonical
	Name       string    `json:"name"` // the key for people
	Output     string    `json:"output"`
	Format     string    `json:"format"`
	Width      int       `json:"width"`
	Height     int       `json:"height"`
	Generation int64     `json:"generation"`
	RenderedAt time.Time `json:"renderedAt"`
}

func viewOfImage(i bindings.Image) imageView {
	v := imageView{
		Path: "/images/" + i.Hash + "." + i.Ext, Binding: i.Owner.Binding(), Job: i.Owner.Job(),
		Key: i.Key, Name: bindings.KeyText(i.Key), Output: i.Output, Format: i.Format,
		Width: i.Width, Height: i.Height, Generation: i.Generation, RenderedAt: i.RenderedAt.UTC(),
	}
	if v.Binding != "" {
		v.StablePath = "/b/" + url.PathEscape(v.Binding) + "/" + i.Key + "/" + url.PathEscape(i.Output) + "." + i.Ext
	}
	return v
}

// overview looks everything up. It is what every watcher of the first page
// gets, so it is looked up once for all of them.
func (s *Server) overview(ctx context.Context) (any, error) {
	look := outlook{now: time.Now(), own: map[string]connectors.Health{}, sources: map[string]connectors.Health{}}
	fresh, err := s.bindingsAt(ctx, &look)
	if err != nil {
		return nil, err
	}
	o := overview{Version: s.deps.Version, At: look.now.UTC(), Keys: s.keys.guarded, Bindings: look.bindings, Jobs: []jobView{}, Images: []imageView{}}
	jobs, err := s.deps.Jobs.Jobs(ctx, overviewJobs)
	if err != nil {
		return nil, fmt.Errorf("read jobs: %w", err)
	}
	for _, j := range jobs {
		o.Jobs = append(o.Jobs, s.viewOfJob(j, look.now))
	}
	images, err := s.deps.Images.Images(ctx, overviewImages)
	if err != nil {
		return nil, fmt.Errorf("read images: %w", err)
	}
	for _, i := range images {
		o.Images = append(o.Images, viewOfImage(i))
	}
	look.jobs, look.ready = o.Jobs, s.deps.ReadyFunc(ctx)
	if look.load, err = s.load.get(ctx); err != nil {
		return nil, fmt.Errorf("count what there is to do: %w", err)
	}
	if look.sinks, err = s.deps.Resources.Connections(ctx, kindSink); err != nil {
		return nil, fmt.Errorf("look up sinks: %w", err)
	}
	look.failing = s.deps.Exhibit.Failing()
	o.Health, o.Attention = judge(look)
	if more := len(o.Attention) - maxAttention; more > 0 {
		o.Attention, o.AttentionMore = o.Attention[:maxAttention], more
	}
	o.Attention = list(o.Attention)
	o.Tiles = tilesOf(look, fresh)
	return o, nil
}

// showOverview is what the watchers get, once.
func (s *Server) showOverview(w http.ResponseWriter, r *http.Request) error {
	if err := s.seesAll(r); err != nil {
		return err
	}
	data, err := s.state.get(r.Context())
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, json.RawMessage(data))
}

// tilesOf counts what there is, for the tiles.
func tilesOf(o outlook, fresh map[string]connectors.Freshness) tilesView {
	v := viewOfLoad(o.load)
	for _, b := range o.bindings {
		if b.Freshness != nil {
			v.Bindings[b.Freshness.State]++
		}
	}
	for _, name := range sortedNames(fresh) {
		f := fresh[name]
		if lag := secondsOrNull(f.Lag(o.now)); lag != nil && !f.Paused && (v.OldestLagSeconds == nil || *lag > *v.OldestLagSeconds) {
			v.OldestLagSeconds, v.OldestLagSource = lag, name
		}
	}
	v.Sinks = len(o.sinks)
	for _, c := range o.sinks {
		if c.Error != nil || c.Flow != nil && (c.Flow.State == "failing" || c.Flow.State == "resting" || c.Flow.State == "disabled") {
			v.DeliveriesFailing++
		}
	}
	return v
}

// bindingViews is the state of some bindings, in their order.
func (s *Server) bindingViews(ctx context.Context, some []Binding) ([]bindingView, error) {
	fresh, err := s.freshness(ctx)
	if err != nil {
		return nil, fmt.Errorf("read how current the sources are: %w", err)
	}
	views, _, err := s.statesOf(ctx, some, fresh, time.Now())
	return views, err
}

// bindingsAt adds to an outlook how bindings and sources go.
func (s *Server) bindingsAt(ctx context.Context, o *outlook) (fresh map[string]connectors.Freshness, err error) {
	if fresh, err = s.freshness(ctx); err != nil {
		return nil, fmt.Errorf("read how current the sources are: %w", err)
	}
	for name, f := range fresh {
		o.sources[name] = f.Health(o.now)
	}
	all := s.deps.ConfiguredFunc()
	views, statuses, err := s.statesOf(ctx, all, fresh, o.now)
	for _, b := range all {
		o.own[b.Name] = statuses[b.Name].Health(connectors.Health{State: connectors.StateOK}, b.Error, o.now)
	}
	o.bindings = views
	return fresh, err
}

// statesOf are the states of some bindings, as they are shown and as the store has them.
func (s *Server) statesOf(ctx context.Context, some []Binding, fresh map[string]connectors.Freshness, now time.Time) ([]bindingView, map[string]bindings.Status, error) {
	if len(some) == 0 {
		return []bindingView{}, nil, nil
	}
	names := make([]string, len(some))
	for i, b := range some {
		names[i] = b.Name
	}
	statuses, err := s.deps.Bindings.Bindings(ctx, names)
	if err != nil {
		return nil, nil, fmt.Errorf("read state of bindings: %w", err)
	}
	byName := make(map[string]bindings.Status, len(statuses))
	for _, st := range statuses {
		byName[st.Binding] = st
	}
	views := make([]bindingView, len(some))
	for i, b := range some {
		views[i] = viewOfBinding(b, byName[b.Name]) // one the store does not know yet is new
		views[i].RenderURL, views[i].HookURL = s.renderURL(b), s.hookURL(b.HookPath)
		views[i].Freshness = freshnessOfBinding(b, byName[b.Name], fresh[b.Source], now)
	}
	return views, byName, s.showRuns(ctx, views, names)
}

// seesAll refuses a key that is for some templates or parts only.
func (s *Server) seesAll(r *http.Request) error {
	p := asker(r.Context())
	if len(p.templates) > 0 || !p.may(RendersRead) || !p.may(ImagesRead) {
		return problem.New(problem.Forbidden, "the key %q does not see everything, and this page shows everything", p.name).
			WithSlug(slugScope).WithHint("use a key without templates: and with the scopes bindings:read, renders:read and images:read")
	}
	return nil
}
