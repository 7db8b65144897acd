// Package campaign tells tests of many similar cases how much of them to run:
// all of it in `make test-long`, a part that goes through every kind in
// `make test`.
package campaign

import "os"

// Env is the variable that asks for whole campaigns.
const Env = "PICTIFYD_TEST_LONG"

// Whole reports whether everything is to be run.
func Whole() bool { return os.Getenv(Env) != "" }

// Takes reports whether case i of a campaign is run, of which a short one runs
// each nth.
func Takes(i, n int) bool { return Whole() || i%n == 0 }
