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
	_, err := LookAtSandbox(group)
	return err
}

// A Sandbox is what was seen of a running Chrome's renderers, each of which has
// a filter of system calls (Seccomp: 2) and a namespace of its own.
type Sandbox struct {
	Renderers int
	Namespace string // the kind of namespace: user, or pid where the former can't be seen
}

// LookAtSandbox looks at the renderers of the Chrome whose main process is pid.
// The error says which of them is not contained, or that there is none.
func LookAtSandbox(pid int) (Sandbox, error) {
	seen := Sandbox{Namespace: userNamespace}
	for _, pid := range groupMembers(pid) {
		if !slices.Contains(commandLine(pid), "--type=renderer") {
			continue
		}
		if filter := statusField(pid, "Seccomp"); filter != "2" {
			return Sandbox{}, fmt.Errorf("renderer %d filters no system calls (Seccomp: %s)", pid, filter)
		}
		namespace := apart(pid)
		if namespace == "" {
			return Sandbox{}, fmt.Errorf("renderer %d has no namespace of its own", pid)
		}
		seen.Renderers++
		if namespace != userNamespace {
			seen.Namespace = namespace
		}
	}
	if seen.Renderers == 0 {
		return Sandbox{}, errors.New("no renderer to be seen")
	}
	return seen, nil
}

// The kinds of namespace by which a renderer is seen to be apart.
const (
	userNamespace = "user"
	pidNamespaces = "pid"
)

// apart is the kind of a namespace below ours that process pid lives in, ""
// when there is none. The link of a user namespace is not readable by
// everybody, the map of its users is.
func apart(pid int) string {
	ours, _ := os.Readlink("/proc/self/ns/user")
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", pid))
	if err == nil && theirs != ours {
		return userNamespace
	}
	if theirs, ours := userMap(pid), userMap(os.Getpid()); theirs != "" && theirs != ours {
		return userNamespace
	}
	if len(strings.Fields(statusField(pid, "NSpid"))) > len(strings.Fields(statusField(os.Getpid(), "NSpid"))) {
		return pidNamespaces
	}
	return ""
}

// userMap is the map of the users of the user namespace that process pid lives
// in, as seen from ours.
func userMap(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/uid_map", pid))
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(text)), " ")
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
		return "allow Chrome its user namespaces: an AppArmor profile with `userns,` for its path (deploy/apparmor/pictifyd-chrome), or `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`"
	case is("user/max_user_namespaces", "0"):
		return "allow user namespaces: `sysctl -w user.max_user_namespaces=10000`"
	}
	return "allow unprivileged user namespaces; in a container with a seccomp profile that lets clone and unshare make them (docker run --security-opt seccomp=deploy/seccomp.json)"
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
