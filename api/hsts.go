package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// hstsHeader has a browser that came by https come by nothing else (RFC 6797).
const hstsHeader = "Strict-Transport-Security"

// validateHSTS wants a whole second at least, and a way by which somebody may come by https.
func (c Config) validateHSTS() problem.List {
	switch {
	case c.HSTS == 0:
		return nil
	case c.HSTS.Std() < time.Second:
		return problem.List{problem.New(problem.Invalid, "%s is less than a second", c.HSTS).At("hsts").WithHint("begin with 5m, and write 180d once all is well by https")}
	case !c.TLS.On() && len(c.Proxies) == 0:
		return problem.List{problem.New(problem.Invalid, "nobody comes by https here, so that nobody would be told").At("hsts").
			WithHint("set tls, or trusted_proxies to the proxy that has the certificate")}
	}
	return nil
}

// hsts is what browsers are told; "" for nothing. Nothing is said of the names below this
// one, nor for lists that browsers come with: those are other people's names, and such a
// list cannot be left again.
func (c Config) hsts() string {
	if c.HSTS == 0 {
		return ""
	}
	return "max-age=" + strconv.FormatInt(int64(c.HSTS.Std()/time.Second), 10)
}

// insist has the browser of r come by https from now on, if it came so and the operator
// wants that. Said over plain HTTP it would mean nothing.
func (s *Server) insist(h http.Header, r *http.Request) {
	if s.hsts != "" && isSecure(r) {
		h.Set(hstsHeader, s.hsts)
	}
}
