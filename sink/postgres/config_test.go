package postgres_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/file"
	source "github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/sink/postgres"
)

func jsonNumber(digits string) any { return json.Number(digits) }

const shop = "postgres://me:hunter2@db.example:5432/shop"

func TestValidateRefusesWhatCannotWork(t *testing.T) {
	for want, change := range map[string]func(c *postgres.Config){
		"dsn: is missing":                         func(c *postgres.Config) { c.DSN = config.Secret{} },
		"dsn: is no connection string":            func(c *postgres.Config) { c.DSN = config.NewSecret("postgres://me:hunter2/@x:y") },
		"table: is missing":                       func(c *postgres.Config) { c.Table = "" },
		"table: \"a b\" is not the name":          func(c *postgres.Config) { c.Table = "a b" },
		"key: is missing":                         func(c *postgres.Config) { c.Key = nil },
		"set: is missing":                         func(c *postgres.Config) { c.Set = nil },
		`set.a: unknown variable "urll"`:          func(c *postgres.Config) { c.Set = map[string]string{"a": "urll"} },
		"key.sku: ":                               func(c *postgres.Config) { c.Key = map[string]string{"sku": "key +"} },
		"set.sku: is a column of the key":         func(c *postgres.Config) { c.Set = map[string]string{"sku": "url"} },
		"generation_column: \"sku\" is written":   func(c *postgres.Config) { c.GenerationColumn = "sku" },
		"on_remove: rows are only deleted":        func(c *postgres.Config) { c.OnRemove = "delete" },
		"on_remove: \"drop\" is not one of clear": func(c *postgres.Config) { c.OnRemove = "drop" },
		"timeout: must be longer":                 func(c *postgres.Config) { c.Timeout = 0 },
		"events[0]: ":                             func(c *postgres.Config) { c.Events = []string{"nothing"} },
	} {
		err := newConfig(shop, change).Validate()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := newConfig(shop, nil).Validate(); err != nil {
		t.Error(err)
	}
}

func TestColumnsThatAreWrittenBackAreNamed(t *testing.T) {
	all := []string{"image_hash", "image_url", "gen"}
	for name, c := range map[string]struct {
		dsn, table string
		want       []string
	}{
		"the same":        {shop, "products", all},
		"another user":    {"postgresql://you@DB.example/shop?sslmode=require", "PRODUCTS", all},
		"in keywords":     {"host=db.example dbname=shop user=x", "public.products", all},
		"another table":   {shop, `"Products"`, nil},
		"another schema":  {shop, "shop.products", nil},
		"another base":    {"postgres://db.example/other", "products", nil},
		"another port":    {"postgres://db.example:5433/shop", "products", nil},
		"another machine": {"postgres://db2.example/shop", "products", nil},
	} {
		from := source.Kind.Config().(*source.Config)
		from.DSN, from.Table = config.NewSecret(c.dsn), c.table
		got := newConfig(shop, func(cfg *postgres.Config) { cfg.GenerationColumn = "gen" }).WritesBack("rows", from)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := newConfig(shop, nil).WritesBack("rows", file.Kind.Config()); got != nil {
		t.Errorf("of a file: %v", got)
	}
}
