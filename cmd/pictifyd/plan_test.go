package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// quickstart is a copy of the example, without its data.
func quickstart(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"templates", "pictifyd.yaml", "products.csv"} {
		from := filepath.Join("../../examples/quickstart", name)
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			err = os.CopyFS(filepath.Join(dir, name), os.DirFS(from))
		} else {
			var text []byte
			if text, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pictifyd.yaml")
}

func TestPlanShowsWhatWouldBecome(t *testing.T) {
	config := quickstart(t)
	code, stdout, stderr := call("plan", "product-cards", "-c", config, "--limit", "1")
	for _, want := range []string{"product-cards would become, of ", "new ", "to render", "It was never read, so that the guard would hold nothing."} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if code != exitDone || strings.Count(stdout, "\n  new ") != 2 { // the count, and one row
		t.Errorf("exit code %d: %s\n%s", code, stderr, stdout)
	}
	var plan struct {
		New    int
		Sample []struct{ Key string }
	}
	code, stdout, stderr = call("plan", "product-cards", "-c", config, "--json")
	if err := json.Unmarshal([]byte(stdout), &plan); err != nil || code != exitDone || plan.New == 0 || len(plan.Sample) == 0 {
		t.Errorf("exit code %d, %v: %s\n%s", code, err, stderr, stdout)
	}
}

func TestPlanTellsInputFromSurroundings(t *testing.T) {
	config := quickstart(t)
	if code, _, stderr := call("plan", "product-card", "-c", config); code != exitInput || !strings.Contains(stderr, `did you mean "product-cards"?`) {
		t.Errorf("an unknown binding: exit code %d: %s", code, stderr)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	down := strings.Replace(string(text), "sources:", "sources:\n  down: { kind: http, url: \"http://127.0.0.1:1/\", key: sku }", 1)
	down = strings.Replace(down, "source: catalog", "source: down", 1)
	if err := os.WriteFile(config, []byte(down), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call("plan", "product-cards", "-c", config); code != exitSurroundings || !strings.Contains(stderr, "read source \"down\"") {
		t.Errorf("a source that is down: exit code %d: %s", code, stderr)
	}
}
