package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// trialBytes is how much of the sample rows of a source is told.
const trialBytes = 256 << 10

// Kinds are the kinds of sources and sinks, each with the schema of its configuration.
func (d *Daemon) Kinds() (api.Kinds, error) { return kindsOfConnections() }

// TryConnection tries a source or a sink that is not kept: what is wrong with it is
// a step that failed. Nothing of it is kept.
func (d *Daemon) TryConnection(ctx context.Context, kind string, body []byte) (api.Trial, error) {
	t := trial{daemon: d}
	node, err := config.ParseJSON(body, config.Options{})
	if err != nil {
		return t.Trial, err
	}
	if node.Kind() != config.Mapping {
		return t.Trial, problem.New(problem.Invalid, "the body is %s, not an object", node.Kind()).WithSlug("wrong_type")
	}
	name, _ := node.Scalar("name")
	id := resourceID{kind, name}
	before := d.roster().made[id]
	x := d.vault.opening(id, before.Secrets)
	node, addresses, err := d.readConnection(id, body, x)
	if err == nil {
		err = d.sendsWhereItDid(id, before, x, addresses)
	}
	if !t.step(ctx, api.StepConfiguration, err) {
		return t.Trial, nil
	}
	if !t.step(ctx, api.StepAddresses, d.reachable(ctx, node, addresses)) {
		return t.Trial, nil
	}
	ctx, cancel := context.WithTimeout(ctx, onlineLimit)
	defer cancel()
	if kind == ofSink {
		s, _, err := d.readSink(name, body, d.vault.opening(id, before.Secrets))
		if t.step(ctx, api.StepConfiguration, err) {
			err = t.sink(ctx, s)
		}
		return t.Trial, err
	}
	s, _, err := d.readSource(name, body, d.vault.opening(id, before.Secrets))
	if t.step(ctx, api.StepConfiguration, err) {
		t.source(ctx, s, d.guarded)
	}
	return t.Trial, ctxEnded(ctx)
}

// TrySource tries a source that there is, beside its readings.
func (d *Daemon) TrySource(ctx context.Context, name string) (api.Trial, error) {
	t := trial{daemon: d}
	now := d.roster()
	id := resourceID{ofSource, name}
	ctx, cancel := context.WithTimeout(ctx, onlineLimit)
	defer cancel()
	if r, ok := now.made[id]; ok {
		s, _, err := d.readSource(name, []byte(r.Spec), d.vault.opening(id, r.Secrets))
		if t.step(ctx, api.StepConfiguration, err) {
			t.source(ctx, s, d.guarded)
		}
		return t.Trial, ctxEnded(ctx)
	}
	i := slices.IndexFunc(now.file.Sources, func(s Source) bool { return s.Name == name })
	if i < 0 {
		return t.Trial, now.unknown(ofSource, name)
	}
	t.step(ctx, api.StepConfiguration, nil)
	t.source(ctx, now.file.Sources[i], nil)
	return t.Trial, ctxEnded(ctx)
}

// ctxEnded is the error of a caller who has gone; that time ran out is told as a step.
func ctxEnded(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return nil
}

// A trial is a connection while it is tried.
type trial struct {
	api.Trial

	daemon *Daemon
}

// step notes how a step went, and reports whether it went well. One that is tried
// twice and is well is noted once.
func (t *trial) step(ctx context.Context, name string, err error) bool {
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = problem.New(problem.Timeout, "no answer within %s", onlineLimit).WithHint("see whether the address is right and reachable from here")
	}
	if err == nil && slices.ContainsFunc(t.Steps, func(s api.TrialStep) bool { return s.Name == name }) {
		return true
	}
	t.Steps = append(t.Steps, api.TrialStep{Name: name, Err: err})
	return err == nil
}

func (t *trial) skip(name, format string, args ...any) {
	t.Steps = append(t.Steps, api.TrialStep{Name: name, Skipped: fmt.Sprintf(format, args...)})
}

