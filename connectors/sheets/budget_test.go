package sheets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// sent takes n requests from a budget, and is when they went.
func sent(t *testing.T, b *budget, n int) []time.Duration {
	t.Helper()
	begin := time.Now()
	var at []time.Duration
	for range n {
		if err := b.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		at = append(at, time.Since(begin))
	}
	return at
}

func TestABudgetKeepsWithinTheQuotaOfEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := openBudget(t.Name(), t.Name())
		defer b.close()
		at := sent(t, b, 150)
		for i := range at {
			if i >= mostPerUser && at[i]-at[i-mostPerUser] < time.Minute {
				t.Fatalf("request %d goes %v after the one %d before it", i, at[i]-at[i-mostPerUser], mostPerUser)
			}
		}
		if at[mostPerUser-1] != 0 || at[149] > 3*time.Minute {
			t.Errorf("the quota is not used: request %d goes after %v, the last after %v", mostPerUser, at[mostPerUser-1], at[149])
		}
	})
}

func TestSourcesOfOneCredentialShareItsBudgetAndUsersTheirProjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := openBudget("user "+t.Name(), t.Name()), openBudget("user "+t.Name(), t.Name())
		sent(t, a, mostPerUser)
		if wait := sent(t, b, 1)[0]; wait < time.Minute {
			t.Errorf("the second source's request goes after %v", wait)
		}
		a.close()
		b.close()
		var mu sync.Mutex
		total := 0
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 7 {
			user := openBudget(fmt.Sprint(t.Name(), i), "project "+t.Name())
			defer user.close()
			wg.Go(func() {
				for user.take(ctx) == nil {
					mu.Lock()
					total++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if total != mostPerProject {
			t.Errorf("seven users of a project make %d requests a minute", total)
		}
	})
}

func TestAPauseIsForAllThatShareTheCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := openBudget(t.Name(), t.Name()), openBudget(t.Name(), t.Name())
		other := openBudget("other "+t.Name(), "other "+t.Name())
		defer a.close()
		defer b.close()
		defer other.close()
		a.pause(20 * time.Second)
		a.pause(10 * time.Second) // a shorter one ends no longer one
		if wait := sent(t, other, 1)[0]; wait != 0 {
			t.Errorf("another credential waits for %v", wait)
		}
		if wait := sent(t, b, 1)[0]; wait != 20*time.Second {
			t.Errorf("the request goes after %v", wait)
		}
	})
}

func TestABudgetIsLeftWithItsContextAndRemembersWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := openBudget(t.Name(), t.Name())
		sent(t, a, mostPerUser)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("take returned %v", err)
		}
		// A reload closes the source and opens it again: that gives no new quota.
		a.close()
		a = openBudget(t.Name(), t.Name())
		if wait := sent(t, a, 1)[0]; wait < 50*time.Second {
			t.Errorf("after a reload the request goes after %v", wait)
		}
		a.close()
		time.Sleep(2 * quotaPeriod)
		openBudget("another", "another").close()
		windows.mu.Lock()
		defer windows.mu.Unlock()
		if windows.named["user "+t.Name()] != nil {
			t.Error("the window of a source that is gone is kept for ever")
		}
	})
}

func TestAQuotaThatIsUsedUpIsSoForAllThatShareIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		newClient := func() *client {
			return &client{budget: openBudget(t.Name(), t.Name()), timeout: time.Minute, patience: usual}
		}
		first, second := newClient(), newClient()
		defer first.budget.close()
		defer second.budget.close()
		begin, tries := time.Now(), 0
		go func() {
			_ = first.ask(t.Context(), func(context.Context) error {
				if tries++; tries == 1 {
					return &googleapi.Error{Code: 429, Header: http.Header{"Retry-After": {"20"}}}
				}
				return nil
			})
		}()
		synctest.Wait()
		if err := second.ask(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if after := time.Since(begin); after != 20*time.Second {
			t.Errorf("the other source asks after %v", after)
		}
		synctest.Wait()
		if tries != 2 {
			t.Errorf("%d tries", tries)
		}
	})
}

// A reading that would wait long leaves its place to sources of other kinds.
func TestAReadingThatWouldWaitLongIsPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Kind.Config().(*Config)
		cfg.Spreadsheet, cfg.Key, cfg.Endpoint = "BOOK", config.Strings{"sku"}, "http://127.0.0.1:1"
		s, err := newSource(cfg, connectors.Env{Name: "sheet"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		sent(t, s.client.budget, mostPerUser)
		begin := time.Now()
		err = s.Poll(t.Context(), nil, func(context.Context, connectors.Batch) error { return nil })
		var known *problem.Error
		if wait, asked := retry.Wait(err); !asked || wait < 50*time.Second || !errors.As(err, &known) || known.Code != problem.Overloaded {
			t.Errorf("Poll returned %v, to be polled again in %v", err, wait)
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("it waited for %v", waited)
		}
	})
}

// Whoever knows an account's name only can't use up its budget.
func TestACallersBudgetIsNotTheOperators(t *testing.T) {
	cfg := Kind.Config().(*Config)
	cfg.Credentials = config.NewSecret(someKey)
	names := map[string]bool{}
	for _, env := range []connectors.Env{{}, {Client: &http.Client{}}} {
		c, err := newClient(cfg, env, "BOOK", false)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		names[c.budget.users], names[c.budget.projects] = true, true
	}
	if len(names) != 4 {
		t.Errorf("the operator and a caller share a budget: %d names", len(names))
	}
}

func TestFormatsAreLookedUpAgain(t *testing.T) {
	of := func(names ...string) *table {
		return &table{header: header{names: names}, lines: []line{{row: 2, cells: []any{"a", 1.0}}}}
	}
	good := formats{header: []string{"sku", "Price"}, of: map[string]dating{"Price": plain}, read: time.Now()}
	old, without := good, good
	old.read = time.Now().Add(-2 * formatsFor)
	without.of = map[string]dating{}
	for name, test := range map[string]struct {
		f    *formats
		t    *table
		want bool
	}{
		"as they were":            {&good, of("sku", "Price"), true},
		"none yet":                {nil, of("sku", "Price"), false},
		"old":                     {&old, of("sku", "Price"), false},
		"another header":          {&good, of("sku", "Cost"), false},
		"a column's first number": {&without, of("sku", "Price"), false},
	} {
		if got := test.f.good(test.t); got != test.want {
			t.Errorf("%s: good is %v", name, got)
		}
	}
}
