package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

type doctorCommand struct {
	Config string `short:"c" placeholder:"FILE" help:"The configuration file (pictifyd.yaml, if there is one)."`
	JSON   bool   `help:"Print JSON." name:"json"`
}

func (c *doctorCommand) Run(t *terminal) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	signs, err := daemon.Doctor{Config: c.Config, Log: slog.New(slog.DiscardHandler)}.Examine(ctx)
	if err != nil {
		return err
	}
	missing := 0
	for _, s := range signs {
		if s.Health == daemon.Missing {
			missing++
		}
	}
	if err := c.print(t, signs, missing == 0); err != nil {
		return err
	}
	if missing > 0 {
		return problem.New(problem.Surroundings, "%d of %d things are missing", missing, len(signs))
	}
	return nil
}

func (c *doctorCommand) print(t *terminal, signs []daemon.Sign, well bool) error {
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]any{"well": well, "signs": signs})
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, s := range signs {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Health, s.Name, s.Says)
		if s.Do != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", s.Do)
		}
	}
	return w.Flush()
}
