package api

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
)

type seedSource struct {
	Type        string            `yaml:"type"` // http, static, webhook
	URL         string            `yaml:"url"`
	Method      string            `yaml:"method"`
	Headers     map[string]string `yaml:"headers"`
	Credentials *seedCredentials  `yaml:"credentials"` // of a webhook: what the sender shows
	TimeoutMs   int               `yaml:"timeout_ms" min:"0"`
	Rows        string            `yaml:"rows"`
	Data        any               `yaml:"data"`   // static: an object, or a list of them
	Secret      string            `yaml:"secret"` // webhook: of Standard Webhooks
}

type seedCredentials struct {
	Type  string `yaml:"type"` // api_key, bearer_token, basic_auth, custom_header
	Name  string `yaml:"name"` // of the header
	Value string `yaml:"value"`
}

type seedRefresh struct {
	Type            string `yaml:"type"` // ttl, etag, webhook, manual, cron
	TTLSeconds      int    `yaml:"ttl_seconds" min:"0"`
	Schedule        string `yaml:"schedule"`
	Timezone        string `yaml:"timezone"`
	JitterSeconds   int    `yaml:"jitter_seconds" min:"0"`
	OnError         string `yaml:"on_error"` // serve_stale, serve_error, serve_default
	MaxStaleSeconds int    `yaml:"max_stale_seconds" min:"0"`
}

type seedOutput struct {
	Format  string `yaml:"format"`
	Quality int    `yaml:"quality"`
}

// source is where the rows come from.
func (t *telling) source(name string) map[string]any {
	b := t.from
	s, at := b.DataSource, "dataSource."
	if s == nil {
		at = ""
		s = &seedSource{Type: b.Type, URL: cmp.Or(b.DataURL, b.URL), Headers: b.Headers, TimeoutMs: b.TimeoutMs}
	}
	source := map[string]any{"name": name}
	t.key(source, s)
	switch s.Type {
	case "", "http":
		t.read(source, s, at)
	case "static":
		t.static(source, s, at)
	case "webhook":
		t.called(source, s, at)
	default:
		t.cannot(at+"type", "make a source with POST /sources, and a binding that names it", "a source of type %q cannot be made in this way", s.Type)
	}
	return source
}

// key says by what rows are told apart.
func (t *telling) key(source map[string]any, s *seedSource) {
	_, many := s.Data.([]any)
	switch {
	case len(t.from.Key) > 0:
		source["key"] = []string(t.from.Key)
	case s.Rows != "" || many:
		t.bad("key", `name the column that identifies a row, as in "key": "sku"`, "rows without a key cannot be told apart")
	default:
		source["one"] = seedOne
	}
	if s.Rows != "" {
		source["rows"] = strings.TrimSuffix(s.Rows, "[*]")
	}
}

// read is a source that asks an address: every so often, or where the address
// names a row, when the row's image is asked for.
func (t *telling) read(source map[string]any, s *seedSource, at string) {
	source["kind"] = "http"
	address := at + "url"
	if t.from.DataURL != "" {
		address = "dataUrl"
	}
	asked := t.asksFor(address, s.URL)
	if source["url"] = t.substituted(address, s.URL, asked); s.URL == "" {
		t.bad(address, "as in https://shop.example/products", "there is no address to read")
	}
	if s.Method != "" {
		source["method"] = s.Method
	}
	t.authorise(source, s, at, asked)
	if len(asked) > 0 {
		delete(source, "one")
		source["key"] = asked
		t.onDemand(s)
		return
	}
	if s.TimeoutMs > 0 {
		source["timeout"] = strconv.Itoa(s.TimeoutMs) + "ms"
	}
	switch t.from.RefreshPolicy.OnError {
	case "", bindings.ServeStale: // an image stays until there is another
	default:
		t.cannot("refreshPolicy.onError", "leave it out: the last image stays. Or have the address name the row, as in /products/${product_id}",
			"an image that is made ahead is not replaced by an error or a default")
	}
	t.due(source)
}

