package slot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pg"
)

const (
	// answerLimit is how long the server may take to say how things stand.
	answerLimit = 20 * time.Second
	// closeLimit is how long it may take to end a connection.
	closeLimit = 5 * time.Second
)

// facts are what the server says of itself, of the table and of what is ours.
type facts struct {
	server serverFacts
	table  *tableFacts // nil: there is none
	absent error       // why there is none
	pub    *pubFacts   // nil: there is none
	slot   *slotFacts  // nil: there is none
	// system, timeline and their error are of a connection of the replication protocol.
	system   string
	timeline int32
	deaf     error // why there was no such connection
}

type serverFacts struct {
	version     int
	title       string
	walLevel    string
	standby     bool
	database    string
	databaseOID string
	user        string
	super       bool
	replicates  bool
	rds         string // "": there is no such role; else whether the user is a member of it
	creates     bool   // in the database
	bypasses    bool   // row security
	slots       int    // that there are
	maxSlots    int
	senders     int
	maxSenders  int
	keepSize    int64  // max_slot_wal_keep_size in MB; negative is without a limit
	idleLimit   string // idle_replication_slot_timeout; "" where it is off or unknown
	emits       string // the function that may not be called; "" is fine
	wal         pglogrepl.LSN
}

type tableFacts struct {
	oid         uint32
	name        pg.Name
	kind        string // as in pg_class.relkind
	persistence string
	owner       string
	owns        bool
	looks       bool // into the schema
	guarded     bool // by row security
	inherited   bool // tables inherit from it that are no partitions
	system      bool // of the server's own
	columns     []columnFacts
	primary     []string // also of a key that is no identity
	parts       []part   // the table, or its partitions
}

type columnFacts struct {
	name      string
	generated string // as in pg_attribute.attgenerated
	mayRead   bool
}

// A part is a table of which rows are written: it has an identity of its own.
type part struct {
	name        pg.Name
	kind        string
	persistence string
	identity    string // as in pg_class.relreplident
	indexes     []index
}

// An index is one that may be an identity: unique, at once, of all rows, of columns.
type index struct {
	name     string
	columns  []string
	primary  bool
	identity bool // the table says so
	notNull  bool // all its columns are
}

type pubFacts struct {
	oid     uint32
	owner   string
	owns    bool
	all     bool // FOR ALL TABLES
	has     bool // the table, with its changes under its own name
	alone   bool // the table and nothing else was listed
	root    bool // publish_via_partition_root
	actions []string
	columns bool // a list of them
	filter  bool // of rows
	gencols string
}

type slotFacts struct {
	plugin      string
	database    string
	physical    bool
	temporary   bool
	pid         int // who reads it; 0 is nobody
	application string
	user        string
	client      string
	restart     pglogrepl.LSN
	confirmed   pglogrepl.LSN
	walStatus   string
	reason      string // why it is no good any more
	safe        int64
	read        bool // somebody was told something of it
	synced      bool // by a primary server, into this standby
	unknown     bool // whether anybody reads it: its process is none that can be looked at
}

const serverSQL = `
SELECT current_setting('server_version_num'), current_setting('server_version'), current_setting('wal_level'), pg_catalog.pg_is_in_recovery(),
  d.datname, d.oid, r.rolname, r.rolsuper, r.rolreplication, r.rolbypassrls,
  (SELECT pg_catalog.pg_has_role(r.oid, rds.oid, 'MEMBER') FROM pg_catalog.pg_roles rds WHERE rds.rolname = 'rds_replication'),
  pg_catalog.has_database_privilege(d.oid, 'CREATE'),
  (SELECT count(*) FROM pg_catalog.pg_replication_slots), current_setting('max_replication_slots'),
  (SELECT count(*) FROM pg_catalog.pg_stat_replication), current_setting('max_wal_senders'),
  (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size'),
  (SELECT nullif(setting, '0') || coalesce(unit, '') FROM pg_catalog.pg_settings WHERE name = 'idle_replication_slot_timeout'),
  (SELECT min(p.oid::regprocedure::text) FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace
    AND p.proname IN ('pg_logical_emit_message', 'pg_create_logical_replication_slot', 'pg_drop_replication_slot', 'pg_current_wal_lsn')
    AND NOT pg_catalog.has_function_privilege(p.oid, 'EXECUTE')),
  CASE WHEN pg_catalog.pg_is_in_recovery() THEN '0/0' ELSE pg_catalog.pg_current_wal_lsn()::text END
FROM pg_catalog.pg_database d, pg_catalog.pg_roles r
WHERE d.datname = current_database() AND r.rolname = current_user`

