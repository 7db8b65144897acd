package daemon

import (
	"context"
	"net"
	"path/filepath"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// run runs a daemon inside the test's own process, so that its memory can be
// looked at, and returns its address. It ends with the test, cleanly.
func (s *site) run(o Options) (url string, d *Daemon) {
	s.tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	o.started = func(running *Daemon) { d = running }
	url, ended := s.begin(ctx, o)
	s.tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.tb.Errorf("the daemon ended: %v", err)
		}
	})
	return url, d
}

// begin runs a daemon until ctx ends, and returns when it listens. ended gets
// what Run returned.
func (s *site) begin(ctx context.Context, o Options) (url string, ended <-chan error) {
	s.tb.Helper()
	settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		s.tb.Fatal(err)
	}
	return s.beginWith(ctx, settings, o)
}

func (s *site) beginWith(ctx context.Context, settings *Settings, o Options) (url string, ended <-chan error) {
	s.tb.Helper()
	listening := make(chan net.Addr, 1)
	done := make(chan error, 1)
	o.Listening = func(addr net.Addr) { listening <- addr }
	if o.Log == nil {
		o.Log = quiet(s.tb)
	}
	go func() { done <- Run(ctx, settings, o) }()
	select {
	case addr := <-listening:
		return "http://" + addr.String(), done
	case err := <-done:
		s.tb.Fatalf("the daemon ended: %v", err)
	}
	return "", nil
}

// open opens the rooms of a daemon on the site and runs none of its stages.
func (s *site) open() *Daemon {
	s.tb.Helper()
	settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		s.tb.Fatal(err)
	}
	d := newDaemon(settings, Options{Log: quiet(s.tb), Renderer: &rendertest.Null{}})
	closing, err := d.open(s.tb.Context())
	if err != nil {
		closing()
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(closing)
	return d
}
