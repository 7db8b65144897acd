package postgres

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	source "github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

const defaultTimeout = 30 * time.Second

// What becomes of the columns when an image is removed.
const (
	empty  = "clear"  // they become NULL
	keep   = "keep"   // they stay
	remove = "delete" // the row goes, of a table that insert fills
)

// Config is a table's part of the configuration.
type Config struct {
	sink.Common

	DSN      config.Secret     `yaml:"dsn"`       // postgres://user:password@host:5432/database
	Table    string            `yaml:"table"`     // as in SQL: products, shop.products, shop."Products"
	Key      map[string]string `yaml:"key"`       // column: expression; together they name one row
	Set      map[string]string `yaml:"set"`       // column: expression
	Insert   bool              `yaml:"insert"`    // a row that is not there is made
	OnRemove string            `yaml:"on_remove"` // of a picture that is gone: clear (as null and empty are) the columns, keep them, or delete the row
	// GenerationColumn keeps which state of the image was written last: an older one
	// is never written over it.
	GenerationColumn string          `yaml:"generation_column"`
	Timeout          config.Duration `yaml:"timeout"` // of one try; 30s
}

// Kind is the PostgreSQL sink.
var Kind = sink.Kind{
	Name:    "postgres",
	Summary: "columns of a table of a PostgreSQL server",
	Config:  func() sink.Config { return &Config{OnRemove: empty, Timeout: config.Duration(defaultTimeout)} },
	New: func(c sink.Config, _ sink.Env) (sink.Sink, error) {
		return newTable(*c.(*Config))
	},
}

var _ sink.WriteBack = (*Config)(nil)

// Validate reports every setting that cannot work.
func (c *Config) Validate() error {
	problems := c.CheckEvents()
	add := func(path, format string, args ...any) *problem.Error {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path))
		return problems[len(problems)-1]
	}
	if _, invalid := pg.Parse(c.DSN.Reveal()); invalid != nil {
		problems = append(problems, invalid.At("dsn"))
	}
	if c.Table == "" {
		add("table", "is missing").WithHint("as in table: shop.products")
	} else if _, invalid := pg.ParseName(c.Table); invalid != nil {
		problems = append(problems, invalid.At("table"))
	}
	if len(c.Key) == 0 {
		add("key", "is missing").WithHint("as in key: { sku: key }, a column and what it equals")
	}
	if len(c.Set) == 0 {
		add("set", "is missing").WithHint("as in set: { image_url: url }, a column and what it becomes")
	}
	for path, columns := range map[string]map[string]string{"key": c.Key, "set": c.Set} {
		for _, column := range slices.Sorted(maps.Keys(columns)) {
			if _, err := compile(columns[column]); err != nil {
				problems = append(problems, err.At(path+"."+column))
			}
		}
	}
	for _, column := range slices.Sorted(maps.Keys(c.Set)) {
		if _, both := c.Key[column]; both {
			add("set."+column, "is a column of the key").WithHint("write another column, or find the row by another")
		}
	}
	if g := c.GenerationColumn; g != "" {
		_, ofKey := c.Key[g]
		_, written := c.Set[g]
		if ofKey || written {
			add("generation_column", "%q is written otherwise too", g).WithHint("give it a column of its own, a bigint")
		}
	}
	switch c.OnRemove {
	case "", empty, keep:
	case remove:
		if !c.Insert {
			add("on_remove", "rows are only deleted where the sink made them").WithHint("set insert: true, or write clear or keep")
		}
	default:
		add("on_remove", "%q is not one of clear, keep, delete", c.OnRemove)
	}
	if c.Timeout <= 0 {
		add("timeout", "must be longer than nothing")
	}
	return problems.Err()
}

func compile(text string) (*expr.Program, *problem.Error) {
	program, err := expr.Compile(text, expr.Options{Names: fields.Names()})
	var p *problem.Error
	if errors.As(err, &p) {
		return nil, p
	}
	return program, nil
}

// WritesBack implements sink.WriteBack: all that is written, of the table that
// source reads. Another name of the same server, a view, or the table of a query
// can't be seen from here.
func (c *Config) WritesBack(_ string, from connectors.Config) []string {
	reads, ok := from.(*source.Config)
	if !ok {
		return nil
	}
	there, read, ok := reads.Place()
	here, known := pg.PlaceOf(c.DSN.Reveal())
	written, invalid := pg.ParseName(c.Table)
	if !ok || !known || invalid != nil || here != there || !written.Same(read) {
		return nil
	}
	columns := slices.Sorted(maps.Keys(c.Set))
	if c.GenerationColumn != "" {
		columns = append(columns, c.GenerationColumn)
	}
	return columns
}
