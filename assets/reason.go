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
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		switch p.Slug { // what is said about an address is said about no file
		case egress.HostNotFound:
			return Unreachable
		case egress.AddressRefused:
			return Refused
		}
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
