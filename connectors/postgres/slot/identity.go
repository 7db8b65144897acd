package slot

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/cures"
)

// identity is what has to be the same at the next start, so that what the slot
// tells follows what was committed.
type identity struct {
	System      string `json:"system"`
	Timeline    int32  `json:"timeline"`
	Database    string `json:"database"` // its OID: a name may be given again
	Table       uint32 `json:"table"`
	Slot        string `json:"slot"`
	Publication string `json:"publication"`
	PubOID      uint32 `json:"pubOID"`
}

func (k *Keeper) identityOf(f *facts) []byte {
	is := identity{System: f.system, Timeline: f.timeline, Database: f.server.databaseOID, Table: f.table.oid, Slot: k.Slot(), Publication: k.Publication()}
	if f.pub != nil {
		is.PubOID = f.pub.oid
	}
	text, err := json.Marshal(is)
	if err != nil {
		panic(err) // texts and numbers
	}
	return text
}

// gap is why something behind committed can have been lost, "" where nothing can:
// a slot begins without a word at what it still has. It cures P7.
func (k *Keeper) gap(ctx context.Context, f *facts, was identity, committed pglogrepl.LSN) (string, error) {
	if !cures.SlotIdentity {
		return "", nil
	}
	if why := k.changed(f, was); why != "" {
		return why, nil
	}
	if why := k.slipped(f, committed); why != "" {
		return why, nil
	}
	if f.timeline == was.Timeline {
		return "", nil
	}
	return k.forked(ctx, f.timeline, was.Timeline, committed)
}

// changed is what is another one than it was.
func (k *Keeper) changed(f *facts, was identity) string {
	switch {
	case f.system != was.System:
		return fmt.Sprintf("the server is another one: its system identifier is %s and was %s, as after a restore from a dump, an upgrade or a move", f.system, was.System)
	case f.server.databaseOID != was.Database:
		return fmt.Sprintf("the database %s is another one than before: it was made anew, or dsn names another", f.server.database)
	case f.table.oid != was.Table:
		return fmt.Sprintf("the table %s is another one than before: it was dropped and made anew, or another took its name", f.table.name)
	case k.Slot() != was.Slot:
		return fmt.Sprintf("the slot is now %s and was %s", k.Slot(), was.Slot)
	case k.Publication() != was.Publication:
		return fmt.Sprintf("the publication is now %s and was %s", k.Publication(), was.Publication)
	case f.pub == nil:
		return fmt.Sprintf("the publication %s is gone: somebody dropped it", k.Publication())
	case f.pub.oid != was.PubOID:
		return fmt.Sprintf("the publication %s was dropped and made anew: what happened between is in none", k.Publication())
	case !f.pub.has:
		return fmt.Sprintf("the publication %s has no longer the table %s: its changes since then are in none", k.Publication(), f.table.name)
	}
	return ""
}

// slipped is how the slot lost its place.
func (k *Keeper) slipped(f *facts, committed pglogrepl.LSN) string {
	s := f.slot
	switch {
	case s == nil && k.dropped() != "":
		return k.dropped()
	case s == nil:
		return fmt.Sprintf("the slot %s is gone: somebody dropped it, or the server was restored or promoted without it", k.Slot())
	case s.physical || s.plugin != plugin || s.database != f.server.database:
		return fmt.Sprintf("the slot %s is now one of another kind", k.Slot())
	case s.lost():
		return fmt.Sprintf("the slot %s is lost: the server has removed WAL that it needed%s", k.Slot(), because(s))
	case s.confirmed > committed:
		return fmt.Sprintf("the slot %s was made anew, or somebody else read or advanced it: it begins at %s, and what was committed here ends at %s", k.Slot(), s.confirmed, committed)
	case f.server.wal < committed:
		return fmt.Sprintf("the server was put back to an earlier state: its WAL ends at %s, and what was committed here at %s", f.server.wal, committed)
	}
	return ""
}

func because(s *slotFacts) string {
	if s.reason == "" {
		return ""
	}
	return " (" + s.reason + ")"
}

// forked is what a server lost that went another way than the one that told us
// before: a standby that was promoted, or a backup that was recovered to a time.
// It may have branched off before what was committed here.
func (k *Keeper) forked(ctx context.Context, timeline, was int32, committed pglogrepl.LSN) (string, error) {
	var history []byte
	if timeline > 1 {
		ctx, cancel := context.WithTimeout(ctx, answerLimit)
		defer cancel()
		err := k.speak(ctx, func(conn *pgconn.PgConn) error {
			h, err := pglogrepl.TimelineHistory(ctx, conn, timeline)
			history = h.Content
			return err
		})
		if err != nil {
			return "", err
		}
	}
	left, known := leftAt(string(history), was)
	switch {
	case !known:
		return fmt.Sprintf("the server is on timeline %d, which does not come from timeline %d: it was restored from a backup", timeline, was), nil
	case committed > left:
		return fmt.Sprintf("the server was promoted or restored: it left timeline %d at %s, before %s, which was committed here already", was, left, committed), nil
	}
	return "", nil
}

// leftAt is where a timeline was left, by a history as servers write it.
func leftAt(history string, timeline int32) (at pglogrepl.LSN, ok bool) {
	for line := range strings.Lines(history) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != strconv.Itoa(int(timeline)) {
			continue
		}
		at, err := pglogrepl.ParseLSN(fields[1])
		return at, err == nil
	}
	return 0, false
}
