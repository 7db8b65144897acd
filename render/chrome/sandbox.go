package chrome

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// checkSandbox looks at the renderers of the Chrome whose group this is: each
// must have a filter of system calls and a namespace of its own. A renderer
// puts its filter on after it has started, so a young one gets a moment.
func checkSandbox(ctx context.Context, group int) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := lookAtRenderers(group)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return noSandbox(err)
		}
	}
}

func lookAtRenderers(group int) error {
	seen := 0
	for _, pid := range groupMembers(group) {
		if !slices.Contains(commandLine(pid), "--type=renderer") {
			continue
		}
		if filter := statusField(pid, "Seccomp"); filter != "2" {
			return fmt.Errorf("renderer %d filters no system calls (Seccomp: %s)", pid, filter)
		}
		if !apart(pid) {
			return fmt.Errorf("renderer %d has no namespace of its own", pid)
		}
		seen++
	}
	if seen == 0 {
		return errors.New("no renderer to be seen")
	}
	return nil
}

// apart reports whether process pid lives in a user or pid namespace below
// ours. The link of the former is not readable by everybody.
func apart(pid int) bool {
	ours, _ := os.Readlink("/proc/self/ns/user")
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", pid))
	if err == nil && theirs != ours {
		return true
	}
	return len(strings.Fields(statusField(pid, "NSpid"))) > len(strings.Fields(statusField(os.Getpid(), "NSpid")))
}

// noSandbox is the problem of a machine on which Chrome can't be contained.
func noSandbox(err error) error {
	return problem.New(problem.Surroundings, "Chrome has no usable sandbox here: %w", err).
		WithSlug(SlugNoSandbox).WithHint("%s; or accept the risk with render.sandbox: none", sandboxNeeds(os.ReadFile))
}

// sandboxNeeds says what this machine must allow, as its settings show.
func sandboxNeeds(readFile func(string) ([]byte, error)) string {
	is := func(path, value string) bool {
		text, err := readFile("/proc/sys/" + path)
		return err == nil && strings.TrimSpace(string(text)) == value
	}
	switch {
	case is("kernel/unprivileged_userns_clone", "0"):
		return "allow unprivileged user namespaces: `sysctl -w kernel.unprivileged_userns_clone=1`"
	case is("kernel/apparmor_restrict_unprivileged_userns", "1"):
		return "allow Chrome its user namespaces: an AppArmor profile with `userns,` for its path, or `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`"
	case is("user/max_user_namespaces", "0"):
		return "allow user namespaces: `sysctl -w user.max_user_namespaces=10000`"
	}
	return "allow unprivileged user namespaces; in a container with a seccomp profile that lets clone and unshare make them (docker run --security-opt seccomp=FILE)"
}

// mentionsSandbox reports whether Chrome's last words are about its sandbox.
func mentionsSandbox(output string) bool {
	for _, words := range []string{
		"No usable sandbox", "Failed to move to new namespace", "zygote_host_impl_linux", "without --no-sandbox is not supported",
	} {
		if strings.Contains(output, words) {
			return true
		}
	}
	return false
}
