package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
)

type statusCommand struct {
	readFlags
}

// readFlags are common to commands that look at a running daemon.
type readFlags struct {
	Server string `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key    string `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scopes connections:read and bindings:read. In the environment it is seen by fewer."`
	JSON   bool   `help:"Print JSON." name:"json"`
}

func (f readFlags) remote() client.Remote { return client.Remote{URL: f.Server, Key: f.Key} }

func (c *statusCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	s, err := c.remote().Status(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(t.out).Encode(s)
	} else {
		err = aligned(t.out, coloured(t.out), func(w io.Writer) { printStatus(w, s, time.Now()) })
	}
	if err != nil {
		return err
	}
	return inError(s)
}

// inError says which sources, bindings and sinks are in error, for a script.
func inError(s client.Status) error {
	var names []string
	for _, one := range s.Sources {
		if one.Freshness.State == client.StateError || one.Error != "" {
			names = append(names, "source "+one.Name)
		}
	}
	for _, one := range s.Bindings {
		if one.Freshness.State == client.StateError {
			names = append(names, "binding "+one.Name)
		}
	}
	for _, one := range s.Sinks {
		if one.Error != "" || one.Delivery.State == "disabled" || one.Delivery.DeadLetters > 0 {
			names = append(names, "sink "+one.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return problem.New(problem.Surroundings, "%d in error: %s", len(names), strings.Join(names, ", "))
}

// aligned writes lines of columns with tabs between them, in colour where out is a
// terminal.
func aligned(out io.Writer, colour bool, print func(w io.Writer)) error {
	var text bytes.Buffer // so that a line is painted whole
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	print(w)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := painter{out, colour}.Write(text.Bytes())
	return err
}

func printStatus(w io.Writer, s client.Status, now time.Time) {
	fmt.Fprintln(w, "SOURCE\tSTATE\tLAG\tEXPECTED\tROWS\tCHANGED\tNEXT\tCAUSE")
	for _, one := range s.Sources {
		f := one.Freshness
		if one.Error != "" {
			f.State, f.Cause = client.StateError, one.Error
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", one.Name, f.State, lag(f.LagSeconds), span(f.ExpectedSeconds),
			one.Reading.Rows, ago(f.ChangedAt, now), nextOf(one, now), dashed(f.Cause))
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "BINDING\tSTATE\tLAG\tSOURCE\tIMAGES\tSTALE\tOLDEST\tCAUSE")
	for _, one := range s.Bindings {
		f := one.Freshness
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", one.Name, f.State, lag(f.LagSeconds), one.Source, one.Items,
			f.ImagesStale, span(f.OldestWantedSeconds), dashed(f.Cause))
	}
	if len(s.Sinks) > 0 {
		fmt.Fprintln(w)
		fmt.Fprintln(w, "SINK\tSTATE\tKIND\tWAITING\tDEAD\tARRIVED\tCAUSE")
	}
	for _, one := range s.Sinks {
		d := one.Delivery
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", one.Name, sinkIs(one), one.Kind, d.Waiting, d.DeadLetters, ago(d.ArrivedAt, now), dashed(sinkCause(one, now)))
	}
	printProcesses(w, s.Processes, now)
}

// printProcesses shows who is at work, where it is more than one that does everything.
func printProcesses(w io.Writer, all []client.Process, now time.Time) {
	if len(all) == 0 || len(all) == 1 && len(all[0].Roles) == allRoles {
		return
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "PROCESS\tSTATE\tROLES\tHOLDS\tIN HAND\tHEARD\tVERSION\tSINCE\tADDRESS\tCAUSE")
	for _, p := range all {
		holds := "-"
		if p.Holder {
			holds = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Place, dashed(p.State), strings.Join(p.Roles, ","), holds, inHand(p),
			ago(p.HeardAt, now), dashed(p.Version), ago(&p.Since, now), dashed(p.Address), dashed(processCause(p, now)))
	}
	if versions := versionsOf(all); len(versions) > 1 {
		fmt.Fprintf(w, "\ndifferent versions are at work (%s): right while you upgrade one after the other; see docs/scaling.md\n", strings.Join(versions, ", "))
	}
	for _, lack := range []struct{ role, means string }{{"render", "nothing is drawn but what somebody waits for"}, {"deliver", "no sink is told of anything"}} {
		if !slices.ContainsFunc(all, func(p client.Process) bool { return p.GoneAt == nil && slices.Contains(p.Roles, lack.role) }) {
			fmt.Fprintf(w, "\nno process has the role %s: %s; start one with pictifyd run --roles %s\n", lack.role, lack.means, lack.role)
		}
	}
}

// allRoles is how many roles one process has that does everything.
const allRoles = 4

// inHand is what a process has in hand.
func inHand(p client.Process) string {
	var has []string
	if n := p.InHand.Renders; n > 0 {
		has = append(has, fmt.Sprintf("%d to draw", n))
	}
	if n := p.InHand.Deliveries; n > 0 {
		has = append(has, fmt.Sprintf("%d to tell", n))
	}
	return dashed(strings.Join(has, ", "))
}

// processCause is why a process is not well, and what to do about it.
func processCause(p client.Process, now time.Time) string {
	if p.Cause == "" {
		return ""
	}
	cause := p.Cause
	if p.GoneAt != nil {
		cause = "put out " + ago(p.GoneAt, now) + ": " + cause
	}
	return cause + "; " + p.Next
}

// versionsOf are the versions of those at work, each once.
func versionsOf(all []client.Process) (versions []string) {
	for _, p := range all {
		if version := dashed(p.Version); p.GoneAt == nil && !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
	}
	return versions
}

// sinkIs is the one word for a sink.
func sinkIs(s client.Sink) string {
	switch {
	case s.Error != "":
		return client.StateError
	case s.Delivery.State == "": // the key may not see it
		return "-"
	}
	return s.Delivery.State
}

// sinkCause is why a sink is not well, and what to do about it.
func sinkCause(s client.Sink, now time.Time) string {
	d := s.Delivery
	var causes []string
	switch {
	case s.Error != "":
		causes = append(causes, s.Error)
	case d.State == "disabled":
		causes = append(causes, "disabled "+ago(d.DisabledAt, now)+": "+d.Reason+"; pictifyd resume --sink "+s.Name)
	case d.State == "paused":
		causes = append(causes, "pictifyd resume --sink "+s.Name)
	case d.State == "resting" && d.RestingUntil != nil:
		causes = append(causes, "tried again in "+span(max(d.RestingUntil.Sub(now).Seconds(), 0.001)))
	}
	if d.FailingSince != nil && s.Error == "" && d.State != "disabled" {
		causes = append(causes, fmt.Sprintf("%d failed one after the other since %s", d.Failures, ago(d.FailingSince, now)), "pictifyd deliveries --sink "+s.Name)
	}
	if d.DeadLetters > 0 {
		causes = append(causes, "pictifyd deliveries --dead --sink "+s.Name)
	}
	return strings.Join(causes, "; ")
}

// lag is for how long nobody has known whether rows are current.
func lag(seconds *float64) string {
	if seconds == nil {
		return "never"
	}
	if *seconds < 1 {
		return "0s"
	}
	return span(*seconds)
}

// span is a time for people; - where there is none.
func span(seconds float64) string {
	if seconds <= 0 {
		return "-"
	}
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 48*time.Hour:
		return shortened(d.Round(time.Second))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// shortened is d without the zeros at its end: 1h, not 1h0m0s.
func shortened(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func ago(at *time.Time, now time.Time) string {
	if at == nil {
		return "-"
	}
	return span(max(now.Sub(*at).Seconds(), 0.001)) + " ago"
}

// nextOf is when a source is read next, or what its stream is about.
func nextOf(s client.Source, now time.Time) string {
	if s.Stream != nil {
		return phase(s.Stream)
	}
	return next(s.Freshness, now)
}

func next(f client.Freshness, now time.Time) string {
	switch {
	case f.Reading:
		return "reading"
	case f.NextAt == nil:
		return "-"
	case !f.NextAt.After(now):
		return "now"
	}
	return "in " + span(f.NextAt.Sub(now).Seconds())
}

func dashed(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Join(strings.Fields(text), " ")
}
