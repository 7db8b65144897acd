package kafka

import (
	"context"
	"net"
	"time"
)

// A DialFunc makes a connection to a broker.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// bound has no connection wait for ever: where kafka-go takes a deadline back, as
// before it authenticates, one of ours stands.
func bound(dial DialFunc, limit time.Duration) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return bounded{conn, limit}, nil
	}
}

type bounded struct {
	net.Conn
	limit time.Duration
}

func (b bounded) SetDeadline(at time.Time) error {
	if at.IsZero() {
		at = time.Now().Add(b.limit)
	}
	return b.Conn.SetDeadline(at)
}
