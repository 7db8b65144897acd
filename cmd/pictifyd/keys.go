package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

type keyCommands struct {
	New    newKeyCommand    `cmd:"" help:"Make a key, and print it: it is shown this once."`
	List   listKeysCommand  `cmd:"" help:"Show the keys, what they may, what they have spent, when they were last used."`
	Revoke revokeKeyCommand `cmd:"" help:"End a key, and the sessions that were opened with it, at once."`
}

// adminFlags are common to commands that manage a running daemon.
type adminFlags struct {
	Server string `default:"http://127.0.0.1:8080" env:"PICTIFYD_SERVER" placeholder:"URL" help:"The daemon's address (${default})."`
	Key    string `env:"PICTIFYD_KEY" placeholder:"KEY" help:"A key of the daemon with the scope admin. In the environment it is seen by fewer."`
	JSON   bool   `help:"Print JSON." name:"json"`
}

func (f adminFlags) remote() client.Remote { return client.Remote{URL: f.Server, Key: f.Key} }

// interruptible is a context that ends with the command.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
}

type newKeyCommand struct {
	adminFlags
	Name      string   `arg:"" help:"The key's name, for logs and to revoke it."`
	Scopes    []string `placeholder:"SCOPE" help:"What it may do, as renders:write,images:read; without any, everything."`
	Templates []string `placeholder:"NAME" help:"The templates that it may use and see; without any, all."`
	Origins   []string `placeholder:"ORIGIN" help:"The web pages that may use it, as https://shop.example."`
	Rate      int      `placeholder:"N" help:"Requests a minute."`
	Quota     string   `placeholder:"N/day" help:"Images a day or month, as 1000/day or 50000/month."`
	Expires   string   `placeholder:"TIME" help:"When it ends: after a time, as 90d, or on a date, as 2027-01-31."`
}

func (c *newKeyCommand) Run(t *terminal) error {
	ends, err := expiry(c.Expires, time.Now())
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	made, err := c.remote().NewKey(ctx, client.KeyOrder{
		Name: c.Name, Scopes: c.Scopes, Templates: c.Templates, Origins: c.Origins, Rate: c.Rate, Quota: c.Quota, ExpiresAt: ends,
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(made)
	}
	fmt.Fprintln(t.out, made.Key)
	fmt.Fprintf(t.err, "This is the key %q. It is not shown again.\n", made.Name)
	return nil
}

// expiry reads when a key ends: a time from now, or the end of a day of UTC.
func expiry(text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // never
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		end := day.AddDate(0, 0, 1)
		return &end, nil
	}
	d, err := config.ParseDuration(text)
	if err != nil || d <= 0 {
		return nil, problem.New(problem.Invalid, "%q is no time when a key ends", text).At("--expires").WithHint("write 90d, 12h, or a date as 2027-01-31")
	}
	end := now.Add(time.Duration(d)).UTC().Truncate(time.Second)
	return &end, nil
}

type listKeysCommand struct{ adminFlags }

func (c *listKeysCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	keys, err := c.remote().Keys(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string][]client.Key{"keys": keys})
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tKEY\tSCOPES\tTEMPLATES\tRATE\tQUOTA\tLAST USED\tEXPIRES")
	for _, k := range keys {
		start, rate, quota := "configuration", "-", cmp.Or(k.Quota, "-")
		if k.Start != "" {
			start = k.Start + "…"
		}
		if k.Rate > 0 {
			rate = strconv.Itoa(k.Rate) + "/min"
		}
		if k.Quota != "" {
			quota = fmt.Sprintf("%d of %s", k.Spent, k.Quota)
		}
		ends := when(k.ExpiresAt, "never")
		if k.Expired {
			ends += " (is over)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Name, start, all(k.Scopes), all(k.Templates), rate, quota, when(k.UsedAt, "never"), ends)
	}
	return w.Flush()
}

func all(words []string) string { return cmp.Or(strings.Join(words, ","), "all") }

func when(t time.Time, never string) string {
	if t.IsZero() {
		return never
	}
	return t.UTC().Format("2006-01-02 15:04")
}

type revokeKeyCommand struct {
	adminFlags
	Name string `arg:"" help:"The key's name or id."`
}

func (c *revokeKeyCommand) Run(t *terminal) error {
	ctx, stop := interruptible()
	defer stop()
	if err := c.remote().RevokeKey(ctx, c.Name); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]string{"revoked": c.Name})
	}
	fmt.Fprintf(t.out, "the key %q is revoked\n", c.Name)
	return nil
}
