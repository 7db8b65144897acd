package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
)

type runNowCommand struct {
	Binding  string        `arg:"" help:"The binding."`
	At       string        `placeholder:"TIME" help:"The moment that the run is for: a day, as 2026-10-01, or a time, as 2026-10-01T06:00:00+02:00. Without it, now."`
	Wait     bool          `help:"Watch the run until it has ended."`
	Server   string        `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key      string        `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scopes bindings:write and renders:read. In the environment it is seen by fewer."`
	Patience time.Duration `default:"5m" help:"How long a daemon that does not answer is waited for (${default})."`
	JSON     bool          `help:"Print JSON, and no progress." name:"json"`
}

func (c *runNowCommand) Run(t *terminal) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	remote := client.Remote{URL: c.Server, Key: c.Key}
	run, err := remote.RunNow(ctx, c.Binding, c.At)
	if err != nil {
		return err
	}
	if !c.Wait {
		return c.tellAsked(t, run)
	}
	watch := newMeter(t.out)
	show := watch.show
	if c.JSON {
		show = func(client.Job) {}
	}
	job, err := client.Follow(ctx, remote, run.JobID, c.Patience, show)
	watch.end()
	if err != nil && ctx.Err() != nil {
		return problem.New(problem.Surroundings, "the run %s goes on without this command", run.JobID).WithHint("the same command with --wait watches it again")
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", run.JobID, err)
	}
	return c.tell(t, run, job)
}

func (c *runNowCommand) tellAsked(t *terminal, run client.Run) error {
	if c.JSON {
		return json.NewEncoder(t.out).Encode(run)
	}
	fmt.Fprintf(t.out, "%s runs for %s as job %s\n%s\n", run.Binding, shownMoment(run.ScheduledFor), run.JobID, run.StatusURL)
	return nil
}

func shownMoment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") }

// tell prints how a run ended, and where its results are.
func (c *runNowCommand) tell(t *terminal, run client.Run, job client.Job) error {
	if c.JSON {
		if err := json.NewEncoder(t.out).Encode(job); err != nil {
			return err
		}
	} else if job.Run != nil && job.Run.Error == "" {
		fmt.Fprintf(t.out, "%s for %s is %s: %d of %d rows have their images; %d changed, %d are as they were\n",
			run.Binding, shownMoment(run.ScheduledFor), job.Status, job.Completed, job.Total, job.Run.Changed, job.Run.Unchanged)
		base := strings.TrimRight(c.Server, "/") + "/jobs/" + job.ID
		fmt.Fprintf(t.out, "results: %s/results.csv, .zip, .pdf, .ndjson\n", base)
	}
	switch {
	case job.Run != nil && job.Run.Error != "":
		code := problem.Invalid
		if job.SourceAway() {
			code = problem.Surroundings
		}
		return problem.New(code, "%s", job.Run.Error)
	case !job.Whole():
		return problem.New(problem.Invalid, "the run is %s: %d of %d rows have no images", job.Status, job.Total-job.Completed, job.Total).
			WithHint("%s/jobs/%s/failed.csv says why", strings.TrimRight(c.Server, "/"), job.ID)
	}
	return nil
}
