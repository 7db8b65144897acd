package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/connectors/postgres/slot"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestWhatIsKeptAtTheServerIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*postgres.Config)
		want   string // the paths of problems
	}{
		"nothing":                       {func(*postgres.Config) {}, ""},
		"slot and publication":          {func(c *postgres.Config) { c.Slot, c.Publication = "pictures", "Pictures" }, ""},
		"a publication":                 {func(c *postgres.Config) { c.Publication = "Pictures" }, ""},
		"a slot without a publication":  {func(c *postgres.Config) { c.Slot = "pictures" }, "publication"},
		"a slot that can't be":          {func(c *postgres.Config) { c.Slot, c.Publication = "Pictures", "p" }, "slot"},
		"a name that is too long":       {func(c *postgres.Config) { c.Publication = strings.Repeat("x", 64) }, "publication"},
		"somebody's slot, to fail over": {func(c *postgres.Config) { c.Slot, c.Publication, c.Failover = "pictures", "p", true }, "failover"},
		"somebody's slot, to be dropped": {func(c *postgres.Config) {
			c.Slot, c.Publication, c.OnRetained = "pictures", "p", slot.RetainedDrop
		}, "on_retained"},
		"no heartbeat":          {func(c *postgres.Config) { c.Heartbeat = 0 }, "heartbeat"},
		"a rare heartbeat":      {func(c *postgres.Config) { c.Heartbeat = config.Duration(time.Hour) }, "heartbeat"},
		"next to nothing kept":  {func(c *postgres.Config) { c.MaxRetained = 1 }, "max_retained_wal"},
		"what there is not":     {func(c *postgres.Config) { c.OnRetained = "delete" }, "on_retained"},
		"where nothing is kept": {func(c *postgres.Config) { c.Mode, c.Publication = "poll", "p" }, "publication"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := postgres.Kind.Config().(*postgres.Config)
			cfg.DSN, cfg.Table, cfg.Mode = config.NewSecret("postgres://u@h/d"), "t", "cdc"
			c.change(cfg)
			var got []string
			for _, p := range problem.All(cfg.Validate()) {
				got = append(got, p.Path)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s: %v", got, c.want, cfg.Validate())
			}
		})
	}
}

func TestSeveralHostsAreOneServer(t *testing.T) {
	cfg := postgres.Kind.Config().(*postgres.Config)
	cfg.DSN, cfg.Table, cfg.Mode = config.NewSecret("postgres://u:p@a:5432,b:5433/d?target_session_attrs=read-write"), "t", "cdc"
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	if at, _, ok := cfg.Place(); !ok || at.String() != "a:5432/d" {
		t.Errorf("its place is %v", at)
	}
}
