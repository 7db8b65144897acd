package pgtest

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// A Proxy stands between a client and a server, and fails as it is told.
type Proxy struct {
	Address string
	to      string

	mu    sync.Mutex
	conns []net.Conn
	down  bool
	held  chan struct{} // not nil: nothing of the server goes on until it is closed
	delay time.Duration // before each part that goes on
	slice int           // bytes of a part; 0: as they come
}

// NewProxy leads to the server of a DSN.
func NewProxy(tb testing.TB, dsn string) *Proxy {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{Address: listener.Addr().String(), to: u.Host}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				wg.Go(func() { p.serve(conn) })
			}
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		p.Down()
		p.Up()
		wg.Wait()
	})
	return p
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	if p.down {
		_ = client.Close()
		_ = server.Close()
	}
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { p.pass(server, client, false) })
	wg.Go(func() { p.pass(client, server, true) })
	wg.Wait()
}

// pass sends on what comes, of the server only while nothing is held.
func (p *Proxy) pass(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		held, delay, slice := p.held, p.delay, p.slice
		p.mu.Unlock()
		if held != nil && answers {
			<-held
		}
		if slice == 0 {
			slice = len(buf)
		}
		for part := range slices.Chunk(buf[:n], slice) {
			time.Sleep(delay)
			if _, err := to.Write(part); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// Reset ends all connections as a machine does that knows nothing of them.
func (p *Proxy) Reset() {
	p.mu.Lock()
	for _, c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	p.mu.Unlock()
	p.Cut()
}

// Slow has what is sent go on in parts of so many bytes, 0 as they come, each after a delay.
func (p *Proxy) Slow(delay time.Duration, slice int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay, p.slice = delay, slice
}

// Down ends all connections, and every new one at once.
func (p *Proxy) Down() {
	p.mu.Lock()
	p.down = true
	p.mu.Unlock()
	p.Cut()
}

// Hold keeps back what the server answers.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(chan struct{})
	}
}

// Up ends what Down, Hold and Slow began.
func (p *Proxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.delay, p.slice = false, 0, 0
	if p.held != nil {
		close(p.held)
		p.held = nil
	}
}
