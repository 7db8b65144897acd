package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

type formatCommand struct {
	folderFlags
	Check  bool `help:"Write nothing; end with 2 where a template is not in its canonical form."`
	Import bool `help:"Spell as this format does what other tools wrote: data-p-*, _if, {{#if}} and {{#each}} around elements."`
}

func (c *formatCommand) Run(t *terminal) error {
	done, err := daemon.Reformat{Dir: c.Dir, Names: c.Names, Check: c.Check, Import: c.Import}.Run()
	changed := 0
	for _, one := range done {
		if one.Changed {
			changed++
		}
	}
	if c.JSON {
		if done == nil {
			done = []daemon.Reformatted{}
		}
		err = errors.Join(err, json.NewEncoder(t.out).Encode(map[string]any{"templates": done}))
	} else {
		c.print(t, done)
	}
	switch {
	case err != nil:
		return err
	case c.Check && changed > 0:
		return problem.New(problem.Invalid, "%d of %d templates are not in the canonical form", changed, len(done)).
			WithHint("pictifyd template fmt %s brings them into it", c.Dir)
	case !c.JSON:
		fmt.Fprintf(t.out, "%s, %d changed\n", count(len(done), "template"), changed)
	}
	return nil
}

func (c *formatCommand) print(t *terminal, done []daemon.Reformatted) {
	for _, one := range done {
		for _, what := range one.Imported {
			fmt.Fprintf(t.out, "%s: %s\n", one.Template, what)
		}
		switch {
		case one.Changed && c.Check:
			fmt.Fprintf(t.out, "%s: not in the canonical form\n", one.Template)
		case one.Changed:
			fmt.Fprintf(t.out, "%s: formatted\n", one.Template)
		}
	}
}
