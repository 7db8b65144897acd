package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pg"
)

const (
	chunksAhead = 2 // that are read and not yet taken
	chunkBytes  = 2 << 20
	// dropBytes is where rows of a chunk are left for the next one.
	dropBytes = 32 << 20
	// slowChunk is where chunks get smaller, long before a query is a burden.
	slowChunk = 2500 * time.Millisecond
	holdRest  = 100 * time.Millisecond
)

// chunkPrefix begins the messages by which the stream comes to where a chunk was read.
const chunkPrefix = "pictifyd:chunk:"

// A chunk is rows as they stood at one moment.
type chunk struct {
	id       string
	g        *generation
	walk     *walk
	page     *page
	snapshot snapshot
	keys     map[string]int // of the rows, by their place in the page
	stale    []bool         // by the same: a change that was told of is newer
	last     bool           // no row has a greater key
}

func (c *chunk) sees(xid uint32) bool { return c.snapshot.sees(xid) }

// A generation is one backfill, from its first row or from where it was committed.
type generation struct {
	ctx    context.Context // ends with it
	cancel context.CancelFunc
	number int
	after  []string
	table  *table
	room   chan struct{} // for chunks that are ahead
}

// fill reads the chunks of generations, one after the other.
func (r *run) fill(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case g := <-r.generations:
			if err := r.chunks(g); err != nil && g.ctx.Err() == nil {
				return err
			}
		}
	}
}

// chunks reads those of one generation until its last.
func (r *run) chunks(g *generation) error {
	if err := r.settle(g); err != nil {
		return err
	}
	size, slow := r.f.sizes.firstChunk, 0
	for n := 1; ; n++ {
		select {
		case g.room <- struct{}{}:
		case <-g.ctx.Done():
			return g.ctx.Err()
		}
		begun := time.Now()
		c, err := r.chunk(g, n, size)
		switch {
		case err != nil && slow < maxSlow && r.later(g.ctx, pg.State(err)):
			size, slow = max(size/4, 1), slow+1
			<-g.room
			continue
		case err != nil:
			return err
		}
		slow = 0
		if c.last {
			return nil
		}
		g.after = c.lastKey()
		size = c.nextSize(size, r.f.sizes.mostChunk, time.Since(begun))
	}
}

// maxSlow is how many queries may fail one after the other.
const maxSlow = 6

// later reports whether a chunk may be read when another try is made: after a query
// that took too long, an ALTER TABLE that is under way, or one of which the stream
// has not heard.
func (r *run) later(ctx context.Context, state string) bool {
	switch state {
	case "57014":
		return true
	case "55P03":
	case "42703":
		signal(r.suspect)
	default:
		return false
	}
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	return true
}

// nextSize is how many rows the next chunk should have.
func (c *chunk) nextSize(size, most int, took time.Duration) int {
	if took > slowChunk && c.g.table.indexed {
		return max(size/2, 10)
	}
	fits := chunkBytes * c.page.len() / max(len(c.page.text), 1)
	return max(min(4*size, fits, most), min(most, 10))
}

// lastKey are the values by which the rows behind the chunk are found.
func (c *chunk) lastKey() []string { return c.keyAt(c.page.len() - 1) }

func (c *chunk) keyAt(i int) []string {
	cells := c.page.cells(i, nil)[len(c.walk.columns):]
	key := make([]string, len(cells))
	for j, cell := range cells {
		key[j] = string(cell)
	}
	return key
}

// settle has the first chunk wait for what is under way and may have been told of.
func (r *run) settle(g *generation) error {
	return r.f.fills.Use(g.ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
		m, err := snapshotOf(ctx, conn)
		if err != nil {
			return err
		}
		r.window.hold(m, time.Now())
		return nil
	})
}

func snapshotOf(ctx context.Context, conn *pgconn.PgConn) (snapshot, error) {
	rows, err := pg.Rows(ctx, conn, "SELECT pg_catalog.pg_current_snapshot()::text")
	if err != nil {
		return snapshot{}, err
	}
	return parseSnapshot(string(rows[0][0]))
}

