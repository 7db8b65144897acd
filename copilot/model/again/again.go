// Package again asks a model once more that may answer another time: one that is
// overloaded, asks to be left alone for a while, or was cut off.
package again

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const (
	tries = 4
	// longest is as long as is waited for one try: whoever is asked to wait longer
	// tells the person, who has a better idea.
	longest = 30 * time.Second
)

// A Provider is another one that is asked again.
type Provider struct {
	inner   model.Provider
	backoff retry.Backoff
}

var _ model.Provider = (*Provider)(nil)

// New wraps a provider.
func New(inner model.Provider) *Provider {
	return &Provider{inner: inner, backoff: retry.Backoff{Base: 2 * time.Second, Max: longest}}
}

// Info is the inner provider's.
func (p *Provider) Info() model.Info { return p.inner.Info() }

// Complete asks up to four times, as long as the error says that it may help, ctx
// lives through the wait, and nothing was said that would be said twice.
func (p *Provider) Complete(ctx context.Context, r model.Request, said func(string)) (model.Reply, error) {
	spoke := false
	hear := said
	if said != nil {
		hear = func(text string) { spoke = true; said(text) }
	}
	for n := 1; ; n++ {
		reply, err := p.inner.Complete(ctx, r, hear)
		if err == nil || n == tries || spoke || problem.CodeOf(err) != problem.Overloaded {
			return reply, err
		}
		wait, asked := retry.Wait(err)
		if !asked {
			wait = p.backoff.Next(n)
		}
		if ends, limited := ctx.Deadline(); wait > longest || limited && time.Until(ends) <= wait {
			return reply, err
		}
		select {
		case <-ctx.Done():
			return reply, err
		case <-time.After(wait):
		}
	}
}
