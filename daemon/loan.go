package daemon

import (
	"context"
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// lend gives a source of the operator the rows of the sources that it names.
func (d *Daemon) lend(cfg connectors.Config, env *connectors.Env) (named []string) {
	of, ok := cfg.(connectors.Dependent)
	if !ok || env.Client != nil || len(of.Sources()) == 0 {
		return nil
	}
	named = of.Sources()
	env.RowsFunc = func(ctx context.Context, source string, row func(key string, values map[string]any) error) error {
		if !slices.Contains(named, source) {
			return fmt.Errorf("read rows of source %q: the configuration of %q does not name it", source, env.Name)
		}
		return d.eachRow(ctx, source, row)
	}
	return named
}

// eachRow hands out the stored rows of a source, by key.
func (d *Daemon) eachRow(ctx context.Context, source string, row func(key string, values map[string]any) error) error {
	for after := ""; ; {
		stored, err := d.store.Rows(ctx, source, after, replanPage)
		if err != nil {
			return err
		}
		rows, err := bindings.ReadRows(stored)
		if err != nil {
			return err
		}
		for i, r := range stored {
			if err := row(r.Key, rows[i]); err != nil {
				return err
			}
			after = r.Key
		}
		if len(stored) < replanPage {
			return nil
		}
	}
}
