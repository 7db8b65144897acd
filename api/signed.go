package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/internal/signing"
)

// SignedPath is path, an encoded one, with a signature that lets whoever has it
// read what is there. It is good until expires; the zero time is for ever.
func SignedPath(path, secret string, expires time.Time) string {
	if expires.IsZero() {
		return path + "?sig=" + signing.Sign(path, secret)
	}
	path += "?exp=" + strconv.FormatInt(expires.Unix(), 10)
	return path + "&sig=" + signing.Sign(path, secret)
}

// signed reports whether r's address carries a signature of ours. Other
// parameters are not signed: they only choose among what the path opens.
func (s *Server) signed(r *http.Request) bool {
	query := r.URL.Query()
	message := r.URL.EscapedPath()
	if until := query.Get("exp"); until != "" {
		expires, err := strconv.ParseInt(until, 10, 64)
		if err != nil || time.Now().Unix() >= expires {
			return false
		}
		message += "?exp=" + until
	}
	return signing.Verify(message, query.Get("sig"), s.deps.URLSecrets...)
}
