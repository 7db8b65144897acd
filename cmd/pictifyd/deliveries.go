package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// deliveryCommands are about what sinks were told, or could not be told.
type deliveryCommands struct {
	List    listDeliveriesCommand  `cmd:"" default:"withargs" help:"List them, newest first; with --dead those that were given up, by what they died of."`
	Show    showDeliveryCommand    `cmd:"" help:"Show one with what it tells and every attempt."`
	Replay  replayDeliveryCommand  `cmd:"" help:"Try dead letters again: one, a group of the same cause, all of a sink, all since a time. One that arrived is told once more."`
	Discard discardDeliveryCommand `cmd:"" help:"Give dead letters up for good, for a reason that is kept."`
}

// deliveryFlags are common to commands about deliveries of a running daemon.
type deliveryFlags struct {
	Server string `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key    string `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope bindings:write, or bindings:read to look. In the environment it is seen by fewer."`
	JSON   bool   `help:"Print JSON." name:"json"`
}

func (f deliveryFlags) remote() client.Remote { return client.Remote{URL: f.Server, Key: f.Key} }

func (f deliveryFlags) told(t *terminal, order func(context.Context, client.Remote) (any, string, error)) error {
	return bindingFlags{Server: f.Server, Key: f.Key, JSON: f.JSON}.told(t, order)
}

type listDeliveriesCommand struct {
	deliveryFlags
	Sink    string `placeholder:"NAME" help:"Only those to this sink; sub:ID is a webhook subscription."`
	Binding string `placeholder:"NAME" help:"Only those of this binding."`
	Job     string `placeholder:"ID" help:"Only those of this job."`
	Row     string `placeholder:"KEY" help:"Only those of rows with this key; --key is the key of the daemon."`
	State   string `placeholder:"STATE" help:"Only those that are waiting, claimed, delivered, dead, superseded or discarded."`
	Event   string `placeholder:"EVENT" help:"Only those that tell this, as render.completed."`
	Cause   string `placeholder:"CAUSE" help:"Only dead letters of this cause."`
	Since   string `placeholder:"TIME" help:"Only those that ended then or later, or wait: a time, a day, or how long ago, as in 2h."`
	Dead    bool   `help:"The dead letters, by what they died of."`
	Limit   int    `default:"100" help:"At most so many (${default})."`
}

func (c *listDeliveriesCommand) filter() client.DeliveryFilter {
	return client.DeliveryFilter{Sink: c.Sink, Binding: c.Binding, Job: c.Job, Key: c.Row, State: c.State, Event: c.Event, Cause: c.Cause, Since: c.Since}
}

func (c *listDeliveriesCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	if c.Dead {
		return c.groups(ctx, t)
	}
	if c.Limit < 1 {
		return problem.New(problem.Invalid, "--limit is %d, it must be 1 or more", c.Limit)
	}
	all := []client.Delivery{}
	after := ""
	for len(all) < c.Limit {
		page, err := c.remote().Deliveries(ctx, c.filter(), after, min(c.Limit-len(all), 1000))
		if err != nil {
			return err
		}
		all = append(all, page.Deliveries...)
		if after = page.Next; after == "" {
			break
		}
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]any{"deliveries": all})
	}
	if len(all) == 0 {
		fmt.Fprintln(t.out, "no deliveries")
		return nil
	}
	return aligned(t.out, coloured(t.out), func(w io.Writer) { printDeliveries(w, all, time.Now()) })
}

func printDeliveries(w io.Writer, all []client.Delivery, now time.Time) {
	fmt.Fprintln(w, "SINK\tSTATE\tOF\tEVENT\tGEN\tTRIES\tWHEN\tID\tERROR")
	for _, d := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", d.Sink, d.State, deliveryOf(d), d.Event, d.Generation, d.Attempts, deliveryWhen(d, now), d.ID, cut(errorOf(d)))
	}
}

// deliveryOf is the row, or the job, that a delivery is about.
func deliveryOf(d client.Delivery) string {
	of := d.Binding + d.JobID
	if d.Key != "" {
		of += "/" + d.Key
	}
	return of
}

// errorOf is why a delivery has not arrived.
func errorOf(d client.Delivery) string {
	switch {
	case d.Discarded != nil:
		return "discarded by " + d.Discarded.By + ": " + d.Discarded.Reason
	case d.State == "delivered":
		return ""
	}
	return d.Error
}

