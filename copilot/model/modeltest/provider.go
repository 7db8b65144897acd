package modeltest

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// A Provider plays a script without any wire.
type Provider struct {
	can    model.Capabilities
	script Script
	price  model.Price

	mu   sync.Mutex
	seen []model.Request
}

var _ model.Provider = (*Provider)(nil)

// NewProvider is a model that can what it is said to, and answers by script.
func NewProvider(can model.Capabilities, script Script) *Provider {
	return &Provider{can: can, script: script, price: model.Price{In: 1, Out: 2}}
}

// Info is a scripted model, at 1 for a million tokens in and 2 for one out.
func (p *Provider) Info() model.Info {
	return model.Info{Name: "scripted", Provider: "modeltest", Model: "scripted-1", Can: p.can, Price: p.price}
}

// Requests are those that were answered so far.
func (p *Provider) Requests() []model.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]model.Request(nil), p.seen...)
}

// Complete gives the script's next turn.
func (p *Provider) Complete(ctx context.Context, r model.Request, said func(string)) (model.Reply, error) {
	p.mu.Lock()
	n := len(p.seen)
	p.seen = append(p.seen, r)
	p.mu.Unlock()

	t := p.script(n, r)
	if t.late > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(t.late):
		}
	}
	if t.stall || t.endless != "" {
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return model.Reply{}, err
	}
	if err := t.problem(); err != nil {
		return model.Reply{}, err
	}
	if said != nil && t.Text != "" {
		said(t.Text)
	}
	return t.reply(n), nil
}

// problem is what a good provider makes of the turn's fault.
func (t Turn) problem() error {
	switch f := t.fault; {
	case t.raw != nil:
		return problem.New(problem.Invalid, "the model's reply is none of the protocol").WithSlug(model.Malformed)
	case t.cut != 0:
		return problem.New(problem.Overloaded, "the model's reply ended before its end").WithSlug(model.CutOff)
	case f == nil:
		return nil
	case f.status == 401 || f.status == 403:
		return problem.New(problem.Unauthorized, "the model does not take the key")
	case f.status == 429 || f.status >= 500:
		err := error(problem.New(problem.Overloaded, "the model answers %d", f.status))
		if seconds, bad := strconv.Atoi(f.retryAfter); bad == nil {
			err = retry.After(err, time.Duration(seconds)*time.Second)
		}
		return err
	case strings.Contains(f.message, "context length"):
		return problem.New(problem.Invalid, "the conversation is too long for the model").WithSlug(model.TooLong)
	default:
		return problem.New(problem.Invalid, "the model answers %d: %s", f.status, f.message).WithSlug(model.Unsupported)
	}
}
