// Package deploy holds what pictifyd is deployed with; in Go there are only its tests.
package deploy

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

var update = flag.Bool("update", false, "write seccomp.json anew, from Docker's default profile of this version")

// What clone may be asked for, as in linux/sched.h. Chrome makes a user
// namespace with a pid and a network namespace in it for its zygote, and a pid
// namespace for each renderer. Of the others a mount namespace is what exploits
// of the kernel ask for first.
const (
	newMounts  = 0x00020000
	newCgroup  = 0x02000000
	newUTS     = 0x04000000
	newIPC     = 0x08000000
	newUser    = 0x10000000
	newPIDs    = 0x20000000
	newNet     = 0x40000000
	namespaces = newMounts | newCgroup | newUTS | newIPC | newUser | newPIDs | newNet
	forbidden  = namespaces &^ (newUser | newPIDs | newNet)
)

// profile is Docker's default with what Chrome's sandbox needs beyond it, and
// without what neither Chrome nor pictifyd do.
func profile() *seccomp.Seccomp {
	p := seccomp.DefaultProfile()
	p.Syscalls = slices.DeleteFunc(p.Syscalls, func(s *seccomp.Syscall) bool {
		debugs := slices.Contains(s.Names, "ptrace") && s.Includes.MinKernel != nil
		plainClone := slices.Equal(s.Names, []string{"clone"})
		return debugs || plainClone || slices.Equal(s.Names, []string{"chroot"})
	})
	allow := func(comment string, mask uint64, index uint, only *seccomp.Filter, not *seccomp.Filter, names ...string) {
		call := &seccomp.Syscall{Comment: comment, Includes: only, Excludes: not}
		call.Names, call.Action = names, specs.ActAllow
		if mask != 0 {
			call.Args = []specs.LinuxSeccompArg{{Index: index, Value: mask, Op: specs.OpMaskedEqual}}
		}
		p.Syscalls = append(p.Syscalls, call)
	}
	s390 := []string{"s390", "s390x"}
	allow("Chrome's sandbox: processes in user, pid and network namespaces, and in no other new ones", forbidden, 0, nil, &seccomp.Filter{Arches: s390}, "clone")
	allow("the same, with its arguments in another order", forbidden, 1, &seccomp.Filter{Arches: s390}, nil, "clone")
	allow("Chrome's sandbox: it tries at its start whether it may have them", forbidden, 0, nil, nil, "unshare")
	allow("Chrome's sandbox: its processes leave the file system", 0, 0, nil, nil, "chroot")
	return p
}

func TestSeccompProfileIsDockersWithWhatChromeNeeds(t *testing.T) {
	want, err := json.MarshalIndent(profile(), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("seccomp.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("seccomp.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("seccomp.json is not what is wanted here: go test ./deploy -update writes it")
	}
}

// A call is one that a process in the container might make.
type call struct {
	name string
	arg0 uint64
}

// allows reports what the profile says to a call in a container with these
// capabilities.
func allows(t *testing.T, c call, capabilities ...string) bool {
	t.Helper()
	text, err := os.ReadFile("seccomp.json")
	if err != nil {
		t.Fatal(err)
	}
	container := &specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: capabilities}}}
	p, err := seccomp.LoadProfile(string(text), container)
	if err != nil {
		t.Fatalf("a container does not start with it: %v", err)
	}
	for _, rule := range p.Syscalls {
		if slices.Contains(rule.Names, c.name) && rule.Action == specs.ActAllow && meets(t, c, rule.Args) {
			return true
		}
	}
	return p.DefaultAction == specs.ActAllow
}

func meets(t *testing.T, c call, args []specs.LinuxSeccompArg) bool {
	t.Helper()
	for _, a := range args {
		switch {
		case a.Index != 0:
			t.Fatalf("a rule for %s looks at argument %d", c.name, a.Index)
		case a.Op == specs.OpMaskedEqual && c.arg0&a.Value == a.ValueTwo:
		case a.Op == specs.OpEqualTo && c.arg0 == a.Value:
		case a.Op == specs.OpLessThan && c.arg0 < a.Value:
		default:
			return false
		}
	}
	return true
}

func TestSeccompProfileOpensTheSandboxAndNothingElse(t *testing.T) {
	const forkFlags = 0x01200011 // CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD
	for _, c := range []call{
		{"clone", forkFlags}, {"clone", forkFlags | newUser}, {"clone", forkFlags | newUser | newPIDs | newNet}, {"clone", forkFlags | newPIDs},
		{"unshare", newUser}, {"chroot", 0}, {"seccomp", 0}, {"prctl", 0}, {"execve", 0}, {"futex", 0}, {"memfd_create", 0}, {"waitid", 0}, {"statx", 0}, {"epoll_pwait", 0},
		{"socket", 1}, {"socket", 2}, {"socket", 10}, {"io_setup", 0}, {"kill", 0},
	} {
		if !allows(t, c) {
			t.Errorf("%s(%#x) is refused", c.name, c.arg0)
		}
	}
	for _, c := range []call{
		{"clone", forkFlags | newUser | newMounts}, {"clone", newMounts}, {"clone", newCgroup}, {"clone", newUTS}, {"clone", newUser | newIPC},
		{"clone3", 0}, {"unshare", newMounts}, {"unshare", newUser | newMounts}, {"setns", 0}, {"mount", 0}, {"umount2", 0}, {"pivot_root", 0}, {"move_mount", 0}, {"fsopen", 0},
		{"kexec_load", 0}, {"kexec_file_load", 0}, {"reboot", 0}, {"init_module", 0}, {"finit_module", 0}, {"delete_module", 0},
		{"ptrace", 0}, {"process_vm_readv", 0}, {"process_vm_writev", 0}, {"pidfd_getfd", 0}, {"kcmp", 0},
		{"bpf", 0}, {"perf_event_open", 0}, {"userfaultfd", 0}, {"keyctl", 0}, {"add_key", 0}, {"request_key", 0}, {"io_uring_setup", 0},
		{"open_by_handle_at", 0}, {"iopl", 0}, {"ioperm", 0}, {"settimeofday", 0}, {"swapon", 0}, {"syslog", 0}, {"acct", 0},
		{"personality", 0x0040000}, {"socket", 40},
	} {
		if allows(t, c) {
			t.Errorf("%s(%#x) is allowed", c.name, c.arg0)
		}
	}
	if allows(t, call{"ptrace", 0}, "CAP_SYS_CHROOT", "CAP_NET_RAW", "CAP_SETUID") || !allows(t, call{"ptrace", 0}, "CAP_SYS_PTRACE") {
		t.Error("ptrace is not a matter of its capability")
	}
}