func deliveryWhen(d client.Delivery, now time.Time) string {
	switch {
	case d.Discarded != nil:
		return ago(d.Discarded.At, now)
	case d.EndedAt != nil:
		return ago(d.EndedAt, now)
	case d.DueAt != nil && d.DueAt.After(now):
		return "in " + span(d.DueAt.Sub(now).Seconds())
	case d.DueAt != nil:
		return "due"
	}
	return ago(d.CreatedAt, now)
}

// shownError is how many letters of an error a line of a list has.
const shownError = 100

func cut(text string) string {
	if letters := []rune(text); len(letters) > shownError {
		text = string(letters[:shownError-1]) + "…"
	}
	return dashed(text)
}

func (c *listDeliveriesCommand) groups(ctx context.Context, t *terminal) error {
	groups, err := c.remote().DeadLetters(ctx, c.filter())
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		return json.NewEncoder(t.out).Encode(map[string]any{"groups": groups})
	case len(groups) == 0:
		fmt.Fprintln(t.out, "no dead letters")
		return nil
	}
	return aligned(t.out, coloured(t.out), func(w io.Writer) { printGroups(w, groups, time.Now()) })
}

func printGroups(w io.Writer, groups []client.LetterGroup, now time.Time) {
	fmt.Fprintln(w, "SINK\tLETTERS\tEVENTS\tFIRST\tLAST\tCAUSE\tERROR")
	for _, g := range groups {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", g.Sink, g.Count, strings.Join(g.Events, ","), ago(g.FirstSeen, now), ago(g.LastSeen, now), dashed(g.Cause), cut(g.Error))
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "When what broke is mended: pictifyd deliveries replay --cause CAUSE")
}

type showDeliveryCommand struct {
	deliveryFlags
	ID string `arg:"" help:"The delivery."`
}

func (c *showDeliveryCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	d, err := c.remote().Delivery(ctx, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(d)
	}
	return aligned(t.out, coloured(t.out), func(w io.Writer) { printDelivery(w, d, time.Now()) })
}

func printDelivery(w io.Writer, d client.Delivery, now time.Time) {
	fmt.Fprintf(w, "delivery\t%s to %s, %s\n", d.State, d.Sink, deliveryWhen(d, now))
	fmt.Fprintf(w, "tells\t%s of %s, generation %d\n", d.Event, deliveryOf(d), d.Generation)
	fmt.Fprintf(w, "id\t%s\n", d.ID)
	if len(d.Row) > 0 {
		fmt.Fprintf(w, "row\t%s\n", dashed(string(d.Row)))
	}
	if len(d.Data) > 0 {
		fmt.Fprintf(w, "data\t%s\n", dashed(string(d.Data)))
	}
	if len(d.RowError) > 0 {
		fmt.Fprintf(w, "error\t%s\n", dashed(string(d.RowError)))
	}
	for _, o := range d.Outputs {
		fmt.Fprintf(w, "output\t%s: %s\n", o.Output, dashed(o.URL+o.Error))
	}
	if d.Cause != "" {
		fmt.Fprintf(w, "cause\t%s\n", d.Cause)
	}
	if d.Discarded != nil {
		fmt.Fprintf(w, "discarded\tby %s, %s: %s\n", d.Discarded.By, ago(d.Discarded.At, now), dashed(d.Discarded.Reason))
	}
	for _, one := range d.Tries {
		how := "arrived"
		if !one.OK {
			how = dashed(one.Error)
		}
		fmt.Fprintf(w, "attempt %d\t%s, %.0f ms: %s\n", one.Attempt, ago(one.At, now), one.DurationMs, how)
		printAnswer(w, one.Answer)
		if one.Attempt == d.SpentAttempts {
			fmt.Fprintf(w, "\tthen a person had it told again\n")
		}
	}
}

func printAnswer(w io.Writer, a *client.Answer) {
	if a == nil {
		return
	}
	var parts []string
	if a.Status != 0 {
		parts = append(parts, fmt.Sprint("status ", a.Status))
	}
	if a.Ref != "" {
		parts = append(parts, a.Ref)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		parts = append(parts, name+": "+a.Headers[name])
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "\t%s\n", dashed(strings.Join(parts, ", ")))
	}
	if body := strings.TrimSpace(a.Body); body != "" {
		fmt.Fprintf(w, "\t%s\n", dashed(body))
	}
}

