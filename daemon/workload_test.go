package daemon

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/bench"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestBenchDrawsAWorkload(t *testing.T) {
	needChrome(t)
	for _, name := range bench.Names() {
		dir := t.TempDir()
		b := Bench{Workload: name, Format: "jpeg", Rows: 3, Seed: 1, Options: bench.Options{Trace: true, Keep: dir}, Log: slog.New(slog.DiscardHandler)}
		r, err := b.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r.Peer != bench.Engine || r.Workload != name || r.Format != "jpeg" || r.Images != 3 || r.MeanBytes < 10_000 || r.Stages[bench.StageStore] <= 0 {
			t.Errorf("%s: the result is %+v", name, r)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "pictifyd-"+name+"-0.jpg")); err != nil || !strings.HasPrefix(string(text), "\xff\xd8") {
			t.Errorf("%s: the picture has %d bytes, error %v", name, len(text), err)
		}
	}
}

func TestBenchRefusesBeforeAChromeStarts(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // where there is none
	for want, b := range map[string]Bench{
		`"bmp" is not a format`:  {Workload: "card", Format: "bmp", Rows: 1},
		`did you mean "card"?`:   {Workload: "crad", Format: "png", Rows: 1},
		"a run of -1ns after 0s": {Workload: "card", Format: "png", Rows: 1, Options: bench.Options{Duration: -1}},
	} {
		_, err := b.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	var p *problem.Error
	if _, err := (Bench{Workload: "card", Format: "png", Rows: 1}).Run(t.Context()); !errors.As(err, &p) || p.Code != problem.Surroundings {
		t.Errorf("without Chrome: %v", err)
	}
}
