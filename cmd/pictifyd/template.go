package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/daemon"
)

type templateCommands struct {
	New   newCommand    `cmd:"" help:"Make a template in a folder, blank or from one of the starters."`
	Lint  lintCommand   `cmd:"" help:"Show what is wrong with templates of a folder, or invites mistakes, with line and column."`
	Test  proofCommand  `cmd:"" help:"Render the sample rows of templates (NAME.rows.json) and hold them against the golden pictures beside them."`
	Fmt   formatCommand `cmd:"" help:"Bring templates of a folder into their canonical form."`
	Apply applyCommand  `cmd:"" help:"Change a template of a folder by operations: all of them, or none."`
	Ops   opsCommand    `cmd:"" help:"List the kinds of operations."`
	Push  pushCommand   `cmd:"" help:"Publish templates of a folder at a daemon. What was changed there since is not overwritten without --force."`
	Pull  pullCommand   `cmd:"" help:"Write the templates of a daemon to a folder. What was changed here since is not overwritten without --force."`
}

// exchangeFlags are common to push and pull.
type exchangeFlags struct {
	Names  []string `arg:"" optional:"" name:"NAME" help:"The templates; without any, all."`
	Server string   `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key    string   `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope templates:write, or templates:read to pull. In the environment it is seen by fewer."`
	Dir    string   `default:"templates" placeholder:"DIR" help:"The folder of the templates (${default})."`
	Force  bool     `help:"Overwrite what the other side has changed."`
	JSON   bool     `help:"Print JSON." name:"json"`
}

func (f *exchangeFlags) run(t *terminal, do func(daemon.Exchange, context.Context, []string) ([]daemon.Exchanged, error)) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	done, err := do(daemon.Exchange{Dir: f.Dir, Remote: client.Remote{URL: f.Server, Key: f.Key}, Force: f.Force}, ctx, f.Names)
	if f.JSON {
		if done == nil {
			done = []daemon.Exchanged{}
		}
		return errors.Join(err, json.NewEncoder(t.out).Encode(map[string]any{"templates": done}))
	}
	for _, one := range done {
		fmt.Fprintf(t.out, "%s: %s\n", one.Name, exchangeWords(one))
	}
	return err
}

func exchangeWords(one daemon.Exchanged) string {
	switch one.Did {
	case "pushed":
		return fmt.Sprintf("pushed, now version %d", one.Version)
	case "pulled":
		return fmt.Sprintf("pulled version %d", one.Version)
	case "kept":
		return fmt.Sprintf("kept, the folder has changes of its own since version %d", one.Version)
	}
	return fmt.Sprintf("the same on both sides, version %d", one.Version)
}

type pushCommand struct{ exchangeFlags }

func (c *pushCommand) Run(t *terminal) error {
	return c.run(t, daemon.Exchange.Push)
}

type pullCommand struct{ exchangeFlags }

func (c *pullCommand) Run(t *terminal) error {
	return c.run(t, daemon.Exchange.Pull)
}
