package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	overviewJobs   = 12
	overviewImages = 60
)

// An overview is all that the first page shows.
type overview struct {
	Version  string        `json:"version"`
	Keys     bool          `json:"keys"` // a key opened the page, so that there is something to sign out of
	Bindings []bindingView `json:"bindings"`
	Jobs     []jobView     `json:"jobs"`
	Images   []imageView   `json:"images"`
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
	views, err := s.bindingViews(ctx, s.deps.ConfiguredFunc())
	if err != nil {
		return nil, err
	}
	o := overview{Version: s.deps.Version, Keys: s.keys.guarded, Bindings: views, Jobs: []jobView{}, Images: []imageView{}}
	jobs, err := s.deps.Jobs.Jobs(ctx, overviewJobs)
	if err != nil {
		return nil, fmt.Errorf("read jobs: %w", err)
	}
	now := time.Now()
	for _, j := range jobs {
		o.Jobs = append(o.Jobs, s.viewOfJob(j, now))
	}
	images, err := s.deps.Images.Images(ctx, overviewImages)
	if err != nil {
		return nil, fmt.Errorf("read images: %w", err)
	}
	for _, i := range images {
		o.Images = append(o.Images, viewOfImage(i))
	}
	return o, nil
}

// bindingViews is the state of some bindings, in their order.
func (s *Server) bindingViews(ctx context.Context, some []Binding) ([]bindingView, error) {
	if len(some) == 0 {
		return []bindingView{}, nil
	}
	names := make([]string, len(some))
	for i, b := range some {
		names[i] = b.Name
	}
	statuses, err := s.deps.Bindings.Bindings(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("read state of bindings: %w", err)
	}
	byName := make(map[string]bindings.Status, len(statuses))
	for _, st := range statuses {
		byName[st.Binding] = st
	}
	fresh, err := s.freshness(ctx)
	if err != nil {
		return nil, fmt.Errorf("read how current the sources are: %w", err)
	}
	views := make([]bindingView, len(some))
	for i, b := range some {
		views[i] = viewOfBinding(b, byName[b.Name]) // one the store does not know yet is new
		views[i].RenderURL, views[i].HookURL = s.renderURL(b), s.hookURL(b.HookPath)
		views[i].Freshness = freshnessOfBinding(b, byName[b.Name], fresh[b.Source], time.Now())
	}
	return views, s.showRuns(ctx, views, names)
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
