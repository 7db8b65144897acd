package slot

import (
	"fmt"

	"github.com/pictifyd/pictifyd/internal/pg"
)

// oldest is the first version that has all that is needed: messages in pgoutput.
const oldest = 140000

// server looks at the server as a whole.
func (c *check) server() {
	s := &c.facts.server
	if s.version < oldest {
		c.add(Finding{Level: Error, Slug: "server_too_old", What: "the server is PostgreSQL " + s.title + "; changes are read from 14 on", Hint: "upgrade it, or leave mode: cdc out"})
		return
	}
	c.ok("server", "PostgreSQL "+s.title)
	if s.standby {
		c.add(Finding{
			Level: Error, Slug: "standby", What: "the server is a standby: it takes no messages, so that neither heartbeats nor the marks of a first reading can be written",
			Hint: "name the primary server in dsn; with several hosts in it add target_session_attrs=read-write",
		})
		return
	}
	if s.walLevel == "logical" {
		c.ok("wal_level", "wal_level is logical")
	} else {
		c.add(Finding{
			Level: Error, Slug: "wal_level", What: "wal_level is " + s.walLevel + ", so that the server does not write what changed",
			SQL:  "ALTER SYSTEM SET wal_level = logical",
			Hint: "then restart the server; at a provider it is a setting: rds.logical_replication = 1 of Amazon RDS, cloudsql.logical_decoding = on of Cloud SQL",
		})
	}
	if own := c.facts.slot; own == nil && c.keeper.cfg.Slot == "" && s.slots >= s.maxSlots {
		c.add(Finding{
			Level: Error, Slug: "no_free_slot", What: fmt.Sprintf("all %d replication slots of the server are taken", s.maxSlots),
			SQL:  fmt.Sprintf("ALTER SYSTEM SET max_replication_slots = %d", s.maxSlots+10),
			Hint: "then restart the server; or drop one that nobody needs: SELECT slot_name, active, restart_lsn FROM pg_replication_slots",
		})
	}
	if s.emits != "" {
		c.add(Finding{
			Level: Error, Slug: "function_denied", What: fmt.Sprintf("the user %s may not call %s", s.user, s.emits),
			SQL: fmt.Sprintf("GRANT EXECUTE ON FUNCTION %s TO %s", s.emits, pg.Quote(s.user)),
		})
	}
}

// user looks at what the user may do at the server.
func (c *check) user() {
	s := &c.facts.server
	switch {
	case !s.mayReplicate():
		f := Finding{
			Level: Error, Slug: "no_replication", What: fmt.Sprintf("the user %s may not replicate", s.user),
			SQL: fmt.Sprintf("ALTER ROLE %s REPLICATION", pg.Quote(s.user)), Hint: "as a superuser",
		}
		if s.rds != "" {
			f.SQL, f.Hint = fmt.Sprintf("GRANT rds_replication TO %s", pg.Quote(s.user)), "as the master user"
		}
		c.add(f)
	case c.facts.deaf != nil && s.senders >= s.maxSenders:
		c.add(Finding{
			Level: Error, Slug: "no_free_sender", What: fmt.Sprintf("all %d connections of the server for replication are taken", s.maxSenders),
			SQL:  fmt.Sprintf("ALTER SYSTEM SET max_wal_senders = %d", s.maxSenders+10),
			Hint: "then restart the server; or end one that nobody needs: SELECT pid, application_name, client_addr FROM pg_stat_replication",
		})
	case c.facts.deaf != nil:
		c.add(Finding{
			Level: Error, Slug: "no_replication_connection", What: "no connection of the replication protocol is given: " + c.facts.deaf.Error(),
			Hint: "name the server itself in dsn, not a pooler; pg_hba.conf has to let the user into this database",
		})
	default:
		c.ok("replication", fmt.Sprintf("the user %s may replicate, and the server speaks to it", s.user))
	}
}

// disk looks at what protects the server's disk, and what takes a slot away.
func (c *check) disk() {
	s := &c.facts.server
	if s.keepSize < 0 {
		c.add(Finding{
			Level: Warning, Slug: "unlimited_wal", What: "max_slot_wal_keep_size is not set: while nobody reads a slot, the server keeps WAL until its disk is full",
			SQL:  "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf()",
			Hint: "choose what the disk has room for; a slot that needed more is lost, and all rows are read again",
		})
	} else {
		c.ok("max_slot_wal_keep_size", fmt.Sprintf("max_slot_wal_keep_size is %d MB", s.keepSize))
	}
	if s.idleLimit != "" {
		c.add(Finding{
			Level: Warning, Slug: "idle_slot_timeout", What: "idle_replication_slot_timeout is " + s.idleLimit + ": the server gives up a slot that nobody reads for so long",
			Hint: "after a longer stop all rows are read again",
		})
	}
}
