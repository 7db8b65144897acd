package daemon

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/template"
)

// explain adds to the history of a row why its images look as they do.
func (d *Daemon) explain(ctx context.Context, cfg bindings.Config, key string, h *api.RowHistory) error {
	renders, err := d.store.RowRenders(ctx, cfg.Name, key)
	if err != nil {
		return err
	}
	for _, r := range renders {
		h.Renders = append(h.Renders, api.RowRender{
			Output: r.Output, Fingerprint: r.Fingerprint, Template: r.Spec.Template, Version: r.Spec.Version, State: r.State,
			Attempts: r.Attempts, Bytes: r.Bytes, Duration: r.Duration, WantedAt: r.WantedAt, EndedAt: r.EndedAt, Texts: d.textsChanged(ctx, r.Spec, r.Before),
			Redrawn: redrawnBy(r.Spec, r.Before),
		})
	}
	states, err := d.store.Bindings(ctx, []string{cfg.Name})
	if err != nil {
		return err
	}
	h.Paused = states[0].PausedReason
	fresh, err := d.freshness(ctx)
	if err != nil {
		return err
	}
	h.Source, h.Freshness = cfg.Source, fresh[cfg.Source]
	if f := d.roster().feeds[cfg.Source]; f != nil && f.live != nil {
		s := f.live.known.get(key)
		h.AskedAt = s.at
	}
	return nil
}

// textsChanged are the texts on a picture that were others before. Values are in
// the order of the document, so that those of another version cannot be compared.
func (d *Daemon) textsChanged(ctx context.Context, now bindings.Spec, before *bindings.Spec) []api.TextChange {
	if before == nil || before.Page != now.Page || len(before.Values) != len(now.Values) {
		return nil
	}
	var changed []api.TextChange
	names := d.variablesBehind(ctx, now)
	for i, v := range now.Values {
		if v != before.Values[i] {
			change := api.TextChange{Before: before.Values[i], After: v}
			if i < len(names) {
				change.Variable = names[i]
			}
			changed = append(changed, change)
		}
	}
	return changed
}

// variablesBehind name what stands behind the texts of a picture; nothing where its
// version of the template is gone.
func (d *Daemon) variablesBehind(ctx context.Context, spec bindings.Spec) []string {
	t, err := d.templates.at(ctx, spec.Template, spec.Version)
	if err != nil {
		return nil
	}
	page, err := t.Page(template.View{Size: spec.Size, Theme: spec.Theme, Page: spec.Number})
	if err != nil {
		return nil
	}
	return page.Variables(spec.Values)
}

// redrawnBy says why there is another picture than before.
func redrawnBy(now bindings.Spec, before *bindings.Spec) string {
	switch {
	case before == nil:
		return ""
	case now.Version != before.Version:
		return api.ByTemplate
	case now.Page == before.Page && slices.Equal(now.Values, before.Values):
		return api.ByOptions
	}
	return api.ByRow
}
