package sheets

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// longestAfter is the longest wait that a server may ask for.
const longestAfter = time.Hour

// tooMany reports whether a quota is used up. Some say so with a 403.
func tooMany(err error) bool {
	var e *googleapi.Error
	if !errors.As(err, &e) {
		return false
	}
	if e.Code == http.StatusForbidden {
		for _, item := range e.Errors {
			switch item.Reason {
			case "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded":
				return true
			}
		}
	}
	return e.Code == http.StatusTooManyRequests
}

// refusedRange reports whether a request named a range that there is not, or not
// any more.
func refusedRange(err error) bool {
	var e *googleapi.Error
	return errors.As(err, &e) && e.Code == http.StatusBadRequest &&
		(strings.Contains(e.Message, "Unable to parse range") || strings.Contains(e.Message, "exceeds grid limits"))
}

// retryAfter is what a server asks for, in either form.
func retryAfter(h http.Header) (time.Duration, bool) {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestAfter), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), 0), longestAfter), true
	}
	return 0, false
}

// An answered error prints what Google said on one line, without the details that
// its client adds.
type answered struct{ of *googleapi.Error }

func (a *answered) Error() string {
	said := strings.Join(strings.Fields(a.of.Message), " ")
	if said == "" {
		said = http.StatusText(a.of.Code)
	}
	return strconv.Itoa(a.of.Code) + " " + said
}

func (a *answered) Unwrap() error { return a.of }

// explain makes a problem of what a request came to.
func (c *client) explain(err error) error {
	var e *googleapi.Error
	if !errors.As(err, &e) {
		return transportError(err)
	}
	if !c.apiKey.IsZero() { // a server may repeat what it was sent
		e.Message = strings.ReplaceAll(e.Message, c.apiKey.Reveal(), c.apiKey.String())
	}
	err = &answered{e}
	switch {
	case tooMany(err):
		wait, asked := retryAfter(e.Header)
		if !asked {
			wait = time.Minute
		}
		return retry.After(problem.New(problem.Overloaded, "the quota of Google Sheets is used up: %w", err).WithSlug("quota").
			WithHint("read less often (every), or ask for a higher quota in the Google Cloud console"), wait)
	case e.Code >= 500:
		said := problem.New(problem.Upstream, "Google Sheets is not available: %w", err)
		if wait, asked := retryAfter(e.Header); asked {
			return retry.After(said, wait)
		}
		return said
	case e.Code == http.StatusUnauthorized:
		return problem.New(problem.Unauthorized, "Google refuses the credentials: %w", err).WithSlug("bad_credentials").
			WithHint("see that the key was not deleted, else make a new one")
	case isProtected(e):
		return problem.New(problem.Forbidden, "cells are protected: %w", err).WithSlug(Protected).
			WithHint("in the sheet choose Data, Protect sheets and ranges, and let %s edit them", c.account())
	case e.Code == http.StatusForbidden:
		return c.forbidden(e, err)
	case e.Code == http.StatusNotFound:
		return problem.New(problem.NotFound, "there is no spreadsheet %q: %w", c.id, err).WithSlug("no_spreadsheet").
			WithHint("see that it was not deleted, and that spreadsheet is what stands behind /d/ in its address")
	case refusedRange(err):
		return problem.New(problem.Invalid, "the range is not in the spreadsheet: %w", err).WithSlug("no_range")
	case strings.Contains(e.Message, "API key not valid"):
		return problem.New(problem.Unauthorized, "the API key is not valid").WithSlug("bad_credentials").
			WithHint("copy it again from the Google Cloud console")
	case strings.Contains(e.Message, "not supported for this document"):
		return problem.New(problem.Unsupported, "the file is no Google spreadsheet, but an Excel one in Drive").
			WithHint("open it and choose File, Save as Google Sheets")
	}
	return problem.New(problem.Upstream, "Google Sheets answers: %w", err)
}

// forbidden tells what is not enabled from what is not shared.
func (c *client) forbidden(e *googleapi.Error, err error) error {
	said := problem.New(problem.Forbidden, "Google Sheets refuses to %s the spreadsheet: %w", c.verb(), err)
	switch {
	case strings.Contains(e.Message, "has not been used in project") || strings.Contains(e.Message, "it is disabled"):
		return said.WithSlug("api_disabled").WithHint("enable the API in the project of the credentials, by the address above, and wait a few minutes")
	case strings.Contains(e.Message, "insufficient authentication scopes"):
		return said.WithSlug("no_scope").WithHint("the credentials lack the scope %s; log in again with it, or use a service account", scopeOf(c.writing != nil))
	case strings.Contains(e.Message, "unregistered callers"):
		return said.WithSlug("no_credentials").WithHint("set credentials_file or api_key")
	case c.email != "":
		return said.WithSlug("not_shared").WithHint("share the spreadsheet with %s, as %s", c.email, c.role())
	case !c.apiKey.IsZero():
		return said.WithSlug("not_shared").WithHint("an API key reads only what anyone with the link may view: share it so, or use a service account")
	}
	return said.WithSlug("not_shared").WithHint("share the spreadsheet with the account of the credentials, as %s", c.role())
}

// isProtected reports whether a request would write to cells that are protected from
// the account. Google says so with a 400.
func isProtected(e *googleapi.Error) bool {
	return (e.Code == http.StatusBadRequest || e.Code == http.StatusForbidden) && strings.Contains(e.Message, "edit a protected cell")
}

func (c *client) role() string {
	if c.writing != nil {
		return "an editor"
	}
	return "a viewer"
}

func (c *client) verb() string {
	if c.writing != nil {
		return "write"
	}
	return "show"
}

// account is who asks, for people.
func (c *client) account() string {
	if c.email != "" {
		return c.email
	}
	return "the account of the credentials"
}
