package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
)

// What a proxy does with a request.
type verdict int

const (
	pass    verdict = iota
	swallow         // it goes nowhere, and nobody answers
	hold            // it goes to the broker when release is called, whether or not somebody still waits
	lose            // it goes to the broker, and its answer is lost with the connection
	reset           // the connection is cut before it goes
)

// A proxy stands between a sink and its brokers, and can be made to fail.
type proxy struct {
	mu sync.Mutex

	down     bool
	judge    func(protocol.ApiKey) verdict
	conns    map[net.Conn]bool
	released chan struct{}
	lateEnd  sync.WaitGroup
	late     [][]byte // answers to what was held
	largest  int      // request
}

func newProxy(tb testing.TB) *proxy {
	p := &proxy{conns: map[net.Conn]bool{}, released: make(chan struct{})}
	tb.Cleanup(func() { p.set(nil); p.cut() })
	return p
}

// dial is a dialFunc.
func (p *proxy) dial(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		return nil, errors.New("connection refused")
	}
	broker, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	here, there := net.Pipe()
	p.mu.Lock()
	p.conns[there], p.conns[broker] = true, true
	p.mu.Unlock()
	go p.serve(there, broker)
	return here, nil
}

// set has judge decide about requests; nil passes all.
func (p *proxy) set(judge func(protocol.ApiKey) verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge = judge
}

// produce has v done with records, and passes all else.
func (p *proxy) produce(v verdict) {
	p.set(func(api protocol.ApiKey) verdict {
		if api == protocol.Produce {
			return v
		}
		return pass
	})
}

// once has v done with the next request of records alone.
func (p *proxy) once(v verdict) {
	done := false
	p.set(func(api protocol.ApiKey) verdict {
		if api == protocol.Produce && !done {
			done = true
			return v
		}
		return pass
	})
}

// cut closes all connections, and with down those to come as well.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		conn.Close()
	}
}

func (p *proxy) setDown(down bool) {
	p.mu.Lock()
	p.down = down
	p.mu.Unlock()
	if down {
		p.cut()
	}
}

// open is how many connections there are.
func (p *proxy) open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// release sends what is held, and returns the brokers' answers to it.
func (p *proxy) release() [][]byte {
	close(p.released)
	p.lateEnd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released = make(chan struct{})
	return p.late
}

func (p *proxy) serve(client, broker net.Conn) {
	defer func() {
		client.Close()
		broker.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, client)
		delete(p.conns, broker)
	}()
	for {
		request, err := frame(client)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.largest = max(p.largest, len(request))
		v, released := pass, p.released
		if p.judge != nil {
			v = p.judge(protocol.ApiKey(binary.BigEndian.Uint16(request[4:])))
		}
		if v == hold {
			p.lateEnd.Add(1)
		}
		p.mu.Unlock()
		switch v {
		case swallow:
			io.Copy(io.Discard, client)
			return
		case reset:
			return
		case hold:
			<-released
			answer, _ := exchange(broker, request)
			p.mu.Lock()
			p.late = append(p.late, answer)
			p.mu.Unlock()
			p.lateEnd.Done()
			return
		}
		answer, err := exchange(broker, request)
		if err != nil || v == lose {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

func exchange(broker net.Conn, request []byte) ([]byte, error) {
	if _, err := broker.Write(request); err != nil {
		return nil, err
	}
	return frame(broker)
}

// frame is a request or an answer, with its size before it.
func frame(r io.Reader) ([]byte, error) {
	size := make([]byte, 4)
	if _, err := io.ReadFull(r, size); err != nil {
		return nil, err
	}
	whole := append(size, make([]byte, binary.BigEndian.Uint32(size))...)
	_, err := io.ReadFull(r, whole[4:])
	return whole, err
}
