package daemon

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Two cards, people who see them in mails and on a page, and a winner.
func TestTwoCardsHaveAWinner(t *testing.T) {
	s := newStory(t, "experiment")
	ctx, cancel := context.WithCancel(context.Background())
	url, ended := s.begin(ctx, Options{started: func(d *Daemon) {
		d.experimentID = func() string { return "exp_story" } // it decides who is shown what
	}})
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the daemon ended: %v", err)
		}
	})
	limit, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	traffic := exec.CommandContext(limit, mustBuild(t, "../examples/experiment/traffic"))
	traffic.Env = append(os.Environ(), "PICTIFYD_SERVER="+url)
	out, err := traffic.CombinedOutput()
	if err != nil {
		t.Fatalf("traffic: %v\n%s", err, out)
	}
	for _, want := range []string{"verdict: winner_ready", `The winner is "price"`, "200 fetches by robots", "2000 repeated looks"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("traffic does not say %q:\n%s", want, out)
		}
	}
	var shown struct {
		Experiment struct {
			Status, Winner string
			Variants       []struct {
				ID    string
				Stats struct{ Exposures, Conversions int64 }
			}
		}
	}
	status, text := look(t, url+"/experiments/summer-card")
	if err := json.Unmarshal(text, &shown); err != nil || status != http.StatusOK {
		t.Fatalf("%d: %v", status, err)
	}
	units := int64(0)
	for _, v := range shown.Experiment.Variants {
		units += v.Stats.Exposures
	}
	if e := shown.Experiment; e.Status != "completed" || e.Winner != "price" || units != 4000 {
		t.Errorf("it is %+v", e)
	}
	for _, who := range []string{"visitor-1", "visitor-2", "somebody-new"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/s/summer-card/"+who+".png", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, picture := look(t, r.URL.String()); res.Header.Get("X-Variant") != "price" {
			t.Errorf("%s is shown %q", who, res.Header.Get("X-Variant"))
		} else {
			shot(t, "experiment-"+who, picture)
		}
		_ = res.Body.Close()
	}
}
