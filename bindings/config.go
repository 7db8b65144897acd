package bindings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// What becomes of an image whose row is gone.
const (
	Keep   = "keep"   // it stays as it is
	Remove = "remove" // it goes, and the sinks are told
)

// A Config is one binding: which pictures of which rows.
type Config struct {
	Name     string            `yaml:"name"`     // stands in URLs: /b/NAME/…
	Source   string            `yaml:"source"`   // whose rows
	Template string            `yaml:"template"` // what they are drawn with
	Lookups  map[string]Lookup `yaml:"lookups"`  // name: the row of another source that expressions see as that name
	Where    string            `yaml:"where"`    // an expression over the row; rows that don't meet it have no image. Empty: all rows
	Map      map[string]string `yaml:"map"`      // variable: expression over the row. A variable without a line takes the column of its name
	Outputs  []Output          `yaml:"outputs"`  // empty: one PNG of the default size
	Sinks    config.Strings    `yaml:"sinks"`    // who is told
	OnRun    config.Strings    `yaml:"on_run"`   // who is told once of a whole run

	OnDelete    string          `yaml:"on_delete"`    // Keep or Remove; empty is Keep
	DeleteGrace config.Duration `yaml:"delete_grace"` // how long a row must be missing before its image goes
	Guard       Guard           `yaml:"guard"`
	Public      bool            `yaml:"public"` // /b/… needs no key
	Assets      Assets          `yaml:"assets"`
	Live        Live            `yaml:"live"`
	// Experiment is by which the rows are drawn; none where it names none.
	Experiment  Experiment `yaml:"experiment"`
	Placeholder string     `yaml:"placeholder"` // a template that stands, drawn with its defaults, for images that are not there yet

	// Refresh is after how long rows are planned again for what reads the clock; 0:
	// such a binding needs a source with a schedule.
	Refresh config.Duration `yaml:"refresh"`
	// Scheduled says that the source has a schedule, and Clock what time it is for
	// what reads the clock; zero is the moment of the plan. They are not written in a
	// file: the daemon knows them.
	Scheduled bool      `yaml:"-"`
	Clock     time.Time `yaml:"-"`

	Language `yaml:",inline"` // of all outputs that name none
}

// Assets says how a binding treats the images that its rows name by URL.
type Assets struct {
	// Recheck is after how long their servers are asked whether they are still the
	// same; images that show one that is not are made again. 0: they are fetched
	// once, and a new one has a new URL.
	Recheck config.Duration `yaml:"recheck"`
}

// minRecheck keeps a slip from asking a shop for all its images all the time.
const minRecheck = time.Minute

// minRefresh keeps a slip from drawing everything all the time.
const minRefresh = time.Minute

// HasClock reports whether expressions and the template may read the clock.
func (c Config) HasClock() bool { return c.Scheduled || c.Refresh > 0 }

// DefaultConfig is a binding before its first line is read.
func DefaultConfig() Config {
	return Config{
		OnDelete:    Keep,
		DeleteGrace: config.Duration(15 * time.Minute),
		Guard:       Guard{MaxChanged: 0.5, MaxDeleted: 0.1, Floor: 20},
	}
}

// Validate returns every problem that can be seen without the template and the
// source, as a problem.List with paths relative to the binding.
func (c Config) Validate() error {
	var problems problem.List
	add := func(path, hint, format string, args ...any) {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path).WithHint("%s", hint))
	}
	switch {
	case c.Name == "":
		add("name", "it stands in the URLs of the images: /b/NAME/…", "the binding has no name")
	case !namePattern.MatchString(c.Name):
		add("name", nameHint, "a binding can't be named %q", c.Name)
	}
	if c.Source == "" {
		add("source", "name one of sources:", "the binding names no source")
	}
	if c.Template == "" {
		add("template", "name a file of the templates folder, without .html", "the binding names no template")
	}
	if c.OnDelete != "" && c.OnDelete != Keep && c.OnDelete != Remove {
		add("on_delete", "keep or remove", "there is no way %q to treat the images of rows that are gone", c.OnDelete)
	}
	if c.Guard.Floor < 0 {
		add("guard.floor", "0 lets the shares alone decide", "the floor %d is negative", c.Guard.Floor)
	}
	if every := c.Assets.Recheck.Std(); every != 0 && every < minRecheck {
		add("assets.recheck", "write 1h or 24h; 0 asks never", "images can't be asked for again every %s", every)
	}
	if every := c.Refresh.Std(); every != 0 && every < minRefresh {
		add("refresh", "write 1h or 24h; 0 never", "rows can't be planned again every %s", every)
	}
	for i, name := range c.OnRun {
		if slices.Contains(c.OnRun[:i], name) {
			add(fmt.Sprintf("on_run[%d]", i), "name each sink once", "the sink %q is named twice", name)
		}
	}
	for i, name := range c.Sinks {
		if slices.Contains(c.Sinks[:i], name) {
			add(fmt.Sprintf("sinks[%d]", i), "name each sink once", "the sink %q is named twice", name)
		}
	}
	for _, variable := range slices.Sorted(maps.Keys(c.Map)) {
		if strings.TrimSpace(c.Map[variable]) == "" {
			add("map."+variable, "write an expression, or leave the line out to take the column of that name",
				"the variable %q is mapped to nothing", variable)
		}
	}
	problems = append(problems, checkLookups(c.Lookups)...)
	problems = append(problems, c.checkLive()...)
	problems = append(problems, c.Language.check("")...)
	problems = append(problems, c.Experiment.Check("experiment")...)
	if _, err := Outputs(c.Outputs, "outputs"); err != nil {
		problems = append(problems, problem.All(err)...)
	}
	return problems.Err()
}

// suggest sets p's hint to the known name that is nearest to name, or to all of them.
func suggest(p *problem.Error, name string, known []string, what string) *problem.Error {
	if near, ok := config.Nearest(name, known); ok {
		return p.WithHint("did you mean %q?", near)
	}
	if len(known) == 0 {
		return p.WithHint("it has no %s", what)
	}
	return p.WithHint("the %s are %s", what, strings.Join(known, ", "))
}
