package kafka

import (
	"context"
	"net"
	"sync"
	"testing"
)

// A proxy stands between a source and its brokers, and can be made to fail.
type proxy struct {
	mu sync.Mutex

	hole  bool // what is sent goes nowhere, and nothing comes
	conns map[net.Conn]bool
}

func newProxy(tb testing.TB) *proxy {
	p := &proxy{conns: map[net.Conn]bool{}}
	tb.Cleanup(p.cut)
	return p
}

// dial is a wire.DialFunc.
func (p *proxy) dial(ctx context.Context, network, address string) (net.Conn, error) {
	broker, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	here, there := net.Pipe()
	p.mu.Lock()
	p.conns[there], p.conns[broker] = true, true
	p.mu.Unlock()
	go p.copy(there, broker)
	go p.copy(broker, there)
	return here, nil
}

func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		hole := p.hole
		p.mu.Unlock()
		if hole {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		conn.Close()
	}
	clear(p.conns)
}

func (p *proxy) setHole(hole bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hole = hole
}
