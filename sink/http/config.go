package httpsink

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/trust"
	"github.com/pictifyd/pictifyd/sink"
)

// Config is an http sink's part of the configuration.
type Config struct {
	sink.Common
	Request

	// On is what is different in the request of one event. With a method or url of
	// its own it takes over no body, success and expect.
	On map[string]Request `yaml:"on"`

	Output     string `yaml:"output"`      // that url, hash and the like are of; empty: the first that has a picture
	EachOutput bool   `yaml:"each_output"` // a request for each picture, in place of one for the row

	Bearer config.Secret `yaml:"bearer"` // sent as Authorization: Bearer …
	Basic  *Basic        `yaml:"basic"`

	Permanent config.Strings  `yaml:"permanent"` // statuses after which there is no other try
	Timeout   config.Duration `yaml:"timeout"`   // of one try; 30s
	TLS       *trust.TLS      `yaml:"tls"`
}

// A Request is the shape of what is sent.
type Request struct {
	Method  string                   `yaml:"method"`  // POST
	URL     string                   `yaml:"url"`     // with {{ }} behind its host
	Headers map[string]config.Secret `yaml:"headers"` // with {{ }}

	JSON        any             `yaml:"json"`         // a body of which each text is an expression
	Form        map[string]any  `yaml:"form"`         // in place of it: fields, of which each text is an expression
	Multipart   map[string]Part `yaml:"multipart"`    // or these
	Body        string          `yaml:"body"`         // or a text with {{ }}
	Image       bool            `yaml:"image"`        // or the picture's bytes
	ContentType string          `yaml:"content_type"` // of json, body or image, where it is another than usual

	Success config.Strings `yaml:"success"` // statuses: 2xx, and for image.removed 404 and 410
	Expect  string         `yaml:"expect"`  // an expression over status and body, which must be true as well
}

// Basic are a name and a password.
type Basic struct {
	User     string        `yaml:"user"`
	Password config.Secret `yaml:"password"`
}

// A Part of a multipart body is a field, written as an expression, or a picture.
type Part struct {
	Text   string `yaml:"-"` // the expression
	Image  bool   `yaml:"-"`
	Output string `yaml:"output"` // of the picture; empty: that of the request
	Name   string `yaml:"name"`   // of the file, with {{ }}; "{{ output }}.{{ ext }}"
}

// UnmarshalNode accepts both forms.
func (p *Part) UnmarshalNode(n config.Node) error {
	if n.Kind() == config.Scalar {
		return n.Decode(&p.Text)
	}
	var picture struct {
		Output string `yaml:"output"`
		Name   string `yaml:"name"`
	}
	err := n.Decode(&picture)
	*p = Part{Image: true, Output: picture.Output, Name: picture.Name}
	return err
}

const defaultTimeout = 30 * time.Second

// Kind is the http sink.
var Kind = sink.Kind{
	Name:    "http",
	Summary: "any HTTP request: to a CRM, an image host, a CDN",
	Callers: true,
	Config: func() sink.Config {
		return &Config{
			Permanent: config.Strings{"400", "405", "413", "414", "415", "422"},
			Timeout:   config.Duration(defaultTimeout),
		}
	},
	New: func(c sink.Config, env sink.Env) (sink.Sink, error) { return newService(c.(*Config), env) },
}

// Base implements sink.Config. Without events it is told of pictures, and of what
// On names.
func (c *Config) Base() *sink.Common {
	if len(c.Events) > 0 {
		return &c.Common
	}
	told := c.Common
	told.Events = c.events()
	return &told
}

// events are those that there is a request for, in order.
func (c *Config) events() []string {
	events := []string{}
	for _, event := range []string{sink.RenderCompleted, sink.RenderFailed, sink.ImageRemoved} {
		_, on := c.On[event]
		if on || slices.Contains(c.Events, event) || event == sink.RenderCompleted && len(c.Events) == 0 {
			events = append(events, event)
		}
	}
	return events
}

// Addresses implements sink.Addressed: only their paths and queries hang on rows.
func (c *Config) Addresses() map[string]string {
	addresses := map[string]string{"url": sketch(c.URL)}
	for event, request := range c.On {
		if request.URL != "" {
			addresses[onPath(event)+".url"] = sketch(request.URL)
		}
	}
	return addresses
}

// onPath is where the request of an event is written.
func onPath(event string) string { return "on[" + strconv.Quote(event) + "]" }

// Validate implements sink.Config.
func (c *Config) Validate() error {
	problems := c.CheckEvents()
	add := func(path, format string, args ...any) *problem.Error {
		p := problem.New(problem.Invalid, format, args...).At(path)
		problems = append(problems, p)
		return p
	}
	for i, event := range c.Events {
		if event == sink.RunCompleted {
			add("events["+strconv.Itoa(i)+"]", "%q is about no row", event).WithHint("a webhook tells of it")
		}
	}
	for event := range c.On {
		if !slices.Contains([]string{sink.RenderCompleted, sink.RenderFailed, sink.ImageRemoved}, event) {
			add(onPath(event), "%q is no event of a row", event).
				WithHint("those are %s, %s and %s", sink.RenderCompleted, sink.RenderFailed, sink.ImageRemoved)
		} else if len(c.Events) > 0 && !slices.Contains(c.Events, event) {
			add(onPath(event), "events does not name it").WithHint("leave events out, or add it there")
		}
	}
	switch {
	case !c.Bearer.IsZero() && c.Basic != nil:
		add("basic", "bearer says who asks, too").WithHint("keep one of them")
	case !httpguts.ValidHeaderFieldValue(c.Bearer.Reveal()):
		add("bearer", "has characters that a header can't carry").WithHint("see whether a line end was read with it")
	case c.Basic != nil && c.Basic.User == "" && c.Basic.Password.IsZero():
		add("basic", "has neither user nor password")
	case c.Basic != nil && strings.Contains(c.Basic.User, ":"):
		add("basic.user", "has a colon")
	}
	if c.EachOutput && c.Output != "" {
		add("each_output", "output names one").WithHint("keep one of them")
	}
	if _, err := parseStatuses(c.Permanent); err != nil {
		problems = append(problems, err.At("permanent"))
	}
	if c.Timeout <= 0 {
		add("timeout", "must be longer than nothing")
	}
	_, list := newForms(c)
	return append(problems, list...).Err()
}
