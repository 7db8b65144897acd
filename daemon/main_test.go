package daemon

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// The variables by which the test binary becomes a daemon of its own, so that
// a test can kill it.
const (
	childConfig = "PICTIFYD_CHILD_CONFIG" // the configuration to run
	childCrash  = "PICTIFYD_CHILD_CRASH"  // point:n, where it kills itself at the n-th passing
	childFreeze = "PICTIFYD_CHILD_FREEZE" // point:n, where it stops itself, as SIGSTOP does, until SIGCONT
	childChrome = "PICTIFYD_CHILD_CHROME" // not empty: with the real Chrome pool
	childReload = "PICTIFYD_CHILD_RELOAD" // not empty: the configuration is read again as it changes, and at a hangup
	childStand  = "PICTIFYD_CHILD_STAND"  // not empty: it stands by
	childHaste  = "PICTIFYD_CHILD_HASTE"  // not empty: failed deliveries are tried again soon, and for ever
	childKeep   = "PICTIFYD_CHILD_KEEP"   // for how long it keeps what is kept for a time, and sweeps twice in that
	childRoles  = "PICTIFYD_CHILD_ROLES"  // the roles, as of --roles
	childNull   = "PICTIFYD_CHILD_NULL"   // DURATION/N: what a picture takes, and how many are drawn at a time
	childDrawn  = "PICTIFYD_CHILD_DRAWN"  // a file that gets the hash of each picture that was drawn
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childConfig); path != "" {
		os.Exit(child(path))
	}
	if spec := os.Getenv(childMount); spec != "" {
		os.Exit(lendDisk(spec))
	}
	os.Exit(m.Run())
}

// child is a whole daemon. It writes its address to standard output.
func child(path string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if size := os.Getenv(childDisk); size != "" {
		if err := mountDisk(filepath.Join(filepath.Dir(path), "data"), size); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	settings, err := loadWithFinder(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var roles Roles
	if text := os.Getenv(childRoles); text != "" {
		roles, err = ParseRoles(text)
		if err == nil {
			settings, err = settings.With(roles)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	o := Options{
		Roles:     roles,
		Log:       slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Listening: func(addr net.Addr) { fmt.Println("listening", addr) },
		Crash:     crashAt(os.Getenv(childCrash), syscall.SIGKILL),
	}
	if spec := os.Getenv(childFreeze); spec != "" {
		o.Crash = crashAt(spec, syscall.SIGSTOP)
	}
	if os.Getenv(childStand) != "" {
		o.Standby = true
	}
	if o.Standby || roles.Partial() {
		o.StandingBy = func(addr net.Addr) { fmt.Println("standing by", addr) }
	}
	if os.Getenv(childChrome) == "" {
		null := &rendertest.Null{Delay: 8 * time.Millisecond} // so that a turn is recorded in parts
		if text := os.Getenv(childNull); text != "" {
			if null, err = nullOf(text); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 2
			}
		}
		if file := os.Getenv(childDrawn); file != "" {
			null.DoneFunc = noteDrawn(file)
		}
		o.Renderer = null
	}
	if os.Getenv(childHaste) != "" {
		retrySchedule = slices.Repeat([]time.Duration{200 * time.Millisecond}, 1000)
		sinkRest = retry.Backoff{Base: 50 * time.Millisecond, Max: 500 * time.Millisecond}
	}
	if text := os.Getenv(childKeep); text != "" {
		keep, err := time.ParseDuration(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		settings.Keep.Results, settings.Keep.Superseded = Term(keep), Term(keep)
		walkEvery, walkFirst, putRest = keep/2, keep/2, keep/2
	}
	if os.Getenv(childReload) != "" {
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		o.Config, o.Reload = path, hangup
	}
	if err := Run(ctx, settings, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// nullOf is a renderer of childNull's form.
func nullOf(text string) (*rendertest.Null, error) {
	took, slots, _ := strings.Cut(text, "/")
	delay, err := time.ParseDuration(took)
	if err != nil {
		return nil, err
	}
	parallel, err := strconv.Atoi(slots)
	return &rendertest.Null{Delay: delay, Parallel: parallel}, err
}

// noteDrawn appends the hash of each picture that was drawn to a file.
func noteDrawn(path string) func(context.Context, render.Request, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	return func(_ context.Context, r render.Request, err error) {
		if err == nil {
			fmt.Fprintf(file, "%x\n", sha256.Sum256([]byte(rendertest.Fingerprint(r))))
		}
	}
}

// crashAt kills the process with how, when point is passed for the n-th time.
func crashAt(spec string, how syscall.Signal) func(string) {
	point, number, ok := strings.Cut(spec, ":")
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic(err)
	}
	var passed atomic.Int64
	return func(at string) {
		if at == point && passed.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), how)
			if how == syscall.SIGKILL {
				select {} // nothing runs past the point
			}
			// Other threads than the one that takes the signal run on for a moment:
			// this goes on when the clock has jumped.
			for before := time.Now(); time.Since(before) < 500*time.Millisecond; {
				before = time.Now()
				time.Sleep(time.Millisecond)
			}
		}
	}
}
