package chrome

import (
	"context"
	"errors"
	"fmt"
	"io"
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

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// These tests see a pool as its users do: Open, Render, Status, Close. What they
// know beside is that a Chrome's command line names its profile.

// moodyName is the name of a Chrome that does as the file beside it says.
const moodyName = "moody-chrome"

func init() {
	if filepath.Base(os.Args[0]) != moodyName {
		return
	}
	text, err := os.ReadFile(os.Args[0] + ".mood")
	if err != nil {
		os.Exit(1)
	}
	mood, path, _ := strings.Cut(string(text), " ")
	switch mood {
	case "real":
		err := syscall.Exec(path, append([]string{path}, os.Args[1:]...), os.Environ())
		fmt.Fprintln(os.Stderr, err)
	case "silent":
		_, _ = io.Copy(io.Discard, os.NewFile(3, "commands"))
	case "refusing":
		fmt.Fprintln(os.Stderr, "not today")
	}
	os.Exit(1)
}

// A chaos is a pool whose Chromes are treated badly.
type chaos struct {
	*Pool
	dir      string // of its profiles
	moody    string // the path of its Chrome
	real     string
	strength int // how many Chromes it had when all was well
}

func newChaos(t *testing.T, files Files, browsers string) *chaos {
	t.Helper()
	if campaign.Leaves(t) {
		t.Skip("takes its time: runs in the pass without -short")
	}
	path, err := Find(realChrome(t))
	if err != nil {
		t.Fatal(err)
	}
	c := &chaos{dir: newDir(t), moody: filepath.Join(newDir(t), moodyName), real: path}
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.moody, program, 0o755); err != nil {
		t.Fatal(err)
	}
	c.mood(t, "real")
	cfg := DefaultConfig()
	cfg.Chrome, cfg.Browsers = c.moody, browsers
	if c.Pool, err = Open(t.Context(), cfg, files, Options{Dir: c.dir, Deadline: 3 * time.Second}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.mustEnd(t) })
	eventually(t, "all Chromes run", func() bool {
		c.mustDraw(t, 4)
		return fmt.Sprint(len(running(c.Pool))) == browsers
	})
	c.strength = len(running(c.Pool))
	return c
}

// mood says how Chrome is from its next start on.
func (c *chaos) mood(t *testing.T, mood string) {
	t.Helper()
	next := c.moody + ".next"
	if err := os.WriteFile(next, []byte(mood+" "+c.real), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, c.moody+".mood"); err != nil {
		t.Fatal(err)
	}
}

// begin draws n rows, each of a page of its own so that each opens a tab.
func (c *chaos) begin(t *testing.T, n int) (wait func()) {
	var rows sync.WaitGroup
	for i := range n {
		rows.Go(func() {
			r := card(fmt.Sprintf("<p>row %d", i))
			r.Page = fmt.Sprint("page ", i)
			c.drawLikeADaemon(t, r)
		})
	}
	return rows.Wait
}

// drawLikeADaemon draws a row, again for as long as it is told that this may
// help. A row that is told otherwise is lost.
func (c *chaos) drawLikeADaemon(t *testing.T, r render.Request) {
	for range 20 {
		out, err := c.Render(t.Context(), r)
		if err == nil && len(out.Bytes) > 0 {
			return
		}
		if err == nil || retry.IsPermanent(err) || errors.Is(err, ErrClosed) || t.Context().Err() != nil {
			t.Errorf("%s is lost: %v", r.Page, err)
			return
		}
		wait, _ := retry.Wait(err)
		after(t, max(wait, 10*time.Millisecond))
	}
	t.Errorf("%s is never drawn", r.Page)
}

func (c *chaos) mustDraw(t *testing.T, n int) {
	t.Helper()
	c.begin(t, n)()
}

// processes are those that name a profile of the pool.
func (c *chaos) processes() (all []int) {
	for _, pid := range pids() {
		if pid != os.Getpid() && strings.Contains(strings.Join(commandLine(pid), " "), c.dir) {
			all = append(all, pid)
		}
	}
	return all
}

// starting is the main process of a Chrome that the pool does not work with yet.
func (c *chaos) starting() int {
	known := running(c.Pool)
	for _, pid := range c.processes() {
		if stat, err := readStat(pid); err == nil && stat.group == pid && stat.state != "Z" && !slices.Contains(known, pid) {
			return pid
		}
	}
	return 0
}

