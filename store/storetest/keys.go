package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// newKey is a key with something in each field.
func newKey(name string) apikey.Key {
	_, k := apikey.New()
	k.Name, k.Scopes, k.Templates, k.Origins = name, []string{"renders:write"}, []string{"card"}, []string{"https://shop.example"}
	k.Rate, k.Quota, k.CreatedAt, k.ExpiresAt = 60, apikey.Quota{Images: 10, Per: apikey.Day}, start, start.Add(time.Hour)
	return k
}

var keys = map[string]func(*testing.T, Open){
	"KeysComeBackAsTheyWereKept": func(t *testing.T, open Open) {
		s := open(t)
		second, first := newKey("b"), newKey("a")
		first.ExpiresAt, first.Scopes, first.Quota = time.Time{}, nil, apikey.Quota{}
		must(t, s.AddKey(t.Context(), second))
		must(t, s.AddKey(t.Context(), first))
		used := start.Add(time.Minute)
		must(t, s.SaveKeyUses(t.Context(), map[string]time.Time{first.ID: start, "config:ci": start}))
		must(t, s.SaveKeyUses(t.Context(), map[string]time.Time{first.ID: used}))
		must(t, s.Close())
		s = newStore(t, open)
		first.UsedAt, first.Scopes = used, []string{}
		if diff := cmp.Diff([]apikey.Key{first, second}, got(s.Keys(t.Context()))(t)); diff != "" {
			t.Error(diff)
		}
		if uses := got(s.KeyUses(t.Context()))(t); len(uses) != 2 || !uses["config:ci"].Equal(start) || !uses[first.ID].Equal(used) {
			t.Errorf("uses %v", uses)
		}
	},

	"NameOfAKeyIsTakenUntilItIsRemoved": func(t *testing.T, open Open) {
		s := newStore(t, open)
		k := newKey("ci")
		must(t, s.AddKey(t.Context(), k))
		if err := s.AddKey(t.Context(), newKey("ci")); kind(err) != "key_name_taken" || problem.CodeOf(err) != problem.Conflict {
			t.Errorf("the same name again: %v", err)
		}
		must(t, s.Spend(t.Context(), apikey.Charge{Owner: k.ID, Images: 3, Quota: k.Quota}))
		must(t, s.RemoveKey(t.Context(), k.ID))
		if err := s.RemoveKey(t.Context(), k.ID); kind(err) != "key_not_found" || problem.CodeOf(err) != problem.NotFound {
			t.Errorf("removed twice: %v", err)
		}
		if n := got(s.Spent(t.Context(), k.ID, k.Quota))(t); n != 0 {
			t.Errorf("a key that is gone has spent %d", n)
		}
		must(t, s.AddKey(t.Context(), newKey("ci")))
	},

	"QuotaIsSpentToTheLastImageAndSurvives": func(t *testing.T, open Open) {
		s := open(t)
		q := apikey.Quota{Images: 10, Per: apikey.Month}
		spend := func(owner string, n int64) error {
			return s.Spend(t.Context(), apikey.Charge{Owner: owner, Images: n, Quota: q})
		}
		must(t, spend("a", 7))
		err := spend("a", 4)
		if _, ok := retry.Wait(err); kind(err) != apikey.QuotaExceeded || !ok {
			t.Errorf("4 of the 3 left: %v", err)
		}
		if err := spend("a", 11); kind(err) != apikey.QuotaTooSmall {
			t.Errorf("11 of 10: %v", err)
		}
		must(t, spend("b", 10)) // another key's
		must(t, s.Close())
		s = newStore(t, open)
		if n := got(s.Spent(t.Context(), "a", q))(t); n != 7 {
			t.Errorf("after a restart %d are spent", n)
		}
		must(t, spend("a", 3))
		if err := spend("a", 1); kind(err) != apikey.QuotaExceeded {
			t.Errorf("one too many: %v", err)
		}
		must(t, s.Spend(t.Context(), apikey.Charge{Owner: "a", Images: 1e9})) // no quota
	},

	"QuotaIsNotOverspentByManyAtOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		q := apikey.Quota{Images: 20, Per: apikey.Day}
		errs := make([]error, 30)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = s.Spend(t.Context(), apikey.Charge{Owner: "a", Images: 1, Quota: q}) })
		}
		all.Wait()
		refused := 0
		for _, err := range errs {
			if kind(err) == apikey.QuotaExceeded {
				refused++
			} else {
				must(t, err)
			}
		}
		if n := got(s.Spent(t.Context(), "a", q))(t); n != 20 || refused != 10 {
			t.Errorf("spent %d, refused %d", n, refused)
		}
	},

	"JobIsChargedWithItsAcceptanceOrNotAtAll": func(t *testing.T, open Open) {
		s := newStore(t, open)
		q := apikey.Quota{Images: 10, Per: apikey.Day}
		accept := func(id, key string, rows int64) error {
			return s.AcceptJob(t.Context(), batch.Job{ID: id, Template: "card", Version: 1, Total: rows, IdempotencyKey: key,
				Charge: apikey.Charge{Owner: "a", Images: rows, Quota: q}})
		}
		must(t, accept("j1", "k", 6))
		if err := accept("j2", "k", 4); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("the same Idempotency-Key: %v", err)
		}
		if err := accept("j3", "", 5); kind(err) != apikey.QuotaExceeded {
			t.Errorf("5 of the 4 left: %v", err)
		}
		var p *problem.Error
		if _, err := s.Job(t.Context(), "j3"); !errors.As(err, &p) || p.Code != problem.NotFound {
			t.Errorf("the job that did not fit: %v", err)
		}
		if n := got(s.Spent(t.Context(), "a", q))(t); n != 6 {
			t.Errorf("spent %d", n)
		}
	},

	"BacklogIsTheRowsThatHaveNotEnded": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 3)
		acceptJob(t, s, "j2", 4)
		if n := got(s.Backlog(t.Context()))(t); n != 7 {
			t.Errorf("backlog %d", n)
		}
		planJob(t, s, "j1", func(i int64) string { return fmt.Sprint("picture ", i) })
		draw(t, s)
		if n := got(s.Backlog(t.Context()))(t); n != 4 {
			t.Errorf("backlog %d after a job", n)
		}
	},
}
