package chrome

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// eventually waits for a condition of the outside world.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// usersOf is every process, dead ones too, that has dir in its command line or
// is in one of the groups.
func usersOf(dir string, groups ...int) (list []string) {
	for _, pid := range pids() {
		stat, err := readStat(pid)
		if err != nil {
			continue
		}
		line := strings.Join(commandLine(pid), " ")
		if pid != os.Getpid() && (strings.Contains(line, dir) || slices.Contains(groups, stat.group)) {
			list = append(list, fmt.Sprintf("%d %s %s", pid, stat.state, line))
		}
	}
	return list
}

// A gate is an assets library in which a test can stop a row.
type gate struct {
	rendertest.Files
	opened chan struct{} // gets a value when a row is stopped

	mu   sync.Mutex
	stop int // rows still to be stopped
}

func newGate(tb testing.TB, stop int) *gate {
	return &gate{
		Files:  rendertest.Files{"dot": {ContentType: "image/png", Bytes: rendertest.PNG(tb, 4, 4, rgb(9, 99, 199))}},
		opened: make(chan struct{}, 16), stop: stop,
	}
}

// Open stops until the row that asks for the file is given up.
func (g *gate) Open(ctx context.Context, digest string) (io.ReadCloser, string, error) {
	g.mu.Lock()
	stopped := g.stop > 0
	if stopped {
		g.stop--
	}
	g.mu.Unlock()
	if stopped {
		g.opened <- struct{}{}
		<-ctx.Done()
		return nil, "", ctx.Err()
	}
	return g.Files.Open(ctx, digest)
}

// gated is a row that the gate may stop.
func gated() render.Request {
	r := card(`<img src="/assets/dot.png">`)
	r.Page = "gated"
	r.Assets = []render.Asset{{Path: "/assets/dot.png", Digest: "dot"}}
	return r
}

// pidOf is the main process of the pool's first Chrome.
func pidOf(t *testing.T, p *Pool) int {
	t.Helper()
	pid := 0
	eventually(t, "a Chrome runs", func() bool { pid = p.Status()[0].PID; return pid != 0 })
	return pid
}

// background renders while the test does something else.
func background(t *testing.T, p *Pool, r render.Request) (wait func() (render.Output, error)) {
	type answer struct {
		out render.Output
		err error
	}
	done := make(chan answer, 1)
	go func() {
		out, err := p.Render(t.Context(), r)
		done <- answer{out, err}
	}()
	return func() (render.Output, error) {
		a := <-done
		return a.out, a.err
	}
}

func TestCommandLineOpensChromeToNobody(t *testing.T) {
	p := newPool(t, rendertest.Files{})
	pid := pidOf(t, p)
	if stat, err := readStat(pid); err != nil || stat.group != pid {
		t.Errorf("Chrome %d is in group %d, %v", pid, stat.group, err)
	}
	members := groupMembers(pid)
	if len(members) < 3 {
		t.Fatalf("the group has only %d processes", len(members))
	}
	for _, member := range members {
		line := commandLine(member)
		if err := checkFlags(line, true); err != nil {
			t.Errorf("process %d: %v: %v", member, err, line)
		}
		if os.Getuid() == 0 && strings.HasPrefix(statusField(member, "Uid"), "0\t") {
			t.Errorf("process %d runs as root: %v", member, line)
		}
	}
	line := commandLine(pid)
	for _, want := range []string{"--remote-debugging-pipe", "--proxy-bypass-list=<-loopback>", "--proxy-server=http://" + p.launcher.egress.addr()} {
		if !slices.Contains(line, want) {
			t.Errorf("%s is not in %v", want, line)
		}
	}
	for _, entry := range mustReadEnviron(t, pid) {
		if strings.HasPrefix(entry, "PICTIFYD_") {
			t.Errorf("Chrome knows %s", entry)
		}
	}
}

func mustReadEnviron(t *testing.T, pid int) []string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\x00")
}

