package tracing

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/trust"
)

// Config says where traces go.
type Config struct {
	// URL is where the collector takes traces by OTLP over HTTP, as
	// http://127.0.0.1:4318/v1/traces. Empty: there are none.
	URL string `yaml:"url"`
	// Headers go with each request: the key of a service, for example.
	Headers map[string]config.Secret `yaml:"headers"`
	// Sample is the share of rows and of requests that are traced. A row is traced
	// whole or not at all, whichever processes have it.
	Sample config.Percent `yaml:"sample"`
	// Details puts the keys of rows and the texts of errors into the traces. They may
	// name people, and no deletion reaches them there. The default is false.
	Details bool `yaml:"details"`
	// Service is service.name in the collector.
	Service string     `yaml:"service"`
	TLS     *trust.TLS `yaml:"tls"` // of the collector; none: as the machine trusts
}

// Default is no traces, and all rows where there are some.
func Default() Config { return Config{Sample: 1, Service: "pictifyd"} }

// reserved are the headers that the protocol itself sets.
var reserved = []string{"content-type", "content-length", "content-encoding", "host", "transfer-encoding"}

// Validate returns all problems, as a problem.List.
func (c Config) Validate() error {
	var list problem.List
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		switch {
		case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
			list = append(list, problem.New(problem.Invalid, "not an address of a collector").At("url").
				WithHint("OTLP over HTTP: http://127.0.0.1:4318/v1/traces"))
		case u.User != nil:
			list = append(list, problem.New(problem.Invalid, "a password in an address is shown in logs").At("url").
				WithHint(`write it under headers: { Authorization: "Basic …" }`))
		case u.Scheme == "http" && c.TLS != nil:
			list = append(list, problem.New(problem.Invalid, "there is no TLS on the way to an http address").At("tls").
				WithHint("write url: https://…, or leave tls out"))
		case u.RawQuery != "" || u.Fragment != "":
			list = append(list, problem.New(problem.Invalid, "the address of a collector has no query").At("url").
				WithHint("what it is to be told goes into headers"))
		}
	} else if len(c.Headers) > 0 {
		list = append(list, problem.New(problem.Invalid, "there is no address to send them to").At("headers").
			WithHint("write url: http://127.0.0.1:4318/v1/traces"))
	}
	if c.TLS != nil {
		for _, p := range problem.All(c.TLS.Validate()) {
			list = append(list, p.At("tls."+p.Path))
		}
	}
	for name, value := range c.Headers {
		switch {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value.Reveal()):
			list = append(list, problem.New(problem.Invalid, "%q is no header, or its value is none", name).At("headers."+name))
		case slices.Contains(reserved, strings.ToLower(name)):
			list = append(list, problem.New(problem.Invalid, "%q is set by the protocol", name).At("headers."+name).WithHint("leave it out"))
		}
	}
	if c.Service == "" {
		list = append(list, problem.New(problem.Invalid, "the service has no name").At("service").WithHint("leave it out, and it is pictifyd"))
	}
	slices.SortFunc(list, func(a, b *problem.Error) int { return strings.Compare(a.Path, b.Path) })
	return list.Err()
}
