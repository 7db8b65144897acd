package main

import (
	"fmt"

	"github.com/pictifyd/pictifyd/daemon"
)

type configCommands struct {
	Schema schemaCommand `cmd:"" help:"Print the JSON schema of pictifyd.yaml, of this version. Editors complete and check by it."`
}

type schemaCommand struct{}

func (schemaCommand) Run(t *terminal) error {
	schema, err := daemon.ConfigSchema()
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, string(schema))
	return nil
}
