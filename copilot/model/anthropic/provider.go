package anthropic

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
)

const (
	defaultURL = "https://api.anthropic.com"
	// defaultTokens bounds a reply where nobody does: the endpoint wants a number.
	defaultTokens = 8192
)

// Config is one model of Anthropic's.
type Config struct {
	Name  string // as pictifyd.yaml calls it
	URL   string // "" is Anthropic's own
	Model string // as the endpoint calls it
	Key   string // "" for an endpoint that wants none

	Capabilities model.Capabilities
	Price        model.Price
	HTTPClient   *http.Client // nil is http.DefaultClient; redirects are not followed
	Bounds       wire.Bounds
}

// Can is what these models do. The endpoint takes more pictures than 20 in one
// request, but only small ones.
func Can() model.Capabilities {
	return model.Capabilities{
		Tools: true, ParallelTools: true, ForcedTool: true, Vision: true, ImagesInToolResult: true, MaxImages: 20,
	}
}

// A Provider is one model.
type Provider struct {
	config   Config
	endpoint wire.Endpoint
	client   anthropic.Client
}

var _ model.Provider = (*Provider)(nil)

// New asks nothing of the endpoint yet. Its errors are problems of the configuration.
func New(c Config) (*Provider, error) {
	if c.URL == "" {
		c.URL = defaultURL
	}
	p := &Provider{config: c, endpoint: wire.Endpoint{Name: c.Name, URL: c.URL, Model: c.Model, Key: c.Key}}
	if err := p.endpoint.Check(); err != nil {
		return nil, err
	}
	p.config.Bounds = c.Bounds.WithDefaults()
	options := []option.RequestOption{
		option.WithoutEnvironmentDefaults(),
		option.WithBaseURL(strings.TrimSuffix(strings.TrimRight(c.URL, "/"), "/v1")), // the SDK adds it
		option.WithHTTPClient(c.Bounds.Client(c.HTTPClient)),
		option.WithMaxRetries(0),
	}
	if c.Key != "" {
		options = append(options, option.WithAPIKey(c.Key))
	}
	p.client = anthropic.NewClient(options...)
	return p, nil
}

// Info says which model answers, and what it can.
func (p *Provider) Info() model.Info {
	return model.Info{Name: p.config.Name, Provider: "anthropic", Model: p.config.Model, Can: p.config.Capabilities, Price: p.config.Price}
}

// Complete asks for the next message.
func (p *Provider) Complete(ctx context.Context, r model.Request, said func(string)) (model.Reply, error) {
	var answer *http.Response
	stream := p.client.Messages.NewStreaming(ctx, p.params(r), option.WithResponseInto(&answer))
	defer stream.Close()
	if err := stream.Err(); err != nil {
		return model.Reply{}, p.refused(ctx, err)
	}
	if answer.StatusCode != http.StatusOK {
		return model.Reply{}, p.endpoint.Status(answer.StatusCode, answer.Header, nil)
	}
	if mediaType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); mediaType != "text/event-stream" {
		return model.Reply{}, p.endpoint.Malformed("it is no stream but " + mediaType)
	}
	a := &assembly{endpoint: p.endpoint, most: p.config.Bounds.Reply, said: said, at: map[int64]*block{}}
	for !a.done && stream.Next() {
		if err := a.event(stream.Current()); err != nil {
			return model.Reply{}, err
		}
	}
	if err := stream.Err(); err != nil && a.stop == "" {
		return model.Reply{}, p.broken(ctx, err)
	}
	return a.reply(r)
}

// refused is the error of a request that no stream answers.
func (p *Provider) refused(ctx context.Context, err error) error {
	if answered := (*anthropic.Error)(nil); errors.As(err, &answered) {
		return p.endpoint.Status(answered.StatusCode, answered.Response.Header, []byte(answered.RawJSON()))
	}
	if unreached := (*url.Error)(nil); errors.As(err, &unreached) {
		return p.endpoint.Unreached(ctx, err)
	}
	return p.endpoint.Broken(ctx, err)
}

// broken is the error of a stream: what it reports itself, how it ended, or that
// it is none.
func (p *Provider) broken(ctx context.Context, err error) error {
	if reported := (*anthropic.Error)(nil); errors.As(err, &reported) {
		return p.endpoint.Fault(0, nil, wire.ReadFault([]byte(reported.RawJSON())))
	}
	if wire.IsJSON(err) {
		return p.endpoint.Malformed("an event holds no part of a message: " + err.Error())
	}
	return p.endpoint.Broken(ctx, err)
}