// A selection says which deliveries a command moves: one, or those of which all
// that it says is true.
type selection struct {
	ID      string `arg:"" optional:"" help:"One delivery."`
	Cause   string `placeholder:"CAUSE" help:"All dead letters of this cause: pictifyd deliveries --dead lists them."`
	Sink    string `placeholder:"NAME" help:"All dead letters of this sink."`
	Binding string `placeholder:"NAME" help:"All dead letters of this binding."`
	Since   string `placeholder:"TIME" help:"All that were given up then or later: a time, a day, or how long ago, as in 2h."`
}

func (s selection) many() client.LetterSelection {
	return client.LetterSelection{Cause: s.Cause, Sink: s.Sink, Binding: s.Binding, Since: s.Since}
}

func (s selection) check() error {
	some := s.many() != client.LetterSelection{}
	switch {
	case s.ID == "" && !some:
		return problem.New(problem.Invalid, "nothing says which deliveries are meant").WithHint("give an id, or --cause, --sink, --binding or --since")
	case s.ID != "" && some:
		return problem.New(problem.Invalid, "an id and flags that choose several are too much").WithHint("give one or the other")
	}
	return nil
}

type replayDeliveryCommand struct {
	deliveryFlags
	selection
}

func (c *replayDeliveryCommand) Run(t *terminal) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.told(t, func(ctx context.Context, r client.Remote) (any, string, error) {
		if c.ID != "" {
			d, err := r.ReplayDelivery(ctx, c.ID)
			return d, d.ID + " goes to " + d.Sink + " again", err
		}
		n, err := r.ReplayLetters(ctx, c.many())
		return map[string]int64{"replayed": n}, plural(int(n), "dead letter") + " tried again", err
	})
}

type discardDeliveryCommand struct {
	deliveryFlags
	selection
	Reason string `required:"" placeholder:"TEXT" help:"Why nobody has to be told of it any more."`
}

func (c *discardDeliveryCommand) Run(t *terminal) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.told(t, func(ctx context.Context, r client.Remote) (any, string, error) {
		if c.ID != "" {
			d, err := r.DiscardDelivery(ctx, c.ID, c.Reason)
			return d, d.ID + " is discarded", err
		}
		n, err := r.DiscardLetters(ctx, c.many(), c.Reason)
		return map[string]int64{"discarded": n}, plural(int(n), "dead letter") + " discarded", err
	})
}

type redeliverCommand struct {
	Server  string `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key     string `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope connections:write. In the environment it is seen by fewer."`
	JSON    bool   `help:"Print JSON." name:"json"`
	Sink    string `arg:"" help:"The sink."`
	Since   string `placeholder:"TIME" help:"Only what arrived then or later: a time, a day, or how long ago, as in 2h."`
	Binding string `placeholder:"NAME" help:"Only of this binding."`
	Row     string `placeholder:"KEY" help:"Only of rows with this key; --key is the key of the daemon."`
	NewID   bool   `name:"new-id" help:"Under new ids, for a receiver that remembers ids and would drop the same again."`
}

func (c *redeliverCommand) Run(t *terminal) error {
	return deliveryFlags{c.Server, c.Key, c.JSON}.told(t, func(ctx context.Context, r client.Remote) (any, string, error) {
		done, err := r.Redeliver(ctx, c.Sink, client.Redelivery{Since: c.Since, Binding: c.Binding, Key: c.Row, NewIDs: c.NewID})
		return done, redelivered(done), err
	})
}

// redelivered says in a line what a sink is told again.
func redelivered(done client.Redelivered) string {
	line := done.Sink + " is told again of " + plural(int(done.Told), "row")
	if done.Told+done.Waiting+done.Gone == 0 {
		line = done.Sink + " is told nothing again: nothing that is meant has arrived there"
	}
	if done.Waiting > 0 {
		line += "; of " + plural(int(done.Waiting), "row") + " something newer waits, is being made, or is a dead letter"
	}
	if done.Gone > 0 {
		line += "; of " + plural(int(done.Gone), "row") + " nothing is left"
	}
	switch done.State {
	case "paused", "disabled":
		line += "; but it is " + done.State + ": pictifyd resume --sink " + done.Sink
	case "resting":
		line += "; it rests, and is tried again by itself"
	}
	return line
}
