package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

type newCommand struct {
	Name string `arg:"" optional:"" help:"What the template is to be called."`
	From string `placeholder:"STARTER" help:"The starter that it begins as; without one it begins as a blank page. --list names them."`
	Dir  string `default:"templates" placeholder:"DIR" help:"The folder of the templates (${default})."`
	List bool   `help:"List the starters."`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (c *newCommand) Run(t *terminal) error {
	switch {
	case c.List:
		return c.list(t)
	case c.Name == "":
		return problem.New(problem.Invalid, "the template has no name").WithHint("pictifyd template new NAME --from STARTER; --list names the starters")
	}
	done, err := daemon.Scaffold{Dir: c.Dir, Name: c.Name, From: c.From}.Make()
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(done)
	}
	for _, path := range done.Kept {
		fmt.Fprintf(t.out, "%s is there already, the same\n", filepath.Join(c.Dir, path))
	}
	for _, path := range done.Written {
		fmt.Fprintf(t.out, "wrote %s\n", filepath.Join(c.Dir, path))
	}
	fmt.Fprintf(t.out, `
Next:
  pictifyd template lint %[1]s %[2]s
  pictifyd template test %[1]s %[2]s --update   # makes its golden pictures; look at them
  in pictifyd.yaml, under bindings: (its variables are %[3]s)
  - { name: %[2]s, source: SOURCE, template: %[2]s }
`, c.Dir, c.Name, strings.Join(done.Variables, ", "))
	return nil
}

func (c *newCommand) list(t *terminal) error {
	starters := daemon.Starters()
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]any{"starters": starters})
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, s := range starters {
		var views []string
		for _, size := range s.Sizes {
			views = append(views, fmt.Sprintf("%s %dx%d", size.Name, size.Width, size.Height))
		}
		fmt.Fprintf(w, "%s\t%s\n\t%s\n", s.Name, s.Summary, strings.Join(append(views, s.Themes...), ", "))
	}
	return w.Flush()
}
