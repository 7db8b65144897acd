package assets_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestReasonTellsABadAddressFromABadFile(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{problem.New(problem.Invalid, "host %q does not resolve", "x.invalid").WithSlug(egress.HostNotFound), assets.Unreachable},
		{problem.New(problem.Invalid, "%q carries credentials", "u").WithSlug(egress.AddressRefused), assets.Refused},
		{problem.New(problem.Forbidden, "an address of this network").WithSlug(egress.AddressRefused), assets.Refused},
		{problem.New(problem.Invalid, "it is cut off"), assets.Undecodable},
		{problem.New(problem.Unsupported, "it is text"), assets.NotAnImage},
		{problem.New(problem.TooLarge, "it has 1 GB"), assets.TooLarge},
		{problem.New(problem.Upstream, "%w", errors.New("connection reset")), assets.Unreachable},
	} {
		wrapped := problem.New(problem.CodeOf(c.err), "%w, from x.invalid", c.err).WithSlug(assets.FetchFailed)
		if got := assets.Reason(fmt.Errorf("photo: %w", wrapped)); got != c.want {
			t.Errorf("Reason(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}
