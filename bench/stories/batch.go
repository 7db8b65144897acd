package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pictifyd/pictifyd/bench/server"
)

// batch runs a story whose send.sh sends a table and fetches what came of it,
// and measures from the sending until all files are in the folder.
func (b stories) batch(ctx context.Context, of story) (err error) {
	s, err := server.StartExample(ctx, b.binary, filepath.Join("examples", of.name), func(dir string) error {
		return grow(filepath.Join(dir, of.table), of.rows)
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	s.Rest()
	began := time.Now()
	if err := command(ctx, s.Dir, []string{"PICTIFYD=" + b.binary, "PICTIFYD_SERVER=" + s.URL}, "bash", "send.sh"); err != nil {
		return err
	}
	took := time.Since(began)
	files, err := os.ReadDir(filepath.Join(s.Dir, "out"))
	if err != nil {
		return err
	}
	if want := of.rows*of.pictures + 1; len(files) != want { // results.csv is the other one
		return fmt.Errorf("%s made %d files, want %d", of.name, len(files), want)
	}
	of.tell(took)
	return nil
}
