package chrome

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// newFake is the path of a Chrome with a fault, see fakeChrome.
func newFake(t *testing.T, fault string) string {
	t.Helper()
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(newDir(t), "fake-"+fault)
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustFailToOpen(t *testing.T, cfg Config) *problem.Error {
	t.Helper()
	dir := newDir(t)
	_, err := Open(t.Context(), cfg, rendertest.Files{}, Options{Dir: dir})
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Surroundings {
		t.Fatalf("the error is %v", err)
	}
	mustBeEmpty(t, dir)
	return p
}

func TestMissingChromeSaysWhatToInstall(t *testing.T) {
	p := mustFailToOpen(t, Config{Chrome: "/nowhere/chrome"})
	if p.Slug != SlugChromeMissing || !strings.Contains(p.Hint, "apt-get install chromium-headless-shell") {
		t.Errorf("got %v", p)
	}
	t.Setenv("PATH", t.TempDir())
	if p := mustFailToOpen(t, Config{}); p.Slug != SlugChromeMissing {
		t.Errorf("got %v", p)
	}
}

func TestMissingSandboxSaysWhatTheMachineNeeds(t *testing.T) {
	p := mustFailToOpen(t, Config{Chrome: newFake(t, "nosandbox")})
	if p.Slug != SlugNoSandbox || !strings.Contains(p.Hint, "user namespaces") || !strings.Contains(p.Hint, "render.sandbox: none") {
		t.Errorf("got %v", p)
	}
}

func TestChromeThatCannotRunShowsItsLastWords(t *testing.T) {
	p := mustFailToOpen(t, Config{Chrome: newFake(t, "nolibrary")})
	if p.Slug != SlugChromeStart || !strings.Contains(p.Message, "libnss3.so") {
		t.Errorf("got %v", p)
	}
}

func TestChromeThatSaysNothingIsGivenUp(t *testing.T) {
	e, err := newEgress(rendertest.Files{}, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	a, err := accountFor("")
	if err != nil {
		t.Fatal(err)
	}
	dir := newDir(t)
	l := &launcher{path: newFake(t, "silent"), account: a, sandbox: true, dir: dir, tabs: 1, limit: 300 * time.Millisecond, egress: e, log: testLog(t)}
	if _, err := l.launch(t.Context(), 0); !errors.Is(err, errNotAnswering) {
		t.Errorf("the error is %v", err)
	}
	if left := usersOf(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	mustBeEmpty(t, dir)
}

func TestCanceledOpenLeavesNothing(t *testing.T) {
	dir := newDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, Config{Chrome: newFake(t, "silent")}, rendertest.Files{}, Options{Dir: dir})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	mustBeEmpty(t, dir)
}

func TestFindSeesThroughWrappers(t *testing.T) {
	dir := t.TempDir()
	script, binary := filepath.Join(dir, "google-chrome"), filepath.Join(dir, "chrome")
	for path, text := range map[string]string{script: "#!/bin/sh\nexec chrome \"$@\"\n", binary: "\x7fELF"} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	want, err := filepath.EvalSymlinks(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", auto, "google-chrome", script, binary} {
		if got, err := Find(name); err != nil || filepath.Clean(got) != filepath.Join(filepath.Dir(want), "chrome") {
			t.Errorf("Find(%q) is %q, %v", name, got, err)
		}
	}
	if err := os.Remove(binary); err != nil {
		t.Fatal(err)
	}
	if got, err := Find("google-chrome"); err == nil {
		t.Errorf("a wrapper of nothing is %q", got)
	}
}

func TestFindNamesABinaryOfThisMachine(t *testing.T) {
	realChrome(t)
	path, err := Find("")
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 4)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(text); err != nil || !bytes.Equal(text, []byte("\x7fELF")) {
		t.Errorf("%s begins with %q, %v", path, text, err)
	}
}

func TestSandboxHintNamesTheSettingThatForbidsIt(t *testing.T) {
	for path, value := range map[string]string{
		"kernel/unprivileged_userns_clone": "0", "kernel/apparmor_restrict_unprivileged_userns": "1", "user/max_user_namespaces": "0",
	} {
		got := sandboxNeeds(func(name string) ([]byte, error) {
			if name == "/proc/sys/"+path {
				return []byte(value + "\n"), nil
			}
			return nil, fs.ErrNotExist
		})
		if setting := filepath.Base(path); !strings.Contains(got, "kernel."+setting+"=") && !strings.Contains(got, "user."+setting+"=") {
			t.Errorf("%s=%s: %s", path, value, got)
		}
	}
}

func TestConfigSaysEveryProblem(t *testing.T) {
	for _, good := range []Config{{}, DefaultConfig(), {Browsers: "1"}, {Browsers: "64", Sandbox: SandboxNone}} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []string{"0", "65", "-1", "many", "1.5"} {
		if err := (Config{Browsers: bad}).Validate(); err == nil || problem.All(err)[0].Path != "browsers" {
			t.Errorf("browsers: %s: %v", bad, err)
		}
	}
	if got := problem.All(Config{Browsers: "x", Sandbox: "maybe", Idle: -1}.Validate()); len(got) != 3 {
		t.Errorf("got %v", got)
	}
}

func TestRootIsNoAccountForChrome(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can choose")
	}
	if _, err := accountFor("root"); err == nil {
		t.Error("root passes")
	}
	if _, err := accountFor("no-such-user"); problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("the error is %v", err)
	}
	if a, err := accountFor("1234"); err != nil || a.uid != 1234 {
		t.Errorf("got %+v, %v", a, err)
	}
}
