package main

import (
	"io"
	"os"
	"strings"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/mcp"
)

type mcpCommand struct {
	Server  string `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key     string `env:"PICTIFYD_KEY" placeholder:"KEY" xor:"key" help:"A key of the daemon, with the scopes that the agent shall have. In the environment it is seen by fewer."`
	KeyFile string `env:"PICTIFYD_KEY_FILE" placeholder:"FILE" xor:"key" help:"A file with the key, instead."`
}

// Run answers the client that started the command, over its standard input and output.
func (c *mcpCommand) Run(t *terminal) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	s := mcp.New(mcp.Options{Do: client.Remote{URL: c.Server, Key: key}.Send, Version: version})
	err = s.Serve(ctx, io.NopCloser(t.in), nopWriteCloser{t.out})
	if ctx.Err() != nil { // ended as it was meant to
		return nil
	}
	return err
}

func (c *mcpCommand) key() (string, error) {
	if c.KeyFile == "" {
		return c.Key, nil
	}
	data, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return "", problem.New(problem.Invalid, "read the key: %w", err).At("--key-file")
	}
	key := strings.TrimSpace(string(data))
	if key == "" || strings.ContainsAny(key, " \t\r\n") {
		return "", problem.New(problem.Invalid, "%s does not hold one key", c.KeyFile).At("--key-file").WithHint("write the key alone into it, as pictifyd keys new printed it")
	}
	return key, nil
}

type nopWriteCloser struct{ io.Writer }

func (nopWriteCloser) Close() error { return nil }
