package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// bindingFlags are common to commands about a binding of a running daemon.
type bindingFlags struct {
	Server  string `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key     string `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope bindings:write, or bindings:read to look. In the environment it is seen by fewer."`
	JSON    bool   `help:"Print JSON." name:"json"`
	Binding string `arg:"" help:"The binding."`
}

func (f bindingFlags) remote() client.Remote { return client.Remote{URL: f.Server, Key: f.Key} }

// told runs an order and prints what came of it: JSON, or a line.
func (f bindingFlags) told(t *terminal, order func(context.Context, client.Remote) (any, string, error)) error {
	ctx, stop := interruptible()
	defer stop()
	done, line, err := order(ctx, f.remote())
	if err != nil {
		return err
	}
	if f.JSON {
		return json.NewEncoder(t.out).Encode(done)
	}
	fmt.Fprintln(t.out, line)
	return nil
}

type refreshCommand struct {
	bindingFlags
	Keys  []string `arg:"" optional:"" placeholder:"KEY" help:"Only these rows, as they stand in the paths of images."`
	Force bool     `help:"Read nothing: draw again, although nothing changed."`
}

func (c *refreshCommand) Run(t *terminal) error {
	return c.told(t, func(ctx context.Context, r client.Remote) (any, string, error) {
		done, err := r.Refresh(ctx, c.Binding, c.Keys, c.Force)
		return done, refreshed(done, c.Keys), err
	})
}

// refreshed says in a line what a refresh asked for.
func refreshed(done client.Refresh, keys []string) string {
	var line string
	switch {
	case done.Status == "redrawing":
		line = plural(done.Images, "image") + " of " + done.Binding + " to be drawn again"
	case len(keys) == 0 || done.Reading:
		line = "the source " + done.Source + " is read"
		if len(keys) > 0 {
			line += " from end to end: it cannot be asked for single rows"
		}
		if done.JobID != "" {
			line += ", as the job " + done.JobID
		}
	default:
		line = plural(done.Rows, "row") + " of " + done.Source + " read"
	}
	if len(done.Missing) > 0 {
		line += "; there is no row " + strings.Join(done.Missing, ", ")
	}
	return line
}

type rerenderCommand struct {
	bindingFlags
	Keys []string `arg:"" optional:"" placeholder:"KEY" help:"Only these rows, as they stand in the paths of images."`
}

func (c *rerenderCommand) Run(t *terminal) error {
	return (&refreshCommand{c.bindingFlags, c.Keys, true}).Run(t)
}

// valveFlags name what is paused or goes on: a binding, or a sink.
type valveFlags struct {
	Server  string `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key     string `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope bindings:write, for a sink connections:write. In the environment it is seen by fewer."`
	JSON    bool   `help:"Print JSON." name:"json"`
	Binding string `arg:"" optional:"" help:"The binding."`
	Sink    string `placeholder:"NAME" help:"A sink instead of a binding."`
}

func (f valveFlags) told(t *terminal, ofBinding, ofSink func(context.Context, client.Remote) (any, string, error)) error {
	if (f.Binding == "") == (f.Sink == "") {
		return problem.New(problem.Invalid, "one binding is wanted, or one sink with --sink")
	}
	flags := bindingFlags{Server: f.Server, Key: f.Key, JSON: f.JSON}
	if f.Sink != "" {
		return flags.told(t, ofSink)
	}
	err := flags.told(t, ofBinding)
	var p *problem.Error
	if errors.As(err, &p) && p.Code == problem.NotFound {
		return problem.New(p.Code, "%s", p.Message).WithSlug(p.Slug).WithHint("%s; a sink is named by --sink %s", p.Hint, f.Binding)
	}
	return err
}

type pauseCommand struct{ valveFlags }

func (c *pauseCommand) Run(t *terminal) error {
	return c.told(t, func(ctx context.Context, r client.Remote) (any, string, error) {
		b, err := r.Pause(ctx, c.Binding)
		return b, b.Name + " is paused: its images stay as they are", err
	}, func(ctx context.Context, r client.Remote) (any, string, error) {
		s, err := r.PauseSink(ctx, c.Sink)
		return s, s.Name + " is paused: what it should be told waits", err
	})
}

type resumeCommand struct{ valveFlags }

func (c *resumeCommand) Run(t *terminal) error {
	return c.told(t, func(ctx context.Context, r client.Remote) (any, string, error) {
		b, err := r.Resume(ctx, c.Binding)
		return b, b.Name + " goes on", err
	}, func(ctx context.Context, r client.Remote) (any, string, error) {
		s, err := r.ResumeSink(ctx, c.Sink)
		return s, fmt.Sprintf("%s goes on, with %d to deliver", s.Name, s.Delivery.Waiting), err
	})
}

type guardCommand struct {
	bindingFlags
	Accept bool `help:"Let through what is held now. What is held later is asked again."`
}

func (c *guardCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	g, err := c.remote().Guard(ctx, c.Binding)
	if err != nil {
		return err
	}
	if c.Accept && g.Held != nil {
		if err := c.remote().AcceptGuard(ctx, c.Binding, *g.Held); err != nil {
			return err
		}
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]any{"guard": g, "accepted": c.Accept && g.Held != nil})
	}
	c.print(t, g)
	return nil
}

func (c *guardCommand) print(t *terminal, g client.Guard) {
	if g.Held == nil {
		fmt.Fprintf(t.out, "the guard of %s holds nothing\n", g.Binding)
		return
	}
	verb := "holds"
	if c.Accept {
		verb = "let through"
	}
	fmt.Fprintf(t.out, "the guard of %s %s %s and %s: %s\n", g.Binding, verb,
		plural(int(g.Held.Changes), "change"), plural(int(g.Held.Removals), "removal"), g.Held.Reason)
	if c.Accept {
		return
	}
	for _, row := range g.Sample {
		fmt.Fprintf(t.out, "  %-8s %s", row.Becomes, row.Name)
		sep := ": "
		for _, text := range row.Texts {
			fmt.Fprintf(t.out, "%s%s → %s", sep, shownValue(text.Before), shownValue(text.After))
			sep = "; "
		}
		if row.Error != "" {
			fmt.Fprintf(t.out, ": %s", row.Error)
		}
		fmt.Fprintln(t.out)
	}
	fmt.Fprintf(t.out, "Correct the source, or accept it: pictifyd guard %s --accept\n", g.Binding)
}
