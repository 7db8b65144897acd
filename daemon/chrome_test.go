package daemon

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "image/jpeg"

	"github.com/pictifyd/pictifyd/internal/campaign"
)

// needChrome skips a test by hand without PICTIFYD_TEST_CHROME; make test sets it.
func needChrome(tb testing.TB) {
	tb.Helper()
	if campaign.Leaves(tb) {
		tb.Skip("needs Chrome: runs in the pass without -short")
	}
	if os.Getenv("PICTIFYD_TEST_CHROME") != "" {
		return
	}
	if os.Getenv("PICTIFYD_TEST_ALL") != "" {
		tb.Fatal("PICTIFYD_TEST_CHROME is not set")
	}
	tb.Skip("PICTIFYD_TEST_CHROME is not set: make test sets it")
}

// photos serves a picture at /photo.png and nothing elsewhere.
func photos(tb testing.TB) string {
	img := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		img.Set(i%8, i/8, color.RGBA{200, uint8(i * 3), 40, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /photo.png", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b.Bytes()) })
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	return server.URL
}

func TestBatchReportsItsBadRows(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	photo := photos(t)
	const rows = 1000
	batch := batchRows(rows)
	for i := range batch {
		batch[i]["photo"] = photo + "/photo.png"
	}
	bad := map[int][2]string{ // index: code, field
		17:  {"asset_fetch_failed", "variables.photo"},
		333: {"missing_variable", "variables.title"},
		500: {"wrong_type", "variables.price"},
		501: {"wrong_type", "variables.price"},
		999: {"missing_variable", "variables.title"},
	}
	batch[17]["photo"] = photo + "/gone.png"
	delete(batch[333], "title")
	batch[500]["price"] = "a lot"
	batch[501]["price"] = true
	batch[999]["title"] = ""

	p := s.start(childChrome + "=1")
	id, err := p.postBatch(batch, s.receiver.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the completion webhook", func() bool { return len(s.receiver.all("batch.completed")) > 0 })
	v := p.job(id)
	if v.Status != "partial" || v.CompletedItems != rows-len(bad) || v.FailedItems != len(bad) || len(v.Errors) != len(bad) {
		t.Errorf("job: %s, %d completed, %d failed, %d errors; want partial, %d and %d", v.Status, v.CompletedItems, v.FailedItems, len(v.Errors), rows-len(bad), len(bad))
	}
	for _, e := range v.Errors {
		want := bad[e.Index]
		if e.Code != want[0] || e.Field != want[1] || e.Error == "" {
			t.Errorf("row %d: %+v, want %v and a reason", e.Index, e, want)
		}
		t.Logf("row %d: %s: %s: %s", e.Index, e.Code, e.Field, e.Error)
	}
	urls := 0
	for _, r := range v.Results {
		if r.Success && strings.Contains(r.URL, "/images/") {
			urls++
		}
	}
	if urls != rows-len(bad) {
		t.Errorf("%d URLs, want %d", urls, rows-len(bad))
	}
	hooks := s.receiver.all("batch.completed")
	if len(hooks) != 1 || bytes.Count(hooks[0].Data, []byte(`"/images/`)) < 0 || !bytes.Contains(hooks[0].Data, []byte(id)) {
		t.Errorf("%d completion webhooks, want one about %s", len(hooks), id)
	}
	if code := p.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit code %d, want 0", code)
	}
}

func TestTerminationLeavesNothingBehind(t *testing.T) {
	needChrome(t)
	s := newSite(t, "")
	p := s.start(childChrome + "=1")
	id, err := p.postBatch(batchRows(1000), "")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "some pictures are made", func() bool {
		var v jobView
		p.get("/jobs/"+id+"?limit=1", &v)
		return v.CompletedItems > 20
	})
	children := descendants(t, p.cmd.Process.Pid)
	if len(children) == 0 {
		t.Fatal("no Chrome was seen under the daemon")
	}
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d, want 0\n%s", code, p.log)
	}
	for _, pid := range children {
		if running(pid) {
			t.Errorf("process %d of Chrome is left", pid)
		}
	}
	for _, dir := range []string{os.TempDir(), "/dev/shm"} {
		left, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("pictifyd*%d*", p.cmd.Process.Pid)))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}

	// What was cut off goes on.
	p = s.start(childChrome + "=1")
	eventually(t, "the rest of the batch", func() bool {
		var v jobView
		p.get("/jobs/"+id+"?limit=1", &v)
		return v.Status == "completed"
	})
}

// descendants are the processes below pid.
func descendants(tb testing.TB, pid int) []int {
	tb.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		tb.Fatal(err)
	}
	children := map[int][]int{}
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it ended meanwhile
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	var all []int
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		all = append(all, children[queue[0]]...)
		queue = append(queue, children[queue[0]]...)
	}
	return all
}

// running reports whether a process runs and is not only waiting to be reaped.
func running(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return !strings.HasPrefix(rest, "Z")
}
