package sealing_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/sealing"
)

func mustNew(t *testing.T, key string) *sealing.Sealer {
	t.Helper()
	s, err := sealing.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealedTextOpensForItsPlaceOnly(t *testing.T) {
	s := mustNew(t, "one key that nobody can guess")
	for _, text := range []string{"", "hunter2", strings.Repeat("ü", 10_000)} {
		sealed := s.Seal("source/shop bearer", text)
		if text != "" && strings.Contains(sealed, text) {
			t.Errorf("%.20q can be read in %.40q", text, sealed)
		}
		if again := s.Seal("source/shop bearer", text); again == sealed {
			t.Errorf("%.20q is sealed alike twice", text)
		}
		if got, err := s.Open("source/shop bearer", sealed); err != nil || got != text {
			t.Errorf("Open = %.20q, %v; want %.20q", got, err, text)
		}
		for name, open := range map[string]func() (string, error){
			"another place": func() (string, error) { return s.Open("source/other bearer", sealed) },
			"another key":   func() (string, error) { return mustNew(t, "another key").Open("source/shop bearer", sealed) },
			"changed":       func() (string, error) { return s.Open("source/shop bearer", "v1.AAAA"+sealed[7:]) },
			"cut":           func() (string, error) { return s.Open("source/shop bearer", sealed[:10]) },
			"plain":         func() (string, error) { return s.Open("source/shop bearer", text) },
		} {
			if got, err := open(); !errors.Is(err, sealing.ErrUnsealed) {
				t.Errorf("%s: %q, %v; want %v", name, got, err, sealing.ErrUnsealed)
			}
		}
	}
}

func TestSecretsAreRenewedWithAnotherKey(t *testing.T) {
	old := mustNew(t, "one key that nobody can guess")
	both, err := sealing.New("another that nobody can guess", "never used for anything", "one key that nobody can guess")
	if err != nil {
		t.Fatal(err)
	}
	sealed := old.Seal("source/shop bearer", "hunter2")
	if got, err := both.Open("source/shop bearer", sealed); err != nil || got != "hunter2" {
		t.Errorf("with both keys Open = %q, %v", got, err)
	}
	renewed, err := both.Renew("source/shop bearer", sealed)
	if err != nil || renewed == sealed {
		t.Fatalf("Renew = %q, %v", renewed, err)
	}
	if got, err := mustNew(t, "another that nobody can guess").Open("source/shop bearer", renewed); err != nil || got != "hunter2" {
		t.Errorf("with the new key alone Open = %q, %v", got, err)
	}
	if again, err := both.Renew("source/shop bearer", renewed); err != nil || again != renewed {
		t.Errorf("what is new already is renewed to %q, %v", again, err)
	}
	if _, err := both.Renew("source/other bearer", sealed); !errors.Is(err, sealing.ErrUnsealed) {
		t.Errorf("renewed for another place: %v", err)
	}
	if _, err := old.Open("source/shop bearer", renewed); !errors.Is(err, sealing.ErrUnsealed) {
		t.Errorf("the old key opens what the new one sealed: %v", err)
	}
}
