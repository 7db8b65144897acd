package daemon

import (
	"log/slog"
	"net"
	"slices"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// Lost reports whether err, of Run, says that another daemon has taken over its
// ledger, or may have: a daemon that stands by waits for its next turn.
func Lost(err error) bool { return hasSlug(err, store.Lost) }

func hasSlug(err error, slug string) bool {
	return slices.ContainsFunc(problem.All(err), func(p *problem.Error) bool { return p.Slug == slug })
}

// A standby is a daemon whose ledger is another's.
type standby struct {
	daemon   *Daemon
	listener net.Listener

	door *api.Standby // nil: nobody had to wait yet
	said string
}

// waits is told why the daemon has to wait, after each look.
func (s *standby) waits(reason error) {
	if s.door == nil {
		s.door = api.StandBy(s.listener, s.daemon.options.Version, s.daemon.log)
		if s.daemon.options.StandingBy != nil {
			s.daemon.options.StandingBy(s.listener.Addr())
		}
	}
	text := problem.All(reason)[0].Message
	switch s.said {
	case text:
		return
	case "":
		s.daemon.log.Info("pictifyd stands by", slog.String("reason", text))
	default:
		s.daemon.log.Info("pictifyd waits on", slog.String("reason", text))
	}
	s.said = text
	switch {
	case hasSlug(reason, store.Away):
		s.door.Say("the store's server to answer")
	case hasSlug(reason, store.Behind):
		s.door.Say("a pictifyd with the role connect to bring the store to this version")
	default:
		s.door.Say("the pictifyd that works with the store to end")
	}
}

// over is the end of the wait: the daemon has the ledger, or ends without it.
func (s *standby) over(got bool) {
	if s.door == nil {
		return
	}
	s.door.End()
	switch {
	case got && s.daemon.member():
		s.daemon.log.Info("pictifyd joins")
	case got:
		s.daemon.log.Info("pictifyd takes over")
	}
}
