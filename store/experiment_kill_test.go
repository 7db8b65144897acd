package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/store"
)

const (
	childEnv = "PICTIFYD_TEST_STORE_CHILD" // the ledger of a process that is to be killed
	crashEnv = "PICTIFYD_TEST_STORE_CRASH" // "POINT N": it kills itself there
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// page is the n-th ten units, and what they do: each is exposed and clicks twice, every
// third converts.
func page(n int) (meetings []experiment.Meeting, events []experiment.Event) {
	for u := n * 10; u < n*10+10; u++ {
		unit := fmt.Sprintf("u%06d", u)
		meetings = append(meetings, experiment.Meeting{Exposed: true, Client: experiment.Other, Assignment: experiment.Assignment{
			Experiment: "exp_trial", Unit: unit, Variant: string(rune('a' + u%2)), Channel: experiment.Web, At: noon}})
		did := func(kind string, again int) {
			events = append(events, experiment.Event{Experiment: "exp_trial", ID: fmt.Sprint(unit, kind, again), Kind: kind, Unit: unit,
				Channel: experiment.Web, At: noon.Add(time.Second)})
		}
		did(experiment.Click, 1)
		did(experiment.Click, 2)
		if u%3 == 0 {
			did(experiment.Conversion, 1)
		}
	}
	return meetings, events
}

// pageCounts are what n pages count.
func pageCounts(n int) map[string]experiment.Counts {
	all := map[string]experiment.Counts{}
	for u := range n * 10 {
		c := all[string(rune('a'+u%2))]
		c.Exposures++
		c.Clicks++
		if u%3 == 0 {
			c.Conversions++
		}
		all[string(rune('a'+u%2))] = c
	}
	return all
}

// countsOf are those of the trial by variant, without duplicates.
func countsOf(tb testing.TB, s *store.Store) map[string]experiment.Counts {
	tb.Helper()
	counts, err := s.ExperimentCounts(tb.Context(), "exp_trial")
	if err != nil {
		tb.Fatal(err)
	}
	all := map[string]experiment.Counts{}
	for _, c := range counts {
		sum := all[c.Variant]
		sum.Exposures += c.Exposures
		sum.Clicks += c.Clicks
		sum.Conversions += c.Conversions
		sum.Views += c.Views
		all[c.Variant] = sum
	}
	return all
}

func newTrial(tb testing.TB, s *store.Store) {
	tb.Helper()
	if _, err := s.SaveExperiment(tb.Context(), experiment.Experiment{ID: "exp_trial", Status: experiment.Running,
		Definition: experiment.Definition{Slug: "trial", Goal: experiment.Goal{Type: experiment.GoalConversion}}}); err != nil {
		tb.Fatal(err)
	}
}

// takeUntilKilled is the process that is killed: it says which pages it has taken.
func takeUntilKilled(url string) {
	var point string
	var at, seen int
	_, _ = fmt.Sscanf(os.Getenv(crashEnv), "%s %d", &point, &at)
	s, err := store.Open(context.Background(), store.Config{URL: url}, store.Options{Crash: func(p string) {
		if p != point {
			return
		}
		if seen++; seen == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}})
	for n := 0; err == nil; n++ {
		meetings, events := page(n)
		if _, err = s.Meet(context.Background(), meetings); err == nil {
			_, err = s.TakeEvents(context.Background(), events)
		}
		if err == nil {
			fmt.Println(n)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// What was answered is there after a kill, and what was not can be sent again: then
// nothing is lost, and nothing is counted twice.
func TestKilledStoreLosesNoEventAndCountsNoneTwice(t *testing.T) {
	for name, crash := range map[string]string{
		"units committed, not answered":  "units.assigned 4",
		"events committed, not answered": "events.taken 4",
		"at any moment":                  "",
	} {
		t.Run("SQLite/"+name, func(t *testing.T) { killTaking(t, "sqlite:"+filepath.Join(t.TempDir(), "p.db"), crash) })
		t.Run("PostgreSQL/"+name, func(t *testing.T) {
			dsn := os.Getenv("PICTIFYD_TEST_POSTGRES")
			if dsn == "" {
				t.Skip("PICTIFYD_TEST_POSTGRES is not set: it names a Postgres server where schemas may be made")
			}
			killTaking(t, schemaOf(t, dsn), crash)
		})
	}
}

func killTaking(t *testing.T, url, crash string) {
	t.Helper()
	s := open(t, url)
	newTrial(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), program)
	child.Env, child.Stderr = append(os.Environ(), childEnv+"="+url, crashEnv+"="+crash), os.Stderr
	said, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	answered := 0
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err != nil || n != answered {
			t.Fatalf("it said %q after %d pages: %v", lines.Text(), answered, err)
		}
		if answered++; crash == "" && answered == 7 {
			_ = child.Process.Kill()
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed: %v", err)
	}
	if answered < 3 {
		t.Fatalf("it was killed after %d pages", answered)
	}
	// A server of PostgreSQL may take a moment to see that the other one is gone.
	s, err = store.Open(t.Context(), store.Config{URL: url}, store.Options{Standby: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for variant, want := range pageCounts(answered) {
		if c := countsOf(t, s)[variant]; c.Exposures < want.Exposures || c.Clicks < want.Clicks || c.Conversions < want.Conversions {
			t.Errorf("%d pages were answered, and %s has %+v, want %+v", answered, variant, c, want)
		}
	}
	again := answered + 3
	for n := range again {
		meetings, events := page(n)
		if _, err := s.Meet(t.Context(), meetings); err != nil {
			t.Fatal(err)
		}
		taken, err := s.TakeEvents(t.Context(), events)
		if err != nil {
			t.Fatal(err)
		}
		for i, took := range taken {
			if n < answered && !took.Duplicate {
				t.Errorf("event %s was answered, and is gone", events[i].ID)
			}
		}
	}
	// The killed one may have come further than it could say.
	if diff := cmp.Diff(pageCounts(again), countsOf(t, s)); diff != "" {
		t.Errorf("counts after all was sent again (-want +got):\n%s", diff)
	}
}

// What is cut off in the middle has forgotten the assignment, and the same order again
// forgets the rest.
func TestErasingAUnitIsGoneOnWithWhereItWasCutOff(t *testing.T) {
	ctx, cut := context.WithCancel(t.Context())
	s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "p.db")}, store.Options{Crash: func(point string) {
		if point == "unit.erased" {
			cut()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	newTrial(t, s)
	meetings, events := page(0)
	if _, err := s.Meet(ctx, meetings); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeEvents(ctx, events); err != nil {
		t.Fatal(err)
	}
	unit := meetings[0].Unit
	named := func() (n int) {
		t.Helper()
		all, err := s.ExportEvents(t.Context(), "exp_trial", 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if e.Unit == unit {
				n++
			}
		}
		return n
	}
	if err := s.EraseUnit(ctx, "exp_trial", unit); err == nil || named() == 0 {
		t.Fatalf("it was not cut off: %v, %d events have the name", err, named())
	}
	if err := s.EraseUnit(t.Context(), "exp_trial", unit); err != nil || named() != 0 {
		t.Errorf("the same order again: %v, %d events have the name", err, named())
	}
}