func TestForbiddenFlagIsRefused(t *testing.T) {
	for _, flag := range []string{"--no-sandbox", "--remote-debugging-port=0", "--disable-web-security"} {
		if err := checkFlags([]string{"--headless", flag}, true); err == nil {
			t.Errorf("%s passes", flag)
		}
	}
	for _, f := range fixedFlags {
		if f.why == "" {
			t.Errorf("--%s has no reason", f.name)
		}
	}
	if err := checkFlags(commandFlags("/profile", "127.0.0.1:1", true), true); err != nil {
		t.Error(err)
	}
}

func TestRenderersAreInTheSandbox(t *testing.T) {
	p := newPool(t, rendertest.Files{})
	if _, err := p.Render(t.Context(), card("")); err != nil {
		t.Fatal(err)
	}
	if seen, err := LookAtSandbox(pidOf(t, p)); err != nil || seen.Renderers < 1 || seen.Namespace != "user" {
		t.Errorf("seen are %+v, %v", seen, err)
	}
	if err := lookAtRenderers(syscall.Getpgrp()); err == nil {
		t.Error("a group without Chrome passes")
	}
}

func TestChromeWithoutSandboxIsSeen(t *testing.T) {
	var warned strings.Builder
	p := newPool(t, rendertest.Files{}, func(c *Config, o *Options) {
		c.Sandbox = SandboxNone
		o.Log = slog.New(slog.NewTextHandler(&warned, nil))
	})
	if _, err := p.Render(t.Context(), card("")); err != nil {
		t.Fatal(err)
	}
	if err := lookAtRenderers(pidOf(t, p)); err == nil {
		t.Error("renderers without a sandbox pass as if they had one")
	}
	if !strings.Contains(warned.String(), "without its sandbox") {
		t.Errorf("the log says nothing: %s", warned.String())
	}
}

func TestCloseLeavesNoProcessAndNoProfile(t *testing.T) {
	dir := newDir(t)
	p := newPool(t, rendertest.Files{}, withBrowsers("2"), func(_ *Config, o *Options) { o.Dir = dir })
	var groups []int
	eventually(t, "both Chromes run", func() bool {
		mustRenderParallel(t, p, 4)
		groups = running(p)
		return len(groups) == 2
	})
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := usersOf(dir, groups...); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "\n"))
	}
	mustBeEmpty(t, dir)
	if _, err := p.Render(t.Context(), card("")); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed pool says %v", err)
	}
}

// running is the main processes of the pool's Chromes.
func running(p *Pool) (pids []int) {
	for _, s := range p.Status() {
		if s.PID != 0 {
			pids = append(pids, s.PID)
		}
	}
	return pids
}

func mustRenderParallel(t *testing.T, p *Pool, n int) {
	t.Helper()
	var rows sync.WaitGroup
	for range n {
		rows.Go(func() {
			if _, err := p.Render(t.Context(), card("")); err != nil {
				t.Error(err)
			}
		})
	}
	rows.Wait()
}

func mustBeEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s is left", e.Name())
	}
}

func TestCloseEndsWhatIsInHandWithItsContext(t *testing.T) {
	g := newGate(t, 9)
	p := newPool(t, g)
	wait := background(t, p, gated())
	<-g.opened
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(); !errors.Is(err, ErrClosed) {
		t.Errorf("the row in hand ends with %v", err)
	}
}

func TestKilledDaemonLeavesNoChrome(t *testing.T) {
	realChrome(t)
	dir := newDir(t)
	daemon := exec.Command(os.Args[0])
	daemon.Env = append(os.Environ(), childDir+"="+dir)
	daemon.Stderr = t.Output()
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	var status []BrowserStatus
	if err := json.NewDecoder(out).Decode(&status); err != nil {
		t.Fatal(err)
	}
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Wait()
	eventually(t, "no Chrome is left", func() bool {
		return !slices.ContainsFunc(usersOf(dir, status[0].PID), func(line string) bool { return !strings.Contains(line, " Z ") })
	})
	if profiles, _ := filepath.Glob(filepath.Join(dir, profilePrefix+"*")); len(profiles) != 1 {
		t.Fatalf("the killed daemon left %v", profiles)
	}
	removeStale(dir, slog.New(slog.DiscardHandler))
	mustBeEmpty(t, dir)
}