// source reads the first rows of a source with a connection of its own. client is its
// only way out; nil is the operator's own.
func (t *trial) source(ctx context.Context, s Source, client *http.Client) {
	d := t.daemon
	t.Key = s.Config.Base().Key
	env := connectors.Env{Name: s.Name, Dir: d.settings.Dir, Log: slog.New(slog.DiscardHandler), Client: client, Instance: d.instance}
	d.lend(s.Config, &env)
	poller, err := s.Kind.New(s.Config, env)
	if !t.step(ctx, api.StepConfiguration, err) {
		return
	}
	if c, ok := poller.(io.Closer); ok {
		defer func() { d.close("a source that was tried", c.Close) }()
	}
	if p, ok := s.Config.(connectors.Passive); ok && p.Passive() {
		t.skip(api.StepConnection, "its rows are sent to it, or asked for one by one")
		return
	}
	if a, ok := poller.(connectors.Adviser); ok {
		advice, err := a.Advise(ctx)
		if !t.step(ctx, api.StepConnection, err) {
			return
		}
		for _, p := range advice {
			t.Advice = append(t.Advice, p.Error())
		}
	}
	if connectors.Streams(s.Config) {
		t.skip(api.StepRows, "its rows are told as they change, and not looked at here")
		return
	}
	t.rows(ctx, poller)
}

// rows reads the first rows, and looks for the columns of the key.
func (t *trial) rows(ctx context.Context, poller connectors.Poller) {
	var rows []connectors.Row
	var faults []connectors.Fault
	first := func(_ context.Context, b connectors.Batch) error {
		faults = append(faults, b.Faults...)
		if rows = append(rows, b.Rows...); len(rows) >= onlineRows || b.Closes != nil {
			return errEnough
		}
		return nil
	}
	var err error
	if timed, ok := poller.(connectors.Timed); ok {
		err = timed.PollAt(ctx, time.Now(), nil, first)
	} else {
		err = poller.Poll(ctx, nil, first)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	if errors.Is(err, connectors.ErrNotPolled) {
		t.skip(api.StepRows, "its rows are not looked at before they are told")
		return
	}
	if !t.step(ctx, api.StepConnection, err) {
		return
	}
	rows = rows[:min(len(rows), onlineRows)]
	t.sample(rows)
	if len(rows) == 0 && len(faults) > 0 {
		t.step(ctx, api.StepRows, problem.New(problem.Invalid, "no element could become a row, the first is at %s: %s", faults[0].Position, cmp.Or(faults[0].Detail, faults[0].Reason)).
			WithHint("see that rows: and the format are right"))
		return
	}
	if len(rows) == 0 {
		t.skip(api.StepRows, "it has no rows now")
		return
	}
	t.step(ctx, api.StepRows, nil)
	if len(t.Key) == 0 {
		t.skip(api.StepKey, "the source names its rows itself")
		return
	}
	for _, key := range t.Key {
		if !slices.Contains(t.Columns, key) {
			t.step(ctx, api.StepKey, missing(config.Node{}, "key", key, fmt.Sprintf("there is no column %q", key), t.Columns))
			return
		}
	}
	t.step(ctx, api.StepKey, nil)
}

// sample keeps the rows that are told.
func (t *trial) sample(rows []connectors.Row) {
	t.Columns = columnsOf(rows)
	left := trialBytes
	for _, row := range rows {
		text, err := bindings.Canonical(row.Values)
		if err != nil {
			continue
		}
		if left -= len(text); left < 0 {
			return
		}
		t.Rows = append(t.Rows, text)
	}
}

// sink tells a sink of a test event.
func (t *trial) sink(ctx context.Context, s Sink) error {
	to, err := t.daemon.openSink(s, sink.Env{Client: t.daemon.guarded})
	if !t.step(ctx, api.StepConfiguration, err) {
		return nil
	}
	if c, ok := to.(io.Closer); ok {
		defer func() { t.daemon.close("a sink that was tried", c.Close) }()
	}
	done, err := t.daemon.testOf(ctx, to, api.SinkTestOf{})
	if err != nil {
		return err
	}
	t.Sink = &done
	t.step(ctx, api.StepConnection, done.Err)
	return nil
}
