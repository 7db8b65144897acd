package chrome

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	pipeSize  = 1 << 20 // one picture fits, so that Chrome does not wait for us in the middle of it
	lastWords = 16 << 10
	// dyingTime is how long a killed Chrome may take to be gone.
	dyingTime = 5 * time.Second
)

// A process is one running Chrome: its process group, the pipe to it, its
// profile. Nothing of it outlives done.
type process struct {
	pid     int
	started time.Time
	profile string
	conn    chromedp.Transport
	done    chan struct{} // closed when every process of the group is gone, and the profile too

	cmd    *exec.Cmd
	output *tail

	mu   sync.Mutex
	gone bool // the group's number may be another's
}

// startProcess starts the binary at path with args, in a process group and a
// profile of its own. The caller must kill it and wait for done.
func startProcess(path string, args []string, profile string, a account) (*process, error) {
	p := &process{profile: profile, done: make(chan struct{}), output: &tail{max: lastWords}}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = environment(profile)
	p.cmd.Dir = profile
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.WaitDelay = time.Second // a grandchild may hold the output open
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: a.credential()}
	dieWithParent(p.cmd.SysProcAttr)

	conn, theirs, err := newPipes()
	if err != nil {
		return nil, fmt.Errorf("make the pipe to Chrome: %w", err)
	}
	p.cmd.ExtraFiles, p.conn = theirs, conn
	started := make(chan error)
	go p.run(started)
	err = <-started
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	p.pid, p.started = p.cmd.Process.Pid, time.Now()
	expendable(p.pid)
	return p, nil
}

// run starts the command and sees it to its end. The kernel ends Chrome when
// the thread that started it ends, not the process, so the thread is kept.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	defer close(p.done)
	defer p.conn.Close()
	awaitExit(p.cmd)
	p.kill()
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
	_ = p.cmd.Wait() // how it ended is nobody's concern: it should not have
	p.bury()
}

// kill ends every process of the group. It may be called at any time.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // gone already is as good
	}
}

// bury waits until nothing is left of the killed group, not even a dead entry,
// and removes its profile.
func (p *process) bury() {
	group := p.cmd.Process.Pid
	deadline := time.Now().Add(dyingTime)
	for wait := time.Millisecond; time.Now().Before(deadline); wait = min(2*wait, 50*time.Millisecond) {
		reapGroup(group)
		if !groupExists(group) {
			break
		}
		time.Sleep(wait)
	}
	killUsersOf(p.profile)
	_ = removeProfile(p.profile) // what stays is removed as stale at the next start
}

// groupExists reports whether the group has members, living or dead.
func groupExists(group int) bool {
	return !errors.Is(syscall.Kill(-group, 0), syscall.ESRCH)
}

// environment is all that Chrome knows of ours: no secret of the daemon's, and
// every folder that it may want to write to inside its profile.
func environment(profile string) []string {
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
		"HOME=" + profile, "TMPDIR=" + profile,
		"XDG_CONFIG_HOME=" + profile, "XDG_CACHE_HOME=" + profile, "XDG_DATA_HOME=" + profile, "XDG_RUNTIME_DIR=" + profile,
		"DBUS_SESSION_BUS_ADDRESS=disabled:", "DBUS_SYSTEM_BUS_ADDRESS=disabled:", // looked for, not needed
	}
	for _, name := range []string{"FONTCONFIG_FILE", "FONTCONFIG_PATH", "FONTCONFIG_SYSROOT", "TZ", "LD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// A tail keeps the end of what is written to it.
type tail struct {
	max int

	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - t.max; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
