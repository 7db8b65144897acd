package file

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestProbeMakesNothingAndSaysWhatIsInTheWay(t *testing.T) {
	dir := t.TempDir()
	if err := (&folder{root: filepath.Join(dir, "a", "b")}).Probe(t.Context()); err != nil {
		t.Errorf("a folder that can be made: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("there is %v, %v, want nothing", left, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&folder{root: filepath.Join(dir, "file", "b")}).Probe(t.Context()); problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("below a file: %v", err)
	}
}
