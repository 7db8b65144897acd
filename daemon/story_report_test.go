package daemon

import (
	"bytes"
	"encoding/json"
	"image"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A runTold is what the webhook of a run says, as far as the story goes.
type runTold struct {
	Status, ScheduledFor string
	TotalCount           int
	ChangedCount         int
	UnchangedCount       int
	Results              []struct {
		Key     string
		Outputs []struct{ Output, URL string }
	}
}

func TestEachCustomerGetsADashboardAndAPDFOfAPastMonth(t *testing.T) {
	s := newStory(t, "monthly-report")
	receiver, err := url.Parse(s.receiver.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOOK_PORT", receiver.Port())
	address, _ := s.run(Options{})
	pictifyd := mustBuild(t, "../cmd/pictifyd")
	told := func(n int) (last runTold) {
		t.Helper()
		eventually(t, "the run is told of", func() bool { return len(s.receiver.all("run.completed")) == n })
		if err := json.Unmarshal(s.receiver.all("run.completed")[n-1].Data, &last); err != nil {
			t.Fatal(err)
		}
		return last
	}
	runNow := func(at string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), pictifyd, "run-now", "reports", "--at", at, "--wait")
		cmd.Env = append(os.Environ(), "PICTIFYD_SERVER="+address)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("run-now: %v\n%s", err, out)
		}
		return string(out)
	}

	if out := runNow("2026-10-01"); !strings.Contains(out, "6 of 6 rows have their images; 6 changed") || !strings.Contains(out, "/results.csv") {
		t.Errorf("run-now says %s", out)
	}
	first := told(1)
	if first.Status != "completed" || first.ScheduledFor != "2026-10-01T04:00:00Z" || first.TotalCount != 6 || len(first.Results) != 6 {
		t.Fatalf("the webhook says %+v", first)
	}
	for _, r := range first.Results {
		if !strings.HasSuffix(r.Key, ",2026-09") || len(r.Outputs) != 2 {
			t.Fatalf("a customer has %+v", r)
		}
		size, kind, err := image.DecodeConfig(bytes.NewReader(fetch(t, r.Outputs[0].URL)))
		if err != nil || kind != "png" || size.Width != 1600 || size.Height != 900 {
			t.Errorf("the dashboard of %s is %s of %dx%d, %v", r.Key, kind, size.Width, size.Height, err)
		}
		if !bytes.HasPrefix(fetch(t, r.Outputs[1].URL), []byte("%PDF-")) {
			t.Errorf("the report of %s is no PDF", r.Key)
		}
	}

	if out := runNow("2026-10-01"); !strings.Contains(out, "0 changed, 6 are as they were") {
		t.Errorf("run again, it says %s", out)
	}
	if again := told(2); again.ChangedCount != 0 || again.UnchangedCount != 6 || again.Results[0].Outputs[0].URL != first.Results[0].Outputs[0].URL {
		t.Errorf("run again, the webhook says %+v", again)
	}

	usage := s.read("usage/2026-09.ndjson")
	s.write("usage/2026-09.ndjson", strings.Replace(usage, "Quince Street Bakeries", "Quince Street Bakery", 1))
	if out := runNow("2026-10-01"); !strings.Contains(out, "1 changed, 5 are as they were") {
		t.Errorf("after a correction it says %s", out)
	}
	// Another month takes nothing away.
	runNow("2026-09-01")
	if status := (&process{tb: t, url: address}).get("/b/reports/quince,2026-09.pdf", nil); status != 200 {
		t.Errorf("September's report answers %d after August's run", status)
	}
}