// chunk reads one, and has the stream told of it.
func (r *run) chunk(g *generation, n, size int) (*chunk, error) {
	c := &chunk{id: fmt.Sprintf("%s/%d/%d", r.token, g.number, n), g: g}
	err := r.f.fills.Use(g.ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
		for {
			ok, err := r.readChunk(ctx, conn, c, size)
			if err != nil {
				return err
			}
			if ok && r.window.add(c) {
				break
			}
			select {
			case <-time.After(holdRest):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		ctx, cancel := context.WithTimeout(ctx, r.f.cfg.patience())
		defer cancel()
		// Nobody has to wait for a standby server because of it.
		_, err := conn.Exec(ctx, "BEGIN READ WRITE; SET LOCAL synchronous_commit = local; SELECT pg_catalog.pg_logical_emit_message(true, "+
			pg.Literal(chunkPrefix+r.slot)+", "+pg.Literal(c.id)+"); COMMIT").ReadAll()
		return err
	})
	return c, err
}

// readChunk reads the rows and the moment that they are of in one transaction. It
// reports false where the moment is too early.
func (r *run) readChunk(ctx context.Context, conn *pgconn.PgConn, c *chunk, size int) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, r.f.cfg.patience())
	defer cancel()
	if err := r.f.begin(ctx, conn); err != nil {
		return false, err
	}
	defer func() { _, _ = conn.Exec(ctx, "ROLLBACK").ReadAll() }() // else the line does
	m, err := snapshotOf(ctx, conn)
	if err != nil || !r.window.admits(m, time.Now()) {
		return false, err
	}
	t := c.g.table
	sql, params := t.chunkSQL(c.g.after, size)
	result := conn.ExecParams(ctx, sql, params, nil, nil, nil)
	visible := len(t.visible)
	fields := append([]pgconn.FieldDescription(nil), result.FieldDescriptions()...)
	c.page, c.keys, c.snapshot = &page{width: visible + len(t.page)}, map[string]int{}, m
	var key []byte
	rows := 0
	for result.NextRow() {
		rows++
		if len(c.page.text) > dropBytes && t.pageUnique {
			continue // the next chunk has them
		}
		cells := result.Values()
		key = appendKey(key[:0], cells, t.keyAt)
		c.keys[string(key)] = c.page.len()
		c.page.add(cells)
	}
	if _, err := result.Close(); err != nil {
		return false, err
	}
	c.last = rows < size && rows == c.page.len()
	c.stale = make([]bool, c.page.len())
	c.walk = &walk{key: t.key, named: r.f.title()}
	c.walk.columns, err = r.f.columnsOf(ctx, conn, fields[:visible])
	return true, err
}

// appendKey writes the cells of a key so that no two keys are written alike.
func appendKey(key []byte, cells [][]byte, at []int) []byte {
	for _, i := range at {
		if cells[i] == nil {
			key = append(key, 0)
			continue
		}
		key = binary.AppendUvarint(key, uint64(len(cells[i]))+1)
		key = append(key, cells[i]...)
	}
	return key
}

// chunkSQL is the statement for the rows behind a key.
func (t *table) chunkSQL(after []string, size int) (sql string, params [][]byte) {
	var b strings.Builder
	b.WriteString("SELECT " + quoted(append(append([]string{}, t.visible...), t.page...), "") + " FROM ")
	if t.only {
		b.WriteString("ONLY ")
	}
	b.WriteString(t.name.SQL())
	page := quoted(t.page, "")
	var where []string
	for _, column := range t.nullable {
		where = append(where, pg.Quote(column)+" IS NOT NULL")
	}
	if after != nil {
		places := make([]string, len(after))
		for i, value := range after {
			places[i] = fmt.Sprintf("$%d", i+1)
			params = append(params, []byte(value))
		}
		if len(after) == 1 {
			where = append(where, page+" > $1")
		} else {
			where = append(where, "("+page+") > ("+strings.Join(places, ", ")+")")
		}
	}
	if len(where) > 0 {
		b.WriteString(" WHERE " + strings.Join(where, " AND "))
	}
	b.WriteString(" ORDER BY " + page)
	if t.pageUnique {
		fmt.Fprintf(&b, " LIMIT %d", size)
	} else {
		fmt.Fprintf(&b, " FETCH FIRST %d ROWS WITH TIES", size)
	}
	return b.String(), params
}

func quoted(names []string, before string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = before + pg.Quote(name)
	}
	return strings.Join(list, ", ")
}