// keyPlace is where an address has a part of the key of a row.
var keyPlace = regexp.MustCompile(`\$\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}|\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}`)

// asksFor are the key columns that an address names, in their order.
func (t *telling) asksFor(path, url string) config.Strings {
	var names config.Strings
	for _, m := range keyPlace.FindAllStringSubmatch(url, -1) {
		if name := cmp.Or(m[1], m[2]); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	key := t.from.Key
	switch {
	case len(names) == 0 || len(key) == 0:
		return names
	case len(key) == 1 && slices.Equal(names, config.Strings{"key"}), slices.Equal(slices.Sorted(slices.Values(key)), slices.Sorted(slices.Values(names))):
		return key
	}
	t.bad(path, "name the same in both, or leave key out", "the address asks by %s, and the key is %s", strings.Join(names, ", "), strings.Join(key, ", "))
	return names
}

// substituted is text in our words: ${name} of a key column is {{ name }}.
func (t *telling) substituted(path, text string, key config.Strings) string {
	told := keyPlace.ReplaceAllStringFunc(text, func(found string) string {
		m := keyPlace.FindStringSubmatch(found)
		if name := cmp.Or(m[1], m[2]); m[1] == "" || slices.Contains(key, name) {
			return "{{ " + name + " }}"
		}
		return found
	})
	switch {
	case strings.Contains(told, "${env."):
		t.bad(path, "send the value itself, or for a secret secret://NAME", "the environment is the operator's and not put in here")
	case strings.Contains(told, "${"):
		t.bad(path, "name it in the address too, as in https://shop.example/products/${product_id}", "there is no part of the row's key of this name")
	}
	return told
}

// onDemand has the binding ask for a row when its image is asked for.
func (t *telling) onDemand(s *seedSource) {
	policy := t.from.RefreshPolicy
	t.live = map[string]any{"onError": cmp.Or(policy.OnError, bindings.ServeStale)}
	if seconds := cmp.Or(policy.TTLSeconds, t.from.CacheTTLSeconds); seconds > 0 {
		t.live["ttl"] = strconv.Itoa(seconds) + "s"
	}
	if s.TimeoutMs > 0 {
		t.live["timeout"] = strconv.Itoa(s.TimeoutMs) + "ms"
	}
	if policy.MaxStaleSeconds > 0 {
		t.live["maxStale"] = strconv.Itoa(policy.MaxStaleSeconds) + "s"
	}
	switch policy.Type {
	case "", "ttl", "etag":
	case "manual":
		t.live["ttl"] = onceAYear
	default:
		t.cannot("refreshPolicy.type", "use ttl, etag or manual", "a row that is asked for with its image has no refresh policy of type %q", policy.Type)
	}
	if t.from.Schedule != "" || policy.Schedule != "" {
		t.cannot("schedule", "leave it out, or read a list of rows", "a row that is asked for with its image has no schedule")
	}
}

// static is a source whose rows are sent along.
func (t *telling) static(source map[string]any, s *seedSource, at string) {
	source["kind"] = "static"
	switch data := s.Data.(type) {
	case []any:
		source["rows"] = data
	case map[string]any:
		source["rows"] = []any{data}
	default:
		t.bad(at+"data", `as in "data": {"title": "Mug"}`, "a static source needs data, an object or a list of objects")
	}
	if s.URL != "" {
		t.bad(at+"url", "leave url out, or use type http", "rows that are sent along have no address")
	}
}

// called is a source whose rows are sent to its webhookUrl.
func (t *telling) called(source map[string]any, s *seedSource, at string) {
	source["kind"], source["path"] = "webhook", source["name"]
	switch c := s.Credentials; {
	case s.Secret != "":
		source["secret"] = s.Secret
	case c != nil && c.Type == "bearer_token":
		source["verify"] = map[string]any{"bearer": c.Value}
	case c != nil && c.Type == "basic_auth":
		user, password, _ := strings.Cut(c.Value, ":")
		source["verify"] = map[string]any{"basic": map[string]any{"user": user, "password": password}}
	default:
		t.bad(at+"secret", "give the secret that the sender signs with by Standard Webhooks, or credentials of type bearer_token or basic_auth",
			"nothing says who may call")
	}
	if s.URL != "" {
		t.bad(at+"url", "leave url out: the answer has webhookUrl", "a webhook is called, and calls nobody")
	}
	if kind := t.from.RefreshPolicy.Type; kind != "" && kind != "webhook" {
		t.cannot("refreshPolicy.type", "leave it out", "what is sent is not asked for by %q", kind)
	}
}

// authorise adds headers and credentials.
func (t *telling) authorise(source map[string]any, s *seedSource, at string, key config.Strings) {
	headers := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		headers[name] = t.substituted(at+"headers."+name, s.Headers[name], key)
	}
	if c := s.Credentials; c != nil {
		t.substituted(at+"credentials.value", c.Value, nil)
		switch c.Type {
		case "bearer_token":
			source["bearer"] = c.Value
		case "api_key":
			headers[cmp.Or(c.Name, "X-API-Key")] = c.Value
		case "basic_auth":
			if strings.HasPrefix(c.Value, "secret://") {
				t.cannot(at+"credentials.value", "keep the whole header as the secret, as in Basic dXNlcjpwYXNz, and send it as custom_header",
					"user and password cannot be put together out of a secret")
			}
			headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Value))
		case "custom_header":
			name, value, split := strings.Cut(c.Value, ":")
			if c.Name != "" {
				name, value, split = c.Name, c.Value, true
			}
			if !split {
				t.bad(at+"credentials.value", `give "name", or a value of the form "Name: value"`, "the header has no name")
			}
			headers[http.CanonicalHeaderKey(strings.TrimSpace(name))] = strings.TrimSpace(value)
		default:
			t.bad(at+"credentials.type", "bearer_token, api_key, basic_auth or custom_header", "there are no credentials of type %q", c.Type)
		}
	}
	if len(headers) > 0 {
		source["headers"] = headers
	}
}