// mustBeWell says that the pool has its strength again, that nothing is left of
// what there was in between, and that it draws.
func (c *chaos) mustBeWell(t *testing.T, groups ...int) {
	t.Helper()
	eventually(t, "the pool is back at strength", func() bool {
		c.mustDraw(t, 4)
		for _, s := range c.Status() {
			if s.State == "failed" || s.State == "starting" {
				return false
			}
		}
		return len(running(c.Pool)) >= c.strength
	})
	gone := slices.DeleteFunc(slices.Clone(groups), func(pid int) bool { return slices.Contains(running(c.Pool), pid) })
	eventually(t, "no orphan is left", func() bool { return len(usersOf("no such folder", gone...)) == 0 && c.starting() == 0 })
	eventually(t, "no profile is left", func() bool {
		profiles, err := os.ReadDir(c.dir)
		return err == nil && len(profiles) == len(running(c.Pool))
	})
	// Each page has a process of its own, and Chrome keeps a few at hand.
	eventually(t, "no tab is left", func() bool {
		renderers := 0
		for _, pid := range c.processes() {
			if slices.Contains(commandLine(pid), "--type=renderer") {
				renderers++
			}
		}
		return renderers <= len(running(c.Pool))*4
	})
}

// mustEnd closes the pool, after which nothing of it is left.
func (c *chaos) mustEnd(t *testing.T) {
	t.Helper()
	groups := running(c.Pool)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	if left := usersOf(c.dir, groups...); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, "\n"))
	}
	mustBeEmpty(t, c.dir)
}

func mustSignal(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatalf("signal %v to %d: %v", signal, pid, err)
	}
}

// after waits, by a timer, for the moment at which something is to happen.
func after(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

func TestChromeKilledAtAnyMomentLosesNoRow(t *testing.T) {
	c := newChaos(t, rendertest.Files{}, "1")
	var groups []int
	for _, moment := range []time.Duration{0, 10, 25, 50, 90, 140} { // ms after the rows began: tabs open, pages load, pictures are taken
		pid := pidOf(t, c.Pool)
		groups = append(groups, pid)
		wait := c.begin(t, 4)
		after(t, moment*time.Millisecond)
		mustSignal(t, pid, syscall.SIGKILL)
		wait()
	}
	c.mustBeWell(t, groups...)
}

func TestIdleChromeThatIsKilledIsReplaced(t *testing.T) {
	c := newChaos(t, rendertest.Files{}, "2")
	groups := running(c.Pool)
	for _, pid := range groups {
		mustSignal(t, pid, syscall.SIGKILL)
	}
	c.mustBeWell(t, groups...)
}

func TestChromeKilledWhileItStartsIsStartedAgain(t *testing.T) {
	c := newChaos(t, rendertest.Files{}, "1")
	groups := []int{pidOf(t, c.Pool)}
	mustSignal(t, groups[0], syscall.SIGKILL)
	for len(groups) < 3 {
		wait := c.begin(t, 1)
		var pid int
		eventually(t, "a Chrome starts", func() bool {
			pid = c.starting()
			return pid != 0 || c.Status()[0].PID != 0 && c.Status()[0].PID != groups[len(groups)-1]
		})
		if pid == 0 { // it was too fast
			pid = pidOf(t, c.Pool)
		}
		groups = append(groups, pid)
		mustSignal(t, pid, syscall.SIGKILL)
		wait()
	}
	c.mustBeWell(t, groups...)
}

func TestChromeKilledWhileThePoolClosesLeavesNothing(t *testing.T) {
	g := newGate(t, 2)
	c := newChaos(t, g, "2")
	first, second := background(t, c.Pool, gated()), background(t, c.Pool, gated())
	<-g.opened
	<-g.opened
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		c.mustEnd(t)
	}()
	for _, pid := range running(c.Pool) {
		mustSignal(t, pid, syscall.SIGKILL)
	}
	<-closed
	for _, wait := range []func() (render.Output, error){first, second} {
		if _, err := wait(); err == nil || retry.IsPermanent(err) {
			t.Errorf("a row in hand ends with %v", err)
		}
	}
}

func TestChromeThatHangsLosesNoRow(t *testing.T) {
	for name, pick := range map[string]func(pid int) []int{
		"its main process": func(pid int) []int { return []int{pid} },
		"its pages": func(pid int) []int {
			return slices.DeleteFunc(groupMembers(pid), func(pid int) bool { return !slices.Contains(commandLine(pid), "--type=renderer") })
		},
		"all of it": groupMembers,
	} {
		t.Run(name, func(t *testing.T) {
			c := newChaos(t, rendertest.Files{}, "2")
			pid := running(c.Pool)[0]
			wait := c.begin(t, 4)
			for _, pid := range pick(pid) {
				mustSignal(t, pid, syscall.SIGSTOP)
			}
			wait()
			c.mustDraw(t, 4)
			if name == "its pages" { // which it may do without
				for _, pid := range pick(pid) {
					mustSignal(t, pid, syscall.SIGCONT)
				}
			}
			c.mustBeWell(t, pid)
		})
	}
}

