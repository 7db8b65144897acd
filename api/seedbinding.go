package api

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// slugNotBuilt is of what the seed product's dialect may say and pictifyd cannot do.
const slugNotBuilt = "not_supported"

// seedOne is the key of the one image that a binding of the seed product has.
const seedOne = "current"

// A seedBinding is a binding in the seed product's words: three spellings of a
// source and what is drawn of it, in one body.
type seedBinding struct {
	Name          string            `yaml:"name"`
	TemplateID    string            `yaml:"template_id"`
	TemplateUID   string            `yaml:"template_uid"`
	DataSource    *seedSource       `yaml:"data_source"`
	Mapping       map[string]string `yaml:"mapping"`
	Defaults      map[string]any    `yaml:"defaults"`
	RefreshPolicy seedRefresh       `yaml:"refresh_policy"`
	OutputConfig  seedOutput        `yaml:"output_config"`
	Key           config.Strings    `yaml:"key"` // of an answer with many rows
	Filter        string            `yaml:"filter"`
	OnDelete      string            `yaml:"on_delete"`
	Sinks         config.Strings    `yaml:"sinks"` // by name

	// The spelling of January.
	DataURL     string            `yaml:"data_url"`
	DataMapping map[string]string `yaml:"data_mapping"`
	Headers     map[string]string `yaml:"headers"`
	Schedule    string            `yaml:"schedule"`
	Format      string            `yaml:"format"`

	// The spelling of its pages.
	Type            string `yaml:"type"`
	URL             string `yaml:"url"`
	TimeoutMs       int    `yaml:"timeout_ms" min:"0"`
	CacheTTLSeconds int    `yaml:"cache_ttl_seconds" min:"0"`
}

type seedSource struct {
	Type        string            `yaml:"type"`
	URL         string            `yaml:"url"`
	Method      string            `yaml:"method"`
	Headers     map[string]string `yaml:"headers"`
	Credentials *seedCredentials  `yaml:"credentials"`
	TimeoutMs   int               `yaml:"timeout_ms" min:"0"`
	Rows        string            `yaml:"rows"`
}

type seedCredentials struct {
	Type  string `yaml:"type"` // api_key, bearer_token, basic_auth, custom_header
	Name  string `yaml:"name"` // of the header
	Value string `yaml:"value"`
}

type seedRefresh struct {
	Type       string `yaml:"type"` // ttl, etag, webhook, manual
	TTLSeconds int    `yaml:"ttl_seconds" min:"0"`
	OnError    string `yaml:"on_error"` // serve_stale, serve_error, serve_default
}

type seedOutput struct {
	Format  string `yaml:"format"`
	Quality int    `yaml:"quality"`
}

// seedKeys tell a body of the seed product's dialect from one of ours.
var seedKeys = []string{"templateId", "templateUid", "dataSource", "dataUrl", "dataMapping", "mapping", "refreshPolicy", "outputConfig"}

// readSeedBinding tells a body of the seed product's dialect in ours: a source
// and the binding that it is made with. ok is false for other bodies. What can't
// be told is a problem at its place.
func readSeedBinding(body []byte) (changes []ResourceChange, ok bool, err error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || !slices.ContainsFunc(seedKeys, func(k string) bool { return object[k] != nil }) {
		return nil, false, nil // whoever reads it says what is wrong
	}
	// As its pages spell them.
	body = bytes.Replace(body, []byte(`"timeout_ms"`), []byte(`"timeoutMs"`), 1)
	body = bytes.Replace(body, []byte(`"cache_ttl_seconds"`), []byte(`"cacheTtlSeconds"`), 1)
	node, err := config.ParseJSON(body, config.Options{})
	if err != nil {
		return nil, true, err
	}
	var b seedBinding
	if err := node.Decode(&b); err != nil {
		return nil, true, err
	}
	t := telling{node: node, from: b}
	source, binding := t.tell()
	if err := t.problems.Err(); err != nil {
		return nil, true, err
	}
	name := binding["name"].(string)
	return []ResourceChange{
		{Kind: kindSource, Body: encodeBody(source), MadeFor: name},
		{Kind: kindBinding, Body: encodeBody(binding)},
	}, true, nil
}

func encodeBody(body map[string]any) []byte {
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("encode a body of our own: %v", err)) // only texts, numbers and what JSON gave
	}
	return data
}

// A telling is one body on its way.
type telling struct {
	node     config.Node
	from     seedBinding
	problems problem.List
}

