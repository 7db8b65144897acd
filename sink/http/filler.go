package httpsink

import (
	"context"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// A filler fills a form in for one delivery, up to what can't be.
type filler struct {
	ctx      context.Context //nolint:containedctx // it lives as long as one request
	id       string          // of the request
	delivery sink.Delivery
	output   sink.Output
	values   map[string]any
	env      expr.Env
	bytes    opener
	*outcome
}

// An outcome is the first thing that kept a form from being filled in.
type outcome struct{ err error }

func (o *outcome) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

func newFiller(ctx context.Context, d sink.Delivery, o sink.Output, bytes opener) *filler {
	w := &filler{ctx: ctx, id: d.ID, delivery: d, bytes: bytes, env: expr.Env{Now: d.Time}, outcome: &outcome{}}
	return w.with(o)
}

// with is w for another picture.
func (w *filler) with(o sink.Output) *filler {
	other := *w
	other.output = o
	other.values = fields.OfOutput(w.delivery, o)
	return &other
}

// picture is the output of that name, that of the request where it has none.
func (w *filler) picture(name string) (sink.Output, bool) {
	if name == "" {
		return w.output, w.output.Hash != ""
	}
	for _, o := range w.delivery.Outputs {
		if o.Name == name && o.Hash != "" && o.Error == "" {
			return o, true
		}
	}
	return sink.Output{}, false
}

// text fills in a text. What is wrong with it is so at every try.
func (w *filler) text(path string, in *expr.Interpolation, encode func(string) string) string {
	text, err := in.Fill(w.values, w.env, encode)
	if err != nil {
		w.fail(retry.Permanent(problemOf(err).At(path).WithSlug(RequestInvalid)))
	}
	return text
}

func (w *filler) value(path string, program *expr.Program) any {
	value, err := program.Eval(w.values, w.env)
	if err != nil {
		w.fail(retry.Permanent(problemOf(err).At(path).WithSlug(RequestInvalid)))
	}
	return value
}
