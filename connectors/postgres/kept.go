package postgres

import (
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/connectors/postgres/slot"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	minHeartbeat = 100 * time.Millisecond
	maxHeartbeat = 5 * time.Minute
	minRetained  = 64_000_000 // four segments: a server keeps them for any slot
)

// keptProblems are those of what is kept at the server.
func (c *Config) keptProblems() (list problem.List) {
	bad := func(path, format string, args ...any) *problem.Error {
		list = append(list, problem.New(problem.Invalid, format, args...).At(path))
		return list[len(list)-1]
	}
	if c.Mode != cdc {
		for path, named := range map[string]bool{"slot": c.Slot != "", "publication": c.Publication != "", "failover": c.Failover} {
			if named {
				bad(path, "is of mode: cdc").WithHint("write mode: cdc, or leave it out")
			}
		}
	}
	if len(c.Slot) > 63 || strings.Trim(c.Slot, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		bad("slot", "%q is not the name of a slot", c.Slot).WithHint("lower-case letters, digits and _, at most 63 of them")
	}
	if len(c.Publication) > 63 || strings.ContainsRune(c.Publication, 0) {
		bad("publication", "%q is not the name of a publication", c.Publication).WithHint("at most 63 bytes, as it is in the catalog")
	}
	if c.Slot != "" && c.Publication == "" {
		bad("publication", "a slot that is named needs a publication that is named: it can't tell what happened before its publication was made").
			WithHint("name the publication that was made before the slot")
	}
	if c.Slot != "" && c.Failover {
		bad("failover", "is a matter of whoever makes the slot %s", c.Slot).WithHint("leave it out")
	}
	if h := c.Heartbeat.Std(); h < minHeartbeat || h > maxHeartbeat {
		bad("heartbeat", "must be from %v to %v", minHeartbeat, maxHeartbeat).WithHint("leave it out: %v is the default", slot.DefaultHeartbeat)
	}
	if c.MaxRetained < minRetained {
		bad("max_retained_wal", "must be at least 64MB").WithHint("a server keeps as much for any slot; 10GB is the default")
	}
	if c.OnRetained != slot.RetainedWarn && c.OnRetained != slot.RetainedDrop {
		bad("on_retained", "%q is not one", c.OnRetained).WithHint("%s or %s", slot.RetainedWarn, slot.RetainedDrop)
	}
	if c.Slot != "" && c.OnRetained == slot.RetainedDrop {
		bad("on_retained", "the slot %s is somebody else's and never dropped", c.Slot).WithHint("leave it out")
	}
	return list
}
