package daemon

import (
	"context"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// tellUnable has the store know why a binding can't work, so that it is told of;
// nil when it can. To wait is no fault.
func (d *Daemon) tellUnable(ctx context.Context, cfg bindings.Config, err error) error {
	if isUnread(err) {
		err = nil
	}
	d.mu.Lock()
	told := d.told[cfg.Name]
	d.mu.Unlock()
	if told == (err != nil) {
		return nil
	}
	if err := d.store.SetUnable(ctx, cfg.Name, cfg.Source, err); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.told, cfg.Name)
	if err != nil {
		d.told[cfg.Name] = true
	}
	return nil
}

// unheard refuses events that sinks of a kind can do nothing with: those that are
// not about one row.
func unheard(node config.Node, kind sink.Kind, cfg sink.Config, kinds sink.Kinds) problem.List {
	if kind.Runs {
		return nil
	}
	var problems problem.List
	var can []string
	for _, k := range kinds {
		if k.Runs {
			can = append(can, k.Name)
		}
	}
	for i, event := range cfg.Base().Events {
		if sink.OfBinding(event) || event == sink.RunCompleted {
			problems = append(problems, config.Problem(node, fmt.Sprintf("events[%d]", i), problem.Unsupported, "a sink of the kind %s can't be told of %s, which is not about one row", kind.Name, event).
				WithHint("the kinds that can are %s", strings.Join(can, ", ")))
		}
	}
	return problems
}