func (t *telling) bad(path, hint, format string, args ...any) {
	t.problems = append(t.problems, config.Problem(t.node, path, problem.Invalid, format, args...).WithHint("%s", hint))
}

func (t *telling) cannot(path, hint, format string, args ...any) {
	t.bad(path, hint, format, args...)
	t.problems[len(t.problems)-1].Slug = slugNotBuilt
}

func (t *telling) tell() (source, binding map[string]any) {
	b := t.from
	name := slug(b.Name)
	if name == "" {
		name = "bind-" + strings.ToLower(rand.Text()[:12])
	}
	source = t.source(name)
	binding = map[string]any{"name": name, "source": name, "public": true}
	if binding["template"] = cmp.Or(b.TemplateID, b.TemplateUID); binding["template"] == "" {
		t.bad("templateId", "name the template, as GET /templates has it", "the binding names no template")
	}
	if expressions := t.expressions(); len(expressions) > 0 {
		binding["map"] = expressions
	}
	if b.Filter != "" {
		binding["where"] = unbraced(b.Filter)
	}
	if b.OnDelete != "" {
		binding["onDelete"] = b.OnDelete
	}
	if len(b.Sinks) > 0 {
		binding["sinks"] = []string(b.Sinks)
	}
	if format := cmp.Or(b.OutputConfig.Format, b.Format); format != "" {
		output := map[string]any{"format": format}
		if b.OutputConfig.Quality > 0 && format != "png" && format != "pdf" { // those have none, and the seed sends it along
			output["quality"] = b.OutputConfig.Quality
		}
		binding["outputs"] = []any{output}
	}
	return source, binding
}

// slug is a name that may stand in a path: "Price cards" is price-cards.
func slug(name string) string {
	name = strings.Trim(notName.ReplaceAllString(strings.ToLower(name), "-"), "-")
	return strings.Trim(name[:min(len(name), 63)], "-")
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// source is where the rows come from.
func (t *telling) source(name string) map[string]any {
	b := t.from
	s, at := b.DataSource, "dataSource."
	if s == nil {
		at = ""
		s = &seedSource{Type: b.Type, URL: cmp.Or(b.DataURL, b.URL), Headers: b.Headers, TimeoutMs: b.TimeoutMs}
	}
	if s.Type != "" && s.Type != "http" {
		t.cannot(at+"type", "make a source with POST /sources, and a binding that names it", "a source of type %q cannot be made in this way", s.Type)
	}
	address := at + "url"
	if b.DataURL != "" {
		address = "dataUrl"
	}
	t.substitutes(address, s.URL)
	source := map[string]any{"name": name, "kind": "http", "url": s.URL}
	if s.URL == "" {
		t.bad(address, "as in https://shop.example/products", "there is no address to read")
	}
	if s.Method != "" {
		source["method"] = s.Method
	}
	if s.TimeoutMs > 0 {
		source["timeout"] = strconv.Itoa(s.TimeoutMs) + "ms"
	}
	if s.Rows != "" {
		source["rows"] = strings.TrimSuffix(s.Rows, "[*]")
	}
	switch {
	case len(b.Key) > 0:
		source["key"] = []string(b.Key)
	case s.Rows != "":
		t.bad("key", `name the column that identifies a row, as in "key": "sku"`, "rows without a key cannot be told apart")
	default:
		source["one"] = seedOne
	}
	t.authorise(source, s, at)
	if every := t.every(); every != "" {
		source["every"] = every
	}
	return source
}

// substitutes refuses what the seed product puts into texts, and we do not.
func (t *telling) substitutes(path, text string) {
	switch {
	case strings.Contains(text, "${env."):
		t.bad(path, "send the value itself, or for a secret secret://NAME", "the environment is the operator's and not put in here")
	case strings.Contains(text, "${"):
		t.cannot(path, "read a list of rows, and name their key", "a row by row address is not fetched on demand")
	}
}

// authorise adds headers and credentials.
func (t *telling) authorise(source map[string]any, s *seedSource, at string) {
	headers := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		t.substitutes(at+"headers."+name, s.Headers[name])
		headers[name] = s.Headers[name]
	}
	if c := s.Credentials; c != nil {
		t.substitutes(at+"credentials.value", c.Value)
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

// every is how often the source is asked; "" is as often as usual.
func (t *telling) every() string {
	b := t.from
	switch b.RefreshPolicy.OnError {
	case "", "serve_stale": // an image stays until there is another
	default:
		t.cannot("refreshPolicy.onError", "leave it out: the last image stays", "an image that cannot be renewed is not replaced by an error or a default")
	}
	switch kind := b.RefreshPolicy.Type; kind {
	case "", "etag", "ttl":
	case "manual":
		return "8760h" // a year; refresh reads at once
	default:
		t.cannot("refreshPolicy.type", "use ttl, etag or manual", "a refresh policy of type %q is not there", kind)
	}
	if b.Schedule != "" {
		m := everyMinutes.FindStringSubmatch(b.Schedule)
		if m == nil {
			t.cannot("schedule", `use "*/5 * * * *" for every five minutes, or refreshPolicy with ttlSeconds`, "the schedule %q is no interval of minutes", b.Schedule)
			return ""
		}
		return cmp.Or(m[1], "1") + "m"
	}
	if seconds := cmp.Or(b.RefreshPolicy.TTLSeconds, b.CacheTTLSeconds); seconds > 0 {
		return strconv.Itoa(seconds) + "s"
	}
	return ""
}

// expressions are the variables' values over the row.
func (t *telling) expressions() map[string]any {
	b := t.from
	mapping, at := b.Mapping, "mapping."
	if len(mapping) == 0 && len(b.DataMapping) > 0 {
		mapping, at = b.DataMapping, "dataMapping."
	}
	all := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(mapping)) {
		_, optional := b.Defaults[name]
		text, err := expressionOf(mapping[name], optional)
		if err != nil {
			t.problems = append(t.problems, config.Problem(t.node, at+name, problem.Invalid, "%w", err).
				WithHint(`write a path, as in "$.variants[0].price", or an expression in {{ }}`))
			continue
		}
		all[name] = text
	}
	for _, name := range slices.Sorted(maps.Keys(b.Defaults)) {
		text, mapped := all[name].(string)
		if !mapped {
			text = `$env["` + name + `"]`
		}
		value, err := json.Marshal(b.Defaults[name])
		switch b.Defaults[name].(type) {
		case string, bool, json.Number:
		default:
			err = fmt.Errorf("a default is a text, a number, true or false")
		}
		if err != nil {
			t.bad("defaults."+name, "give a single value", "%s", err)
			continue
		}
		all[name] = "(" + text + ") ?? " + string(value)
	}
	return all
}

// unbraced is the inner part of {{ … }}, or text.
func unbraced(text string) string {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "{{"); ok && strings.HasSuffix(inner, "}}") {
		return strings.TrimSpace(strings.TrimSuffix(inner, "}}"))
	}
	return text
}

