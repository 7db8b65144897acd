package daemon

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// An exhibition is the images of the store, with what the daemon knows of them.
type exhibition struct {
	*store.Store

	daemon *Daemon
}

var _ api.Gallery = exhibition{}

// AboutImage says what an image is made of, where it comes from, and what it was.
func (e exhibition) AboutImage(ctx context.Context, of bindings.Shown) (a api.ImageAbout, err error) {
	if of.Made != nil {
		a.Texts = e.daemon.textsOf(ctx, of.Made.Spec)
	}
	if a.Past, err = e.past(ctx, of); err != nil {
		return a, err
	}
	if p := a.Past; p != nil && p.Made != nil && of.Made != nil {
		a.Changed, a.Redrawn = e.daemon.textsChanged(ctx, of.Made.Spec, &p.Made.Spec), redrawnBy(of.Made.Spec, &p.Made.Spec)
	}
	if of.Owner.Job() != "" {
		a.Row, err = e.sent(ctx, of)
		return a, err
	}
	return a, e.stored(ctx, of, &a)
}

// past is what of showed before, if its bytes are still there.
func (e exhibition) past(ctx context.Context, of bindings.Shown) (*bindings.Past, error) {
	p, err := e.PastOf(ctx, of)
	if err != nil || p == nil {
		return nil, err
	}
	bytes, _, err := e.daemon.blobs.Open(ctx, p.Hash)
	if err != nil {
		if problem.CodeOf(err) == problem.NotFound {
			err = nil
		}
		return nil, err
	}
	return p, bytes.Close()
}

// sent is the row of a job as it was sent.
func (e exhibition) sent(ctx context.Context, of bindings.Shown) (json.RawMessage, error) {
	rows, err := e.Sent(ctx, of.Owner.Job(), of.Index-1, 1)
	if err != nil || len(rows) == 0 || rows[0].Index != of.Index || len(rows[0].Values) == 0 {
		return nil, err
	}
	return rows[0].Values, nil
}

// stored adds the row of a binding as it is now, and its source.
func (e exhibition) stored(ctx context.Context, of bindings.Shown, a *api.ImageAbout) error {
	cfg := e.daemon.roster().binding(of.Owner.Binding())
	if cfg.Source == "" {
		return nil // the binding is configured no longer
	}
	row, err := e.Row(ctx, cfg.Source, of.Key)
	switch {
	case err == nil:
		a.Row = row.Values
	case problem.CodeOf(err) != problem.NotFound:
		return err
	}
	fresh, err := e.daemon.freshness(ctx)
	if err != nil {
		return fmt.Errorf("read how current the sources are: %w", err)
	}
	position, err := e.Position(ctx, cfg.Source)
	a.Source, a.Position, a.Freshness = cfg.Source, positionText(poll.State(position)), fresh[cfg.Source]
	return err
}

// maxTexts is how many texts of a picture are told; a long list repeats itself.
const maxTexts = 500

// textsOf are the texts of a picture with what stands behind them. What no variable
// stands behind is the template's own matter.
func (d *Daemon) textsOf(ctx context.Context, spec bindings.Spec) []api.ImageText {
	names := d.variablesBehind(ctx, spec)
	var texts []api.ImageText
	for i, text := range spec.Values {
		one := api.ImageText{Text: text}
		if i < len(names) {
			one.Variable = names[i]
		}
		if len(texts) < maxTexts && (one.Variable != "" || names == nil) {
			texts = append(texts, one)
		}
	}
	return texts
}
