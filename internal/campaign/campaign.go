// Package campaign tells tests how much to run. Of many similar cases all run in
// `make test-long`, a part that goes through every kind in `make test`. What is too
// slow under the race detector, or what it sees nothing of, is left to the second of
// the two passes of `make test`, which has the tests alone that left something.
package campaign

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Env is the variable that asks for whole campaigns.
const Env = "PICTIFYD_TEST_LONG"

// Whole reports whether everything is to be run.
func Whole() bool { return os.Getenv(Env) != "" }

// Takes reports whether case i of a campaign is run, of which a short one runs
// each nth.
func Takes(i, n int) bool { return Whole() || i%n == 0 }

// LeftEnv is the variable that names the file where tests are noted that left
// something: each a line with the folder of its package and its name.
const LeftEnv = "PICTIFYD_TEST_LEFT"

// Leaves reports whether a test is to leave what is large, slow or of processes of
// their own to the second pass, as under -short, and notes that it does. It is for
// tests what testing.Short is elsewhere: what asks the latter is not run again.
func Leaves(tb testing.TB) bool {
	tb.Helper()
	if !testing.Short() {
		return false
	}
	path := os.Getenv(LeftEnv)
	if path == "" {
		return true
	}
	if err := note(path, tb.Name()); err != nil {
		tb.Fatalf("%s: %v", LeftEnv, err)
	}
	return true
}

// note adds a test to a file, in one write, since packages are tested side by side.
func note(path, test string) error {
	dir, err := os.Getwd() // which is that of the package
	if err != nil {
		return err
	}
	top, _, _ := strings.Cut(test, "/")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s\t%s\n", dir, top)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}
