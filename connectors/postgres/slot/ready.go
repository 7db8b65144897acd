package slot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// plugin is what decodes the server's log for us.
const plugin = "pgoutput"

// SlotTimeout is the slug of a slot that could not be made in time.
const SlotTimeout = "slot_timeout"

// Ready is what a stream begins with.
type Ready struct {
	Slot, Publication string
	// From is where the stream begins: what was committed last, or where the slot
	// begins where nothing was.
	From pglogrepl.LSN
	// Identity is what Prepare wants to see again at the next start: it is kept in
	// the cursor, beside the LSN.
	Identity []byte
	// Fresh says that nothing is known of what was before From: all rows have to be
	// read. The slot was made just now, or was never read by anybody.
	Fresh bool
	// Gap is why changes behind the committed LSN are lost, as a person is told; ""
	// where none are. Then there is nothing to stream: Renew goes on.
	Gap string

	Table   uint32 // the OID of the table, or of the root of its partitions
	Version int    // of the server, as in server_version_num: 150018
}

// Prepare looks whether the server can tell of changes, makes the publication and
// then the slot where they are ours and no cursor knows them, and takes the slot
// from an older process of the same ledger. identity and committed are of the cursor
// that was committed last; nil says that there is none.
//
// Where there is a Gap, nothing was made and nothing dropped. The error has all that
// is wrong, each with the SQL that mends it.
func (k *Keeper) Prepare(ctx context.Context, raw []byte, committed pglogrepl.LSN) (Ready, error) {
	f, err := k.look(ctx)
	if err != nil {
		return Ready{}, err
	}
	if raw == nil {
		return k.begin(ctx, f)
	}
	var was identity
	if err := json.Unmarshal(raw, &was); err != nil {
		return Ready{}, fmt.Errorf("read the identity of the cursor: %w", err)
	}
	wrong := errorsOf(k.findings(f))
	if f.judgeable() {
		gap, err := k.gap(ctx, f, was, committed)
		if err != nil {
			return Ready{}, err
		}
		if gap = k.first(raw, gap); gap != "" {
			return Ready{Slot: k.Slot(), Publication: k.Publication(), Gap: gap, Table: f.table.oid, Version: f.server.version}, nil
		}
	}
	if wrong != nil && !isBusy(wrong) {
		return Ready{}, wrong
	}
	if err := k.take(ctx, k.Slot()); err != nil {
		return Ready{}, err
	}
	return k.ready(f, committed), nil
}

// judgeable reports whether enough is known to say that something was lost.
func (f *facts) judgeable() bool {
	return f.server.version >= oldest && !f.server.standby && f.table != nil && f.deaf == nil && f.system != ""
}

// isBusy reports whether all that is wrong is that somebody reads the slot, of which
// taking it says more.
func isBusy(err error) bool {
	var list problem.List
	return errors.As(err, &list) && len(list) == 1 && list[0].Slug == Busy
}

func (k *Keeper) ready(f *facts, from pglogrepl.LSN) Ready {
	return Ready{Slot: k.Slot(), Publication: k.Publication(), From: from, Identity: k.identityOf(f), Table: f.table.oid, Version: f.server.version}
}

// begin is the first start. A slot of ours that was never read, and its publication,
// are left of a start that ended before its cursor was committed.
func (k *Keeper) begin(ctx context.Context, f *facts) (Ready, error) {
	unread := f.slot != nil && !f.slot.read && f.slot.confirmed != 0 && f.slot.unfit(f.server.database) == "" && f.pub != nil &&
		(k.cfg.Publication != "" || f.pub.ours(f.server.version))
	if k.cfg.Slot == "" && !unread {
		return k.renew(ctx, f)
	}
	if err := errorsOf(k.findings(f)); err != nil && !isBusy(err) {
		return Ready{}, err
	}
	if err := k.take(ctx, k.Slot()); err != nil {
		return Ready{}, err
	}
	// Its publication is ours where only the slot is somebody else's.
	if err := k.makePublication(ctx, f); err != nil {
		return Ready{}, err
	}
	return k.fresh(ctx)
}

// fresh is a Ready for a slot of which nothing is known.
func (k *Keeper) fresh(ctx context.Context) (Ready, error) {
	f, err := k.look(ctx)
	switch {
	case err != nil:
		return Ready{}, err
	case f.slot == nil || f.table == nil || f.pub == nil || f.deaf != nil:
		return Ready{}, errors.Join(errors.New("the slot, its publication or its table went while they were made ready"), f.deaf)
	}
	r := k.ready(f, f.slot.confirmed)
	r.Fresh = true
	return r, nil
}

