package slot

import (
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pg"
)

// A Config says what a Keeper looks after, and where.
type Config struct {
	Server   *pgconn.Config // as pg.Parse read it; it is copied
	Table    pg.Name
	Key      []string // columns; none are the primary key
	Columns  []string // that are read beside the key; none are all
	Source   string   // its name
	Instance string   // of the ledger, as connectors.Env has it

	// Slot and Publication are somebody else's, who makes and drops them; "" is one
	// of our own. A slot of somebody else needs a publication of somebody else: it
	// can't read what happened before its publication was made.
	Slot, Publication string
	// Failover asks for a slot that standby servers keep too, from PostgreSQL 17 on.
	Failover bool

	Heartbeat   time.Duration // between two; 0 is DefaultHeartbeat
	MaxRetained int64         // bytes of WAL; 0 is DefaultMaxRetained
	OnRetained  OnRetained    // "" is RetainedWarn
}

// The defaults of a Config.
const (
	DefaultHeartbeat   = 10 * time.Second
	DefaultMaxRetained = 10_000_000_000
)

// OnRetained says what becomes of a slot of which more WAL is kept than may be.
type OnRetained string

// What there is to do.
const (
	RetainedWarn OnRetained = "warn"
	// RetainedDrop drops the slot, so that the user's disk survives: the changes
	// that it kept are a gap. One of somebody else's is never dropped.
	RetainedDrop OnRetained = "drop"
)

// A Keeper looks after the slot and the publication of one source. It may be used
// by several goroutines.
type Keeper struct {
	cfg  Config
	name string // of what is ours, and of our connections
	line *pg.Line

	createLimit limits        // of making the slot
	takeLimit   time.Duration // for an older stream of ours to end

	mu   sync.Mutex
	why  string // why Watch dropped the slot; "" where it did not
	told told
}

// told is a gap that was told of, until a cursor behind it is committed: what was
// done about it since is not its reason.
type told struct{ identity, gap string }

// New makes a Keeper. Nothing is connected yet.
func New(cfg Config) *Keeper {
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = DefaultHeartbeat
	}
	if cfg.MaxRetained == 0 {
		cfg.MaxRetained = DefaultMaxRetained
	}
	k := &Keeper{cfg: cfg, name: nameOf(cfg.Instance, cfg.Source), createLimit: createLimit, takeLimit: takeLimit}
	k.line = pg.NewLine(k.config())
	return k
}

// config is how our connections show at the server: by the name of what they are
// for, so that a later process of the same ledger knows them.
func (k *Keeper) config() *pgconn.Config {
	cfg := k.cfg.Server.Copy()
	cfg.RuntimeParams["application_name"] = k.name
	return cfg
}

// Replication is how a connection for the stream is made: of the replication
// protocol, and named so that a later process of the same ledger may end it.
func (k *Keeper) Replication() *pgconn.Config {
	cfg := k.config()
	cfg.RuntimeParams["replication"] = "database"
	return cfg
}

// Slot is the name of the slot.
func (k *Keeper) Slot() string {
	if k.cfg.Slot != "" {
		return k.cfg.Slot
	}
	return k.name
}

// Publication is the name of the publication.
func (k *Keeper) Publication() string {
	if k.cfg.Publication != "" {
		return k.cfg.Publication
	}
	return k.name
}

// dropped is why Watch dropped the slot, "" where it did not.
func (k *Keeper) dropped() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.why
}

func (k *Keeper) setDropped(why string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.why = why
}

// first is the gap that was told of first for the identity of a cursor.
func (k *Keeper) first(identity []byte, gap string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if gap == "" || k.told.gap == "" || k.told.identity != string(identity) {
		k.told = told{string(identity), gap}
	}
	return k.told.gap
}

// Close gives the connection back.
func (k *Keeper) Close() error { return k.line.Close() }
