package chrome

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A procStat is what /proc says of a process in one line.
type procStat struct {
	state string // R, S, D, Z, …
	group int
	start string // ticks since boot
}

func readStat(pid int) (procStat, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procStat{}, err
	}
	// The name in parentheses may hold anything, also a parenthesis.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return procStat{}, errors.New("short stat")
	}
	group, err := strconv.Atoi(fields[2])
	return procStat{state: fields[0], group: group, start: fields[19]}, err
}

// pids is every process that /proc shows.
func pids() (list []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

// groupMembers is every living process of the group.
func groupMembers(group int) (members []int) {
	for _, pid := range pids() {
		if stat, err := readStat(pid); err == nil && stat.group == group && stat.state != "Z" {
			members = append(members, pid)
		}
	}
	return members
}

// commandLine is the arguments of process pid. Chrome writes the line of a
// renderer anew, with spaces instead of zero bytes.
func commandLine(pid int) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == 0 || r == ' ' })
}

// statusField is one line of /proc/PID/status, "" when there is none.
func statusField(pid int, name string) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// privateMemory is the memory in bytes that only the group's processes hold.
func privateMemory(group int) (sum int64) {
	for _, pid := range groupMembers(group) {
		number, _, _ := strings.Cut(statusField(pid, "RssAnon"), " ")
		if kb, err := strconv.ParseInt(number, 10, 64); err == nil {
			sum += kb << 10
		}
	}
	return sum
}

// killUsersOf ends every process whose command line names the profile at path.
func killUsersOf(path string) {
	for _, pid := range pids() {
		if pid != os.Getpid() && slices.Contains(commandLine(pid), "--user-data-dir="+path) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // gone already is as good
		}
	}
}
