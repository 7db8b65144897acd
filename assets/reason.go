package assets

import (
	"errors"

	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The reasons why a file can't be shown, in one word.
const (
	Unreachable = "unreachable"  // no answer, or one that says no
	Refused     = "refused"      // an address that may not be reached
	NotAnImage  = "not_an_image" // something else came
	TooLarge    = "too_large"    // in bytes or in pixels
	Undecodable = "undecodable"  // damaged, cut off, or beyond the browser
)

// Reason is why Fetch did not give a file.
func Reason(err error) string {
	switch {
	case about(err, egress.HostNotFound):
		return Unreachable
	case about(err, egress.AddressRefused):
		return Refused
	}
	switch problem.CodeOf(err) {
	case problem.TooLarge:
		return TooLarge
	case problem.Unsupported:
		return NotAnImage
	case problem.Invalid:
		return Undecodable
	case problem.Forbidden:
		return Refused
	}
	return Unreachable
}

// about reports whether a cause of err has the slug: what is wrong with an
// address has the codes that a bad file has.
func about(err error, slug string) bool {
	for p := (*problem.Error)(nil); errors.As(err, &p); err = p.Err {
		if p.Slug == slug {
			return true
		}
	}
	return false
}
