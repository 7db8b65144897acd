package apikey

import (
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

func TestKeysAreLongAndTheirRecordsHoldNone(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		secret, k := New()
		if !strings.HasPrefix(secret, Prefix) || len(secret) < len(Prefix)+26 || seen[secret] || seen[k.ID] {
			t.Fatalf("the key %q, id %q", secret, k.ID)
		}
		seen[secret], seen[k.ID] = true, true
		if k.Digest != Digest(secret) || len(k.Digest) != 64 || len(k.Start) != len(Prefix)+4 || !strings.HasPrefix(secret, k.Start) {
			t.Errorf("record %+v of %q", k, secret)
		}
	}
}

func TestQuotasAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]Quota{
		"": {}, "1000/day": {1000, Day}, "50000/month": {50_000, Month}, "5": {5, Month}, "7 / day": {7, Day},
	} {
		var got Quota
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := ParseQuota(want.String()); err != nil || again != want {
			t.Errorf("%q came back as %+v, %v", want, again, err)
		}
	}
	for _, text := range []string{"0", "-1/day", "1.5/day", "10/week", "10/", "/day", "many", "1000000000001", "99999999999999999999/day", "1/day/day"} {
		if q, err := ParseQuota(text); problem.CodeOf(err) != problem.Invalid || err == nil {
			t.Errorf("%q was read as %+v, %v", text, q, err)
		}
	}
}

func TestPeriodsAreThoseOfUTC(t *testing.T) {
	at := time.Date(2026, 12, 31, 23, 30, 0, 0, time.FixedZone("west", -5*3600)) // January there already
	day, began, ends := Quota{1, Day}.Window(at)
	if day != "2027-01-01" || !began.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) || ends.Sub(began) != 24*time.Hour {
		t.Errorf("day %s from %v to %v", day, began, ends)
	}
	month, began, ends := Quota{1, Month}.Window(at)
	if month != "2027-01" || began.Day() != 1 || ends.Sub(began) != 31*24*time.Hour {
		t.Errorf("month %s from %v to %v", month, began, ends)
	}
}

func TestRefusalSaysWhenItFitsAgain(t *testing.T) {
	now := time.Date(2026, 5, 4, 23, 59, 0, 0, time.UTC)
	err := Charge{"a", 6, Quota{10, Day}}.Refused(5, now)
	if wait, ok := retry.Wait(err); !ok || wait != time.Minute || !strings.Contains(err.Error(), "5 of the key's quota") {
		t.Errorf("%v, wait %v", err, wait)
	}
	err = Charge{"a", 11, Quota{10, Day}}.Refused(0, now)
	if _, ok := retry.Wait(err); ok || !strings.Contains(err.Error(), "quota is 10/day") {
		t.Errorf("what never fits: %v", err)
	}
}
