package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// How a request says who sends it.
const (
	viaKey     = "key"
	viaSession = "session"
	viaLocal   = "local" // no key is configured: this machine only
)

// A sessionView is who asks, and what they may do.
type sessionView struct {
	Keys      bool       `json:"keys"` // the server is guarded by keys, so that there is something to sign out of
	Name      string     `json:"name"` // of the key; "" where none is needed
	Via       string     `json:"via"`  // key, session, local
	Scopes    []string   `json:"scopes"`
	Templates []string   `json:"templates"` // that the key is for; none: all
	ExpiresAt *time.Time `json:"expiresAt"` // of the session or the key, whichever ends first; null: neither does
}

// showSession says who asks. A key or session that is unknown or over is a 401, as
// everywhere.
func (s *Server) showSession(w http.ResponseWriter, r *http.Request) error {
	p, err := s.identify(r)
	if err != nil {
		return err
	}
	v := sessionView{Keys: s.keys.guarded, Name: p.name, Via: viaLocal, Scopes: []string{}, Templates: list(p.templates), ExpiresAt: moment(p.expires)}
	for _, scope := range scopes {
		if p.may(scope) {
			v.Scopes = append(v.Scopes, string(scope))
		}
	}
	switch until, ok := sessionEnd(r); {
	case p == local:
	case r.Header.Get("Authorization") != "":
		v.Via = viaKey
	case ok:
		v.Via = viaSession
		if v.ExpiresAt == nil || until.Before(*v.ExpiresAt) {
			v.ExpiresAt = moment(until)
		}
	}
	w.Header().Add("Vary", "Cookie, Authorization")
	return answer(w, http.StatusOK, v)
}

// sessionEnd is when the session of r ends, which somebody has found to be good.
func sessionEnd(r *http.Request) (time.Time, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return time.Time{}, false
	}
	until, _, _ := strings.Cut(cookie.Value, ".")
	expires, err := strconv.ParseInt(until, 36, 64)
	return time.Unix(expires, 0), err == nil
}
