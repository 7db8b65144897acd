package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBenchOfWhatIsNotThereSaysWhatIs(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"bench", "--workload", "crad"}, `did you mean "card"?`},
		{[]string{"bench", "--format", "bmp"}, `"bmp" is not a format`},
		{[]string{"bench", "--rows", "0"}, "0 rows"},
		{[]string{"bench", "--rows", "many"}, "--rows"},
		{[]string{"bench", "--keep", "/dev/null/x", "--rows", "1"}, "the folder of the pictures"},
		{[]string{"bench", "--duration=-1s"}, "a run of -1s"},
		{[]string{"bench", "export", "--workload", "crad", t.TempDir()}, `did you mean "card"?`},
		{[]string{"bench", "export", "--rows", "1", "/dev/null/x"}, "write the workload"},
	} {
		code, _, stderr := call(tc.args...)
		if code != exitInput || !strings.Contains(stderr, tc.want) {
			t.Errorf("%v: exit code %d: %s", tc.args, code, stderr)
		}
	}
}

func TestBenchExportWritesTheDocumentsOfTheRows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	if code, _, stderr := call("bench", "export", "--workload", "card", "--rows", "3", "--seed", "5", dir); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, name := range []string{"rows/2.html", "assets/fonts/inter-latin.woff2", "rows.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "rows/3.html")); err == nil {
		t.Error("there are more rows than asked for")
	}
}
