package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
)

type quarantineCommand struct {
	Server  string   `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key     string   `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope bindings:read; for a source connections:read, and connections:write to replay or discard. In the environment it is seen by fewer."`
	JSON    bool     `help:"Print JSON." name:"json"`
	Binding string   `arg:"" optional:"" help:"The binding, whose rows are shown that are kept out or failed."`
	Source  string   `placeholder:"NAME" help:"A source instead of a binding: what could not become a row of it."`
	Replay  bool     `xor:"order" help:"Try it again, where the source is a stream: what is a row now is taken as of when it came."`
	Discard bool     `xor:"order" help:"Forget it."`
	At      []string `placeholder:"POSITION" help:"Only what stands there."`
}

func (c *quarantineCommand) flags() bindingFlags {
	return bindingFlags{Server: c.Server, Key: c.Key, JSON: c.JSON, Binding: c.Binding}
}

func (c *quarantineCommand) Run(t *terminal) error {
	orders := c.Replay || c.Discard
	switch {
	case (c.Binding == "") == (c.Source == ""):
		return problem.New(problem.Invalid, "one binding is wanted, or one source with --source")
	case len(c.At) > 0 && !orders:
		return problem.New(problem.Invalid, "--at says what is replayed or discarded").WithHint("add --replay or --discard")
	case orders:
		return c.flags().told(t, c.order)
	case c.Source != "":
		return c.showSource(t)
	}
	return c.showBinding(t)
}

// order replays or discards, of the source of a binding where none is named.
func (c *quarantineCommand) order(ctx context.Context, r client.Remote) (any, string, error) {
	source := c.Source
	if source == "" {
		b, err := r.Binding(ctx, c.Binding)
		if err != nil {
			return nil, "", err
		}
		source = b.Source
	}
	if c.Discard {
		n, err := r.DiscardKeptOut(ctx, source, c.At)
		return map[string]int64{"discarded": n}, plural(int(n), "row") + " of " + source + " discarded", err
	}
	done, err := r.ReplayKeptOut(ctx, source, c.At)
	return done, replayedLine(done), err
}

// replayedLine says in a line what became of what was tried again.
func replayedLine(done client.Replayed) string {
	line := plural(done.Replayed, "row") + " of " + done.Source + " taken"
	if done.Replayed+done.Stale+done.StillBroken == 0 {
		return "nothing of " + done.Source + " can be tried again"
	}
	if done.Stale > 0 {
		line += "; of " + fmt.Sprint(done.Stale) + " something newer had come"
	}
	if done.StillBroken > 0 {
		line += fmt.Sprintf("; %d still broken: pictifyd quarantine --source %s", done.StillBroken, done.Source)
	}
	return line
}

func (c *quarantineCommand) showSource(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	all := []client.KeptOut{}
	for after := ""; ; {
		page, next, err := c.flags().remote().KeptOut(ctx, c.Source, after)
		if err != nil {
			return err
		}
		all = append(all, page...)
		if after = next; next == "" {
			break
		}
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]any{"quarantined": all})
	}
	if len(all) == 0 {
		fmt.Fprintf(t.out, "%s: nothing is kept out\n", c.Source)
		return nil
	}
	return quarantineTable(t.out, "AT\tROW\tREASON\tDETAIL\tREPLAYS\tTRIES", func(w io.Writer) {
		for _, k := range all {
			replays := "no"
			if k.Replays {
				replays = "yes"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", dashed(k.Position), dashed(k.Name), k.Reason, cut(k.Detail), replays, k.Tries)
		}
	})
}

func (c *quarantineCommand) showBinding(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	q, err := c.flags().remote().Quarantine(ctx, c.Binding)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(q)
	}
	if len(q.Quarantined)+len(q.Failed) == 0 {
		fmt.Fprintf(t.out, "%s: no row is kept out, and none failed\n", c.Binding)
		return nil
	}
	return quarantineTable(t.out, "ROW\tAT\tREASON\tDETAIL", func(w io.Writer) {
		for _, row := range q.Quarantined {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", row.Key, row.Position, row.Reason, row.Detail)
		}
		for _, row := range q.Failed {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", row.Key, row.Field, row.Code, row.Error)
		}
	})
}

func quarantineTable(out io.Writer, head string, rows func(io.Writer)) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(w)
	return w.Flush()
}
