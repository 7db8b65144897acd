package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
)

type batchCommand struct {
	Template string        `short:"t" placeholder:"TEMPLATE" help:"The template, as the daemon knows it."`
	Data     string        `short:"d" placeholder:"FILE" help:"The rows: .csv, .tsv, .xlsx, .ndjson, or a .json list."`
	Out      string        `short:"o" placeholder:"DIR" help:"Fetch the images and results.csv into this folder. What it has already is not fetched again."`
	Format   []string      `placeholder:"FORMAT" help:"png, jpeg, webp, gif or pdf; several times for several images of each row."`
	Size     []string      `placeholder:"SIZE" help:"A size of the template; several times for several images of each row."`
	RowKey   string        `placeholder:"FIELD" help:"The column that names a row: results and files are named by it."`
	Webhook  string        `placeholder:"URL" help:"An address that is told when all is done."`
	Set      []string      `placeholder:"NAME=VALUE" help:"Any other field of the request, its value as JSON or text: --set quality=80."`
	Job      string        `placeholder:"ID" help:"Go on with a job instead of sending a file."`
	Again    bool          `help:"Make a new job, also if the same file has made one. Otherwise the same command goes on with that one."`
	Server   string        `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key      string        `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope renders:write. In the environment it is seen by fewer."`
	Patience time.Duration `default:"5m" help:"How long a daemon that does not answer is waited for (${default})."`
	JSON     bool          `help:"Print JSON, and no progress." name:"json"`
}

// outcome is what the command prints as JSON.
type outcome struct {
	client.Job
	Images  int    `json:"images,omitempty"` // files in the folder
	Results string `json:"resultsFile,omitempty"`
	Failed  string `json:"failedFile,omitempty"`
}

func (c *batchCommand) Run(t *terminal) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := c.check(); err != nil {
		return err
	}
	remote := client.Remote{URL: c.Server, Key: c.Key}
	id := c.Job
	if id == "" {
		options, err := c.options()
		if err != nil {
			return err
		}
		b := client.Batch{Template: c.Template, Path: c.Data, Options: options, Again: c.Again}
		if id, err = b.Send(ctx, remote, c.Patience); err != nil && ctx.Err() != nil {
			return problem.New(problem.Surroundings, "stopped while the rows were sent").WithHint("the same command sends them again, or finds the job if they had arrived")
		} else if err != nil {
			return err
		}
	}
	watch := newMeter(t.out)
	show := watch.show
	if c.JSON {
		show = func(client.Job) {}
	}
	job, err := client.Follow(ctx, remote, id, c.Patience, show)
	watch.end()
	if err != nil {
		return c.left(ctx, id, err)
	}
	done, err := c.fetch(ctx, remote, job)
	if err != nil {
		return c.left(ctx, id, err)
	}
	return c.tell(t, done)
}

func (c *batchCommand) check() error {
	switch {
	case c.Job != "" && c.Data != "":
		return problem.New(problem.Invalid, "a job has its rows already").WithHint("give --job or --data")
	case c.Job == "" && (c.Data == "" || c.Template == ""):
		return problem.New(problem.Invalid, "say what to make of which rows").WithHint("pictifyd batch -t TEMPLATE -d rows.csv")
	}
	return nil
}

// options are the fields of the request.
func (c *batchCommand) options() (map[string]json.RawMessage, error) {
	options := map[string]json.RawMessage{}
	put := func(name string, value any) {
		text, _ := json.Marshal(value) // texts and lists of texts
		options[name] = text
	}
	switch {
	case len(c.Format) == 1:
		put("format", c.Format[0])
	case len(c.Format) > 1 && len(c.Size) > 1:
		return nil, problem.New(problem.Invalid, "several formats and several sizes do not say which of them go together").
			WithHint(`write the outputs: --set 'outputs=[{"format":"pdf"},{"format":"png","size":"story"}]'`)
	case len(c.Format) > 1:
		var outputs []map[string]string
		for _, f := range c.Format {
			outputs = append(outputs, map[string]string{"format": f})
		}
		put("outputs", outputs)
	}
	switch len(c.Size) {
	case 0:
	case 1:
		put("size", c.Size[0])
	default:
		put("sizes", c.Size)
	}
	if c.RowKey != "" {
		put("rowKey", c.RowKey)
	}
	if c.Webhook != "" {
		put("webhookUrl", c.Webhook)
	}
	for _, set := range c.Set {
		name, value, ok := strings.Cut(set, "=")
		if !ok || name == "" {
			return nil, problem.New(problem.Invalid, "--set %s names no field and value", set).WithHint("as in --set quality=80")
		}
		if json.Valid([]byte(value)) {
			options[name] = json.RawMessage(value)
		} else {
			put(name, value)
		}
	}
	return options, nil
}

// left is err, with how to go on where the job does.
func (c *batchCommand) left(ctx context.Context, id string, err error) error {
	if ctx.Err() == nil {
		return fmt.Errorf("job %s: %w", id, err)
	}
	p := problem.New(problem.Surroundings, "the job %s goes on without this command", id)
	return p.WithHint("the same command, or pictifyd batch --job %s, goes on with it", id)
}

// fetch brings home what was asked for.
func (c *batchCommand) fetch(ctx context.Context, r client.Remote, job client.Job) (done outcome, err error) {
	done.Job = job
	f := client.Fetch{Remote: r, Job: job.ID, Dir: c.Out, Patience: c.Patience}
	if c.Out != "" {
		if done.Images, err = f.Pictures(ctx); err != nil {
			return done, err
		}
		done.Results = filepath.Join(c.Out, "results.csv")
		if err := f.Table(ctx, "results.csv", done.Results); err != nil {
			return done, err
		}
	}
	if job.Failed > 0 {
		done.Failed = c.failedFile(job.ID)
		err = f.Table(ctx, "failed.csv", done.Failed)
	}
	return done, err
}

// failedFile is beside the images, or beside the rows.
func (c *batchCommand) failedFile(job string) string {
	switch {
	case c.Out != "":
		return filepath.Join(c.Out, "failed.csv")
	case c.Data != "":
		return strings.TrimSuffix(c.Data, filepath.Ext(c.Data)) + ".failed.csv"
	}
	return job + ".failed.csv"
}

// tell prints how it ended. Rows that failed are the caller's to correct.
func (c *batchCommand) tell(t *terminal, done outcome) error {
	if c.JSON {
		if err := json.NewEncoder(t.out).Encode(done); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(t.out, "job %s is %s: %d of %d rows have their images", done.ID, done.Status, done.Completed, done.Total)
		if done.Deduped > 0 {
			fmt.Fprintf(t.out, ", %d of them had them before", done.Deduped)
		}
		fmt.Fprintln(t.out)
		if c.Out != "" {
			fmt.Fprintf(t.out, "%d images and results.csv are in %s\n", done.Images, c.Out)
		}
	}
	if done.Whole() {
		return nil
	}
	p := problem.New(problem.Invalid, "%d of %d rows have no images", done.Total-done.Completed, done.Total)
	if done.Failed != "" {
		p = p.WithHint("correct them in %s and send that file, with -o for another folder", done.Failed)
	}
	return p
}
