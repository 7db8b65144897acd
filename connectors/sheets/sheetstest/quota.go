package sheetstest

import (
	"net/http"
	"time"
)

// A Quota is how many requests a minute are answered. Zero is Google's number,
// a negative one is no limit.
type Quota struct {
	ReadsPerUser, ReadsPerProject   int
	WritesPerUser, WritesPerProject int
}

const (
	perUser    = 60
	perProject = 300
)

// A meter counts the requests of each minute.
type meter struct {
	begin time.Time
	used  map[string]int
}

// charge counts a request, or refuses it.
func (e *Emulator) charge(who identity, write bool) *Failure {
	now := e.o.Now()
	if now.Sub(e.meter.begin) >= time.Minute {
		e.meter = meter{begin: now, used: map[string]int{}}
	}
	kind, user, project := "Read", e.o.Quota.ReadsPerUser, e.o.Quota.ReadsPerProject
	if write {
		kind, user, project = "Write", e.o.Quota.WritesPerUser, e.o.Quota.WritesPerProject
	}
	for _, limit := range []struct {
		per, of string
		most    int
	}{{"minute per user", "user " + who.user, number0(user, perUser)}, {"minute", "project " + who.project, number0(project, perProject)}} {
		key := kind + limit.of
		if limit.most >= 0 && e.meter.used[key] >= limit.most {
			e.refusals++
			return fail(http.StatusTooManyRequests,
				"Quota exceeded for quota metric '%s requests' and limit '%s requests per %s' of service 'sheets.googleapis.com' for consumer 'project_number:%s'.",
				kind, kind, limit.per, projectNumber).because("RATE_LIMIT_EXCEEDED")
		}
		e.meter.used[key]++
	}
	return nil
}

func number0(n, usual int) int {
	if n == 0 {
		return usual
	}
	return n
}
