package daemon

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/sink"
)

// schemaComments are the comments of the fields of the configuration's types. A
// test writes them.
//
//go:embed schema_comments.json
var schemaComments []byte

// words are the fields of which only some texts are taken.
func words() map[reflect.Type]map[string][]string {
	return map[reflect.Type]map[string][]string{
		reflect.TypeFor[document]():          {"Roles": Roles{}.names()},
		reflect.TypeFor[bindings.Config]():   {"OnDelete": {bindings.Keep, bindings.Remove}},
		reflect.TypeFor[bindings.Encoding](): {"Format": bindings.Formats(), "Compression": bindings.Compressions()},
		reflect.TypeFor[poll.Layout]():       {"Format": poll.Formats()},
		reflect.TypeFor[sink.Common]():       {"Events": sink.EventsOfSinks()},
		reflect.TypeFor[chrome.Config]():     {"Sandbox": {chrome.SandboxRequired, chrome.SandboxNone}},
		reflect.TypeFor[api.Key]():           {"Scopes": api.Scopes()},
		reflect.TypeFor[CopilotModel]():      {"Kind": {kindOpenAI, kindAnthropic}},

		reflect.TypeFor[FileExperiment](): {"State": {string(experiment.Draft), string(experiment.Running)}},
		reflect.TypeFor[experiment.Definition](): {
			"Type": {experiment.ABTest, experiment.SmartLink, experiment.Scheduled}, "Rollout": {experiment.RolloutManual, experiment.RolloutAutomatic},
		},
		reflect.TypeFor[experiment.Goal]():   {"Type": {experiment.GoalClick, experiment.GoalConversion, experiment.GoalImpressions}},
		reflect.TypeFor[experiment.Bandit](): {"Algorithm": {experiment.ThompsonSampling}},
	}
}

// ConfigSchema is the JSON schema of pictifyd.yaml, for editors.
func ConfigSchema() ([]byte, error) {
	schema, err := configSchema()
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(schema, "", "  ")
}

// schemas make schemas with the comments of the fields.
func schemas() (config.Schemas, error) {
	var comments map[string]string
	if err := json.Unmarshal(schemaComments, &comments); err != nil {
		return config.Schemas{}, fmt.Errorf("read the comments of the configuration: %w", err)
	}
	known := words()
	return config.Schemas{
		DescribeFunc: func(t reflect.Type, field string) string { return comments[commentKey(t, field)] },
		WordsFunc:    func(t reflect.Type, field string) []string { return known[t][field] },
	}, nil
}

// kindsOfConnections are the kinds of sources and sinks, each with the schema of its
// configuration.
func kindsOfConnections() (all api.Kinds, err error) {
	of, err := schemas()
	if err != nil {
		return all, err
	}
	of.JSON = true
	for _, k := range Connectors() {
		one := api.Kind{Kind: k.Name, Summary: k.Summary, Callers: k.Callers}
		if one.Schema, err = formOf(of.Of(k.Config()), k.Name, k.Config().Validate()); err != nil {
			return all, err
		}
		all.Sources = append(all.Sources, one)
	}
	for _, k := range Sinks() {
		one := api.Kind{Kind: k.Name, Summary: k.Summary, Callers: k.Callers}
		if one.Schema, err = formOf(of.Of(k.Default()), k.Name, k.Default().Validate()); err != nil {
			return all, err
		}
		all.Sinks = append(all.Sinks, one)
	}
	return all, nil
}

// formOf is the schema of a kind as a form shows it: its kind first, and what an empty
// configuration is refused for is required.
func formOf(schema *jsonschema.Schema, kind string, empty error) (json.RawMessage, error) {
	var is any = kind
	schema.Properties["kind"] = &jsonschema.Schema{Const: &is}
	schema.PropertyOrder = append([]string{"kind"}, slices.DeleteFunc(schema.PropertyOrder, func(name string) bool { return name == "kind" })...)
	schema.Required = []string{"kind"}
	for _, p := range problemsOf(empty) {
		if _, ok := schema.Properties[p.Path]; ok && !slices.Contains(schema.Required, p.Path) {
			schema.Required = append(schema.Required, p.Path)
		}
	}
	return json.Marshal(schema)
}

func configSchema() (*jsonschema.Schema, error) {
	of, err := schemas()
	if err != nil {
		return nil, err
	}
	doc := defaults()
	schema := of.Of(&doc)
	schema.Schema = "https://json-schema.org/draft/2020-12/schema"
	schema.Title = "pictifyd.yaml"
	schema.Description = "The configuration of pictifyd."
	schema.Defs = map[string]*jsonschema.Schema{}

	sources, about := map[string]*jsonschema.Schema{}, map[string]string{}
	for _, kind := range Connectors() {
		sources[kind.Name], about[kind.Name] = of.Of(kind.Config()), kind.Summary
	}
	schema.Properties["sources"].AdditionalProperties = kinds(schema, "source", sources, about)
	sinks, about := map[string]*jsonschema.Schema{}, map[string]string{}
	for _, kind := range Sinks() {
		sinks[kind.Name], about[kind.Name] = of.Of(kind.Default()), kind.Summary
	}
	schema.Properties["sinks"].AdditionalProperties = kinds(schema, "sink", sinks, about)

	binding := bindings.DefaultConfig()
	one := of.Of(&binding)
	one.Required = []string{"name", "source", "template"}
	schema.Defs["binding"] = one
	schema.Properties["bindings"].Items = &jsonschema.Schema{Ref: "#/$defs/binding"}

	tested := of.Of(&FileExperiment{})
	tested.Required = []string{"name", "slug", "variants"}
	schema.Defs["experiment"] = tested
	schema.Properties["experiments"].Items = &jsonschema.Schema{Ref: "#/$defs/experiment"}
	return schema, nil
}

// kinds puts the schema of each kind into the definitions, and is the one of all.
func kinds(schema *jsonschema.Schema, what string, each map[string]*jsonschema.Schema, about map[string]string) *jsonschema.Schema {
	for name, of := range each {
		var is any = name
		of.Properties["kind"] = &jsonschema.Schema{Const: &is}
		of.Description = about[name]
		schema.Defs[what+"."+name] = of
	}
	return config.ByKind(each, about, func(kind string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + what + "." + kind} })
}

// commentKey names a field of a type in the comments.
func commentKey(t reflect.Type, field string) string { return t.String() + "." + field }
