package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/mcp"
)

const (
	maxHeader    = 64 << 10
	changeWindow = 200 * time.Millisecond
	heartbeat    = 15 * time.Second
)

// DrainTime is how long requests in flight may take to finish at the end.
const DrainTime = 5 * time.Second

// Server answers pictifyd's HTTP requests. Make one with New.
type Server struct {
	deps    Deps
	log     *slog.Logger
	base    string
	keys    *keyring
	cors    *corsRule
	gate    *gate
	origin  *originRule
	proxies proxies
	guesses *guesses
	routes  []route
	mux     *http.ServeMux
	root    http.Handler
	metrics *httpMetrics
	page    page
	state   *memo
	load    loadMemo
	limits  batch.Limits // of one batch; zero is their own
	replays *replays
	now     *nowDesk

	eventCalls *buckets // of events, by client
	papers     func() (papers, error)
	agents     func() *mcp.Server

	hookBytes atomic.Int64 // of the bodies of calls that are being read

	canvases canvasCache // of the drafts that are worked on

	signers *signers
	hsts    string // "" for nothing

	closing chan struct{} // closed when streams should end
	checks  chan struct{} // places of checks of rows
	close   func()
}

// New makes the server that cfg and deps describe.
func New(cfg Config, deps Deps) (*Server, error) {
	s := &Server{
		deps: deps, log: deps.Log, base: strings.TrimRight(deps.BaseURL, "/"),
		keys: newKeyring(cfg, deps.StoredKeys), closing: make(chan struct{}), checks: make(chan struct{}, checksAtOnce), replays: newReplays(), now: newNowDesk(cfg), signers: newSigners(cfg, deps.URLSecrets),
		eventCalls: newBuckets(eventCalls), guesses: newGuesses(cfg.Limits.BadKeys, deps.Log),
	}
	if s.base == "" {
		s.base = cfg.BaseURL(nil)
	}
	s.hsts = cfg.hsts()
	s.close = sync.OnceFunc(func() { close(s.closing) })
	s.load.look = deps.LoadFunc
	s.state = newMemo(changeWindow, s.overview)
	var err error
	if s.proxies, _, err = parseProxies(cfg.Proxies); err != nil {
		return nil, err
	}
	if s.origin, err = newOriginRule(s.base, s.keys.guarded); err != nil {
		return nil, fmt.Errorf("read public address %q: %w", s.base, err)
	}
	if s.page, err = loadPage(); err != nil {
		return nil, err
	}
	if s.metrics, err = newHTTPMetrics(deps.Registry, deps.CountersFunc); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	s.cors = newCORSRule(s.keys)
	s.gate = newGate(cfg.Limits, deps)
	s.deps.Intake = s.gate
	s.routes = routes()
	s.papers = sync.OnceValues(func() (papers, error) { return newPapers(s.base, deps.Version, s.page) })
	s.agents = sync.OnceValue(func() *mcp.Server {
		return mcp.New(mcp.Options{Do: s.within, Version: deps.Version, Log: s.log})
	})
	s.mux = s.newMux()
	s.root = rewrite(s.mux)
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	out := newResponse(w)
	r = relayed(s.deps.RelayKey, s.proxies.from(identified(out, r)), began)
	movesBody(out.control, r)
	if !s.here(r) {
		s.handOn(out, r)
		s.metrics.answered(out.route, out.status, time.Since(began))
		return
	}
	secure(out.Header())
	s.insist(out.Header(), r)
	if err := s.origin.judge(r); err != nil {
		s.refuse(out, r, err)
	} else if !s.cors.answer(out, r) {
		s.root.ServeHTTP(out, r)
	}
	s.metrics.answered(out.route, out.status, time.Since(began))
}

// secure sets what every answer carries.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // until somebody knows better
}

// Listen opens the address that cfg names, with TLS where it has a certificate. An
// address that can't be had is a problem that says so, and so is a certificate that
// can't be used.
func Listen(ctx context.Context, cfg Config) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if err == nil && cfg.TLS.On() {
		safe, err := newSecured(l.(*net.TCPListener), cfg.TLS)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		return safe, nil
	}
	if err == nil {
		return l, nil
	}
	_, port, _ := net.SplitHostPort(cfg.Listen)
	p := problem.New(problem.Surroundings, "listen on %s: %w", cfg.Listen, err).At("server.listen")
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		p = problem.New(problem.Surroundings, "port %s is in use by another program: %w", port, err).WithSlug("port_in_use").
			At("server.listen").WithHint("stop it (ss -ltnp 'sport = :%s' names it), or set server.listen to another port", port)
	case errors.Is(err, syscall.EACCES):
		p.WithHint("ports below 1024 need a right of their own; take one above, or a proxy in front")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		p.WithHint("this machine has no such address; listen on 127.0.0.1:%s", port)
	default:
		p.WithHint("set server.listen to an address of this machine")
	}
	return nil, p
}

// Run serves l until ctx ends, lets requests in flight finish and streams end,
// and closes l. It returns nil after a clean end.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ReadTimeout: readStall, // until the first byte of a body; then it moves
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	logsTo(l, s.log)
	ended := s.noteUses(ctx)
	defer ended()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		s.close()
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	s.close()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), DrainTime)
	defer cancel()
	err := srv.Shutdown(deadline)
	if err != nil { // whoever is still there is cut off; nothing half is accepted
		err = srv.Close()
	}
	<-served
	return err
}
