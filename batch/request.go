package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The limits of one batch.
const (
	MaxRows     = 100_000
	MaxBody     = 1 << 30
	MaxRow      = 1 << 20 // bytes of one row
	MaxMetadata = 64 << 10
)

// A Request is what a caller asked for, apart from the rows themselves.
type Request struct {
	Outputs    []Output        // with every default written out
	RowKey     string          // the field that names a row; "" is its index
	Metadata   json.RawMessage // nil when there was none
	WebhookURL string
	Rows       int64  // how many were handed out
	Digest     string // SHA-256 of the body, hex
}

// fields are the body's fields but the rows, as they were given.
type fields struct {
	format, size    string
	theme           string
	language        bindings.Language
	sizes           []string
	quality         *json.Number
	outputs         []outputFields
	rowKey, webhook string
	metadata        json.RawMessage
	given           map[string]string // field by what it means: "format" was given as "fileExtension"
}

// outputFields is one element of outputs.
type outputFields struct {
	name, size, theme, format string
	language                  bindings.Language
	page, quality             *json.Number
}

// canonicalField says what each field of the body means.
var canonicalField = map[string]string{
	"variables": "variables", "variableSets": "variables",
	"webhookUrl": "webhookUrl",
	"format":     "format", "fileExtension": "format",
	"quality": "quality",
	"size":    "size", "layout": "size",
	"sizes": "sizes", "layouts": "sizes",
	"theme":  "theme",
	"locale": "locale", "timezone": "timezone", "currency": "currency",
	"outputs":     "outputs",
	"rowKey":      "rowKey",
	"metadata":    "metadata",
	"concurrency": "concurrency", // of the seed's API; how many renders run at once is the daemon's matter
}

// canonicalOutputField is the same for an element of outputs.
var canonicalOutputField = map[string]string{
	"name":   "name",
	"format": "format", "fileExtension": "format",
	"size": "size", "layout": "size",
	"theme":   "theme",
	"page":    "page",
	"quality": "quality",
	"locale":  "locale", "timezone": "timezone", "currency": "currency",
}

// set takes the field that was given as name.
func (f *fields) set(name string, value json.RawMessage) problem.List {
	if isNull(value) {
		return nil
	}
	switch canonicalField[name] {
	case "format":
		return text(name, value, &f.format)
	case "size":
		return text(name, value, &f.size)
	case "theme":
		return text(name, value, &f.theme)
	case "locale":
		return text(name, value, &f.language.Locale)
	case "timezone":
		return text(name, value, &f.language.Timezone)
	case "currency":
		return text(name, value, &f.language.Currency)
	case "rowKey":
		return text(name, value, &f.rowKey)
	case "webhookUrl":
		return f.setWebhook(name, value)
	case "quality":
		return number(name, value, &f.quality)
	case "sizes":
		if json.Unmarshal(value, &f.sizes) != nil {
			return problem.List{wants(name, "a list of names of sizes")}
		}
	case "outputs":
		return f.setOutputs(name, value)
	case "metadata":
		return f.setMetadata(name, value)
	}
	return nil
}

func (f *fields) setWebhook(name string, value json.RawMessage) problem.List {
	if problems := text(name, value, &f.webhook); problems != nil {
		return problems
	}
	u, err := url.Parse(f.webhook)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return problem.List{problem.New(problem.Invalid, "%q is no address that a webhook could be sent to", f.webhook).
			At(name).WithHint("give an absolute http or https URL")}
	}
	return nil
}

