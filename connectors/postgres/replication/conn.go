package replication

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/pg"
)

const (
	// patience is after how long without a word of ours the server takes this
	// client for dead, so that another one may take the slot.
	patience = 10 * time.Second
	// rest is between two reports of ours. Each asks for an answer where nothing
	// was heard since the last one.
	rest = 3 * time.Second
	// silence is after how long without a word the server, or the way to it, is dead.
	silence = 4 * rest
	// startLimit is how long the server may take to begin.
	startLimit = 30 * time.Second
)

// Options say what is replicated.
type Options struct {
	Slot        string
	Publication string
	// From is the place behind what is known. The server begins there, or behind
	// what was confirmed of the slot, whichever is later.
	From LSN
}

// settings make the server write values in one form, as those of a SELECT are made to.
var settings = map[string]string{
	"replication": "database", "client_encoding": "UTF8", "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601",
	"bytea_output": "hex", "extra_float_digits": "1", "lc_monetary": "C", "xmlbinary": "base64",
	"statement_timeout": "0", "idle_session_timeout": "0",
	"wal_sender_timeout": strconv.FormatInt(patience.Milliseconds(), 10),
}

// set puts settings in place of those of the same name, which the server reads in
// any case.
func set(params map[string]string) {
	maps.DeleteFunc(params, func(name, _ string) bool {
		for ours := range settings {
			if strings.EqualFold(name, ours) {
				return true
			}
		}
		return false
	})
	maps.Copy(params, settings)
}

// A Conn is a slot that is being read. Next is for one goroutine; the other methods
// are for any.
type Conn struct {
	conn   net.Conn
	front  *pgproto3.Frontend
	queue  *queue
	parser parser

	confirmed atomic.Uint64 // what the server may forget
	received  atomic.Uint64 // the last record that was told of, committed by us or not
	heard     atomic.Int64  // when the server last said something, in nanoseconds since begun
	begun     time.Time
	asked     chan struct{} // the server wants a report
	closing   sync.Once
	wg        sync.WaitGroup
}

// Start connects and has the slot told from o.From on.
func Start(ctx context.Context, server *pgconn.Config, o Options) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	cfg := server.Copy()
	set(cfg.RuntimeParams)
	dead := &deadline{}
	cfg.DialFunc = dead.dial(cfg.DialFunc)
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	err = pglogrepl.StartReplication(ctx, conn, o.Slot, o.From, pglogrepl.StartReplicationOptions{
		PluginArgs: []string{"proto_version '1'", "publication_names " + pg.Literal(pg.Quote(o.Publication)), "messages 'true'"},
	})
	if err != nil {
		_ = conn.Close(ctx) // what it says adds nothing
		return nil, err
	}
	raw, err := conn.Hijack()
	if err != nil {
		return nil, err
	}
	dead.armed.Store(true)
	c := &Conn{
		conn: raw.Conn, front: raw.Frontend, queue: newQueue(), parser: parser{relations: map[uint32]*Relation{}},
		begun: time.Now(), asked: make(chan struct{}, 1),
	}
	c.confirmed.Store(uint64(o.From))
	c.wg.Go(c.read)
	c.wg.Go(c.report)
	return c, nil
}

// Next is the next event, in the order of the commits. It waits for one.
func (c *Conn) Next(ctx context.Context) (Event, error) {
	for {
		message, at, err := c.queue.get(ctx)
		if err != nil {
			return Event{}, err
		}
		e, err := c.parser.parse(message, at)
		if err != nil {
			return Event{}, err
		}
		switch e.Kind {
		case Begin, Commit, Described, Insert, Update, Delete, Truncate, Message:
			return e, nil
		}
		// Types and origins say nothing that the catalog doesn't.
	}
}

// Waiting reports whether Next would answer at once. It is for the goroutine that
// calls Next.
func (c *Conn) Waiting() bool { return c.queue.waiting() }

// Confirm lets the server forget what stands before lsn. It is the only way in which
// the server is told so (pitfall P4), and it never goes back.
func (c *Conn) Confirm(lsn LSN) {
	for {
		old := c.confirmed.Load()
		if uint64(lsn) <= old || c.confirmed.CompareAndSwap(old, uint64(lsn)) {
			return
		}
	}
}

// Confirmed is what the server may forget.
func (c *Conn) Confirmed() LSN { return LSN(c.confirmed.Load()) }