// Renew drops the slot where it is ours, makes it anew behind its publication, and
// gives a Ready that is Fresh: what was to be told before is given up. Of somebody
// else's slot what it still has to tell is kept; one that can't go on is an error
// with the SQL by which its owner makes it anew.
func (k *Keeper) Renew(ctx context.Context) (Ready, error) {
	f, err := k.look(ctx)
	if err != nil {
		return Ready{}, err
	}
	if k.cfg.Slot != "" {
		if k.cfg.Slot != k.name {
			if err := k.dropSlot(ctx, k.name); err != nil { // of the time before it was named
				return Ready{}, err
			}
		}
		return k.begin(ctx, f)
	}
	return k.renew(ctx, f)
}

// renew makes the publication, and behind it the slot: a slot that is older than its
// publication can't read what happened before it (P9).
func (k *Keeper) renew(ctx context.Context, f *facts) (Ready, error) {
	if err := errorsOf(k.findings(f)); err != nil && !isBusy(err) {
		return Ready{}, err
	}
	if err := k.dropSlot(ctx, k.Slot()); err != nil {
		return Ready{}, err
	}
	k.setDropped("")
	steps := []func(context.Context, *facts) error{k.makePublication, k.makeSlot}
	if !cures.PublicationFirst {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(ctx, f); err != nil {
			return Ready{}, err
		}
	}
	return k.fresh(ctx)
}

// makeSlot makes our slot. The server waits for all transactions that are open.
func (k *Keeper) makeSlot(ctx context.Context, f *facts) error {
	args := []string{pg.Literal(k.Slot()), pg.Literal(plugin), "false", "false"}
	if k.cfg.Failover && f.server.version >= 170000 {
		args = append(args, "true")
	}
	err := k.change(ctx, k.createLimit, "SELECT pg_catalog.pg_create_logical_replication_slot("+strings.Join(args, ", ")+")")
	if err == nil {
		return nil
	}
	if pg.State(err) != "57014" && pg.State(err) != "55P03" {
		return fmt.Errorf("make the slot %s: %w", k.Slot(), err)
	}
	p := problem.New(problem.Timeout, "the server did not make the slot %s within %s: it waits for the transactions that are open%s", k.Slot(), k.createLimit.statement, k.oldestOpen(ctx)).WithSlug(SlotTimeout)
	return p.WithHint("end what is open, or wait: SELECT pid, xact_start, state, query FROM pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY xact_start")
}

const openSQL = `
SELECT pid, application_name, usename, to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM pg_catalog.pg_stat_activity
WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1`

// oldestOpen names the transaction that is open for the longest time, where that
// can be seen.
func (k *Keeper) oldestOpen(ctx context.Context) (text string) {
	_ = k.ask(ctx, func(ctx context.Context, conn *pgconn.PgConn) error { // says more, where it can
		rows, err := pg.Rows(ctx, conn, openSQL)
		if err == nil && len(rows) == 1 {
			text = fmt.Sprintf("; the oldest is of process %s (%q, user %s), since %s", rows[0][0], rows[0][1], rows[0][2], rows[0][3])
		}
		return err
	})
	return text
}

// dropSlot drops a slot of ours, ending our own stream of it. None is fine.
func (k *Keeper) dropSlot(ctx context.Context, name string) error {
	for try := 1; ; try++ {
		if err := k.take(ctx, name); err != nil {
			return err
		}
		err := k.ask(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
			_, err := pg.Rows(ctx, conn, "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = $1", name)
			return err
		})
		switch state := pg.State(err); {
		case err == nil, state == "42704":
			return nil
		case state == "55006" && try < 3: // somebody took it again
			continue
		}
		return fmt.Errorf("drop the slot %s: %w", name, err)
	}
}

// dropPublication drops the publication of our name. None is fine.
func (k *Keeper) dropPublication(ctx context.Context) error {
	err := k.change(ctx, changeLimit, "DROP PUBLICATION IF EXISTS "+pg.Quote(k.name))
	if err == nil {
		return nil
	}
	var p *problem.Error
	if errors.As(err, &p) && pg.State(err) == "42501" {
		p.Hint = "run as its owner: DROP PUBLICATION " + pg.Quote(k.name)
	}
	return fmt.Errorf("drop the publication %s: %w", k.name, err)
}
