package pg

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	restLimit  = time.Minute // a connection that nobody uses is given back after it
	freshFor   = time.Second
	closeLimit = time.Second
	pingLimit  = 5 * time.Second
)

// A Line is one connection, made when it is needed, used by one at a time, and
// given back to the server when it rests.
type Line struct {
	config *pgconn.Config
	fresh  time.Duration // a connection that rested for longer is asked whether it is there
	closed atomic.Bool
	turn   chan struct{} // holds the one turn; whoever has it may touch what follows

	conn *pgconn.PgConn
	used time.Time
	rest *time.Timer
}

// NewLine is a line to where cfg leads. Nothing is connected yet.
func NewLine(cfg *pgconn.Config) *Line {
	l := &Line{config: cfg, fresh: freshFor, turn: make(chan struct{}, 1)}
	l.turn <- struct{}{}
	return l
}

// Use lends the connection to do once it is its turn. What do leaves in a
// transaction is rolled back. The error is one that Explain made.
func (l *Line) Use(ctx context.Context, do func(ctx context.Context, conn *pgconn.PgConn) error) error {
	select {
	case <-l.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l.turn <- struct{}{} }()
	if err := l.connect(ctx); err != nil {
		return l.Explain(ctx, err)
	}
	err := do(ctx, l.conn)
	l.leave(ctx)
	return l.Explain(ctx, err)
}

func (l *Line) connect(ctx context.Context) error {
	if l.rest != nil {
		l.rest.Stop()
	}
	if l.conn != nil && (l.conn.IsClosed() || time.Since(l.used) > l.fresh && !l.answers(ctx)) {
		l.drop()
	}
	if l.conn != nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	conn, err := pgconn.ConnectConfig(ctx, l.config)
	if err != nil {
		return err
	}
	l.conn = conn
	return nil
}

// answers reports whether the connection is there. One that a firewall has forgotten
// says nothing at all.
func (l *Line) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	return l.conn.Ping(ctx) == nil
}

// leave ends what was begun and keeps a connection that is as it should be.
func (l *Line) leave(ctx context.Context) {
	if !l.conn.IsClosed() && l.conn.TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
		_, err := l.conn.Exec(ctx, "ROLLBACK").ReadAll()
		cancel()
		if err != nil {
			l.drop()
			return
		}
	}
	if l.conn.IsClosed() || l.closed.Load() {
		l.drop()
		return
	}
	l.used = time.Now()
	l.rest = time.AfterFunc(restLimit, l.give)
}

// give closes a connection that rests, unless somebody has it.
func (l *Line) give() {
	select {
	case <-l.turn:
		if time.Since(l.used) >= restLimit {
			l.drop()
		}
		l.turn <- struct{}{}
	default:
	}
}

func (l *Line) drop() {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	_ = l.conn.Close(ctx) // there is nothing left to be lost
	l.conn = nil
}

// Close gives the connection back; whoever has it now does so when it is done. Who
// uses the line after that gets a connection for this one time.
func (l *Line) Close() error {
	l.closed.Store(true)
	select {
	case <-l.turn:
		if l.rest != nil {
			l.rest.Stop()
		}
		l.drop()
		l.turn <- struct{}{}
	default:
	}
	return nil
}

// Explain is Explain without the password, which a server might repeat. The end of
// ctx goes before what it caused.
func (l *Line) Explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return Explain(err, func(text string) string {
		if len(l.config.Password) < 4 { // is part of too many words
			return text
		}
		return strings.ReplaceAll(text, l.config.Password, "***")
	})
}

// Rows runs one statement and gives its rows as text; nil is null.
func Rows(ctx context.Context, conn *pgconn.PgConn, sql string, args ...string) ([][][]byte, error) {
	params := make([][]byte, len(args))
	for i, arg := range args {
		params[i] = []byte(arg)
	}
	result := conn.ExecParams(ctx, sql, params, nil, nil, nil).Read()
	return result.Rows, result.Err
}
