//go:build unix && !linux

package chrome

import (
	"os"
	"os/exec"
	"syscall"
)

// dieWithParent does nothing: here Chrome ends when its pipe does.
func dieWithParent(*syscall.SysProcAttr) {}

// awaitExit blocks until the command has ended, and reaps it.
func awaitExit(cmd *exec.Cmd) { _ = cmd.Wait() }

func adoptOrphans() error { return nil }

func reapGroup(int) {}

func widen(*os.File) {}

func expendable(int) {}
