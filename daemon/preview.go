package daemon

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// Preview says what a binding makes of a row, and changes nothing. The clock is
// now's.
func (d *Daemon) Preview(ctx context.Context, name string, of api.PreviewOf) (api.Preview, error) {
	cfg := d.roster().binding(name)
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return api.Preview{}, err
	}
	b, err := d.compileOne(ctx, cfg, epoch)
	if err != nil {
		return api.Preview{}, err
	}
	p, row, err := d.previewRow(ctx, cfg.Source, of)
	if err != nil {
		return p, err
	}
	joined, err := d.joinRows(ctx, b, row)
	if err != nil {
		return p, err
	}
	values, _ := b.Resolve(row, joined, time.Now()) // what is wrong is the proposal's problem
	proposal := b.Propose(p.Key, row, joined, time.Now(), bindings.PriorityNow)
	p.Values, p.Problem, p.Removed, p.Wants = values, proposal.Problem, proposal.Remove, proposal.Wants
	p.Changed = !proposal.Remove
	if p.Key == "" {
		return p, nil
	}
	known, err := d.store.Known(ctx, cfg.Source, []string{p.Key}, []string{name})
	if err != nil {
		return p, err
	}
	if item, ok := known[p.Key].Items[name]; ok {
		p.Changed = item.Digest != proposal.Digest && (!item.Removed || !proposal.Remove)
	}
	return p, nil
}

// previewRow is the row that a preview is of.
func (d *Daemon) previewRow(ctx context.Context, source string, of api.PreviewOf) (p api.Preview, row map[string]any, err error) {
	if of.Row != nil {
		text, err := bindings.Canonical(of.Row)
		if err != nil {
			return p, nil, problem.New(problem.Invalid, "the row cannot be one: %w", err).At("row")
		}
		p.Row = text
		row, err = bindings.Values(text)
		return p, row, err
	}
	key, err := bindings.NormalKey(of.Key)
	if of.Key != "" && err != nil {
		return p, nil, problem.New(problem.Invalid, "%q is not a key: %w", of.Key, err).At("key")
	}
	stored, err := d.store.Row(ctx, source, key)
	if err != nil {
		return p, nil, err
	}
	p.Key, p.Row = stored.Key, stored.Values
	row, err = bindings.Values(stored.Values)
	return p, row, err
}

// testPicture is a GIF of one pixel: what a test delivers.
const testPicture = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x01\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02L\x01\x00;"

// TestSink sends one event with a picture of one pixel to a sink.
func (d *Daemon) TestSink(ctx context.Context, name string) (api.SinkTest, error) {
	now := d.roster()
	to, ok := now.sinks[name]
	if !ok {
		if err := now.broken[resourceID{ofSink, name}]; err != nil {
			return api.SinkTest{}, err
		}
		return api.SinkTest{}, now.unknown(ofSink, name)
	}
	hash, err := d.blobs.Put(ctx, []byte(testPicture))
	if err != nil {
		return api.SinkTest{}, fmt.Errorf("keep the test picture: %w", err)
	}
	t := api.SinkTest{Event: sink.RenderCompleted, Delivery: "dlv_test_" + strings.ToLower(rand.Text())}
	delivery := sink.Delivery{
		ID: t.Delivery, Event: t.Event, Time: time.Now(), Binding: "test", Key: "test", Generation: time.Now().UnixMilli(),
		Row: map[string]any{"test": true}, Attempt: 1,
		Outputs: []sink.Output{{
			Name: "test", URL: d.urls.Image(hash, "gif"), Hash: hash, Format: "gif", Ext: "gif", Width: 1, Height: 1,
		}},
	}
	began := time.Now()
	_, t.Err = try(ctx, to, delivery)
	t.Took = time.Since(began)
	return t, ctx.Err()
}

// RowOf is all that there is about a row of a binding.
func (d *Daemon) RowOf(ctx context.Context, name, key string) (api.RowHistory, error) {
	cfg := d.roster().binding(name)
	h, err := d.store.RowHistory(ctx, cfg.Source, bindings.BindingOwner(name), key)
	if err != nil {
		return api.RowHistory{}, err
	}
	found := api.RowHistory{Row: h.Row, Images: h.Images, Generation: h.Generation, State: h.State, Problem: h.Problem, Deliveries: h.Deliveries}
	return found, d.explain(ctx, cfg, key, &found)
}
