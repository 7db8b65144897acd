package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Config is one model of an endpoint.
type Config struct {
	Name  string // as pictifyd.yaml calls it
	URL   string // of the endpoint, most with /v1 at its end
	Model string // as the endpoint calls it
	Key   string // "" for none

	Capabilities model.Capabilities
	Price        model.Price
	HTTPClient   *http.Client // nil is http.DefaultClient; redirects are not followed
	Bounds       wire.Bounds
}

// Can is what a model of such an endpoint is taken to do: nothing is asked of it
// that some servers refuse, such as that it has to call a tool.
func Can(tools, vision bool, maxImages int) model.Capabilities {
	return model.Capabilities{Tools: tools, ParallelTools: tools, JSONSchema: true, Vision: vision, MaxImages: maxImages}
}

// A Provider is one model of an endpoint.
type Provider struct {
	config   Config
	endpoint wire.Endpoint
	address  string
	client   *http.Client

	refused [len(optional)]atomic.Bool // by the endpoint, in this process's life
}

var _ model.Provider = (*Provider)(nil)

// New asks nothing of the endpoint yet. Its errors are problems of the configuration.
func New(c Config) (*Provider, error) {
	p := &Provider{config: c, endpoint: wire.Endpoint{Name: c.Name, URL: c.URL, Model: c.Model, Key: c.Key}}
	if err := p.endpoint.Check(); err != nil {
		return nil, err
	}
	p.config.Bounds = c.Bounds.WithDefaults()
	p.client = c.Bounds.Client(c.HTTPClient)
	base, query, _ := strings.Cut(c.URL, "?")
	p.address = strings.TrimSuffix(strings.TrimRight(base, "/"), "/chat/completions") + "/chat/completions"
	if query != "" {
		p.address += "?" + query // Azure has its version there
	}
	return p, nil
}

// Info says which model answers, and what it can.
func (p *Provider) Info() model.Info {
	return model.Info{Name: p.config.Name, Provider: "openai", Model: p.config.Model, Can: p.config.Capabilities, Price: p.config.Price}
}

// Complete asks for the next message. What an endpoint does not know among the
// optional parts of a request is left out and asked for no more.
func (p *Provider) Complete(ctx context.Context, r model.Request, said func(string)) (model.Reply, error) {
	for range len(optional) {
		reply, err := p.once(ctx, r, said)
		var unknown *unknownOption
		if !errors.As(err, &unknown) {
			return reply, err
		}
		p.refused[unknown.option].Store(true)
	}
	return p.once(ctx, r, said)
}

func (p *Provider) once(ctx context.Context, r model.Request, said func(string)) (model.Reply, error) {
	asked := p.request(r)
	body, err := json.Marshal(asked)
	if err != nil {
		return model.Reply{}, problem.New(problem.Internal, "write the request to model %q: %w", p.config.Name, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address, bytes.NewReader(body))
	if err != nil {
		return model.Reply{}, p.endpoint.Unreached(ctx, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream, application/json")
	if p.config.Key != "" {
		req.Header.Set("Authorization", "Bearer "+p.config.Key)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return model.Reply{}, p.endpoint.Unreached(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return model.Reply{}, p.status(ctx, asked, resp)
	}
	return p.read(ctx, r, resp.Header.Get("Content-Type"), resp.Body, said)
}

// mostOfFault is as much of an error's body as is read.
const mostOfFault = 64 << 10

func (p *Provider) status(ctx context.Context, asked request, resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostOfFault))
	if err != nil && len(body) == 0 && ctx.Err() != nil {
		return p.endpoint.Broken(ctx, err)
	}
	if resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusUnprocessableEntity {
		if option, ok := asked.unknown(body); ok {
			return &unknownOption{option}
		}
	}
	return p.endpoint.Status(resp.StatusCode, resp.Header, body)
}

// read takes the reply as the endpoint sends it: a stream, or one document from
// those that stream nothing.
func (p *Provider) read(ctx context.Context, r model.Request, contentType string, body io.Reader, said func(string)) (model.Reply, error) {
	reader := bufferedReader(body)
	mediaType, _, _ := mime.ParseMediaType(contentType)
	a := &assembly{endpoint: p.endpoint, most: p.config.Bounds.Reply, speech: newSpeech(said, len(r.Tools) > 0)}
	if mediaType == "application/json" || mediaType != "text/event-stream" && startsJSON(reader) {
		if err := a.document(ctx, reader); err != nil {
			return model.Reply{}, err
		}
		return a.reply(r)
	}
	events := &eventReader{r: reader, most: p.config.Bounds.Reply * 2}
	for !a.done {
		data, err := events.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if a.finish != "" && !errors.Is(err, errLongEvent) {
				break // it is whole; only what it cost may be missing
			}
			return model.Reply{}, p.broken(ctx, err)
		}
		if err := a.event(data, events.ended); err != nil {
			return model.Reply{}, err
		}
	}
	return a.reply(r)
}

func (p *Provider) broken(ctx context.Context, err error) error {
	if errors.Is(err, errLongEvent) {
		return p.endpoint.Runaway()
	}
	return p.endpoint.Broken(ctx, err)
}
