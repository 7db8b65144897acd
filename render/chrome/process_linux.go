package chrome

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent makes the kernel kill the new process when the thread that
// starts it ends: also when the daemon is killed and can't say goodbye.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// expendable makes the kernel, when memory runs out, take the process and those
// that it starts before this one. Chrome puts its renderers before itself, at 300.
func expendable(pid int) {
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("200"), 0) // without it the kernel goes by size alone
}

// awaitExit blocks until the command has ended, and leaves it to be reaped:
// until then its number, which is its group's, can't be given to another.
func awaitExit(cmd *exec.Cmd) {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// adoptOrphans makes the processes that a killed Chrome leaves behind this
// process's children, so that it can reap them. Otherwise they are the first
// process's, which in a container often reaps nobody: each Chrome would leave
// half a dozen defunct entries for ever.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// reapGroup takes the dead of the group that became our children.
func reapGroup(group int) {
	for {
		pid, err := unix.Wait4(-group, nil, unix.WNOHANG, nil)
		if err != nil || pid <= 0 {
			return
		}
	}
}

// widen makes room for a whole picture in the pipe. The kernel may refuse it
// to a user with many pipes; then the pipe works as it is.
func widen(f *os.File) {
	if raw, err := f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
}
