package slot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pg"
)

// actions are what a publication has to tell of.
var actions = []string{"insert", "update", "delete", "truncate"}

// createPublication is how our publication is made: of this table alone, so that no
// other is touched, with neither a list of columns nor a filter, by which the user's
// own writes could fail, and with the changes of partitions as the table's own.
func (f *facts) createPublication(name string) string {
	return fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s WITH (%s)", pg.Quote(name), f.table.name.SQL(), options(f.server.version))
}

func options(version int) string {
	with := "publish_via_partition_root = true"
	if version >= 180000 {
		with += ", publish_generated_columns = stored"
	}
	return with
}

// makePublication makes our publication, or makes it anew where it is not as it
// should be. It locks nothing that a user's writes wait for.
func (k *Keeper) makePublication(ctx context.Context, f *facts) error {
	if k.cfg.Publication != "" || f.pub != nil && f.pub.ours(f.server.version) {
		return nil
	}
	var sql []string
	if f.pub != nil {
		sql = append(sql, "DROP PUBLICATION "+pg.Quote(k.Publication()))
	}
	if err := k.change(ctx, changeLimit, append(sql, f.createPublication(k.Publication()))...); err != nil {
		return fmt.Errorf("make the publication %s: %w", k.Publication(), err)
	}
	return nil
}

// change runs statements in one transaction.
func (k *Keeper) change(ctx context.Context, limit limits, sql ...string) error {
	ctx, cancel := context.WithTimeout(ctx, limit.statement+answerLimit)
	defer cancel()
	return k.line.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
		all := append([]string{"BEGIN READ WRITE", limit.sql()}, sql...)
		_, err := conn.Exec(ctx, strings.Join(append(all, "COMMIT"), ";\n")).ReadAll()
		return err
	})
}

// ours reports whether a publication is as ours are made.
func (p *pubFacts) ours(version int) bool {
	return !p.all && p.has && p.alone && p.root && within(actions, p.actions) && !p.columns && !p.filter && (version < 180000 || p.gencols == "s")
}

// missing are the actions that a publication does not tell of.
func (p *pubFacts) missing() []string {
	return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return slices.Contains(p.actions, a) })
}
