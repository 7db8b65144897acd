package chrome

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestKernelOutOfMemoryTakesChromeFirst(t *testing.T) {
	p := newPool(t, rendertest.Files{}, quietly)
	if _, err := p.Render(t.Context(), card("")); err != nil {
		t.Fatal(err)
	}
	score := func(pid int) int {
		t.Helper()
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/oom_score_adj")
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	pid := pidOf(t, p)
	ours := score(os.Getpid())
	if n := score(pid); n <= ours {
		t.Errorf("Chrome's main process has %d, this one %d", n, ours)
	}
	pages := 0
	for _, member := range groupMembers(pid) {
		if slices.Contains(commandLine(member), "--type=renderer") {
			pages++
			if n := score(member); n < score(pid) || n <= ours {
				t.Errorf("a page has %d, Chrome's main process %d", n, score(pid))
			}
		}
	}
	if pages == 0 {
		t.Error("no page was seen")
	}
}
