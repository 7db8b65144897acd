package bench

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMeterCountsWhatChildrenUse(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skip("this system has no /proc: ", err)
	}
	m := Watch(os.Getpid(), 20*time.Millisecond)
	// The shell's child ends before it does, the shell before the meter does: the
	// time of both must not be lost.
	script := `i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done`
	cmd := exec.Command("sh", "-c", "sh -c '"+script+"'; "+script)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u := m.Stop()
	if u.CPU < used-50*time.Millisecond || used == 0 {
		t.Errorf("counted %v, of which the children alone used %v", u.CPU, used)
	}
	if u.Processes < 2 || u.PeakMB() < 1 || u.OwnMB() < 1 || u.OwnMB() > u.PeakMB() {
		t.Errorf("%d processes, %.1f MB, %.1f MB of its own", u.Processes, u.PeakMB(), u.OwnMB())
	}
}

func TestFamilyIsAProcessWithAllBelowIt(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc: ", err)
	}
	stranger, parent := exec.Command("sleep", "60"), exec.Command("sh", "-c", "sh -c 'sleep 60 & echo; wait'; true")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []*exec.Cmd{stranger, parent} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // the grandchild is there
		t.Fatal(err)
	}
	all := family(parent.Process.Pid)
	if len(all) != 3 || all[0] != parent.Process.Pid || slices.Contains(all, stranger.Process.Pid) {
		t.Errorf("the family of %d is %v", parent.Process.Pid, all)
	}
	for _, pid := range all[1:] {
		if child, err := os.FindProcess(pid); err == nil {
			_ = child.Kill()
		}
	}
}

func TestUsageOfAProcessThatIsGoneIsNothing(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if u := Watch(cmd.Process.Pid, time.Hour).Stop(); u.CPU != 0 || u.PeakMB() != 0 {
		t.Errorf("got %+v", u)
	}
}

func TestQuartersAreMeans(t *testing.T) {
	mb := func(values ...int64) (bytes []int64) {
		for _, v := range values {
			bytes = append(bytes, v<<20)
		}
		return bytes
	}
	for _, tc := range []struct {
		memory []int64
		want   []float64
	}{
		{mb(1, 3, 5, 7, 9, 11, 20, 40), []float64{2, 6, 10, 30}},
		{mb(1, 2, 3, 4, 5), []float64{1, 2, 3, 4.5}},
		{mb(5, 6), []float64{5, 5, 6, 6}},
		{mb(8), []float64{8, 8, 8, 8}},
	} {
		if d := cmp.Diff(tc.want, Usage{Memory: tc.memory}.QuartersMB()); d != "" {
			t.Errorf("%v: %s", tc.memory, d)
		}
	}
}
