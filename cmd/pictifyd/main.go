// Command pictifyd keeps images in step with live data.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	_ "time/tzdata" // the time zones, where a slim image has none

	"github.com/alecthomas/kong"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Exit codes: what a script may branch on.
const (
	exitDone         = 0
	exitFault        = 1 // ours
	exitInput        = 2 // yours
	exitSurroundings = 3 // a source is down, no Chrome, a port in use
)

type commands struct {
	Run        runCommand        `cmd:"" help:"Run the daemon. SIGTERM drains and ends it; SIGHUP, or a change of its file, reads the configuration again."`
	Check      checkCommand      `cmd:"" help:"Show every problem of the configuration and its templates, with line and column."`
	Plan       planCommand       `cmd:"" help:"Read the source of a binding once, and show which rows are new, changed, gone, which variables differ, and what the guard would hold. Renders and writes nothing."`
	Template   templateCommands  `cmd:"" help:"Make, judge and change templates of a folder, and carry them to a daemon and back."`
	Batch      batchCommand      `cmd:"" help:"Send a file of rows to a daemon, watch the job, and fetch the images. The same command goes on where it was left."`
	Status     statusCommand     `cmd:"" help:"Show how the sources, bindings and sinks of a running daemon are. Ends with 3 where something is in error."`
	Explain    explainCommand    `cmd:"" help:"Show why the images of one row look as they do: its source, what changed, the renders, each delivery."`
	RunNow     runNowCommand     `cmd:"" help:"Run a binding now, for this moment or a past one, as its schedule does. What looks as before is not made again."`
	Refresh    refreshCommand    `cmd:"" aliases:"sync" help:"Have a running daemon read the source of a binding now, or only some rows of it."`
	Rerender   rerenderCommand   `cmd:"" help:"Have a running daemon draw the images of a binding again, although nothing changed."`
	Pause      pauseCommand      `cmd:"" help:"Stop a binding of a running daemon: its images stay as they are, also after a restart. Or a sink: what it should be told waits."`
	Resume     resumeCommand     `cmd:"" help:"Let a paused binding go on, or a sink that is paused, rests or is disabled."`
	Deliveries deliveryCommands  `cmd:"" help:"Show what sinks were told, and what they could not be told; try it again, or discard it."`
	Redeliver  redeliverCommand  `cmd:"" help:"Tell a sink again what it was told last, for a receiver that has lost what it knew."`
	Guard      guardCommand      `cmd:"" help:"Show what the guard of a binding holds, before and after, or accept it."`
	Quarantine quarantineCommand `cmd:"" help:"Show the rows of a binding that are kept out or failed, and why; or what is kept out of a source. Of a stream, try it again, or discard it."`
	Resync     resyncCommand     `cmd:"" help:"Have a source that is a stream read all its rows again. What is as before is not drawn again."`
	Gap        gapCommand        `cmd:"" help:"Show how the streams fare: gaps, halts, and what to do about them."`
	Keys       keyCommands       `cmd:"" help:"Make, list and revoke keys of a running daemon."`
	Store      storeCommands     `cmd:"" help:"Bring the store to another version or database."`
	MCP        mcpCommand        `cmd:"" name:"mcp" help:"Let an agent work with a daemon, by the Model Context Protocol over standard input and output. Clients start it; docs/mcp.md says how."`
	Config     configCommands    `cmd:"" help:"What editors need to know of the configuration."`
	Bench      benchCommands     `cmd:"" help:"Measure how fast this machine makes images, of rows made from a seed."`
	Doctor     doctorCommand     `cmd:"" help:"Show what this machine has of what pictifyd needs, and what to do about the rest. Ends with 3 where something is missing."`
	Version    versionCommand    `cmd:"" help:"Show the version."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("pictifyd"), kong.UsageOnError(), kong.Writers(stdout, stderr),
		kong.Description("A row changes; its one image changes; its URL arrives."))
	if err != nil {
		fmt.Fprintln(stderr, "pictifyd:", err)
		return exitFault
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "pictifyd: %v (--help lists commands and flags)\n", err)
		return exitInput
	}
	err = parsed.Run(&terminal{stdin, stdout, stderr})
	if err != nil {
		report(stderr, err)
	}
	return exitCode(err)
}

// A terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// report prints one problem a line.
func report(w io.Writer, err error) {
	var list problem.List
	if errors.As(err, &list) {
		for _, p := range list {
			fmt.Fprintln(w, p)
		}
		return
	}
	fmt.Fprintln(w, "pictifyd:", err)
}

func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	var p *problem.Error
	if !errors.As(err, &p) {
		return exitFault
	}
	switch p.Code {
	case problem.Surroundings, problem.Upstream, problem.Timeout, problem.Overloaded:
		return exitSurroundings
	case problem.Internal:
		return exitFault
	default:
		return exitInput
	}
}

// A configFlag is common to the commands that read the configuration.
type configFlag struct {
	Config string `short:"c" default:"pictifyd.yaml" help:"The configuration file." placeholder:"FILE"`
}

type runCommand struct {
	configFlag
	Once      bool   `help:"Read every source once, render, deliver, and end."`
	Standby   bool   `help:"Wait while another pictifyd works with the store, and take over when it ends, is frozen or cut off (of a SQLite store: when it ends). Meanwhile only /healthz answers 200."`
	Roles     string `placeholder:"ROLES" help:"What this process does, of api, connect, render and deliver, with commas between them, in place of roles in the configuration; without both all of it. It works with others on one store in PostgreSQL, and stands by where another one has the role connect. See docs/scaling.md."`
	LogFormat string `enum:"text,json" default:"text" help:"How the log is written: text or json."`
	LogLevel  string `enum:"debug,info,warn,error" default:"info" help:"The least level that is logged."`
}

func (c *runCommand) Run(t *terminal) error {
	log := c.logger(t.err)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // a second signal ends at once
	}()
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)

	var roles daemon.Roles
	if c.Roles != "" {
		var err error
		if roles, err = daemon.ParseRoles(c.Roles); err != nil {
			return err
		}
	}
	settings, err := daemon.Load(c.Config)
	if err == nil {
		settings, err = settings.With(roles)
	}
	if err == nil && c.Once && settings.Roles.Member() {
		err = problem.New(problem.Invalid, "--once reads the sources, which needs the role connect").WithHint("leave --once out, or add the role")
	}
	if err != nil {
		return err
	}
	watched := c.Config
	if c.Once {
		watched = ""
	}
	return supervisor{
		log: log, run: daemon.Run,
		options: daemon.Options{Log: log, Version: version, Roles: roles, Once: c.Once, Standby: c.Standby, Cache: cacheFolder(), Config: watched, Reload: reload},
	}.supervise(ctx, settings)
}

func (c *runCommand) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // the flag's enum allows only levels
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

type checkCommand struct {
	configFlag
	Online bool `help:"Also ask the sources for their first rows, and the sinks whether they are there. Nothing is delivered. Ends with 3 where only they are at fault."`
}

func (c *checkCommand) Run(t *terminal) error {
	if !c.Online {
		report, err := daemon.Check(c.Config)
		if err == nil {
			fmt.Fprintln(t.out, report)
		}
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	report, err := daemon.CheckOnline(ctx, c.Config)
	if report != "" {
		fmt.Fprintln(t.out, report)
	}
	return err
}

// cacheFolder is where this user's programs keep what they can find out again,
// "" for a user who has no such place.
func cacheFolder() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "pictifyd")
}
