package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/tracing"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/store/blob"
)

// Settings is a whole configuration, decoded and checked.
type Settings struct {
	Dir       string // of the file: relative paths start here
	Roles     Roles
	Server    api.Config
	Store     store.Config
	Blobs     blob.Config
	Render    chrome.Config
	Keep      Keep
	Egress    egress.Config
	Traces    tracing.Config
	Copilot   Copilot
	Templates Templates
	Sources   []Source
	Sinks     []Sink
	Bindings  []bindings.Config
	Secrets   map[string]NamedSecret

	Experiments []FileExperiment

	nodes    map[string]config.Node // of the bindings, for problems found later
	sections map[string]string      // their digests, by name
	source   string                 // the digest of the file
	instead  bool                   // they run in the place of those in the file
	kinds    connectors.Kinds       // of sources
	root     config.Node
}

// A Source is one entry of sources, with the configuration of its kind.
type Source struct {
	Name   string
	Kind   connectors.Kind
	Config connectors.Config
	node   config.Node // in the file; nothing of what callers made
	digest string      // of node
}

// A Sink is one entry of sinks, with the configuration of its kind.
type Sink struct {
	Name   string
	Kind   sink.Kind
	Config sink.Config
	node   config.Node // in the file; nothing of what callers made
	digest string      // of node
}

// Templates says where template files are. In YAML it may be just the path.
type Templates struct {
	Path  string `yaml:"path"`
	Write bool   `yaml:"write"` // versions that are made over the API are written there; true where it is not given
}

// UnmarshalNode accepts both spellings.
func (t *Templates) UnmarshalNode(n config.Node) error {
	var path string
	if len(n.Keys()) == 0 {
		err := n.Decode(&path)
		t.Path = path
		return err
	}
	type plain Templates
	return n.Decode((*plain)(t))
}

// document is the outline of pictifyd.yaml.
type document struct {
	Roles     Roles                  `yaml:"roles"` // what this process does: api, connect, render, deliver; none: all of it
	Server    api.Config             `yaml:"server"`
	Store     store.Config           `yaml:"store"`
	Blobs     blob.Config            `yaml:"blobs"`
	Keep      Keep                   `yaml:"keep"`
	Render    chrome.Config          `yaml:"render"`
	Egress    egress.Config          `yaml:"egress"`
	Traces    tracing.Config         `yaml:"traces"`
	Copilot   Copilot                `yaml:"copilot"`
	Templates Templates              `yaml:"templates"`
	Sources   map[string]config.Node `yaml:"sources"`
	Sinks     map[string]config.Node `yaml:"sinks"`
	Bindings  []config.Node          `yaml:"bindings"`
	Secrets   map[string]NamedSecret `yaml:"secrets"`

	Experiments []config.Node `yaml:"experiments"`
}

// defaults is what a configuration is before its first line.
func defaults() document {
	return document{
		Server:    api.DefaultConfig(),
		Store:     store.Config{URL: "sqlite:data/pictifyd.db"},
		Blobs:     blob.Default(),
		Keep:      defaultKeep(),
		Render:    chrome.DefaultConfig(),
		Egress:    egress.Default(),
		Traces:    tracing.Default(),
		Copilot:   defaultCopilot(),
		Templates: Templates{Path: "templates", Write: true},
	}
}

