package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/rivermigrate"
)

// Migrations only ever add: tables, indexes, columns that are NULL or have a default.
// So a program that is one version older goes on working with the tables of the next,
// and processes are upgraded one after the other: whoever holds the ledger migrates
// it, members of the version before work on, and members of the new version wait for
// their tables. A column that nobody needs any more goes a version later.
//
//go:embed migrations/*.sql
var migrations embed.FS

// newestMigration is the version of the tables that this program needs.
func newestMigration() (int64, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	newest := names[len(names)-1]
	number, _, _ := strings.Cut(filepath.Base(newest), "_")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the number of %s: %w", newest, err)
	}
	return version, nil
}

// migrate brings our tables and the queue's to the newest version.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	kind := goose.DialectSQLite3
	if s.dialect.postgres {
		kind = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(kind, s.db, files)
	if err != nil {
		return fmt.Errorf("migrate the store: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the store: %w", s.explain(err))
	}
	queue, err := rivermigrate.New(s.driver(), &rivermigrate.Config{Logger: s.riverLog()})
	if err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue: %w", s.explain(err))
	}
	return nil
}