func TestLivingDaemonsProfileStays(t *testing.T) {
	dir := newDir(t)
	profile, err := newProfile(dir, account{})
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, profilePrefix+"1.1.1-x")
	dead := filepath.Join(dir, profilePrefix+fmt.Sprintf("%s.1.%s-x", strconv.FormatInt(int64(os.Getpid()), 36), pidNamespace()))
	for _, path := range []string{foreign, dead} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	removeStale(dir, slog.New(slog.DiscardHandler))
	for path, want := range map[string]bool{profile: true, foreign: true, dead: false} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: kept %t, want %t", filepath.Base(path), err == nil, want)
		}
	}
}

func TestKilledChromeCostsTheRowNothing(t *testing.T) {
	g := newGate(t, 1)
	p := newPool(t, g)
	wait := background(t, p, gated())
	<-g.opened
	before := pidOf(t, p)
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(); err != nil {
		t.Errorf("the row: %v", err)
	}
	if s := p.Status()[0]; s.PID == before || s.Restarts != 1 {
		t.Errorf("after %d was killed: %+v", before, s)
	}
	if left := usersOf("no such folder", before); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRowsBesideAKilledChromeAreDoneElsewhere(t *testing.T) {
	g := newGate(t, 4)
	p := newPool(t, g, withBrowsers("2"), plainly)
	waits := make([]func() (render.Output, error), 4)
	for i := range waits {
		waits[i] = background(t, p, gated())
	}
	for range waits {
		<-g.opened
	}
	for _, s := range p.Status() {
		if err := syscall.Kill(s.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for i, wait := range waits {
		if _, err := wait(); err != nil {
			t.Errorf("row %d: %v", i, err)
		}
	}
}

func TestRowThatKillsTwoChromesIsItsOwnFault(t *testing.T) {
	g := newGate(t, 2)
	p := newPool(t, g)
	wait := background(t, p, gated())
	for range 2 {
		<-g.opened
		if err := syscall.Kill(pidOf(t, p), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	_, err := wait()
	var fault *problem.Error
	if !retry.IsPermanent(err) || !errors.As(err, &fault) || fault.Slug != SlugRenderCrashed {
		t.Errorf("the error is %v", err)
	}
	if _, err := p.Render(t.Context(), gated()); err != nil {
		t.Errorf("the next row: %v", err)
	}
}

func TestHungPageIsEndedAtTheDeadlineAndTriedAgain(t *testing.T) {
	g := newGate(t, 1)
	p := newPool(t, g, withDeadline(2*time.Second))
	before := pidOf(t, p)
	if _, err := p.Render(t.Context(), gated()); err != nil {
		t.Error(err)
	}
	if after := pidOf(t, p); after != before {
		t.Error("a Chrome whose tab could be closed was killed")
	}
}

func TestChromeThatHangsIsKilledAtTheDeadline(t *testing.T) {
	g := newGate(t, 1)
	p := newPool(t, g, withDeadline(2*time.Second))
	wait := background(t, p, gated())
	<-g.opened
	before := pidOf(t, p)
	if err := syscall.Kill(-before, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(); err != nil {
		t.Errorf("the row: %v", err)
	}
	if after := pidOf(t, p); after == before {
		t.Error("the hung Chrome was kept")
	}
}

func TestPageThatHangsTwiceIsItsOwnFault(t *testing.T) {
	g := newGate(t, 2)
	p := newPool(t, g, withDeadline(2*time.Second))
	_, err := p.Render(t.Context(), gated())
	var fault *problem.Error
	if !retry.IsPermanent(err) || !errors.As(err, &fault) || fault.Slug != SlugRenderTimeout {
		t.Errorf("the error is %v", err)
	}
}

func TestRowBesideAHungOneIsDoneElsewhere(t *testing.T) {
	g := newGate(t, 2)
	p := newPool(t, g, withDeadline(2*time.Second))
	hung := background(t, p, gated())
	<-g.opened
	beside := background(t, p, gated())
	<-g.opened
	if _, err := hung(); err != nil {
		t.Errorf("the hung row: %v", err)
	}
	if _, err := beside(); err != nil {
		t.Errorf("the row beside it: %v", err)
	}
}

func TestCrashedTabCostsTheRowNothing(t *testing.T) {
	g := newGate(t, 1)
	p := newPool(t, g)
	wait := background(t, p, gated())
	<-g.opened
	before := pidOf(t, p)
	for _, pid := range groupMembers(before) {
		if slices.Contains(commandLine(pid), "--type=renderer") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := wait(); err != nil {
		t.Errorf("the row: %v", err)
	}
	if after := pidOf(t, p); after != before {
		t.Error("the whole Chrome was replaced because of a tab")
	}
}

func TestCanceledRowGivesItsSeatBack(t *testing.T) {
	g := newGate(t, 1)
	p := newPool(t, g, withTabs(1))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := p.Render(ctx, gated())
		done <- err
	}()
	<-g.opened
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if _, err := p.Render(t.Context(), gated()); err != nil {
		t.Errorf("the next row: %v", err)
	}
}

func TestWaitingRowEndsWithItsContext(t *testing.T) {
	g := newGate(t, 1)
	p := newPool(t, g, withTabs(1))
	first := background(t, p, gated())
	<-g.opened
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Render(ctx, gated()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	if err := syscall.Kill(pidOf(t, p), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := first(); err != nil {
		t.Error(err)
	}
}

func TestWornOutChromeIsReplacedBetweenRows(t *testing.T) {
	p := newPool(t, rendertest.Files{}, func(_ *Config, o *Options) { o.Pictures = 3 })
	first := pidOf(t, p)
	for range 3 {
		if _, err := p.Render(t.Context(), card("")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "another Chrome has the place", func() bool { return p.Status()[0].Restarts == 1 })
	eventually(t, "the first is gone", func() bool { return len(usersOf("no such folder", first)) == 0 })
	if _, err := p.Render(t.Context(), card("")); err != nil {
		t.Error(err)
	}
}

func TestHeavyChromeIsReplaced(t *testing.T) {
	p := newPool(t, rendertest.Files{}, func(_ *Config, o *Options) { o.Memory = 1 })
	for range memoryEvery {
		r := card("")
		r.Width, r.Height = 16, 16
		if _, err := p.Render(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "another Chrome has the place", func() bool { return p.Status()[0].Restarts == 1 })
}

func TestIdlePoolKeepsNoChrome(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withBrowsers("2"), withTabs(1), func(c *Config, _ *Options) {
		c.Idle = config.Duration(200 * time.Millisecond)
	})
	for range 2 {
		eventually(t, "both Chromes run", func() bool {
			mustRenderParallel(t, p, 4)
			return len(running(p)) == 2
		})
		eventually(t, "no Chrome is left", func() bool { return len(running(p)) == 0 })
	}
}

func TestPoolOutlivesAChromeThatDoesNotStart(t *testing.T) {
	p := newPool(t, rendertest.Files{})
	link := filepath.Join(newDir(t), "chrome")
	p.mu.Lock()
	real := p.launcher.path
	p.launcher.path = link
	p.mu.Unlock()
	if err := syscall.Kill(pidOf(t, p), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the place has failed", func() bool { s := p.Status()[0]; return s.State == "failed" && s.Err != "" })
	_, err := p.Render(t.Context(), card(""))
	if _, wait := retry.Wait(err); err == nil || !wait || retry.IsPermanent(err) {
		t.Errorf("the error is %v, and should ask for a later try", err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the place is ready again", func() bool { return p.Status()[0].State == "ready" })
	if _, err := p.Render(t.Context(), card("")); err != nil {
		t.Error(err)
	}
}
