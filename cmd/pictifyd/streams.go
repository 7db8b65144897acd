package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pictifyd/pictifyd/client"
)

// sourceFlags are common to commands about sources of a running daemon.
type sourceFlags struct {
	Server string `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key    string `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope connections:write, or connections:read to look. In the environment it is seen by fewer."`
	JSON   bool   `help:"Print JSON." name:"json"`
}

func (f sourceFlags) told(t *terminal, order func(context.Context, client.Remote) (any, string, error)) error {
	return bindingFlags{Server: f.Server, Key: f.Key, JSON: f.JSON}.told(t, order)
}

type resyncCommand struct {
	sourceFlags
	Source string `arg:"" help:"The source: one that is a stream."`
}

func (c *resyncCommand) Run(t *terminal) error {
	return c.told(t, resync(c.Source))
}

func resync(source string) func(context.Context, client.Remote) (any, string, error) {
	return func(ctx context.Context, r client.Remote) (any, string, error) {
		return map[string]string{"status": "resnapshot", "source": source}, "all rows of " + source + " are read again; what is as before is not drawn again", r.Resync(ctx, source)
	}
}

type gapCommand struct {
	sourceFlags
	Source     string `arg:"" optional:"" help:"Only this source."`
	Resnapshot bool   `help:"Read all rows of the source again, which closes the gap and ends a halt."`
}

func (c *gapCommand) Run(t *terminal) error {
	if c.Resnapshot && c.Source != "" {
		return c.told(t, resync(c.Source))
	}
	ctx, stop := interruptible()
	defer stop()
	sources, err := c.sources(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]any{"sources": sources})
	}
	if len(sources) == 0 {
		fmt.Fprintln(t.out, "no source is a stream")
		return nil
	}
	return aligned(t.out, coloured(t.out), func(w io.Writer) { printGaps(w, sources, time.Now()) })
}

// sources are those that are streams; with Resnapshot all that have a gap or are
// halted are read again first.
func (c *gapCommand) sources(ctx context.Context) ([]client.Source, error) {
	r := client.Remote{URL: c.Server, Key: c.Key}
	var all []client.Source
	if c.Source != "" {
		one, err := r.Source(ctx, c.Source)
		if err != nil {
			return nil, err
		}
		all = []client.Source{one}
	} else {
		var err error
		if all, err = r.Sources(ctx); err != nil {
			return nil, err
		}
	}
	streams := []client.Source{}
	for _, one := range all {
		if one.Stream == nil {
			continue
		}
		streams = append(streams, one)
		if c.Resnapshot && (one.Stream.Gap != nil || one.Stream.Halted != nil) {
			if err := r.Resync(ctx, one.Name); err != nil {
				return nil, err
			}
		}
	}
	return streams, nil
}

func printGaps(w io.Writer, sources []client.Source, now time.Time) {
	fmt.Fprintln(w, "SOURCE\tPHASE\tSINCE\tGAPS\tWHY\tNEXT")
	for _, one := range sources {
		s := one.Stream
		why, next := "", ""
		switch {
		case s.Halted != nil:
			why, next = s.Halted.Why, s.Halted.Next
			if next == "" {
				next = "pictifyd gap " + one.Name + " --resnapshot"
			}
		case s.Gap != nil:
			why, next = s.Gap.Why+", "+ago(s.Gap.At, now), "all rows are read again"
		case s.Warning != nil:
			why, next = s.Warning.Why, s.Warning.Next
		case s.Phase == "connecting":
			why = one.Freshness.Cause
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", one.Name, phase(s), ago(s.Since, now), s.Gaps, dashed(why), dashed(next))
	}
}

// phase is what a stream is about, with how far its snapshot is.
func phase(s *client.Stream) string {
	switch {
	case s.Snapshot == nil:
		return s.Phase
	case s.Snapshot.OfRows == 0:
		return fmt.Sprintf("%s (%d)", s.Phase, s.Snapshot.Rows)
	}
	return fmt.Sprintf("%s (%d of %d)", s.Phase, s.Snapshot.Rows, s.Snapshot.OfRows)
}