func (f *fields) setMetadata(name string, value json.RawMessage) problem.List {
	if len(value) > MaxMetadata {
		return problem.List{problem.New(problem.TooLarge, "the metadata has %d bytes, and at most %d are kept", len(value), MaxMetadata).At(name)}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil {
		return problem.List{wants(name, "JSON")}
	}
	f.metadata = compact.Bytes()
	return nil
}

func (f *fields) setOutputs(name string, value json.RawMessage) (problems problem.List) {
	var items []map[string]json.RawMessage
	if json.Unmarshal(value, &items) != nil {
		return problem.List{wants(name, `a list of objects, as in [{"format":"png"}]`)}
	}
	f.outputs = make([]outputFields, len(items))
	for i, item := range items {
		problems = append(problems, f.outputs[i].setAll(fmt.Sprintf("%s[%d]", name, i), item)...)
	}
	return problems
}

func (o *outputFields) setAll(path string, item map[string]json.RawMessage) (problems problem.List) {
	given := map[string]string{}
	for _, name := range sortedKeys(item) {
		at := path + "." + name
		meaning, known := canonicalOutputField[name]
		if !known {
			problems = append(problems, unknownField(name, canonicalOutputField).At(at))
			continue
		}
		if isNull(item[name]) {
			continue
		}
		if before, twice := given[meaning]; twice {
			problems = append(problems, givenTwice(before, name).At(at))
			continue
		}
		given[meaning] = name
		problems = append(problems, o.set(meaning, at, item[name])...)
	}
	return problems
}

// set takes the field of that meaning.
func (o *outputFields) set(meaning, at string, value json.RawMessage) problem.List {
	texts := map[string]*string{
		"name": &o.name, "format": &o.format, "size": &o.size, "theme": &o.theme,
		"locale": &o.language.Locale, "timezone": &o.language.Timezone, "currency": &o.language.Currency,
	}
	switch meaning {
	case "page":
		return number(at, value, &o.page)
	case "quality":
		return number(at, value, &o.quality)
	}
	return text(at, value, texts[meaning])
}

// resolve is the list of outputs that the fields mean together: what stands
// beside outputs is the default of what stands in it.
func (f *fields) resolve() ([]Output, error) {
	items := f.outputs
	if len(items) == 0 {
		for _, size := range f.sizes {
			items = append(items, outputFields{size: size})
		}
	}
	if len(items) == 0 {
		items = []outputFields{{}}
	}
	outs := make([]bindings.Output, len(items))
	var problems problem.List
	for i, o := range items {
		quality, path := o.quality, fmt.Sprintf("outputs[%d].quality", i)
		if quality == nil {
			quality, path = f.quality, "quality"
		}
		q, err := percent(quality)
		if err != nil && (path != "quality" || i == 0) {
			problems = append(problems, err.At(path))
		}
		page, err := pageNumber(o.page)
		if err != nil {
			problems = append(problems, err.At(fmt.Sprintf("outputs[%d].page", i)))
		}
		outs[i] = bindings.Output{
			Name: o.name, Size: or(o.size, f.size), Theme: or(o.theme, f.theme), Page: page, Format: or(o.format, f.format), Quality: q,
			Language: o.language.Over(f.language),
		}
	}
	full, err := bindings.Outputs(outs, "outputs")
	if err != nil {
		problems = append(problems, problem.All(err)...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	resolved := make([]Output, len(full))
	for i, o := range full {
		resolved[i] = Output(o)
	}
	return resolved, nil
}

// percent is a quality in hundredths: at most 1 is a fraction, above is percent.
func percent(n *json.Number) (int, *problem.Error) {
	if n == nil {
		return 0, nil
	}
	q, err := n.Float64()
	if err != nil || q <= 0 || q > 100 {
		return 0, problem.New(problem.Invalid, "the quality %s is neither a fraction up to 1 nor a percentage up to 100", n)
	}
	if q <= 1 {
		q *= 100
	}
	return max(1, int(math.Round(q))), nil
}

func pageNumber(n *json.Number) (int, *problem.Error) {
	if n == nil {
		return 0, nil
	}
	page, err := n.Int64()
	if err != nil || page < 1 {
		return 0, problem.New(problem.Invalid, "the page %s is no whole number from 1", n)
	}
	return int(page), nil
}

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

func isNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }

func text(path string, value json.RawMessage, into *string) problem.List {
	if json.Unmarshal(value, into) != nil {
		return problem.List{wants(path, "a text")}
	}
	return nil
}

func number(path string, value json.RawMessage, into **json.Number) problem.List {
	n := json.Number(bytes.TrimSpace(value))
	if _, err := strconv.ParseFloat(string(n), 64); err != nil {
		return problem.List{wants(path, "a number")}
	}
	*into = &n
	return nil
}

func wants(path, what string) *problem.Error {
	return problem.New(problem.Invalid, "the field wants %s", what).At(path).WithSlug("wrong_type")
}
