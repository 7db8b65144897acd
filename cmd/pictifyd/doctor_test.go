package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoctorEndsWithThreeWhereSomethingIsMissing(t *testing.T) {
	path := write(t, "render: { chrome: /nowhere/chrome }\n")
	code, stdout, stderr := call("doctor", "-c", path)
	if code != exitSurroundings || !strings.Contains(stderr, "missing") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"missing  Chrome", "→ install one", "apt-get install", "ok", "time zones"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	code, stdout, _ = call("doctor", "--json", "-c", path)
	var got struct {
		Well  bool
		Signs []struct{ Name, Health, Says, Do string }
	}
	if err := json.Unmarshal([]byte(stdout), &got); code != exitSurroundings || err != nil || got.Well || len(got.Signs) < 6 || got.Signs[0].Health != "ok" {
		t.Errorf("exit code %d, %v: %s", code, err, stdout)
	}
}

func TestDoctorOfNoConfigurationSaysWhichIsNotThere(t *testing.T) {
	code, _, stderr := call("doctor", "-c", filepath.Join(t.TempDir(), "none.yaml"))
	if code != exitInput || !strings.Contains(stderr, "none.yaml") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