func TestIdleChromeThatHangsLosesNoRow(t *testing.T) {
	c := newChaos(t, rendertest.Files{}, "1")
	pid := pidOf(t, c.Pool)
	mustSignal(t, pid, syscall.SIGSTOP)
	c.mustDraw(t, 2)
	c.mustBeWell(t, pid)
}

func TestPoolWithAHungChromeCloses(t *testing.T) {
	c := newChaos(t, rendertest.Files{}, "2")
	for _, pid := range running(c.Pool) {
		for _, member := range groupMembers(pid) {
			mustSignal(t, member, syscall.SIGSTOP)
		}
	}
	c.mustEnd(t)
}

// The kernel gives no more memory: to a page, or to Chrome's main process.
func TestChromeOutOfMemoryLosesNoRow(t *testing.T) {
	for name, kind := range map[string]string{"its pages": "--type=renderer", "its main process": ""} {
		t.Run(name, func(t *testing.T) {
			c := newChaos(t, rendertest.Files{}, "1")
			pid := pidOf(t, c.Pool)
			for _, member := range groupMembers(pid) {
				if kind == "" && member != pid || kind != "" && !slices.Contains(commandLine(member), kind) {
					continue
				}
				mustStarve(t, member)
			}
			heavy := card(`<div style="filter:blur(9px);background:linear-gradient(red,blue)">` + strings.Repeat("<p>some text", 3000) + "</div>")
			for i := range 4 {
				heavy.Page = fmt.Sprint("page ", i) // in the tabs that are there, too
				c.drawLikeADaemon(t, heavy)
			}
			c.mustBeWell(t, pid)
		})
	}
}

// mustStarve makes every further request of a process for memory fail. The limit
// is set as the process's own user: root may lack the capability for others.
func mustStarve(t *testing.T, pid int) {
	t.Helper()
	var uid, gid uint32
	if _, err := fmt.Sscan(statusField(pid, "Uid"), &uid); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(statusField(pid, "Gid"), &gid); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("prlimit", "--pid", strconv.Itoa(pid), "--as=1048576")
	if int(uid) != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid, Groups: []uint32{}}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("limit the memory of %d: %v: %s", pid, err, out)
	}
}

func TestChromeThatRefusesToStartIsTriedAgain(t *testing.T) {
	c := newChaos(t, rendertest.Files{}, "2")
	groups := running(c.Pool)
	c.mood(t, "refusing")
	mustSignal(t, groups[0], syscall.SIGKILL)
	eventually(t, "its place has failed", func() bool {
		return slices.ContainsFunc(c.Status(), func(s BrowserStatus) bool { return s.State == "failed" && strings.Contains(s.Err, "not today") })
	})
	c.mustDraw(t, 8) // in the other one
	mustSignal(t, groups[1], syscall.SIGKILL)
	eventually(t, "both places have failed", func() bool {
		return !slices.ContainsFunc(c.Status(), func(s BrowserStatus) bool { return s.State != "failed" })
	})
	_, err := c.Render(t.Context(), card("x"))
	if wait, ok := retry.Wait(err); err == nil || retry.IsPermanent(err) || !ok || wait > time.Minute {
		t.Errorf("without any Chrome a row is told %v", err)
	}
	mustBeEmpty(t, c.dir)
	c.mood(t, "real")
	eventually(t, "one runs again", func() bool { return len(running(c.Pool)) > 0 })
	c.mustBeWell(t, groups...)
}

func TestChromeThatNeverAnswersHoldsUpNobody(t *testing.T) {
	c := newChaos(t, rendertest.Files{}, "2")
	groups := running(c.Pool)
	c.mood(t, "silent")
	mustSignal(t, groups[0], syscall.SIGKILL)
	eventually(t, "another one starts, and says nothing", func() bool { return c.starting() != 0 })
	c.mustDraw(t, 8)
	mustSignal(t, groups[1], syscall.SIGKILL)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := c.Render(ctx, card("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with none that answers a row ends with %v", err)
	}
	c.mustEnd(t) // at once, though both are still being waited for
}
