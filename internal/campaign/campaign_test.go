package campaign

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestShortCampaignTakesEachNthAndALongOneAll(t *testing.T) {
	for env, want := range map[string]int{"": 4, "1": 10} {
		t.Setenv(Env, env)
		taken := 0
		for i := range 10 {
			if Takes(i, 3) {
				taken++
			}
		}
		if taken != want || Whole() != (env != "") {
			t.Errorf("%q takes %d of 10", env, taken)
		}
	}
}

func TestWhatATestLeavesIsNotedForTheSecondPass(t *testing.T) {
	left := filepath.Join(t.TempDir(), "left")
	t.Setenv(LeftEnv, left)
	t.Run("of many", func(t *testing.T) {
		if Leaves(t) != testing.Short() {
			t.Error("it leaves something where -short is not asked for, or nothing where it is")
		}
	})
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	if testing.Short() {
		want = dir + "\t" + t.Name() + "\n"
	}
	if got, err := os.ReadFile(left); string(got) != want || err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("noted is %q, want %q: %v", got, want, err)
	}
}

// A test that asks testing.Short itself leaves what no pass runs.
func TestAllAskHereWhatToLeave(t *testing.T) {
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".cache" || entry.Name() == "node_modules" || entry.Name() == ".git"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || filepath.Dir(path) == filepath.Join("..", "..", "internal", "campaign"):
			return nil
		}
		source, err := os.ReadFile(path)
		if bytes.Contains(source, []byte("testing.Short()")) {
			t.Errorf("%s asks testing.Short: ask campaign.Leaves, so that the second pass runs the test", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
