package config_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// settings uses every feature of the decoder.
type settings struct {
	Server    server                 `yaml:"server"`
	Templates folder                 `yaml:"templates"`
	Keep      *keep                  `yaml:"keep"`
	Secrets   map[string]secret      `yaml:"secrets"`
	Headers   map[string]string      `yaml:"headers"`
	Sources   map[string]config.Node `yaml:"sources"`
	Bindings  []binding              `yaml:"bindings"`
	Extra     config.Node            `yaml:"extra"`
	Rows      any                    `yaml:"rows"`
	Later     []config.Node          `yaml:"later"`
}

func defaults() settings {
	return settings{Server: server{Port: 80, Name: "pictifyd"}, Templates: folder{Path: "templates"}}
}

type server struct {
	Name    string          `yaml:"name"`
	Port    int             `yaml:"port" min:"1" max:"65535"`
	Workers uint8           `yaml:"workers"`
	Ratio   float64         `yaml:"ratio" max:"2.5"`
	Idle    config.Duration `yaml:"idle" min:"1s" max:"1h"`
	Cache   config.Bytes    `yaml:"cache" min:"1KiB"`
	Share   config.Percent  `yaml:"share"`
	Public  bool            `yaml:"public"`
	Allow   []netip.Prefix  `yaml:"allow"`
	Origin  *string         `yaml:"origin"`
	Token   config.Secret   `yaml:"token"`
	Spare   *config.Secret  `yaml:"spare"`
}

// folder is a path or a mapping.
type folder struct {
	Path  string `yaml:"path"`
	Write bool   `yaml:"write"`
}

func (f *folder) UnmarshalNode(n config.Node) error {
	if n.Kind() == config.Scalar {
		return n.Decode(&f.Path)
	}
	type plain folder
	return n.Decode((*plain)(f))
}

func (f *folder) Validate() error {
	if f.Path == "" {
		return problem.New(problem.Invalid, "a folder is wanted").At("path")
	}
	return nil
}

type keep struct {
	Results config.Duration `yaml:"results"`
	MinFree config.Bytes    `yaml:"min_free"`
}

type secret struct {
	Value config.Secret `yaml:"value"`
	API   bool          `yaml:"api"`
}

// common is inlined into binding.
type common struct {
	Name string         `yaml:"name"`
	Key  config.Strings `yaml:"key"`
}

type binding struct {
	common `yaml:",inline"`

	Template string   `yaml:"template"`
	Outputs  []output `yaml:"outputs"`
	Guard    guard    `yaml:"guard"`
}

func (b *binding) Validate() error {
	var list problem.List
	if b.Template == "" {
		list = append(list, problem.New(problem.Invalid, "a template is wanted").At("template"))
	}
	for _, k := range b.Key {
		if k == "forbidden" {
			list = append(list, problem.New(problem.Invalid, "column %q is not in the source", k).At("key"))
		}
	}
	return list.Err()
}

type output struct {
	Format string `yaml:"format"`
	Size   string `yaml:"size"`
}

func (o output) Validate() error {
	if o.Format == "bmp" {
		return problem.New(problem.Invalid, "no such format").At("format").WithHint("the formats are png, jpeg, webp")
	}
	if o.Size == "leak" {
		return errors.New("size of " + envToken + " is wrong")
	}
	return nil
}

type guard struct {
	MaxChanged config.Percent `yaml:"max_changed"`
	Floor      int            `yaml:"floor"`
}

func (g guard) Validate() error {
	if g.Floor > 1000 {
		return problem.New(problem.Invalid, "the floor is too high")
	}
	return nil
}

const (
	envToken   = "hunter2-of-the-environment"
	fileToken  = "hunter2-of-the-file"
	plainToken = "hunter2-in-plain"
)

// options are an environment and files that do not depend on the machine.
func options() config.Options {
	env := map[string]string{"PORT": "8080", "TOKEN": envToken, "EMPTY": "", "WORD": "words", "BIG": "70000"}
	return config.Options{
		Env: func(name string) (string, bool) {
			text, ok := env[name]
			return text, ok
		},
		ReadFile: os.ReadFile,
		Dir:      filepath.Join("testdata", "secrets"),
	}
}

// difference is what tells two settings apart.
func difference(want, got settings) string {
	return cmp.Diff(want, got, cmp.AllowUnexported(binding{}), cmpopts.EquateComparable(netip.Prefix{}))
}

func mustParse(tb testing.TB, src string) config.Node {
	tb.Helper()
	n, err := config.Parse("test.yaml", []byte(src), options())
	if err != nil {
		tb.Fatalf("parse %q: %v", src, err)
	}
	return n
}