// Names are looked up by hand: to_regclass fails in a schema that may not be looked into.
const tableSQL = `
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, pg_catalog.pg_get_userbyid(c.relowner), pg_catalog.pg_has_role(c.relowner, 'USAGE'),
  pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.row_security_active(c.oid),
  EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) AND c.relkind <> 'p', c.oid < 16384
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND CASE WHEN $2 = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $2 END`

const columnsSQL = `
SELECT a.attname, a.attgenerated, pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

// Of a table without partitions the tree is the table.
const partsSQL = `
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident
FROM (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) WHERE isleaf UNION SELECT $1::oid::regclass
  EXCEPT SELECT oid::regclass FROM pg_catalog.pg_class WHERE oid = $1::oid AND relkind = 'p') AS leaf
JOIN pg_catalog.pg_class c ON c.oid = leaf.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY 2, 3`

const indexesSQL = `
SELECT i.indrelid, x.relname, i.indisprimary, i.indisreplident, a.attname, a.attnotnull
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, at)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indrelid, i.indexrelid, k.at`

const primarySQL = `
SELECT a.attname FROM pg_catalog.pg_index i CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, at)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE i.indrelid = $1::oid AND i.indisprimary ORDER BY k.at`

// Columns that only later versions have are read out of the row as JSON.
const publicationSQL = `
SELECT p.oid, pg_catalog.pg_get_userbyid(p.pubowner), pg_catalog.pg_has_role(p.pubowner, 'USAGE'), p.puballtables,
  EXISTS (SELECT FROM pg_catalog.pg_get_publication_tables(p.pubname::text) t WHERE t.relid = $2::oid),
  (SELECT count(*) = 1 AND bool_and(pr.prrelid = $2::oid) FROM pg_catalog.pg_publication_rel pr WHERE pr.prpubid = p.oid),
  p.pubviaroot, concat_ws(',', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END),
  (SELECT bool_or(to_jsonb(pr) ->> 'prattrs' IS NOT NULL) FROM pg_catalog.pg_publication_rel pr WHERE pr.prpubid = p.oid AND pr.prrelid = $2::oid),
  (SELECT bool_or(to_jsonb(pr) ->> 'prqual' IS NOT NULL) FROM pg_catalog.pg_publication_rel pr WHERE pr.prpubid = p.oid AND pr.prrelid = $2::oid),
  to_jsonb(p) ->> 'pubgencols'
FROM pg_catalog.pg_publication p WHERE p.pubname = $1`

const slotSQL = `
SELECT s.plugin, s.database, s.slot_type, s.temporary, s.active_pid, a.application_name, a.usename, a.client_addr, s.restart_lsn, s.confirmed_flush_lsn,
  s.wal_status, to_jsonb(s) ->> 'invalidation_reason', s.safe_wal_size, coalesce(st.total_txns > 0, false), to_jsonb(s) ->> 'synced', s.active_pid IS NOT NULL AND a.pid IS NULL
