package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/client"
)

type explainCommand struct {
	readFlags
	Binding string `arg:"" help:"The binding."`
	RowKey  string `arg:"" name:"key" help:"The row's key: its columns joined by commas, percent-encoded where they have commas or slashes themselves."`
}

func (c *explainCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	row, err := c.remote().Row(ctx, c.Binding, encodedKey(c.RowKey))
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(row)
	}
	return aligned(t.out, coloured(t.out), func(w io.Writer) { printRow(w, row, time.Now()) })
}

// encodedKey is a key as it stands in paths, of what a person types.
func encodedKey(key string) string {
	columns := strings.Split(key, ",")
	for i, c := range columns {
		if plain, err := url.PathUnescape(c); err == nil {
			c = plain
		}
		columns[i] = url.PathEscape(c)
	}
	return strings.Join(columns, ",")
}

func printRow(w io.Writer, row client.Row, now time.Time) {
	fmt.Fprintf(w, "row\t%s, version %d%s\n", row.Name, row.Version, rowIs(row))
	fmt.Fprintf(w, "source\t%s is %s%s\n", row.Source.Name, dashed(row.Source.State), because(row.Source.Cause))
	fmt.Fprintf(w, "\tconfirmed %s%s%s\n", ago(row.Source.ConfirmedAt, now), readAt(row, now), askedAlone(row, now))
	if row.Source.Position != "" {
		fmt.Fprintf(w, "\tposition %s\n", dashed(row.Source.Position))
	}
	if row.Paused != "" {
		fmt.Fprintf(w, "binding\tis paused: %s\n", row.Paused)
	}
	fmt.Fprintf(w, "images\t%s, generation %d\n", orNone(row.State), row.Generation)
	if row.Trace != "" {
		fmt.Fprintf(w, "\ttrace %s\n", row.Trace)
	}
	if row.Problem != nil {
		fmt.Fprintf(w, "\t%s: %s\n", row.Problem.Code, row.Problem.Message)
	}
	for _, image := range row.Images {
		printImage(w, image, now)
	}
	for _, d := range row.Deliveries {
		when := "created " + ago(d.CreatedAt, now)
		if d.EndedAt != nil {
			when = "ended " + ago(d.EndedAt, now)
		}
		fmt.Fprintf(w, "delivery\t%s to %s: %s of generation %d, %s, %s, %s%s\n", d.State, d.Sink, d.Event, d.Generation, tries(d.Attempts), when, d.ID, because(errorOf(d)))
		printAnswer(w, d.Answer)
	}
}

func printImage(w io.Writer, image client.RowImage, now time.Time) {
	is := "made " + ago(image.RenderedAt, now)
	if image.RenderedAt == nil {
		is = "not made yet"
	}
	if image.Waiting {
		is += ", a newer one is wanted"
	}
	fmt.Fprintf(w, "image\t%s: generation %d, %s, %d × %d %s\n", image.Output, image.Generation, is, image.Width, image.Height, image.Format)
	if image.URL != "" {
		fmt.Fprintf(w, "\t%s\n", image.URL)
	}
	if image.ContentHash != "" {
		fmt.Fprintf(w, "\tbytes %s\n", image.ContentHash)
	}
	if image.Problem != nil {
		fmt.Fprintf(w, "\t%s: %s\n", image.Problem.Code, image.Problem.Message)
	}
	r := image.Render
	if r == nil {
		return
	}
	fmt.Fprintf(w, "\ttemplate %s version %d, fingerprint %.16s…\n", r.Template, r.TemplateVersion, r.Fingerprint)
	fmt.Fprintf(w, "\trender %s: %s, %.0f ms%s, %d bytes, wanted %s, ended %s\n", r.State, tries(r.Attempts), r.DurationMs, lane(r.Lane), r.Bytes, ago(r.WantedAt, now), ago(r.EndedAt, now))
	if r.ChangedBy != "" {
		fmt.Fprintf(w, "\tnot the picture before because of the %s\n", r.ChangedBy)
	}
	for _, text := range r.Changed {
		fmt.Fprintf(w, "\t%s: %q → %q\n", dashed(text.Variable), text.Before, text.After)
	}
}

// readAt says when the source was last read to its end.
func readAt(row client.Row, now time.Time) string {
	if row.Source.ReadAt == nil {
		return ""
	}
	return ", read " + ago(row.Source.ReadAt, now)
}

func lane(name string) string {
	if name == "" {
		return ""
	}
	return " in the " + name + " lane"
}

func rowIs(row client.Row) string {
	switch {
	case row.Gone:
		return ", gone from its source"
	case row.Missing:
		return ", missing from the last reading"
	}
	return ""
}

func askedAlone(row client.Row, now time.Time) string {
	if row.Source.AskedAt == nil {
		return ""
	}
	return ", asked for alone " + ago(row.Source.AskedAt, now)
}

func because(text string) string {
	if text == "" {
		return ""
	}
	return ": " + dashed(text)
}

func orNone(state string) string {
	if state == "" {
		return "none"
	}
	return state
}

func tries(n int64) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}
