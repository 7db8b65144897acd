package api

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
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
	live     map[string]any // of the binding, whose rows are asked for one by one
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
	if len(t.live) > 0 {
		binding["live"] = t.live
		if t.live["onError"] == bindings.ServeDefault {
			binding["placeholder"] = binding["template"]
		}
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
