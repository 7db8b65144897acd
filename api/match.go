package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// etagOf is the ETag of a revision or a version's number.
func etagOf(n int64) string { return `"` + strconv.FormatInt(n, 10) + `"` }

// ifMatch is the number of the If-Match of r; 0 when there is none.
func ifMatch(r *http.Request) (int64, error) {
	text := strings.TrimSpace(r.Header.Get("If-Match"))
	if text == "" {
		return 0, nil
	}
	bare := strings.Trim(strings.TrimPrefix(text, "W/"), `"`) // a proxy that compresses makes it weak
	n, err := strconv.ParseInt(bare, 10, 64)
	if err != nil || n < 1 {
		return 0, problem.New(problem.Invalid, "If-Match is %s, it must be the ETag of an answer, as in %s", text, etagOf(7)).
			WithSlug(slugBadIfMatch)
	}
	return n, nil
}

// mustMatch is ifMatch of a request that has to have one.
func mustMatch(r *http.Request, of string) (int64, error) {
	n, err := ifMatch(r)
	if err == nil && n == 0 {
		return 0, problem.New(problem.Invalid, "this needs an If-Match with the ETag of %s", of).WithSlug(slugNoIfMatch).
			WithHint("GET it, and send its ETag back")
	}
	return n, err
}
