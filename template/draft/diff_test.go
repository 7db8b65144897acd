package draft

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestUnifiedSaysWhatDiffDoes(t *testing.T) {
	for name, c := range map[string]struct{ a, b, want string }{
		"the same": {"a\nb\n", "a\nb\n", ""},
		"one line": {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
			"--- x\n+++ y\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"},
		"from nothing":       {"", "a\n", "--- x\n+++ y\n@@ -0,0 +1,1 @@\n+a\n"},
		"to nothing":         {"a\n", "", "--- x\n+++ y\n@@ -1,1 +0,0 @@\n-a\n"},
		"the newline at end": {"a\n", "a", "--- x\n+++ y\n@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file\n"},
		"two places": {"a\n1\n2\n3\n4\n5\n6\n7\n8\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\n8\nB\n",
			"--- x\n+++ y\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -7,4 +7,4 @@\n 6\n 7\n 8\n-b\n+B\n"},
	} {
		if got := Unified("x", "y", c.a, c.b); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// Property: patch(a, Unified(a, b)) is b.
func TestPatchMakesOneTextOfTheOther(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no program patch: make test installs it")
	}
	dir := t.TempDir()
	lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "", "d"}), 0, 30)
	end := rapid.SampledFrom([]string{"", "\n"})
	rapid.Check(t, func(rt *rapid.T) {
		a := strings.Join(lines.Draw(rt, "a"), "\n") + end.Draw(rt, "end of a")
		b := strings.Join(lines.Draw(rt, "b"), "\n") + end.Draw(rt, "end of b")
		text := Unified("x", "y", a, b)
		if a == b || a == "" || b == "" { // patch removes files that it empties
			return
		}
		file := filepath.Join(dir, "x")
		if err := os.WriteFile(file, []byte(a), 0o600); err != nil {
			rt.Fatal(err)
		}
		cmd := exec.Command(patch, "-s", "-f", file)
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			rt.Fatalf("patch: %v: %s\n%s", err, out, text)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			rt.Fatal(err)
		}
		if string(got) != b {
			rt.Fatalf("patched %q is %q, want %q:\n%s", a, got, b, text)
		}
	})
}

func TestVeryDifferentTextsAreComparedInBoundedEffort(t *testing.T) {
	var a, b strings.Builder
	for i := range 20000 {
		a.WriteString(strings.Repeat("a", i%7) + "\n")
		b.WriteString(strings.Repeat("b", i%5+1) + "\n")
	}
	text := Unified("x", "y", a.String(), b.String())
	if minus := strings.Count(text, "\n-"); minus < 19000 {
		t.Errorf("%d lines go", minus)
	}
}
