package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/signing"
)

// JobPath is where a file of a job can be read (results.ndjson, results.zip),
// until expires by whoever has it signed.
func JobPath(job, file string, expires time.Time) string {
	return "/jobs/" + job + "/" + file + "?exp=" + strconv.FormatInt(expires.Unix(), 10)
}

// SignPath adds to an encoded path, which may carry ?exp= and nothing else, the
// signature that lets whoever has it read what is there.
func SignPath(path, secret string) string {
	mark := "?sig="
	if strings.Contains(path, "?") {
		mark = "&sig="
	}
	return path + mark + signing.Sign(path, secret)
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
	return signing.Verify(message, query.Get("sig"), s.signers.secrets()...)
}
