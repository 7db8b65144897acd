package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// withoutNamespaces makes this binary pictifyd, in a place where no user
// namespace can be made.
const withoutNamespaces = "PICTIFYD_TEST_WITHOUT_NAMESPACES"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	if os.Getenv(withoutNamespaces) == "" {
		os.Exit(m.Run())
	}
	// The limit is that of the user namespace in which it is written.
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "forbid user namespaces:", err)
		os.Exit(exitFault)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// callWithoutNamespaces runs pictifyd in a user and a mount namespace of the
// test's own, whose max_user_namespaces is 0.
func callWithoutNamespaces(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), withoutNamespaces+"=1")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	uid, gid, size := os.Getuid(), os.Getgid(), 1
	if uid == 0 {
		gid, size = 0, 1<<16 // Chrome gets a user of its own
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: size}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: size}},
		// setgroups, which drops the daemon's groups for Chrome
		GidMappingsEnableSetgroups: uid == 0,
		AmbientCaps:                []uintptr{unix.CAP_SYS_RESOURCE},
		Pdeathsig:                  syscall.SIGKILL,
	}
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatalf("make a user namespace: %v", err)
		}
		t.Skipf("this machine lets nobody make a user namespace: %v", err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), said.String()
}

func testChrome(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PICTIFYD_TEST_CHROME")
	if path == "" && os.Getenv("PICTIFYD_TEST_ALL") != "" {
		t.Fatal("PICTIFYD_TEST_CHROME is not set")
	}
	if path == "" {
		t.Skip("PICTIFYD_TEST_CHROME names no Chrome")
	}
	return path
}

// newSite is the configuration of a source whose second row names a picture of
// another host.
func newSite(t *testing.T, render, photo string) (config, out string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pictifyd.yaml": `render: { chrome: ` + strconv.Quote(testChrome(t)) + `, browsers: 1, ` + render + ` }
server: { listen: "127.0.0.1:0" }
egress: { allow: ["127.0.0.1"] }
sources: { catalog: { kind: file, path: rows.csv, key: id } }
sinks: { folder: { kind: file, path: "out/{{ key }}.{{ ext }}", events: [render.completed, render.failed] } }
bindings: [{ name: cards, source: catalog, template: card, sinks: [folder] }]
`,
		"rows.csv": "id,title,photo\nplain,Mug,\nremote,Cup," + photo + "\n",
		"templates/card.html": `<!doctype html>
<script type="application/json" id="p-template">
{ "name": "card", "sizes": { "default": { "w": 120, "h": 60 } }, "vars": { "title": { "type": "text" }, "photo": { "type": "image" } } }
</script>
<section class="p-page" id="card"><img id="photo" alt="" p-src="{{ photo }}"><p id="title">{{ title }}</p></section>
`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pictifyd.yaml"), filepath.Join(dir, "out")
}

func TestWithoutNamespacesChromeIsRefused(t *testing.T) {
	config, out := newSite(t, "sandbox: required", "")
	code, _, stderr := callWithoutNamespaces(t, "run", "--once", "-c", config)
	if code != exitSurroundings {
		t.Errorf("exit code %d, want %d", code, exitSurroundings)
	}
	for _, want := range []string{"no usable sandbox", "sysctl -w user.max_user_namespaces=10000", "render.sandbox: none"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("pictures were made all the same")
	}
	code, stdout, _ := callWithoutNamespaces(t, "doctor", "-c", config)
	if code != exitSurroundings || !strings.Contains(stdout, "missing  sandbox") || !strings.Contains(stdout, "user.max_user_namespaces=10000") {
		t.Errorf("doctor ends with %d:\n%s", code, stdout)
	}
}

func TestWithoutNamespacesSandboxNoneRendersAndWarns(t *testing.T) {
	var asked atomic.Int64
	host := httptest.NewUnstartedServer(http.NotFoundHandler())
	host.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			asked.Add(1)
		}
	}
	host.Start()
	defer host.Close()
	config, out := newSite(t, "sandbox: none", host.URL+"/cup.png")
	code, _, stderr := callWithoutNamespaces(t, "run", "--once", "-c", config)
	if code != exitDone {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
	if !strings.Contains(stderr, "level=WARN") || !strings.Contains(stderr, "without its sandbox") {
		t.Errorf("the log warns of nothing:\n%s", stderr)
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, e := range entries {
		made = append(made, e.Name())
	}
	if !slices.Equal(made, []string{"plain.png"}) {
		t.Errorf("made are %q", made)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the host of a picture was asked %d times", n)
	}
	code, stdout, _ := callWithoutNamespaces(t, "doctor", "-c", config)
	if code != exitDone || !regexp.MustCompile(`(?m)^warn +sandbox `).MatchString(stdout) {
		t.Errorf("doctor ends with %d:\n%s", code, stdout)
	}
}
