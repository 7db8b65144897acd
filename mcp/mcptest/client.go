// Package mcptest drives a pictifyd as an agent does, with the client of the official
// SDK.
package mcptest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// A Client is an agent that is connected.
type Client struct {
	*sdk.ClientSession

	tb testing.TB
}

// Options are what a client does with what it hears.
type Options = sdk.ClientOptions

// Connect connects an agent over a transport. It goes with the test.
func Connect(tb testing.TB, t sdk.Transport, o *Options) *Client {
	tb.Helper()
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, o).Connect(tb.Context(), t, nil)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	tb.Cleanup(func() { _ = session.Close() })
	return &Client{session, tb}
}

// Over is a transport over HTTP to a daemon, with a key.
func Over(url, key string) sdk.Transport {
	return &sdk.StreamableClientTransport{Endpoint: url + "/mcp", HTTPClient: &http.Client{Transport: keyed{key}}, MaxRetries: -1}
}

type keyed struct{ key string }

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	if k.key != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+k.key)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Tools are the names of the tools that the agent is told of, in order of the alphabet.
func (c *Client) Tools() []string {
	c.tb.Helper()
	list, err := c.ListTools(c.tb.Context(), nil)
	if err != nil {
		c.tb.Fatalf("list tools: %v", err)
	}
	var names []string
	for _, t := range list.Tools {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return names
}

// Call calls a tool, which has to go well, and reads its answer into value.
func (c *Client) Call(name string, args map[string]any, value any) *sdk.CallToolResult {
	c.tb.Helper()
	res, err := c.CallTool(c.tb.Context(), &sdk.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		c.tb.Fatalf("%s: %v", name, err)
	}
	if res.IsError {
		c.tb.Fatalf("%s %v is refused: %s", name, args, Text(res))
	}
	data, err := json.Marshal(res.StructuredContent)
	if err == nil && value != nil {
		err = json.Unmarshal(data, value)
	}
	if err != nil {
		c.tb.Fatalf("%s: read the answer %s: %v", name, data, err)
	}
	return res
}

// A Problem is why a tool did not do it.
type Problem struct {
	Status     int
	Code       string
	Detail     string
	Hint       string
	RetryAfter string
	Text       string // that a model reads
}

// Refused calls a tool, which has to refuse.
func (c *Client) Refused(ctx context.Context, name string, args map[string]any) Problem {
	c.tb.Helper()
	res, err := c.CallTool(ctx, &sdk.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		c.tb.Fatalf("%s %v breaks off: %v", name, args, err)
	}
	if !res.IsError {
		c.tb.Fatalf("%s %v goes well: %s", name, args, Text(res))
	}
	p := Problem{Text: Text(res)}
	data, err := json.Marshal(res.Meta["problem"])
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		c.tb.Fatalf("%s: read the problem %s: %v", name, data, err)
	}
	return p
}

// Text is what a model reads of an answer.
func Text(res *sdk.CallToolResult) string {
	for _, c := range res.Content {
		if text, ok := c.(*sdk.TextContent); ok {
			return text.Text
		}
	}
	return ""
}

// Picture is the picture of an answer; nil: there is none.
func Picture(res *sdk.CallToolResult) *sdk.ImageContent {
	for _, c := range res.Content {
		if picture, ok := c.(*sdk.ImageContent); ok {
			return picture
		}
	}
	return nil
}
