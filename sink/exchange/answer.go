package exchange

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
)

const (
	quotedAnswer = 200            // bytes of it in an error
	shownAnswer  = 1 << 10        // and in a receipt
	shownValue   = 200            // and of a header
	maxWait      = 24 * time.Hour // whatever Retry-After says
)

// shownHeaders are those of an answer that help to find out why.
var shownHeaders = []string{"Content-Type", "Retry-After", "Location", "X-Request-Id", "Cf-Ray", "X-Cld-Error"}

// An Answer is what a receiver said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // as much as was wanted
	Cut    bool   // there was more, or its end did not come

	receiver *Receiver
	from     string
	sent     *sink.Sent
}

// From is the address that was asked, without its query.
func (a Answer) From() string { return a.from }

// Receipt is the answer as a person wants to see it.
func (a Answer) Receipt() sink.Receipt {
	r := sink.Receipt{Status: a.Status, Body: excerpt(a.receiver.hide.in(string(a.Body)), shownAnswer), Sent: a.sent}
	for _, name := range shownHeaders {
		if value := a.Header.Get(name); value != "" {
			if r.Header == nil {
				r.Header = map[string]string{}
			}
			r.Header[name] = excerpt(a.receiver.hide.in(value), shownValue)
		}
	}
	return r
}

// excerpt is the beginning of text, of at most so many bytes.
func excerpt(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "\uFFFD")
}

// Refusal is the answer as an error, which waits for as long as it asks for.
func (a Answer) Refusal() error {
	err := problem.New(problem.Upstream, "%d from %s%s", a.Status, a.from, a.Quote()).WithSlug(a.receiver.slug)
	if wait := retryAfter(a.Header.Get("Retry-After"), time.Now()); wait > 0 {
		return retry.After(err, wait)
	}
	return err
}

// Quote is the beginning of the body, to end a sentence with.
func (a Answer) Quote() string {
	body := bytes.TrimSpace([]byte(a.receiver.hide.in(string(a.Body))))
	if len(body) == 0 {
		return ""
	}
	return fmt.Sprintf(": %q", body[:min(len(body), quotedAnswer)])
}

// retryAfter reads both forms of the header: seconds, and a date. Zero means
// that it says nothing usable.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxWait)
	}
	return 0
}
