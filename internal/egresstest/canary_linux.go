package egresstest

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// The ports that a canary listens on.
var (
	tcpPorts = []int{21, 53, 80, 443, 3478, 8080}
	udpPorts = []int{53, 80, 443, 1900, 3478, 5353}
)

// A Canary hears every connection and every packet, to whatever address. It
// answers HTTP, and DNS as it was told.
type Canary struct {
	mu      sync.Mutex
	handler http.HandlerFunc
	names   map[string][]netip.Addr // what is still to be answered; the last one stays
	heard   []string
}

func newCanary(t *testing.T) *Canary {
	t.Helper()
	c := &Canary{handler: http.NotFound, names: map[string][]netip.Addr{}}
	var served sync.WaitGroup
	server := &http.Server{Handler: http.HandlerFunc(c.serveHTTP), ReadHeaderTimeout: 10 * time.Second}
	t.Cleanup(func() {
		server.Close()
		served.Wait()
	})
	for _, port := range tcpPorts {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{Port: port})
		if err != nil {
			t.Fatal(err)
		}
		served.Go(func() { _ = server.Serve(hearing{l, c}) })
	}
	for _, port := range udpPorts {
		for _, network := range []string{"udp4", "udp6"} {
			conn, err := net.ListenUDP(network, &net.UDPAddr{Port: port})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			served.Go(func() { c.listen(conn, port) })
		}
	}
	return c
}

// Serve sets who answers HTTP, on every address and port.
func (c *Canary) Serve(h http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handler = h
}

// Name makes a name resolve: to each address in turn, and to the last for ever.
func (c *Canary) Name(name string, addrs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names[name+"."] = nil
	for _, text := range addrs {
		c.names[name+"."] = append(c.names[name+"."], netip.MustParseAddr(text))
	}
}

// Heard is what was heard since it was last asked, as "tcp ADDRESS:PORT", "udp
// PORT" or "name NAME".
func (c *Canary) Heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := c.heard
	c.heard = nil
	return heard
}

func (c *Canary) hear(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, what)
}

// MustHear asks for addresses of all kinds itself. Otherwise silence would mean
// nothing.
func (c *Canary) MustHear(t *testing.T) {
	t.Helper()
	c.Heard()
	for _, address := range []string{"127.0.0.1:80", "169.254.169.254:80", "100.100.100.200:80", "8.8.8.8:443", "[::1]:80", "[2002:7f00:1::]:8080", "[64:ff9b::7f00:1]:80"} {
		conn, err := net.DialTimeout("tcp", address, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if !c.Soon("tcp " + address) {
			t.Fatalf("the canary is deaf to %s", address)
		}
	}
	for _, address := range []string{"8.8.8.8:3478", "169.254.1.1:5353", "[2001:4860:4860::8888]:443"} {
		conn, err := net.Dial("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		_, port, _ := net.SplitHostPort(address)
		if !c.Soon("udp " + port) {
			t.Fatalf("the canary is deaf to %s", address)
		}
	}
	c.Heard()
}

// Soon reports whether it hears of what within some seconds.
func (c *Canary) Soon(what string) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if slices.Contains(c.Heard(), what) {
			return true
		}
		<-tick.C
	}
	return false
}

func (c *Canary) serveHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	handler := c.handler
	c.mu.Unlock()
	handler(w, r)
}

// A hearing listener tells of each connection where it was meant to go.
type hearing struct {
	net.Listener
	canary *Canary
}

func (h hearing) Accept() (net.Conn, error) {
	conn, err := h.Listener.Accept()
	if err == nil {
		to := conn.LocalAddr().(*net.TCPAddr).AddrPort()
		h.canary.hear("tcp " + netip.AddrPortFrom(to.Addr().Unmap(), to.Port()).String())
	}
	return conn, err
}

func (c *Canary) listen(conn *net.UDPConn, port int) {
	packet := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(packet)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		if port == 53 {
			if answer, err := c.resolve(packet[:n]); err == nil {
				_, _ = conn.WriteToUDPAddrPort(answer, from)
				continue
			}
		}
		c.hear("udp " + strconv.Itoa(port))
	}
}

// resolve answers a question of DNS.
func (c *Canary) resolve(packet []byte) ([]byte, error) {
	var question dnsmessage.Message
	if err := question.Unpack(packet); err != nil || len(question.Questions) != 1 {
		return nil, errors.New("no question")
	}
	q := question.Questions[0]
	name := q.Name.String()
	answer := dnsmessage.Message{Header: dnsmessage.Header{ID: question.ID, Response: true, RecursionAvailable: true}, Questions: question.Questions}
	c.mu.Lock()
	defer c.mu.Unlock()
	addrs, known := c.names[name]
	if !known {
		c.heard = append(c.heard, "name "+name)
		answer.RCode = dnsmessage.RCodeNameError
		return answer.Pack()
	}
	wanted := map[dnsmessage.Type]bool{dnsmessage.TypeA: addrs[0].Is4(), dnsmessage.TypeAAAA: addrs[0].Is6()}
	if !wanted[q.Type] {
		return answer.Pack()
	}
	resource := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}}
	if addrs[0].Is4() {
		resource.Body = &dnsmessage.AResource{A: addrs[0].As4()}
	} else {
		resource.Body = &dnsmessage.AAAAResource{AAAA: addrs[0].As16()}
	}
	answer.Answers = []dnsmessage.Resource{resource}
	if len(addrs) > 1 {
		c.names[name] = addrs[1:]
	}
	return answer.Pack()
}
