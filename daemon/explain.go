package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors/poll"
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
			Attempts: r.Attempts, Bytes: r.Bytes, Duration: r.Duration, Lane: r.Lane, WantedAt: r.WantedAt, EndedAt: r.EndedAt, Texts: d.textsChanged(ctx, r.Spec, r.Before),
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
	if w := wayOf(bindings.BindingOwner(cfg.Name), 0, key, h.Generation); h.Generation > 0 && d.traces.Follows(w) {
		h.Trace = w.TraceID()
	}
	h.Source, h.Freshness = cfg.Source, fresh[cfg.Source]
	position, err := d.store.Position(ctx, cfg.Source)
	if err != nil {
		return err
	}
	h.Position = positionText(poll.State(position))
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

// positionPart is the longest part of a position that is shown.
const positionPart = 64

// positionText is where a source was read to, as far as a person can read it: of
// the connector's own note what is short and plain, in its order.
func positionText(state json.RawMessage) string {
	var parts []string
	d := json.NewDecoder(bytes.NewReader(state))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return ""
	}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return ""
		}
		if text := positionValue(value); text != "" {
			parts = append(parts, fmt.Sprintf("%v %s", name, text))
		}
	}
	return strings.Join(parts, ", ")
}

func positionValue(value json.RawMessage) string {
	var text string
	var all []json.RawMessage
	switch {
	case json.Unmarshal(value, &text) == nil:
		if text == "" || strings.Contains(text, "://") { // an address may hold a secret
			return ""
		}
		if short := []rune(text); len(short) > positionPart {
			text = string(short[:16]) + "…"
		}
		return text
	case json.Unmarshal(value, &all) == nil:
		return fmt.Sprintf("× %d", len(all))
	case len(value) > positionPart || value[0] == '{':
		return ""
	}
	return string(value)
}
