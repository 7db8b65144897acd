package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// testPicture is a GIF of one pixel: what a test delivers.
const testPicture = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x01\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02L\x01\x00;"

// testKey is that of the row that a test makes up.
const testKey = "pictifyd-test"

// slugTestEvent is an event that a test can't tell.
const slugTestEvent = "test_event"

// TestSink tells a sink of one event, beside the outbox: nobody hears of it again.
// A row that there is not is only told to sinks that leave nothing of it behind;
// others are asked whether they are there.
func (d *Daemon) TestSink(ctx context.Context, name string, of api.SinkTestOf) (api.SinkTest, error) {
	now := d.roster()
	to, ok := now.sinks[name]
	if !ok {
		if err := now.broken[resourceID{ofSink, name}]; err != nil {
			return api.SinkTest{}, err
		}
		return api.SinkTest{}, now.unknown(ofSink, name)
	}
	return d.testOf(ctx, to, of)
}

// testOf tells a sink, which need not be kept, of one event.
func (d *Daemon) testOf(ctx context.Context, to sink.Sink, of api.SinkTestOf) (api.SinkTest, error) {
	delivery, err := d.testDelivery(ctx, of)
	if err != nil {
		return api.SinkTest{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, limitOf(to))
	defer cancel()
	t := api.SinkTest{Event: delivery.Event, Delivery: delivery.ID}
	began := time.Now()
	tester, tests := to.(sink.Tester)
	prober, probes := to.(sink.Prober)
	switch {
	case of.Key != "":
		t.Receipt, t.Err = to.Deliver(ctx, delivery)
	case tests:
		t.Receipt, t.Err = tester.Test(ctx, delivery)
		t.Err = madeUp(t.Err)
	case probes:
		t.Delivery, t.Err = "", prober.Probe(ctx)
	default:
		t.Delivery, t.Err = "", problem.New(problem.Unsupported, "a sink of this kind is only tested with a row that there is").WithHint(hintOfRow)
	}
	t.Took = time.Since(began)
	if errors.Is(ctx.Err(), context.Canceled) {
		return t, ctx.Err()
	}
	return t, nil
}

const hintOfRow = `name one: {"binding": "…", "key": "…"}`

// madeUp says of a test that failed on its own row what to do about it.
func madeUp(err error) error {
	var p *problem.Error
	if errors.As(err, &p) && p.Code == problem.Invalid && p.Hint == "" {
		p.Hint = "the row of the test has no columns; " + hintOfRow
	}
	return err
}

// testDelivery is the event of a test.
func (d *Daemon) testDelivery(ctx context.Context, of api.SinkTestOf) (sink.Delivery, error) {
	delivery := sink.Delivery{ID: "dlv_test_" + strings.ToLower(rand.Text()), Event: of.Event, Time: time.Now(), Attempt: 1}
	switch of.Event {
	case "", sink.RenderCompleted, sink.RenderFailed, sink.ImageRemoved:
	default:
		return delivery, problem.New(problem.Invalid, "%q is not an event of a row", of.Event).At("event").WithSlug(slugTestEvent).
			WithHint("those are %s, %s and %s", sink.RenderCompleted, sink.RenderFailed, sink.ImageRemoved)
	}
	if of.Key != "" {
		return delivery, d.ofRow(ctx, of, &delivery)
	}
	hash, err := d.blobs.Put(ctx, []byte(testPicture))
	if err != nil {
		return delivery, fmt.Errorf("keep the test picture: %w", err)
	}
	delivery.Binding, delivery.Key, delivery.Generation, delivery.Row = "test", testKey, time.Now().UnixMilli(), map[string]any{"test": true}
	picture := sink.Output{Name: "test", URL: d.urls.Image(hash, "gif"), Hash: hash, Format: "gif", Ext: "gif", Width: 1, Height: 1}
	switch of.Event {
	case "":
		delivery.Event = sink.RenderCompleted
	case sink.RenderFailed:
		picture = sink.Output{Name: "test", Code: "test", Error: "this is a test"}
	}
	delivery.Outputs = []sink.Output{picture}
	return delivery, nil
}

// ofRow makes to the event that is so of a row: a test takes nothing away that is
// there.
func (d *Daemon) ofRow(ctx context.Context, of api.SinkTestOf, to *sink.Delivery) error {
	h, err := d.store.RowHistory(ctx, d.roster().binding(of.Binding).Source, bindings.BindingOwner(of.Binding), of.Key, nil)
	if err != nil {
		return err
	}
	to.Binding, to.Key, to.Generation = of.Binding, of.Key, h.Generation
	if h.Row != nil {
		if to.Row, err = bindings.Values(h.Row.Values); err != nil {
			return err
		}
	}
	drawn := false
	for _, image := range h.Images {
		o := sink.Output{Name: image.Output, Hash: image.Hash, Format: image.Format, Ext: image.Ext, Width: image.Width, Height: image.Height}
		if image.Hash == "" {
			o = sink.Output{Name: image.Output, Code: "not_ready", Error: "there is no picture yet"}
		}
		if p := image.Problem; p != nil && !image.Waiting {
			o = sink.Output{Name: image.Output, Code: p.Code, Error: p.Message}
		}
		drawn = drawn || o.Hash != ""
		to.Outputs = append(to.Outputs, o)
	}
	to.Outputs = d.addressed(of.Binding, of.Key, to.Outputs)
	is := sink.RenderCompleted
	switch {
	case h.State == "removed":
		is = sink.ImageRemoved
	case h.State == "failed":
		is = sink.RenderFailed
	case !drawn:
		return problem.New(problem.Conflict, "the row %q has no picture yet", bindings.KeyText(of.Key)).WithSlug(slugTestEvent)
	}
	if of.Event != "" && of.Event != is {
		return problem.New(problem.Conflict, "of the row %q a test can tell %s, which is so, and not %s", bindings.KeyText(of.Key), is, of.Event).
			At("event").WithSlug(slugTestEvent).WithHint("leave event out, or binding and key")
	}
	to.Event = is
	return nil
}
