// Command stories runs the examples that tell what pictifyd is for, with as many
// rows as they are about: certificates for a cohort, pictures for a campaign, a
// card for each product of a catalog. It prints a table.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const limit = time.Hour

func main() {
	var b stories
	flag.StringVar(&b.binary, "pictifyd", "bin/pictifyd", "the daemon")
	certificates := flag.Int("certificates", 500, "graduates, each with a PNG and a PDF")
	campaign := flag.Int("campaign", 40_000, "customers, each with a picture and a line for the mailer")
	catalog := flag.Int("catalog", 10_000, "products, each of which gets its URL back")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	fmt.Print("| story | rows | pictures | minutes | pictures a second |\n|---|---|---|---|---|\n")
	var err error
	if b.binary, err = filepath.Abs(b.binary); err == nil {
		err = errors.Join(
			b.batch(ctx, story{"certificates", "cohort.csv", *certificates, 2}),
			b.batch(ctx, story{"campaign", "customers.csv", *campaign, 1}),
			b.catalog(ctx, *catalog),
		)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stories:", err)
		cancel()
		os.Exit(1) //nolint:gocritic // cancel was called
	}
}

type stories struct{ binary string }

// A story is an example of which a table is sent.
type story struct {
	name, table    string
	rows, pictures int // pictures of each row
}

func (s story) tell(took time.Duration) {
	made := s.rows * s.pictures
	fmt.Printf("| [`examples/%s`](../examples/%s) | %d | %d | %.1f | %.1f |\n", s.name, s.name, s.rows, made, took.Minutes(), float64(made)/took.Seconds())
}

// grow makes the table of a story as long as it is to be: its rows come again
// under other keys, which stand in the first column.
func grow(path string, rows int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sample, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		return err
	}
	var out strings.Builder
	w := csv.NewWriter(&out)
	if err := w.Write(sample[0]); err != nil {
		return err
	}
	for n := range rows {
		row := append([]string(nil), sample[1+n%(len(sample)-1)]...)
		if round := n / (len(sample) - 1); round > 0 {
			number := strconv.Itoa(round)
			row[0] = number + "-" + row[0]
			row[1] += " " + number // and other pictures
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return errors.Join(w.Error(), os.WriteFile(path, []byte(out.String()), 0o644))
}

// command runs a program of a story to its end.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
