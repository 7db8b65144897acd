package api

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A pipes is a listener whose connections are in memory, so that time can be
// made to pass.
type pipes struct {
	ends   chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.ends:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects, and reads all that the server says: a pipe holds nothing back.
func (p *pipes) dial() (c net.Conn, said func() string) {
	ours, theirs := net.Pipe()
	p.ends <- theirs
	text := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(ours) // the server may close as it likes
		text <- string(all)
	}()
	return ours, func() string { return <-text }
}

// serving runs do with a server behind l.
func serving(t *testing.T, w *world, do func(l *pipes, s *Server)) {
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, open(), w)
		l := &pipes{make(chan net.Conn), make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, l) }()
		do(l, s)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// drip writes text a byte at a time, and says how long the server took it.
func drip(c net.Conn, text string, every time.Duration) time.Duration {
	began := time.Now()
	for i := range text {
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			break
		}
		<-time.After(every)
	}
	return time.Since(began)
}

func TestHeadersThatTrickleAreCutOff(t *testing.T) {
	serving(t, newWorld(), func(l *pipes, _ *Server) {
		c, _ := l.dial()
		defer c.Close()
		took := drip(c, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "+strings.Repeat("a", 1000), time.Second)
		if took > 12*time.Second {
			t.Errorf("it was listened to for %v", took)
		}
	})
}

func TestBodyThatTricklesIsCutOffAndLetsOthersIn(t *testing.T) {
	w := newWorld()
	serving(t, w, func(l *pipes, _ *Server) {
		c, said := l.dial()
		defer c.Close()
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n", batchPath)
		took := drip(c, `{"variables":[`+strings.Repeat(" ", 10_000), time.Second)
		if took > readStall+5*time.Second {
			t.Errorf("a byte a second was listened to for %v", took)
		}
		if text := said(); !strings.Contains(text, "body_cut_short") || len(w.jobs) != 0 {
			t.Errorf("%d jobs, and it said %q", len(w.jobs), text)
		}
	})
}

func TestSlowBodyThatMovesIsTaken(t *testing.T) {
	w := newWorld()
	serving(t, w, func(l *pipes, _ *Server) {
		c, said := l.dial()
		defer c.Close()
		body := `{"variables":[` + strings.Repeat(`{"recipient_name":"Ada"},`, 40_000) + `{}]}`
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", batchPath, len(body))
		began := time.Now()
		for rest := body; rest != ""; {
			n := min(len(rest), 40_000) // 2 KB a second
			if _, err := io.WriteString(c, rest[:n]); err != nil {
				t.Fatalf("after %v: %v", time.Since(began), err)
			}
			rest = rest[n:]
			<-time.After(20 * time.Second)
		}
		if text := said(); !strings.HasPrefix(text, "HTTP/1.1 202") || len(w.jobs) != 1 {
			t.Errorf("after %v it said %q", time.Since(began), text)
		}
	})
}