var (
	pathStep  = regexp.MustCompile(`^(?:\.?([^.\[\]'"\s$@?*()]+)|\[([0-9]+)\]|\["([^"\\]*)"\]|\['([^'\\]*)'\])`)
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// expressionOf is the expression that a path of the seed product stands for. One
// that is optional is nothing where a step of it is missing.
func expressionOf(path string, optional bool) (string, error) {
	if inner := unbraced(path); inner != strings.TrimSpace(path) {
		return inner, nil
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(path), "$"), ".")
	if rest == "" || rest[0] == '.' {
		return "", fmt.Errorf("%q names no value of the row", path)
	}
	var b strings.Builder
	for rest != "" {
		m := pathStep.FindStringSubmatch(rest)
		if m == nil {
			return "", fmt.Errorf("%q is not a path to one value", path)
		}
		rest = rest[len(m[0]):]
		name := cmp.Or(m[1], m[3], m[4])
		first := b.Len() == 0
		if optional && !first {
			b.WriteString("?.")
		}
		switch {
		case m[2] != "" && first:
			return "", fmt.Errorf("%q begins with the place in a list, and a row is an object", path)
		case m[2] != "":
			b.WriteString("[" + m[2] + "]")
		case first && plainName.MatchString(name):
			b.WriteString(name)
		case first:
			b.WriteString(`$env[` + strconv.Quote(name) + `]`)
		case plainName.MatchString(name) && !optional:
			b.WriteString("." + name)
		case plainName.MatchString(name):
			b.WriteString(name)
		default:
			b.WriteString("[" + strconv.Quote(name) + "]")
		}
	}
	return b.String(), nil
}

// renderURL is the stable address of a binding's images. {key} stands for the
// key of a row where there may be many.
func (s *Server) renderURL(b Binding) string {
	if len(b.Outputs) == 0 {
		return ""
	}
	return s.base + "/b/" + b.Name + "/" + cmp.Or(b.OneKey, "{key}") + "." + b.Outputs[0].Ext
}