FROM pg_catalog.pg_replication_slots s
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid
LEFT JOIN pg_catalog.pg_stat_replication_slots st ON st.slot_name = s.slot_name
WHERE s.slot_name = $1`

// look asks the server for all facts.
func (k *Keeper) look(ctx context.Context) (*facts, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	f := &facts{}
	err := k.line.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		if f.server, err = lookServer(ctx, conn); err != nil {
			return err
		}
		if f.table, err = lookTable(ctx, conn, k.cfg.Table); err != nil {
			return err
		}
		if f.table == nil {
			if _, f.absent = pg.Look(ctx, conn, k.cfg.Table); f.absent == nil {
				return errors.New("the table came to be just now") // it is looked for again
			}
		}
		oid := uint32(0)
		if f.table != nil {
			oid = f.table.oid
		}
		if f.pub, err = lookPublication(ctx, conn, k.Publication(), oid); err != nil {
			return err
		}
		f.slot, err = lookSlot(ctx, conn, k.Slot())
		return err
	})
	if err != nil {
		return nil, err
	}
	if f.server.mayReplicate() && f.server.version >= oldest {
		f.system, f.timeline, f.deaf = k.identify(ctx)
	}
	return f, nil
}

// identify asks for what only the replication protocol tells surely, which also
// shows that it can be spoken.
func (k *Keeper) identify(ctx context.Context) (system string, timeline int32, err error) {
	err = k.speak(ctx, func(conn *pgconn.PgConn) error {
		it, err := pglogrepl.IdentifySystem(ctx, conn)
		system, timeline = it.SystemID, it.Timeline
		return err
	})
	return system, timeline, err
}

// speak lends a connection of the replication protocol to do.
func (k *Keeper) speak(ctx context.Context, do func(*pgconn.PgConn) error) error {
	conn, err := pgconn.ConnectConfig(ctx, k.Replication())
	if err != nil {
		return k.line.Explain(ctx, err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
		defer cancel()
		_ = conn.Close(ctx) // waits until the server has a place for the next one
	}()
	return k.line.Explain(ctx, do(conn))
}

func (s *serverFacts) mayReplicate() bool { return s.super || s.replicates || s.rds == "t" }

func lookServer(ctx context.Context, conn *pgconn.PgConn) (s serverFacts, err error) {
	rows, err := pg.Rows(ctx, conn, serverSQL)
	if err != nil {
		return s, err
	}
	if len(rows) != 1 {
		return s, errors.New("the server does not say who is asking")
	}
	r := row(rows[0])
	s = serverFacts{
		version: r.int(0), title: r.text(1), walLevel: r.text(2), standby: r.yes(3), database: r.text(4), databaseOID: r.text(5), user: r.text(6),
		super: r.yes(7), replicates: r.yes(8), bypasses: r.yes(9), rds: r.text(10), creates: r.yes(11), slots: r.int(12), maxSlots: r.int(13),
		senders: r.int(14), maxSenders: r.int(15), keepSize: int64(r.int(16)), idleLimit: r.text(17), emits: r.text(18), wal: r.lsn(19),
	}
	return s, nil
}

func lookTable(ctx context.Context, conn *pgconn.PgConn, name pg.Name) (*tableFacts, error) {
	rows, err := pg.Rows(ctx, conn, tableSQL, name.Table, name.Schema)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	r := row(rows[0])
	oid := r.text(0)
	t := &tableFacts{
		oid: r.oid(0), name: pg.Name{Schema: r.text(1), Table: r.text(2)}, kind: r.text(3), persistence: r.text(4), owner: r.text(5),
		owns: r.yes(6), looks: r.yes(7), guarded: r.yes(8), inherited: r.yes(9), system: r.yes(10),
	}
	if rows, err = pg.Rows(ctx, conn, columnsSQL, oid); err != nil {
		return nil, err
	}
	for _, r := range rows {
		t.columns = append(t.columns, columnFacts{name: string(r[0]), generated: string(r[1]), mayRead: row(r).yes(2)})
	}
	if rows, err = pg.Rows(ctx, conn, primarySQL, oid); err != nil {
		return nil, err
	}
	for _, r := range rows {
		t.primary = append(t.primary, string(r[0]))
	}
	if t.kind == "r" || t.kind == "p" {
		t.parts, err = lookParts(ctx, conn, oid)
	}
	return t, err
}

func lookParts(ctx context.Context, conn *pgconn.PgConn, oid string) ([]part, error) {
	rows, err := pg.Rows(ctx, conn, partsSQL, oid)
	if err != nil {
		return nil, err
	}
	var parts []part
	at := map[string]int{}
	var oids []*string
	for _, r := range rows {
		r := row(r)
		of := r.text(0)
		at[of] = len(parts)
		oids = append(oids, &of)
		parts = append(parts, part{name: pg.Name{Schema: r.text(1), Table: r.text(2)}, kind: r.text(3), persistence: r.text(4), identity: r.text(5)})
	}
	if rows, err = pg.Rows(ctx, conn, indexesSQL, string(pg.Array(oids))); err != nil {
		return nil, err
	}
	for _, r := range rows {
		r := row(r)
		p := &parts[at[r.text(0)]]
		if n := len(p.indexes); n == 0 || p.indexes[n-1].name != r.text(1) {
			p.indexes = append(p.indexes, index{name: r.text(1), primary: r.yes(2), identity: r.yes(3), notNull: true})
		}
		i := &p.indexes[len(p.indexes)-1]
		i.columns = append(i.columns, r.text(4))
		i.notNull = i.notNull && r.yes(5)
	}
	return parts, nil
}

func lookPublication(ctx context.Context, conn *pgconn.PgConn, name string, table uint32) (*pubFacts, error) {
	rows, err := pg.Rows(ctx, conn, publicationSQL, name, strconv.FormatUint(uint64(table), 10))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	r := row(rows[0])
	p := &pubFacts{
		oid: r.oid(0), owner: r.text(1), owns: r.yes(2), all: r.yes(3), has: r.yes(4), alone: r.yes(5), root: r.yes(6),
		gencols: r.text(10),
	}
	if actions := r.text(7); actions != "" {
		p.actions = strings.Split(actions, ",")
	}
	p.columns, p.filter = r.yes(8), r.yes(9)
	return p, nil
}

func lookSlot(ctx context.Context, conn *pgconn.PgConn, name string) (*slotFacts, error) {
	rows, err := pg.Rows(ctx, conn, slotSQL, name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	r := row(rows[0])
	s := &slotFacts{
		plugin: r.text(0), database: r.text(1), physical: r.text(2) != "logical", temporary: r.yes(3), pid: r.int(4), application: r.text(5),
		user: r.text(6), client: r.text(7), restart: r.lsn(8), confirmed: r.lsn(9), walStatus: r.text(10), reason: r.text(11), safe: -1,
		read: r.yes(13), synced: r.text(14) == "true", unknown: r.yes(15),
	}
	if r[12] != nil {
		s.safe = int64(r.int(12))
	}
	return s, nil
}

// A row is one of an answer, as text. What is null is empty, 0 and false.
type row [][]byte

func (r row) text(i int) string { return string(r[i]) }

func (r row) yes(i int) bool { return string(r[i]) == "t" }

func (r row) int(i int) int {
	n, _ := strconv.Atoi(string(r[i])) // the server wrote it
	return n
}

func (r row) oid(i int) uint32 {
	n, _ := strconv.ParseUint(string(r[i]), 10, 32) // the server wrote it
	return uint32(n)
}

func (r row) lsn(i int) pglogrepl.LSN {
	if r[i] == nil {
		return 0
	}
	at, _ := pglogrepl.ParseLSN(string(r[i])) // the server wrote it
	return at
}

// lost reports whether the server no longer has what the slot would tell.
func (s *slotFacts) lost() bool {
	return s.walStatus == "lost" || s.reason != "" || s.restart == 0 && s.pid == 0
}

// within reports whether all of some are among all.
func within(some, all []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(all, one) })
}
