package assets

import "github.com/pictifyd/pictifyd/internal/problem"

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