// everyMinutes is the one form of a schedule that is an interval.
var everyMinutes = regexp.MustCompile(`^(?:\*|\*/([1-9][0-9]?)) \* \* \* \*$`)

// onceAYear is how often what is refreshed by hand is asked by itself.
const onceAYear = "8760h"

// due says when the source is asked; without a word, as often as usual.
func (t *telling) due(source map[string]any) {
	b, policy := t.from, t.from.RefreshPolicy
	schedule := cmp.Or(b.Schedule, policy.Schedule)
	switch policy.Type {
	case "", "etag", "ttl":
	case "manual":
		source["every"] = onceAYear
		return
	case "cron":
		if schedule == "" {
			t.bad("refreshPolicy.schedule", `as in "0 6 * * 1"`, "a refresh policy of type cron needs a schedule")
		}
	default:
		t.cannot("refreshPolicy.type", "use ttl, etag, cron or manual", "a refresh policy of type %q is not there", policy.Type)
	}
	if m := everyMinutes.FindStringSubmatch(schedule); m != nil {
		source["every"] = cmp.Or(m[1], "1") + "m"
		return
	}
	if schedule != "" {
		source["cron"] = schedule
		if policy.Timezone != "" {
			source["timezone"] = policy.Timezone
		}
		if policy.JitterSeconds > 0 {
			source["jitter"] = strconv.Itoa(policy.JitterSeconds) + "s"
		}
		return
	}
	if seconds := cmp.Or(policy.TTLSeconds, b.CacheTTLSeconds); seconds > 0 {
		source["every"] = strconv.Itoa(seconds) + "s"
	}
}
