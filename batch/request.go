package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The limits of one batch.
const (
	MaxRows      = 100_000
	MaxElsewhere = 1_000_000 // rows that a request does not bring, but names
	MaxBody      = 1 << 30
	MaxRow       = 1 << 20    // bytes of one row
	MaxCells     = 20_000_000 // of a sheet
	MaxMetadata  = 64 << 10
)

// A Request is what a caller asked for, apart from the rows themselves.
type Request struct {
	Outputs    []Output            // with every default written out
	RowKey     string              // the field that names a row; "" is its index
	Mapping    map[string]string   // of variables to expressions
	Experiment bindings.Experiment // by which the rows are drawn; none where it names none
	Metadata   json.RawMessage     // nil when there was none
	WebhookURL string
	Events     []string // that are sent there; none: BatchCompleted

	Priority        Priority
	MaxErrors       int64 // 0: as many rows as there are may fail
	TemplateVersion int64 // 0: the newest
	DryRun          bool
	Origin          Origin // where the rows are if not in the request
	Layout          Layout

	Rows   int64  // how many were handed out
	Digest string // of the body and the query, hex
}

// An Origin says where rows are that a request does not bring. At most one field
// is set.
type Origin struct {
	URL     string // of a document
	Source  string // a configured source: its stored rows
	Binding string // a binding: the rows that it draws, as it maps them
}

// A Layout says how rows stand in a document, beside its format.
type Layout struct {
	Delimiter rune   // csv: what separates cells; 0 is found in the header
	Sheet     string // xlsx: which one; "" is the first
	Rows      string // json from elsewhere: the way to the list, as in data.items
}

// fields are the body's fields but the rows, as they were given.
type fields struct {
	size, theme     string
	language        bindings.Language
	sizes           []string
	encoding        encodingFields
	outputs         []outputFields
	rowKey, webhook string
	events          []string
	metadata        json.RawMessage
	mapping         map[string]string
	experiment      bindings.Experiment
	unit            string // of the experiment, where it stands beside it

	priority  string
	maxErrors int64
	version   int64
	dryRun    bool
	origin    Origin
	layout    Layout

	given map[string]string // field by what it means: "format" was given as "fileExtension"
}

// outputFields is one element of outputs.
type outputFields struct {
	name, size, theme string
	language          bindings.Language
	page              json.Number
	encoding          encodingFields
	given             map[string]string // as of fields
}

// canonicalField says what each field of the body means.
var canonicalField = with(encodingField, map[string]string{
	"variables": "variables", "variableSets": "variables",
	"webhookUrl": "webhookUrl", "webhookEvents": "webhookEvents",
	"size": "size", "layout": "size",
	"sizes": "sizes", "layouts": "sizes",
	"theme":  "theme",
	"locale": "locale", "timezone": "timezone", "currency": "currency",
	"outputs":         "outputs",
	"rowKey":          "rowKey",
	"metadata":        "metadata",
	"mapping":         "mapping",
	"experiment":      "experiment",
	"experimentUnit":  "experimentUnit",
	"priority":        "priority",
	"maxErrors":       "maxErrors",
	"templateVersion": "templateVersion", "version": "templateVersion",
	"dryRun":      "dryRun",
	"sourceUrl":   "sourceUrl",
	"source":      "source",
	"binding":     "binding",
	"sourceRows":  "sourceRows",
	"delimiter":   "delimiter",
	"sheet":       "sheet",
	"concurrency": "concurrency", // of the seed's API; how many renders run at once is the daemon's matter
})

// canonicalOutputField is the same for an element of outputs.
var canonicalOutputField = with(encodingField, map[string]string{
	"name": "name",
	"size": "size", "layout": "size",
	"theme":  "theme",
	"page":   "page",
	"locale": "locale", "timezone": "timezone", "currency": "currency",
})

func with(all, more map[string]string) map[string]string {
	all = maps.Clone(all)
	maps.Copy(all, more)
	return all
}

