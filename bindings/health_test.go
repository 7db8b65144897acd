package bindings_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

func TestHealthOfABinding(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ok := connectors.Health{State: "ok"}
	for name, one := range map[string]struct {
		status       bindings.Status
		source       connectors.Health
		broken       error
		state, cause string
	}{
		"well":                    {bindings.Status{Ready: 3}, ok, nil, "ok", ""},
		"paused before all":       {bindings.Status{Paused: true, Failed: 1}, connectors.Health{State: "error"}, errors.New("x"), "paused", "a person"},
		"broken":                  {bindings.Status{}, ok, errors.New("there is no template"), "error", "there is no template"},
		"its source is in error":  {bindings.Status{Source: "shop", Failed: 1}, connectors.Health{State: "error", Cause: "503", Next: "test it"}, nil, "error", "source shop: 503"},
		"held":                    {bindings.Status{HeldChanges: 9, HeldReason: "too many"}, ok, nil, "warn", "9 changes"},
		"images failed":           {bindings.Status{Failed: 2}, ok, nil, "warn", "2 images"},
		"a picture waits":         {bindings.Status{Waiting: 1, WantedSince: now.Add(-11 * time.Minute)}, ok, nil, "warn", "waits for 11m0s"},
		"a picture waits shortly": {bindings.Status{Waiting: 1, WantedSince: now.Add(-time.Minute)}, ok, nil, "ok", ""},
		"its source is late":      {bindings.Status{Source: "shop"}, connectors.Health{State: "warn", Cause: "late", Next: "read it"}, nil, "warn", "source shop: late"},
	} {
		t.Run(name, func(t *testing.T) {
			h := one.status.Health(one.source, one.broken, now)
			if h.State != one.state || !strings.Contains(h.Cause, one.cause) || (one.cause == "") != (h.Cause == "") {
				t.Errorf("%+v, want %s %q", h, one.state, one.cause)
			}
			if (h.Cause == "") != (h.Next == "") {
				t.Errorf("%+v: what has a cause has a next step", h)
			}
		})
	}
}