// Load reads the configuration at path. The error is a problem.List with every
// problem of the file, each at its line and column.
func Load(path string) (*Settings, error) {
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.Invalid, "there is no configuration file %s", path).
			WithHint("write one, or name another with -c FILE; examples/quickstart/pictifyd.yaml is a start")
	}
	if err != nil {
		return nil, problem.New(problem.Invalid, "read the configuration: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return decode(path, src, config.Options{Env: os.LookupEnv, ReadFile: os.ReadFile, Dir: filepath.Dir(abs)}, Connectors(), Sinks())
}

func decode(name string, src []byte, o config.Options, sources connectors.Kinds, sinks sink.Kinds) (*Settings, error) {
	root, err := config.Parse(name, src, o)
	if err != nil {
		return nil, err
	}
	doc := defaults()
	problems := problemsOf(root.Decode(&doc))
	s := &Settings{
		Dir: o.Dir, Roles: doc.Roles, Server: doc.Server, Store: doc.Store, Blobs: doc.Blobs, Keep: doc.Keep, Render: doc.Render,
		Egress: doc.Egress, Traces: doc.Traces, Copilot: doc.Copilot, Templates: doc.Templates, Secrets: doc.Secrets,
		kinds: sources, nodes: map[string]config.Node{}, sections: sectionDigests(root), source: contentDigest(src), root: root,
	}
	s.Server.TLS = doc.Server.TLS.Resolved(o.Dir)
	for _, name := range sortedKeys(doc.Sources) {
		node := doc.Sources[name]
		kind, ok := findKind(node, "source", kindNames(sources), sources.Find, &problems)
		if !ok {
			continue
		}
		cfg := kind.Config()
		problems = append(problems, problemsOf(node.Decode(cfg))...)
		problems = append(problems, checkSchedule(node, name, cfg)...)
		s.Sources = append(s.Sources, Source{name, kind, cfg, node, node.Digest()})
	}
	problems = append(problems, s.toldProblems(doc.Sources)...)
	problems = append(problems, s.wakes()...)
	problems = append(problems, s.unsealed()...)
	for _, name := range sortedKeys(doc.Sinks) {
		node := doc.Sinks[name]
		kind, ok := findKind(node, "sink", sinkNames(sinks), sinks.Find, &problems)
		if !ok {
			continue
		}
		cfg := kind.Default()
		problems = append(problems, problemsOf(node.Decode(cfg))...)
		problems = append(problems, unheard(node, kind, cfg, sinks)...)
		s.Sinks = append(s.Sinks, Sink{name, kind, cfg, node, node.Digest()})
	}
	for _, node := range doc.Bindings {
		cfg := bindings.DefaultConfig()
		problems = append(problems, problemsOf(node.Decode(&cfg))...)
		if _, twice := s.nodes[cfg.Name]; twice {
			problems = append(problems, config.Problem(node, "name", problem.Invalid, "there are two bindings %q", cfg.Name).
				WithHint("give each binding a name of its own"))
			continue
		}
		s.nodes[cfg.Name] = node
		_, cfg.Scheduled = doc.Sources[cfg.Source].Scalar("cron")
		s.Bindings = append(s.Bindings, cfg)
		problems = append(problems, references(node, cfg, sortedKeys(doc.Sources), sortedKeys(doc.Sinks))...)
		problems = append(problems, runReferences(node, cfg, sinks, func(name string) string {
			kind, _ := doc.Sinks[name].Scalar("kind")
			return kind
		})...)
		problems = append(problems, apart(node, cfg, s.sinkConfig)...)
		problems = append(problems, s.findable(node, cfg)...)
	}
	problems = append(problems, s.roleProblems(root)...)
	problems = append(problems, s.readExperiments(doc.Experiments)...)
	problems = append(problems, s.dependencies(doc.Sources)...)
	problems = append(problems, s.sinkSources()...)
	return s, problems.Err()
}

// references checks that a binding names a source and sinks that exist.
func references(node config.Node, b bindings.Config, sources, sinks []string) problem.List {
	var problems problem.List
	missing := func(path, what, name string, known []string) {
		p := config.Problem(node, path, problem.Invalid, "there is no %s %q", what, name)
		if near, ok := config.Nearest(name, known); ok {
			p.WithHint("did you mean %q?", near)
		} else {
			p.WithHint("add it under %ss:", what)
		}
		problems = append(problems, p)
	}
	if b.Source != "" && !slices.Contains(sources, b.Source) {
		missing("source", "source", b.Source, sources)
	}
	for _, name := range sortedKeys(b.Lookups) {
		if of := b.Lookups[name].Source; of != "" && !slices.Contains(sources, of) {
			missing("lookups."+name+".source", "source", of, sources)
		}
	}
	for _, name := range b.Sinks {
		if !slices.Contains(sinks, name) {
			missing("sinks", "sink", name, sinks)
		}
	}
	return problems
}

func findKind[K any](node config.Node, what string, known []string, find func(string) (K, bool), problems *problem.List) (K, bool) {
	name, given := node.Scalar("kind")
	kind, ok := find(name)
	if ok {
		return kind, true
	}
	p := config.Problem(node, "kind", problem.Invalid, "there is no kind of %s %q", what, name)
	if !given {
		p = config.Problem(node, "", problem.Invalid, "this %s has no kind", what)
	}
	if near, ok := config.Nearest(name, known); ok {
		p.WithHint("did you mean %q?", near)
	} else {
		p.WithHint("the kinds are %s", list(known))
	}
	*problems = append(*problems, p)
	return kind, false
}

func kindNames(kinds connectors.Kinds) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

func sinkNames(kinds sink.Kinds) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

func problemsOf(err error) problem.List {
	if err == nil {
		return nil
	}
	return problem.All(err)
}