// set takes the field that was given as name.
func (f *fields) set(name string, value json.RawMessage) problem.List {
	if isNull(value) {
		return nil
	}
	switch meaning := canonicalField[name]; meaning {
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
	case "webhookEvents":
		return f.setEvents(name, value)
	case "sizes":
		if json.Unmarshal(value, &f.sizes) != nil {
			return problem.List{wants(name, "a list of names of sizes")}
		}
	case "outputs":
		return f.setOutputs(name, value)
	case "mapping":
		return f.setMapping(name, value)
	case "experiment":
		return f.setExperiment(name, value)
	case "experimentUnit":
		return f.setUnit(name, value)
	case "metadata":
		return f.setMetadata(name, value)
	case "priority":
		return f.setPriority(name, value)
	case "maxErrors":
		return count(name, value, &f.maxErrors)
	case "templateVersion":
		return count(name, value, &f.version)
	case "dryRun":
		return yes(name, value, &f.dryRun)
	case "sourceUrl", "source", "binding":
		return f.setOrigin(meaning, name, value)
	case "sourceRows":
		return text(name, value, &f.layout.Rows)
	case "sheet":
		return text(name, value, &f.layout.Sheet)
	case "delimiter":
		return f.setDelimiter(name, value)
	default:
		if readers[meaning] != nil {
			return f.encoding.set(meaning, name, value)
		}
	}
	return nil
}

func (f *fields) setWebhook(name string, value json.RawMessage) problem.List {
	if problems := text(name, value, &f.webhook); problems != nil {
		return problems
	}
	if !isAddress(f.webhook) {
		return problem.List{problem.New(problem.Invalid, "%q is no address that a webhook could be sent to", f.webhook).
			At(name).WithHint("give an absolute http or https URL")}
	}
	return nil
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
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
	o.given, o.encoding = map[string]string{}, encodingFields{}
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
		if before, twice := o.given[meaning]; twice {
			problems = append(problems, givenTwice(before, name).At(at))
			continue
		}
		o.given[meaning] = name
		problems = append(problems, o.set(meaning, at, item[name])...)
	}
	return problems
}

// set takes the field of that meaning.
func (o *outputFields) set(meaning, at string, value json.RawMessage) problem.List {
	if readers[meaning] != nil {
		return o.encoding.set(meaning, at, value)
	}
	texts := map[string]*string{
		"name": &o.name, "size": &o.size, "theme": &o.theme,
		"locale": &o.language.Locale, "timezone": &o.language.Timezone, "currency": &o.language.Currency,
	}
	if meaning == "page" {
		return number(at, value, &o.page)
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
	used := map[string]bool{}
	for i, o := range items {
		page, err := pageNumber(o.page)
		if err != nil {
			problems = append(problems, err.At(fmt.Sprintf("outputs[%d].page", i)))
		}
		outs[i] = bindings.Output{
			Name: o.name, Size: or(o.size, f.size), Theme: or(o.theme, f.theme), Page: page,
			Encoding: o.encoding.over(f.encoding, used), Language: o.language.Over(f.language),
		}
	}
	full, err := bindings.Outputs(outs, "outputs")
	if err != nil {
		problems = append(problems, f.asGiven(items, problem.All(err))...)
	}
	if len(problems) == 0 {
		problems = f.unused(used)
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

// unused finds the fields beside outputs that no output could take.
func (f *fields) unused(used map[string]bool) (problems problem.List) {
	for _, meaning := range sortedKeys(f.encoding) {
		if !used[meaning] {
			problems = append(problems, problem.New(problem.Invalid, "no output has a format with such an option").
				At(f.given[meaning]).WithHint("it is for %s", strings.Join(bindings.FormatsOf(meaning), ", ")))
		}
	}
	return problems
}

// outputPath is where a problem of an output is: its number and its field.
var outputPath = regexp.MustCompile(`^outputs\[([0-9]+)\]\.([a-z_]+)$`)

// asGiven places problems of outputs where their fields were given: in the
// output, or once beside all of them.
func (f *fields) asGiven(items []outputFields, problems problem.List) (placed problem.List) {
	for _, p := range problems {
		if m := outputPath.FindStringSubmatch(p.Path); m != nil {
			i, _ := strconv.Atoi(m[1]) // of items
			if name, own := items[i].given[m[2]]; own {
				p.Path = fmt.Sprintf("outputs[%d].%s", i, name)
			} else if name, beside := f.given[m[2]]; beside {
				p.Path = name
			}
		}
		if !slices.ContainsFunc(placed, func(q *problem.Error) bool { return q.Path == p.Path && q.Message == p.Message }) {
			placed = append(placed, p)
		}
	}
	return placed
}

func pageNumber(n json.Number) (int, *problem.Error) {
	if n == "" {
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

func number(path string, value json.RawMessage, into *json.Number) problem.List {
	n := json.Number(bytes.TrimSpace(value))
	if _, err := strconv.ParseFloat(string(n), 64); err != nil {
		return problem.List{wants(path, "a number")}
	}
	*into = n
	return nil
}

func wants(path, what string) *problem.Error {
	return problem.New(problem.Invalid, "the field wants %s", what).At(path).WithSlug("wrong_type")
}
