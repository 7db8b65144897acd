package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/pictifyd/pictifyd/daemon"
)

type storeCommands struct {
	Copy    copyStoreCommand    `cmd:"" help:"Copy the store from its SQLite file to an empty Postgres database, exactly, while no daemon runs."`
	Migrate migrateStoreCommand `cmd:"" help:"Bring the store to this version's tables, and end. The daemon does it too, at its start."`
}

type copyStoreCommand struct {
	configFlag
	To   string `required:"" placeholder:"postgres://…" env:"PICTIFYD_COPY_TO" help:"The database to copy to. In the environment its password is seen by fewer."`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (c *copyStoreCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	table := tabwriter.NewWriter(t.err, 0, 0, 2, ' ', tabwriter.AlignRight)
	report, err := daemon.CopyStore(ctx, c.Config, c.To, func(done daemon.CopiedTable) {
		fmt.Fprintf(table, "%d\t %s\n", done.Rows, done.Table)
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(report)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%d rows of %d tables were copied, and are the same there. Set store.url to that database, and start the daemon.\n", report.Rows, len(report.Tables))
	if report.SealFile != "" {
		fmt.Fprintf(t.out, "Secrets are sealed with the key in %s: set store.seal_key to it.\n", report.SealFile)
	}
	return nil
}

type migrateStoreCommand struct{ configFlag }

func (c *migrateStoreCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	if err := daemon.MigrateStore(ctx, c.Config); err != nil {
		return err
	}
	fmt.Fprintln(t.out, "The store has the tables of this version.")
	return nil
}
