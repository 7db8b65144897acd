package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write lays out a folder with a configuration and returns the file's path.
func write(t *testing.T, yaml string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "templates"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "pictifyd.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func call(args ...string) (code int, stdout, stderr string) { return callWith("", args...) }

func callWith(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, strings.NewReader(stdin), &out, &err)
	return code, out.String(), err.String()
}

func TestCheckPrintsEveryProblemWithItsPlace(t *testing.T) {
	path := write(t, `server: { listen: 127.0.0.1:0, lisen: 3 }
sources:
  catalog: { kind: fil, path: a.csv, key: sku }
bindings:
  - { name: cards, source: catalogue, template: card }
`)
	code, _, stderr := call("check", "-c", path)
	if code != exitInput {
		t.Errorf("exit code %d, want %d", code, exitInput)
	}
	for _, want := range []string{
		path + ":1:", `unknown key "lisen" (did you mean "listen"?)`,
		path + ":3:", `there is no kind of source "fil" (did you mean "file"?)`,
		path + ":5:", `there is no source "catalogue" (did you mean "catalog"?)`,
		`there is no template "card"`,
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
}

func TestCheckSaysThatAGoodFileIsGood(t *testing.T) {
	code, stdout, stderr := call("check", "-c", "../../pictifyd.yaml")
	if code != exitDone || !strings.Contains(stdout, "is good") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

func TestRunWithoutChromeSaysWhatToInstall(t *testing.T) {
	path := write(t, "server: { listen: 127.0.0.1:0 }\nrender: { chrome: /nowhere/chrome }\n")
	code, _, stderr := call("run", "-c", path)
	if code != exitSurroundings || !strings.Contains(stderr, "chromium") {
		t.Errorf("exit code %d, want %d and what to install: %s", code, exitSurroundings, stderr)
	}
}

func TestRunOnAPortInUseNamesIt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	path := write(t, "server: { listen: "+l.Addr().String()+" }\n")
	code, _, stderr := call("run", "-c", path)
	if code != exitSurroundings || !strings.Contains(stderr, l.Addr().String()) {
		t.Errorf("exit code %d, want %d and the address: %s", code, exitSurroundings, stderr)
	}
}

func TestMissingConfigurationSaysWhatToDo(t *testing.T) {
	code, _, stderr := call("run", "-c", filepath.Join(t.TempDir(), "none.yaml"))
	if code != exitInput || !strings.Contains(stderr, "-c FILE") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestUnknownCommandIsTheUsersInput(t *testing.T) {
	if code, _, stderr := call("rum"); code != exitInput || !strings.Contains(stderr, "run") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestCheckSaysEachMistakeOnce(t *testing.T) {
	path := write(t, `templates: templates
sources:
  posts: { kind: file, path: posts.csv, key: slug }
bindings:
  - { name: cards, source: posts, template: card, outputs: [{ format: jepg }, { name: german, locale: german }] }
`)
	dir := filepath.Join(filepath.Dir(path), "templates")
	if code, _, stderr := call("template", "new", "card", "--dir", dir); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	_, stdout, stderr := call("check", "-c", path)
	for _, mistake := range []string{`there is no format "jepg"`, `the locale "german" is not known`} {
		if n := strings.Count(stdout+stderr, mistake); n != 1 {
			t.Errorf("%s is said %d times:\n%s%s", mistake, n, stdout, stderr)
		}
	}
}
