package ladder

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A rung is a way to have tools called, the lower the number the better.
type rung int

const (
	native rung = iota
	schema
	text // the last one
)

// patience is how many replies running may be none that a rung knows.
const patience = 2

// A Provider is another one whose model calls tools, whichever way it can.
type Provider struct {
	inner model.Provider
	known conversations
}

var _ model.Provider = (*Provider)(nil)

// New wraps a provider. What it learns of a model holds for the conversation in
// which it did, not for others.
func New(inner model.Provider) *Provider { return &Provider{inner: inner} }

// Info is the inner provider's: what the model can by itself.
func (p *Provider) Info() model.Info { return p.inner.Info() }

// Complete asks for the next message. Its usage is that of all that had to be
// asked for it.
func (p *Provider) Complete(ctx context.Context, r model.Request, said func(string)) (model.Reply, error) {
	can := p.inner.Info().Can
	c := p.known.of(r, highest(can))
	var spent model.Usage
	for {
		seen := visible(r, can, c.blind())
		at := c.rung()
		var reply model.Reply
		var err error
		if len(r.Tools) == 0 || at == native {
			reply, err = p.inner.Complete(ctx, seen, said)
		} else {
			reply, err = p.spoken(ctx, seen, at, said)
		}
		spent = spent.Add(reply.Usage)
		reply.Usage = spent
		if !c.again(verdict(r, reply, err), pictures(seen)) {
			return reply, err
		}
	}
}

// highest is the rung on which a model of these capabilities begins.
func highest(can model.Capabilities) rung {
	switch {
	case can.Tools:
		return native
	case can.JSONSchema:
		return schema
	}
	return text
}

// A judgement is what a rung's reply is worth.
type judgement int

const (
	good    judgement = iota
	odd               // none that the rung knows, but the caller may go on with it
	useless           // none at all
	unable            // the endpoint does not do what the rung needs
	unseen            // the endpoint takes no pictures, or not so many
	other             // nothing that another rung would mend
)

func verdict(r model.Request, reply model.Reply, err error) judgement {
	if len(r.Tools) == 0 && err == nil {
		return good
	}
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		switch {
		case p.Slug == model.Unsupported && (strings.HasSuffix(p.Path, ".vision") || strings.HasSuffix(p.Path, ".max_images")):
			return unseen
		case p.Slug == model.Unsupported && (strings.HasSuffix(p.Path, ".url") || strings.HasSuffix(p.Path, ".model")):
			return other // there is no such endpoint or model
		case p.Slug == model.Unsupported && len(r.Tools) > 0:
			return unable
		case p.Slug == model.Malformed && len(r.Tools) > 0:
			return useless
		}
	}
	switch {
	case err != nil:
		return other
	case reply.Stop == model.Refused || reply.Stop == model.Length:
		return good // the caller knows what to do
	case len(reply.Calls) > 0 && !anyObject(reply.Calls):
		return odd
	case len(reply.Calls) == 0 && (r.MustCall || strings.TrimSpace(reply.Text) == ""):
		return odd
	}
	return good
}

func anyObject(calls []model.Call) bool {
	for _, c := range calls {
		var object map[string]json.RawMessage
		if json.Unmarshal(c.Arguments, &object) == nil && object != nil {
			return true
		}
	}
	return false
}

// noPicture stands where a model without vision would have a picture.
const (
	noPicture  = "[a picture stood here, which you cannot see: check and get_outline give numbers]"
	oldPicture = "[an older picture stood here; only the newest are shown]"
)

// visible is the request with the pictures that the model can look at.
func visible(r model.Request, can model.Capabilities, blind bool) model.Request {
	switch {
	case !can.Vision || blind:
		r.Messages = model.KeepNewest(r.Messages, 0, noPicture)
	case can.MaxImages > 0:
		r.Messages = model.KeepNewest(r.Messages, can.MaxImages, oldPicture)
	}
	return r
}

func pictures(r model.Request) bool {
	for _, m := range r.Messages {
		if len(m.Images) > 0 {
			return true
		}
	}
	return false
}
