package httpsink

import (
	"regexp"
	"strconv"

	"github.com/pictifyd/pictifyd/internal/problem"
)

var statusForm = regexp.MustCompile(`^[1-5](xx|[0-9]{2})$`)

// statuses are some of HTTP's, written as 404, or as 2xx for a hundred of them.
type statuses []string

func parseStatuses(texts []string) (statuses, *problem.Error) {
	for _, text := range texts {
		if !statusForm.MatchString(text) {
			return nil, problem.New(problem.Invalid, "%q is no status", text).WithHint("write 404, or 2xx for all that begin with 2")
		}
	}
	return texts, nil
}

func (s statuses) has(status int) bool {
	code := strconv.Itoa(status)
	for _, one := range s {
		if one == code || one[1:] == "xx" && one[0] == code[0] {
			return true
		}
	}
	return false
}
