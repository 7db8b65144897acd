// Command report turns the lines of JSON that peers printed, from its standard
// input, into tables.
package main

import (
	"fmt"
	"os"

	"github.com/pictifyd/pictifyd/bench"
)

func main() {
	results, err := bench.ReadResults(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
	bench.Report(os.Stdout, results)
}
