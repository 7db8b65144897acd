package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/pictifyd/pictifyd/daemon"
)

type planCommand struct {
	configFlag
	Binding string `arg:"" help:"The binding."`
	Limit   int    `default:"10" placeholder:"N" help:"So many rows of each sort are shown (${default})."`
	JSON    bool   `help:"Print JSON." name:"json"`
}

func (c *planCommand) Run(t *terminal) error {
	settings, err := daemon.Load(c.Config)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	log := (&runCommand{LogFormat: "text", LogLevel: "warn"}).logger(t.err)
	plan, err := daemon.PlanBinding(ctx, settings, c.Binding, daemon.PlanOptions{Log: log, Sample: c.Limit})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(plan)
	}
	printPlan(t.out, plan)
	return nil
}

func printPlan(w io.Writer, p *daemon.Plan) {
	fmt.Fprintf(w, "%s would become, of %s of %s:\n", p.Binding, rowsOf(p.Rows), p.Source)
	line := func(n int, what, note string) {
		if n > 0 {
			fmt.Fprintf(w, "  %-12s %d%s\n", what, n, note)
		}
	}
	changed := ""
	if p.Replanned > 0 {
		changed = fmt.Sprintf(" (%d by the template or the binding alone)", p.Replanned)
	}
	gone := ", their images stay (on_delete: keep)"
	if p.OnDelete == "remove" {
		gone = ", their images go after delete_grace"
	}
	line(p.New, "new", "")
	line(p.Changed, "changed", changed)
	line(p.Unchanged, "unchanged", "")
	line(p.Gone, "gone", gone)
	line(p.Removed, "removed", ", they do not meet where any more")
	line(p.Failing, "failing", ", their images stay as they are")
	line(p.Quarantined, "quarantined", "")
	fmt.Fprintf(w, "%s to render", plural(p.Renders, "picture"))
	if p.Reused > 0 {
		fmt.Fprintf(w, ", %d are made already", p.Reused)
	}
	fmt.Fprintln(w)
	if !p.Complete {
		fmt.Fprintf(w, "The reading is not complete, so that nothing counts as gone: %s.\n", p.Reason)
	}
	switch {
	case p.Guard != nil:
		fmt.Fprintf(w, "The guard would hold %s and %s: %s.\n", plural(p.Guard.Changes, "change"), plural(p.Guard.Removals, "removal"), p.Guard.Reason)
	case p.First:
		fmt.Fprintln(w, "It was never read, so that the guard would hold nothing.")
	default:
		fmt.Fprintln(w, "The guard would hold nothing.")
	}
	for _, row := range p.Sample {
		name := row.Name
		if row.Position != "" {
			name = strings.TrimSpace(name + " at " + row.Position)
		}
		fmt.Fprintf(w, "  %-12s %s", row.Becomes, name)
		if row.Error != "" {
			fmt.Fprintf(w, ": %s", row.Error)
		}
		for i, v := range row.Variables {
			sep := "; "
			if i == 0 {
				sep = ": "
			}
			fmt.Fprintf(w, "%s%s %s → %s", sep, v.Name, shownValue(v.Before), shownValue(v.After))
		}
		fmt.Fprintln(w)
	}
}

func rowsOf(n int) string { return plural(n, "row") }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shownLength is as much of a value as a line shows.
const shownLength = 60

// shownValue is a value in one line.
func shownValue(v any) string {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	short := []rune(strings.TrimSpace(text.String()))
	if len(short) > shownLength {
		return string(short[:shownLength]) + "…"
	}
	return string(short)
}
