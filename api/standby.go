package api

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Standby answers for a daemon that waits for its turn: that it lives, that it is
// not ready, and to everything else that another one works.
type Standby struct {
	version string
	reason  atomic.Pointer[string]
	lent    *lentListener
	server  *http.Server
	served  chan struct{}
}

// StandBy serves l until End.
func StandBy(l net.Listener, version string, log *slog.Logger) *Standby {
	s := &Standby{version: version, lent: &lentListener{Listener: l}, served: make(chan struct{})}
	s.Say("its turn")
	logsTo(l, log)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthy)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("/", s.refuse)
	s.server = &http.Server{
		Handler: mux, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: readStall, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(s.lent) // it ends with the loan
	}()
	return s
}

// Say sets what the daemon waits for.
func (s *Standby) Say(reason string) { s.reason.Store(&reason) }

// End gives the listener back, open: who calls from now on is answered by whoever
// has it next.
func (s *Standby) End() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	<-s.served
	s.lent.giveBack()
}

func (s *Standby) healthy(w http.ResponseWriter, _ *http.Request) {
	secure(w.Header())
	_ = answer(w, http.StatusOK, map[string]string{"status": "ok", "version": s.version})
}

func (s *Standby) ready(w http.ResponseWriter, _ *http.Request) {
	secure(w.Header())
	w.Header().Set("Retry-After", "2")
	_ = answer(w, http.StatusServiceUnavailable, map[string]any{"status": "standby", "waitingFor": []string{*s.reason.Load()}})
}

// slugStandby is for requests that only the daemon that works can answer.
const slugStandby = "standing_by"

func (s *Standby) refuse(w http.ResponseWriter, r *http.Request) {
	r = identified(w, r)
	secure(w.Header())
	p := problem.New(problem.Overloaded, "this pictifyd stands by, while another one works").WithSlug(slugStandby).
		WithHint("ask the other one: GET /readyz is 200 there")
	w.Header().Set("Retry-After", "2")
	w.Header().Set(awayHeader, "1")
	refuseAlone(w, r, p)
}

// A lentListener is closed for whoever has it, and open for others afterwards.
type lentListener struct {
	net.Listener
	closed atomic.Bool
}

func (l *lentListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil && l.closed.Load() {
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close has Accept return.
func (l *lentListener) Close() error {
	l.closed.Store(true)
	return l.until(time.Unix(1, 0))
}

func (l *lentListener) giveBack() { _ = l.until(time.Time{}) } // a listener that cannot is closed

func (l *lentListener) until(t time.Time) error {
	if d, ok := l.Listener.(interface{ SetDeadline(t time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return l.Listener.Close()
}
