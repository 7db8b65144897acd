package httppoll

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
)

// Basic are a name and a password.
type Basic struct {
	User     string        `yaml:"user"`
	Password config.Secret `yaml:"password"`
}

// An APIKey is sent in a header or in a parameter of the address.
type APIKey struct {
	Header string        `yaml:"header"` // its name
	Query  string        `yaml:"query"`  // the parameter's name
	Value  config.Secret `yaml:"value"`
}

// OAuth2 is a client of its own: the token that its id and secret get is sent as
// Authorization: Bearer ….
type OAuth2 struct {
	TokenURL     string                   `yaml:"token_url"`
	ClientID     string                   `yaml:"client_id"`
	ClientSecret config.Secret            `yaml:"client_secret"`
	Scopes       config.Strings           `yaml:"scopes"`
	Audience     string                   `yaml:"audience"`
	Params       map[string]config.Secret `yaml:"params"` // more that the token is asked for with
}

func (c *Config) checkCredentials(f *faults) {
	authorization := c.authorization()
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		path := "headers." + name
		switch value := c.Headers[name].Reveal(); {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			f.add(path, "is not a header")
		case managed(name):
			f.add(path, "is set by pictifyd itself").WithHint("leave it out")
		case http.CanonicalHeaderKey(name) == "Authorization" && len(authorization) > 0:
			f.add(path, "%s sets it too", authorization[0]).WithHint("keep one of them")
		case http.CanonicalHeaderKey(name) == "Content-Type" && c.hasBody():
			f.add(path, "the body's type is content_type").WithHint("leave it out")
		}
	}
	if len(authorization) > 1 {
		f.add(authorization[1], "%s says who asks, too", authorization[0]).WithHint("keep one of them")
	}
	if !httpguts.ValidHeaderFieldValue(c.Bearer.Reveal()) {
		f.add("bearer", "has characters that a header can't carry").WithHint("see whether a line end was read with it")
	}
	if c.Basic != nil && c.Basic.User == "" && c.Basic.Password.IsZero() {
		f.add("basic", "has neither user nor password")
	}
	if c.APIKey != nil {
		c.APIKey.check(f)
	}
	if c.OAuth2 != nil {
		c.OAuth2.check(f)
	}
}

// authorization names the settings that set the header of that name.
func (c *Config) authorization() []string {
	var names []string
	if !c.Bearer.IsZero() {
		names = append(names, "bearer")
	}
	if c.Basic != nil {
		names = append(names, "basic")
	}
	if c.OAuth2 != nil {
		names = append(names, "oauth2")
	}
	if c.APIKey != nil && http.CanonicalHeaderKey(c.APIKey.Header) == "Authorization" {
		names = append(names, "api_key")
	}
	return names
}

func (k *APIKey) check(f *faults) {
	switch {
	case (k.Header == "") == (k.Query == ""):
		f.add("api_key", "needs the name of one header or of one query parameter").WithHint(`as in api_key: { header: X-Api-Key, value: "${SHOP_KEY}" }`)
	case k.Value.IsZero():
		f.add("api_key.value", "is empty")
	case k.Header != "" && (!httpguts.ValidHeaderFieldName(k.Header) || !httpguts.ValidHeaderFieldValue(k.Value.Reveal())):
		f.add("api_key.header", "is not a header").WithHint("see whether a line end was read with the value")
	case managed(k.Header):
		f.add("api_key.header", "is set by pictifyd itself")
	}
}

func (o *OAuth2) check(f *faults) {
	if u, err := url.Parse(o.TokenURL); err != nil || !isHTTP(u) || u.Host == "" {
		f.add("oauth2.token_url", "is not an http or https address").WithHint("as in https://login.example/oauth2/token")
	}
	if o.ClientID == "" {
		f.add("oauth2.client_id", "is empty")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Params)) {
		switch name {
		case "grant_type", "scope", "client_id", "client_secret":
			f.add("oauth2.params."+name, "is set by pictifyd itself").WithHint("leave it out")
		case "audience":
			if o.Audience != "" {
				f.add("oauth2.params.audience", "audience is there too").WithHint("keep one of them")
			}
		}
	}
}

// managed names the headers on which reading a whole answer depends.
func managed(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Host", "If-None-Match", "If-Modified-Since", "If-Range", "Range",
		"Accept-Encoding", "Content-Length", "Transfer-Encoding", "Connection":
		return true
	}
	return false
}

// credentials are the headers that say who asks, but for a token that has to be got.
func (c *Config) credentials() map[string]string {
	headers := map[string]string{}
	if !c.Bearer.IsZero() {
		headers["Authorization"] = "Bearer " + c.Bearer.Reveal()
	}
	if c.Basic != nil {
		pair := c.Basic.User + ":" + c.Basic.Password.Reveal()
		headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	}
	if c.APIKey != nil && c.APIKey.Header != "" {
		headers[http.CanonicalHeaderKey(c.APIKey.Header)] = c.APIKey.Value.Reveal()
	}
	return headers
}
