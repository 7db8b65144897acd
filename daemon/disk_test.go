package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// childDisk is the size of a filesystem of its own that the child keeps its data
// on, so that it can be filled.
const childDisk = "PICTIFYD_CHILD_DISK"

// mountDisk makes dir a small filesystem that only this process sees.
func mountDisk(dir, size string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// Nothing that is mounted here may reach the parent's view.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		return fmt.Errorf("mount a small disk on %s: %w", dir, err)
	}
	return nil
}

// ownMounts gives a child mounts of its own; without root, by a user namespace
// in which it is root.
func ownMounts() *syscall.SysProcAttr {
	if os.Getuid() == 0 {
		return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

func TestFullDiskLosesNothing(t *testing.T) {
	s := newSite(t, catalogWithHook)
	const rows = 60
	s.write("rows.csv", csvRows(rows, "one"))
	p := s.start(childDisk + "=6m")
	eventually(t, "all images", func() bool { return p.ready("cards") == rows })

	// The disk as the daemon sees it, filled to the last byte.
	filler := filepath.Join("/proc", fmt.Sprint(p.cmd.Process.Pid), "root", s.dir, "data", "filler")
	fill(t, filler)
	s.write("rows.csv", strings.Replace(csvRows(rows, "one"), "one 7", "two 7", 1))
	eventually(t, "the full disk is shown", func() bool {
		return p.get("/readyz", nil) == 503 || p.binding("cards").Error != ""
	})
	if v := p.binding("cards"); v.Items != rows {
		t.Errorf("on the full disk: %+v, want all %d images", v, rows)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	p.refresh("cards")
	eventually(t, "the change is drawn once there is room", func() bool {
		return p.ready("cards") == rows && s.receiver.lastGenerations(t)["SKU-007"] == 2
	})
	if v := p.binding("cards"); v.Error != "" || v.Failed != 0 {
		t.Errorf("after there is room again: %+v", v)
	}
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// fill writes a file until no byte more fits on its disk.
func fill(tb testing.TB, path string) {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 4 << 10, 512, 1} {
		block := make([]byte, size)
		for {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
	}
}
