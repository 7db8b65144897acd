package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxOps is as much as the API takes for one edit.
const maxOps = 8 << 20

type applyCommand struct {
	Dir     string `arg:"" placeholder:"DIR" help:"The folder of the templates."`
	Name    string `arg:"" help:"The template."`
	File    string `short:"f" required:"" placeholder:"FILE" help:"The operations, a JSON array; - reads them from standard input. pictifyd template ops lists their kinds."`
	Inverse string `placeholder:"FILE" help:"Write the operations that take these back."`
	JSON    bool   `help:"Print JSON." name:"json"`
}

func (c *applyCommand) Run(t *terminal) error {
	ops, err := c.read(t.in)
	if err != nil {
		return err
	}
	done, err := daemon.Operate{Dir: c.Dir, Name: c.Name, Ops: ops, Inverse: c.Inverse}.Run()
	switch {
	case err != nil:
		return err
	case c.JSON:
		return json.NewEncoder(t.out).Encode(done)
	case !done.Changed:
		fmt.Fprintf(t.out, "%s: nothing changed\n", done.Template)
	default:
		fmt.Fprintf(t.out, "%s: changed %s\n", done.Template, strings.Join(done.Touched, ", "))
	}
	return nil
}

func (c *applyCommand) read(stdin io.Reader) ([]byte, error) {
	in := stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil, problem.New(problem.Invalid, "read the operations: %w", err).WithHint("name another file with -f, or - for standard input")
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	ops, err := io.ReadAll(io.LimitReader(in, maxOps+1))
	if err != nil {
		return nil, problem.New(problem.Invalid, "read the operations: %w", err)
	}
	if len(ops) > maxOps {
		return nil, problem.New(problem.TooLarge, "the operations have more than the %d bytes allowed", maxOps).WithHint("apply them in parts")
	}
	return ops, nil
}

type opsCommand struct {
	JSON bool `help:"Print JSON, each field described." name:"json"`
}

func (c *opsCommand) Run(t *terminal) error {
	kinds := daemon.Operations()
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]any{"operations": kinds})
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, k := range kinds {
		if k.Exact {
			continue // nobody writes them by hand
		}
		var fields []string
		for _, f := range k.Fields {
			name := f.Name
			if !f.Required {
				name = "[" + name + "]"
			}
			fields = append(fields, name)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.Name, strings.Join(fields, " "), k.Summary)
	}
	return w.Flush()
}
