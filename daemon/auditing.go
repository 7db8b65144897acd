package daemon

import (
	"context"

	"github.com/pictifyd/pictifyd/internal/audit"
)

// ofConfiguration is the kind of entries about the operator's file.
const ofConfiguration = "configuration"

// auditStart notes the configuration that a daemon starts with, where the last one
// that was noted is another.
func (d *Daemon) auditStart(ctx context.Context) error {
	last, err := d.store.Audit().Entries(ctx, audit.Filter{Kind: ofConfiguration, Limit: 1})
	if err != nil {
		return err
	}
	before := ""
	if len(last) > 0 {
		before = last[0].After
	}
	return d.auditFile(ctx, "start", before, d.settings.source)
}

// auditFile notes that another configuration is in effect. before and after are the
// digests of the file.
func (d *Daemon) auditFile(ctx context.Context, action, before, after string) error {
	if before == after {
		return nil
	}
	_, err := d.store.Audit().Begin(ctx, audit.Entry{Via: "file", Action: action, Kind: ofConfiguration, Before: before, After: after, Status: 200})
	return err
}