// Close gives the slot back, with a last word of what was confirmed.
func (c *Conn) Close() {
	c.closing.Do(func() {
		_ = c.tell(false) // the next one is told again
		_ = c.conn.SetWriteDeadline(time.Now().Add(time.Second))
		if bye, err := (&pgproto3.Terminate{}).Encode(nil); err == nil {
			_, _ = c.conn.Write(bye)
		}
		close(c.queue.done)
		_ = c.conn.Close() // which ends what is being read
	})
	c.wg.Wait()
}

// ErrSilent is the end of a connection on which nothing was heard for too long.
var ErrSilent = errors.New("nothing was heard of the server for too long")

// read takes what the server sends until it, or the connection, ends.
func (c *Conn) read() {
	for {
		message, err := c.front.Receive()
		if err != nil {
			var way net.Error
			if errors.As(err, &way) && way.Timeout() {
				err = fmt.Errorf("%w (%v)", ErrSilent, silence)
			}
			c.queue.end(err)
			return
		}
		c.heard.Store(int64(time.Since(c.begun)))
		switch m := message.(type) {
		case *pgproto3.CopyData:
			if !c.taken(m.Data) {
				return
			}
		case *pgproto3.ErrorResponse:
			c.queue.end(pgconn.ErrorResponseToPgError(m))
			return
		case *pgproto3.CopyDone, *pgproto3.CommandComplete, *pgproto3.ReadyForQuery:
			c.queue.end(errors.New("the server ended the replication"))
			return
		}
	}
}

// taken handles a message of the replication; false says that nobody wants more.
func (c *Conn) taken(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	switch data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		k, err := pglogrepl.ParsePrimaryKeepaliveMessage(data[1:])
		if err != nil {
			c.queue.end(err)
			return false
		}
		if k.ReplyRequested {
			signal(c.asked)
		}
	case pglogrepl.XLogDataByteID:
		// The place where it stands, the server's end and its clock.
		if len(data) < 25 {
			c.queue.end(errShort)
			return false
		}
		at := binary.BigEndian.Uint64(data[1:])
		c.received.Store(max(c.received.Load(), at))
		return c.queue.put(data[25:], LSN(at))
	}
	return true
}

// report tells the server what it may forget, at intervals and when it asks, also
// while nobody calls Next.
func (c *Conn) report() {
	tick := time.NewTicker(rest)
	defer tick.Stop()
	for {
		ask := false
		select {
		case <-c.queue.done:
			return
		case <-c.asked:
		case <-tick.C:
			ask = time.Since(c.begun)-time.Duration(c.heard.Load()) > rest/2
		}
		if err := c.tell(ask); err != nil {
			c.queue.end(err)
			return
		}
	}
}

// tell writes a report. All three positions are set: where the flushed one is 0 a
// server or a library takes the written one for it (pitfall P5).
func (c *Conn) tell(answer bool) error {
	confirmed := c.confirmed.Load()
	status := []byte{pglogrepl.StandbyStatusUpdateByteID}
	written, flushed, applied := confirmed, confirmed, confirmed
	if !cures.FlushedPosition { // what a library makes of a written position alone
		written = max(written, c.received.Load())
		flushed = written
	}
	for _, position := range []uint64{written, flushed, applied} {
		status = binary.BigEndian.AppendUint64(status, position)
	}
	status = binary.BigEndian.AppendUint64(status, uint64(time.Since(epoch).Microseconds()))
	status = append(status, 0)
	if answer {
		status[len(status)-1] = 1
	}
	text, err := (&pgproto3.CopyData{Data: status}).Encode(nil)
	if err != nil {
		return err
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(silence)); err != nil {
		return err
	}
	_, err = c.conn.Write(text)
	return err
}

// InUse reports whether err says that another connection reads the slot.
func InUse(err error) bool { return pg.State(err) == "55006" }

// A deadline ends reads of a connection on which nothing comes. What comes slowly
// goes on.
type deadline struct{ armed atomic.Bool }

type watched struct {
	net.Conn
	dead *deadline
}

func (d *deadline) dial(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watched{Conn: conn, dead: d}, nil
	}
}

func (w *watched) Read(p []byte) (int, error) {
	if w.dead.armed.Load() {
		if err := w.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return 0, err
		}
	}
	return w.Conn.Read(p)
}
