package postgres

import (
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres/slot"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	defaultEvery   = 30 * time.Second
	minEvery       = time.Second
	defaultTimeout = time.Minute
)

// The ways in which changes are found.
const (
	poll = "poll"
	cdc  = "cdc"
)

// What is done when the columns of a table that is streamed change.
const (
	onChangeContinue = "continue"
	onChangeHalt     = "halt"
)

// Kind is "kind: postgres".
var Kind = connectors.Kind{
	Name:    "postgres",
	Summary: "a table or a query of a PostgreSQL server",
	Config: func() connectors.Config {
		return &Config{
			Common: connectors.Common{Every: config.Duration(defaultEvery)}, Mode: poll, Timeout: config.Duration(defaultTimeout),
			OnGap: connectors.OnGapResnapshot, OnSchemaChange: onChangeContinue,
			Heartbeat: config.Duration(slot.DefaultHeartbeat), MaxRetained: slot.DefaultMaxRetained, OnRetained: slot.RetainedWarn,
		}
	},
	New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
		return newSource(cfg.(*Config), env)
	},
}

// Config is a source of kind postgres.
type Config struct {
	connectors.Common

	DSN     config.Secret   `yaml:"dsn"`     // postgres://user:password@host:5432/database
	Table   string          `yaml:"table"`   // as in SQL: products, shop.products, shop."Products"
	Query   string          `yaml:"query"`   // in place of table: one SELECT
	Columns config.Strings  `yaml:"columns"` // of the table, as in the catalog; empty is all
	Where   string          `yaml:"where"`   // of the table, in SQL
	Mode    string          `yaml:"mode"`    // poll: all of it is read and compared; cdc: the server tells of each change
	Timeout config.Duration `yaml:"timeout"` // of one statement

	Watermark string `yaml:"watermark"` // a column that each change raises; empty: all is compared each time
	Lookback  string `yaml:"lookback"`  // as in 5m: rows so far before the last one are read again; a number where the watermark is one
	Reconcile string `yaml:"reconcile"` // how often, or by which cron line, all is compared where there is a watermark

	// Of mode cdc: what to do when changes were lost, resnapshot or halt, and when
	// columns of the table change, continue or halt.
	OnGap          connectors.GapPolicy `yaml:"on_gap"`
	OnSchemaChange string               `yaml:"on_schema_change"`
	Slot           string               `yaml:"slot"`             // one that somebody made for it; empty is one that is made and dropped here
	Publication    string               `yaml:"publication"`      // as slot
	Heartbeat      config.Duration      `yaml:"heartbeat"`        // between two messages that are written to the server's log
	MaxRetained    config.Bytes         `yaml:"max_retained_wal"` // that the server may keep for it; from half of it on there are warnings
	OnRetained     slot.OnRetained      `yaml:"on_retained"`      // beyond it: warn, or drop the slot so that the server's disk survives
	Failover       bool                 `yaml:"failover"`         // from PostgreSQL 17 on: standby servers have the slot too
}

var (
	_ connectors.Findable  = (*Config)(nil)
	_ connectors.Streaming = (*Config)(nil)
)

// Streams implements connectors.Streaming.
func (c *Config) Streams() bool { return c.Mode == cdc }

// Finds implements connectors.Findable: rows are found by key columns that are known.
func (c *Config) Finds() bool { return len(c.Key) > 0 }

// Place is the table that is read, and where; ok is false for a query.
func (c *Config) Place() (at pg.Place, table pg.Name, ok bool) {
	if c.Table == "" {
		return at, table, false
	}
	table, invalid := pg.ParseName(c.Table)
	at, ok = pg.PlaceOf(c.DSN.Reveal())
	return at, table, ok && invalid == nil
}

// Validate implements connectors.Config.
func (c *Config) Validate() error {
	var list problem.List
	bad := func(path, format string, args ...any) *problem.Error {
		list = append(list, problem.New(problem.Invalid, format, args...).At(path))
		return list[len(list)-1]
	}
	if _, invalid := pg.Parse(c.DSN.Reveal()); invalid != nil {
		list = append(list, invalid.At("dsn"))
	}
	switch {
	case c.Table == "" && c.query() == "":
		bad("table", "a postgres source needs a table or a query").WithHint("as in table: shop.products")
	case c.Table != "" && c.Query != "":
		bad("query", "it reads the table %s already", c.Table).WithHint("keep one of them")
	case c.Table != "":
		if _, invalid := pg.ParseName(c.Table); invalid != nil {
			list = append(list, invalid.At("table"))
		}
	case len(c.Key) == 0:
		bad("key", "a query needs key columns").WithHint("name the columns that identify a row, as in key: sku")
	}
	if c.Query != "" && len(c.Columns) > 0 {
		bad("columns", "are those of the query").WithHint("select them there")
	}
	if c.Query != "" && c.Where != "" {
		bad("where", "is part of the query").WithHint("write it there")
	}
	if i := slices.Index(c.Columns, ""); i >= 0 {
		bad("columns", "one of them has no name")
	}
	switch {
	case c.Mode == cdc && c.Query != "":
		bad("query", "changes of a query are not told by a server").WithHint("name the table, and choose and compute in the binding; or leave mode out, and say how often in every")
	case c.Mode == cdc && c.Where != "":
		bad("where", "the server tells of changes of all rows, also of those that it would leave out").WithHint("choose rows by the binding's own where")
	case c.Mode != poll && c.Mode != cdc:
		bad("mode", "%q is not one", c.Mode).WithHint("leave mode out, or write cdc")
	}
	if c.OnGap != connectors.OnGapResnapshot && c.OnGap != connectors.OnGapHalt {
		bad("on_gap", "%q is not one", c.OnGap).WithHint("%s or %s", connectors.OnGapResnapshot, connectors.OnGapHalt)
	}
	if c.OnSchemaChange != onChangeContinue && c.OnSchemaChange != onChangeHalt {
		bad("on_schema_change", "%q is not one", c.OnSchemaChange).WithHint("%s or %s", onChangeContinue, onChangeHalt)
	}
	if c.Every.Std() < minEvery {
		bad("every", "must be at least %v", minEvery)
	}
	if c.Timeout <= 0 {
		bad("timeout", "must be more than 0")
	}
	return slices.Concat(list, c.watermarkProblems(), c.keptProblems()).Err()
}

// query is the query without what ends it in a script.
func (c *Config) query() string { return strings.TrimRight(c.Query, "; \t\r\n") }
