package daemon

import (
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

func TestMissingFileOfARowIsTriedAgainAsItsOwnerMay(t *testing.T) {
	away := problem.New(problem.Timeout, "no answer in time").WithSlug("asset_fetch_failed")
	for name, c := range map[string]struct {
		owner   bindings.Owner
		attempt int
		err     error
		again   bool
	}{
		"a binding's, host away":    {bindings.BindingOwner("cards"), 1, away, true},
		"a binding's, still away":   {bindings.BindingOwner("cards"), assetTries - 1, away, true},
		"a binding's, last try":     {bindings.BindingOwner("cards"), assetTries, away, false},
		"a binding's, not an image": {bindings.BindingOwner("cards"), 1, retry.Permanent(away), false},
		"a job's":                   {bindings.JobOwner("job_1"), 1, away, false},
	} {
		d := &Daemon{log: quiet(t)}
		claim := store.Claim{Fingerprint: "f", Owner: c.owner, Attempt: c.attempt}
		got := d.unmade(claim, store.Rendered{}, &assetError{variable: "photo", err: c.err})
		if again := got.Retry != nil; again != c.again || (got.Problem == nil) != c.again {
			t.Errorf("%s: %+v, want another try: %t", name, got, c.again)
		}
		if c.again && got.After < 30*time.Second {
			t.Errorf("%s: tried again after %s, want time for the host to come back", name, got.After)
		}
		if !c.again && got.Problem.Field != "variables.photo" {
			t.Errorf("%s: the problem is of %q, want variables.photo", name, got.Problem.Field)
		}
	}
}

func TestFailedFilesAreRememberedForAJobAndForABindingsMinute(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	job, binding := store.Claim{Owner: bindings.JobOwner("job_1")}, store.Claim{Owner: bindings.BindingOwner("cards")}
	if assetScope(job, at) != assetScope(job, at.Add(time.Hour)) {
		t.Error("a job asks a dead host again an hour later")
	}
	if a := assetScope(binding, at); a == "" || a != assetScope(binding, at.Add(time.Second)) || a == assetScope(binding, at.Add(time.Minute)) {
		t.Errorf("a binding's scope %q is not that of its minute", a)
	}
}
