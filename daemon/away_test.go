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
	binding, job := bindings.BindingOwner("cards"), bindings.JobOwner("job_1")
	for name, c := range map[string]struct {
		owner bindings.Owner
		tries int
		err   error
		wait  time.Duration // at least; 0: no other try
	}{
		"a binding's, host away":             {binding, 0, away, 30 * time.Second},
		"a binding's, still away":            {binding, bindingPatience.again - 1, away, time.Minute},
		"a binding's, last try":              {binding, bindingPatience.again, away, 0},
		"a binding's, not an image":          {binding, 0, retry.Permanent(away), 0},
		"a job's, host away":                 {job, 0, away, time.Second},
		"a job's, still away":                {job, 1, away, 2 * time.Second},
		"a job's, last try":                  {job, 2, away, 0},
		"a job's, not an image":              {job, 0, retry.Permanent(away), 0},
		"a job's, of a host that asks a bit": {job, 0, retry.After(away, 30*time.Second), 30 * time.Second},
		"a job's, of a host that asks much":  {job, 0, retry.After(away, time.Hour), 0},
	} {
		d := &Daemon{log: quiet(t)}
		claim := store.Claim{Fingerprint: "f", Owner: c.owner, Attempt: 1, Tries: c.tries}
		got := d.unmade(claim, store.Rendered{}, &assetError{variable: "photo", err: c.err})
		again := c.wait > 0
		if (got.Retry != nil) != again || (got.Problem == nil) != again || got.Away != again {
			t.Errorf("%s: %+v, want another try: %t", name, got, again)
			continue
		}
		if again && got.After < c.wait {
			t.Errorf("%s: tried again after %s, want at least %s", name, got.After, c.wait)
		}
		if !again && (got.Problem.Field != "variables.photo" || got.Problem.Lasting != retry.IsPermanent(c.err)) {
			t.Errorf("%s: the problem is %+v, want variables.photo", name, got.Problem)
		}
	}
}

func TestFailedFilesAreRememberedForATryOfAJobAndForABindingsMinute(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	job, binding := store.Claim{Owner: bindings.JobOwner("job_1")}, store.Claim{Owner: bindings.BindingOwner("cards")}
	if assetScope(job, at) != assetScope(job, at.Add(time.Hour)) {
		t.Error("a job asks a dead host again an hour later")
	}
	second := job
	second.Tries = 1
	if assetScope(job, at) == assetScope(second, at) {
		t.Error("the second try of a row of a job hears only of the first")
	}
	retried := job
	retried.Run = 2
	if assetScope(job, at) == assetScope(retried, at) {
		t.Error("a job that is retried hears only of its run before")
	}
	if a := assetScope(binding, at); a == "" || a != assetScope(binding, at.Add(time.Second)) || a == assetScope(binding, at.Add(time.Minute)) {
		t.Errorf("a binding's scope %q is not that of its minute", a)
	}
}
