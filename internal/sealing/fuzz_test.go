package sealing_test

import (
	"errors"
	"testing"

	"github.com/pictifyd/pictifyd/internal/sealing"
)

// Sealed texts come from copies of a ledger, and whoever has one may write into it.
func FuzzNothingOpensThatWasNotSealed(f *testing.F) {
	s, err := sealing.New("one key that nobody can guess")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("source/shop", s.Seal("source/other", "hunter2"))
	for _, sealed := range []string{"", "v1.", "v1.AAAA", "v1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "v2.AAAA", "hunter2"} {
		f.Add("source/shop", sealed)
	}
	f.Fuzz(func(t *testing.T, place, sealed string) {
		if text, err := s.Open(place, sealed); !errors.Is(err, sealing.ErrUnsealed) && place != "source/other" {
			t.Fatalf("%q opens at %q: %q, %v", sealed, place, text, err)
		}
		if text, err := s.Open(place, s.Seal(place, sealed)); err != nil || text != sealed {
			t.Fatalf("%q at %q comes back as %q, %v", sealed, place, text, err)
		}
	})
}
