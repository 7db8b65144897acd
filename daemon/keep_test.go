package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestKeepIsReadAndJudged(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "30d 90d forever 2GB",
		"{ results: 7d }":  "7d 90d forever 2GB",
		"{ images: 365d }": "30d 90d 365d 2GB",
		"{ results: forever, superseded: forever, min_free: 0 }": "forever forever forever 0B",
		"{ results: 12h, min_free: 512MiB }":                     "12h 90d forever 512MiB",

		"{ results: 30 }":         "results: wants a unit",
		"{ results: soon }":       "forever",
		"{ results: 0s }":         "results: must be at least 1h, not 0s",
		"{ superseded: 1h }":      "superseded: must be at least 1d, not 1h",
		"{ images: 30s }":         "images: must be at least 1d, not 30s",
		"{ superseded: -5d }":     "superseded: wants a duration",
		"{ min_free: 2 gallons }": "min_free: wants one of the units",
		"{ min_free: -1 }":        "min_free",
		"{ result: 30d }":         `did you mean "results"?`,
		"30d":                     "keep: wants a mapping",
	} {
		s := newSite(t, "keep: "+text)
		settings, err := Load(filepath.Join(s.dir, "pictifyd.yaml"))
		got := fmt.Sprint(err)
		if err == nil {
			k := settings.Keep
			got = fmt.Sprint(k.Results, " ", k.Superseded, " ", k.Images, " ", k.MinFree)
		}
		if !strings.Contains(got, want) || err == nil && got != want {
			t.Errorf("keep: %s\n got %s\nwant %s", text, got, want)
		}
	}
}

// A kept is a daemon in this process whose bytes and log can be looked at.
type kept struct {
	*process
	site   *site
	daemon *Daemon
	log    *output
}

const catalogOfPeople = `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, sinks: [hook], public: true, guard: { max_changed: 100%, max_deleted: 100% } } ]
`

func newKept(t *testing.T, yaml string) *kept {
	t.Helper()
	k := &kept{site: newSite(t, yaml), log: &output{}}
	k.site.write("rows.csv", csvRows(3, "one"))
	log := slog.New(slog.NewTextHandler(k.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	url, d := k.site.run(Options{Renderer: &rendertest.Null{}, Log: log})
	k.process, k.daemon = &process{tb: t, url: url}, d
	return k
}

// do makes a request, checks its status, and decodes the answer.
func (k *kept) do(method, path, body string, status int, into any) {
	k.tb.Helper()
	req, err := http.NewRequestWithContext(k.tb.Context(), method, k.url+path, strings.NewReader(body))
	if err != nil {
		k.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		k.tb.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		k.tb.Fatalf("%s %s: %d %s %v, want %d", method, path, res.StatusCode, answer, err, status)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			k.tb.Fatalf("%s %s: %s: %v", method, path, answer, err)
		}
	}
}

// text is the answer of a path.
func (k *kept) text(path string) string {
	k.tb.Helper()
	res, err := http.Get(k.url + path)
	if err != nil {
		k.tb.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		k.tb.Fatal(err)
	}
	return string(answer)
}

// completed is a batch of these titles, all drawn, with the addresses of its images.
func (k *kept) completed(titles ...string) (id string, images []string) {
	k.tb.Helper()
	var rows []map[string]any
	for _, title := range titles {
		rows = append(rows, map[string]any{"title": title})
	}
	id, err := k.postBatch(rows, "")
	if err != nil {
		k.tb.Fatal(err)
	}
	eventually(k.tb, "the batch ends", func() bool { return k.job(id).Status == "completed" })
	for _, r := range k.job(id).Results {
		images = append(images, r.URL[strings.Index(r.URL, "/images/"):])
	}
	return id, images
}

// age makes all bytes old.
func (k *kept) age(by time.Duration) {
	k.tb.Helper()
	at := time.Now().Add(-by)
	for path := range k.files() {
		if err := os.Chtimes(path, at, at); err != nil {
			k.tb.Fatal(err)
		}
	}
}

// files are the bytes that are kept.
func (k *kept) files() map[string]bool {
	k.tb.Helper()
	files := map[string]bool{}
	if err := filepath.WalkDir(filepath.Join(k.site.dir, "data", "images"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files[path] = true
		}
		return err
	}); err != nil {
		k.tb.Fatal(err)
	}
	return files
}

func (k *kept) must(err error) {
	k.tb.Helper()
	if err != nil {
		k.tb.Fatal(err)
	}
}

func TestJobsAndBytesGoWhenTheirTimeHasCome(t *testing.T) {
	k := newKept(t, catalogOfPeople)
	eventually(t, "the cards", func() bool { return k.ready("cards") == 3 })
	id, images := k.completed("alone", "also alone")
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d) }

	k.must(k.daemon.expire(t.Context(), at(29*day)))
	k.get("/jobs/"+id, nil)
	k.must(k.daemon.expire(t.Context(), at(31*day)))
	k.do("GET", "/jobs/"+id, "", 410, nil)
	k.do("GET", "/jobs/"+id+"/results.ndjson", "", 410, nil)

	before, err := k.daemon.sweep(t.Context(), at(31*day))
	k.must(err)
	if before.files != 5 || before.marked != 2 {
		t.Errorf("the sweep saw %+v, want 5 files, 2 of them marked", before)
	}
	k.must(k.daemon.expire(t.Context(), at(120*day)))
	k.do("GET", images[0], "", 200, nil)
	k.must(k.daemon.expire(t.Context(), at(122*day)))
	k.do("GET", images[0], "", 404, nil)
	if n := len(k.files()); n != 3 {
		t.Errorf("%d files are left, want those of the 3 cards", n)
	}
	for i := range 3 {
		k.do("GET", fmt.Sprintf("/b/cards/SKU-%03d.png", i), "", 200, nil)
	}
	k.completed("alone") // made anew
}

func TestPicturesOfAnExpiredJobThatABindingShowsStay(t *testing.T) {
	k := newKept(t, catalogOfPeople)
	eventually(t, "the cards", func() bool { return k.ready("cards") == 3 })
	id, err := k.postBatch([]map[string]any{{"title": "one 0", "price": "0.50"}}, "")
	k.must(err)
	eventually(t, "the batch ends", func() bool { return k.job(id).Status == "completed" })
	far := time.Now().Add(400 * day)
	k.must(k.daemon.expire(t.Context(), far))
	k.do("GET", "/jobs/"+id, "", 410, nil)
	_, err = k.daemon.sweep(t.Context(), far)
	k.must(err)
	k.must(k.daemon.expire(t.Context(), far.Add(100*day)))
	k.do("GET", "/b/cards/SKU-000.png", "", 200, nil)
}

func TestOldImagesAreMadeAgainWhenSomebodyAsks(t *testing.T) {
	k := newKept(t, "keep: { images: 10d }\n"+catalogOfPeople)
	eventually(t, "the cards", func() bool { return k.ready("cards") == 3 })
	_, err := k.daemon.sweep(t.Context(), time.Now().Add(9*day))
	k.must(err)
	if len(k.files()) != 3 {
		t.Error("bytes went too soon")
	}
	eventually(t, "old bytes go, once those who are told of them were told", func() bool {
		_, err = k.daemon.sweep(t.Context(), time.Now().Add(11*day))
		k.must(err)
		return len(k.files()) == 0
	})
	eventually(t, "the card is made again", func() bool { return k.get("/b/cards/SKU-001.png", nil) == 200 })
}

// What a person has deleted is nowhere any more: not in the database, its log,
// the images or what the daemon logged.
func TestDeletedRowIsNowhere(t *testing.T) {
	k := newKept(t, catalogOfPeople)
	var csv strings.Builder
	csv.WriteString("sku,name,price,stock\n")
	const ada = "Ada Quixotically Lovelace"
	for i := range 300 {
		fmt.Fprintf(&csv, "SKU-%03d,Person %d %s,1.50,7\n", i, i, strings.Repeat("x", i%50))
	}
	fmt.Fprintf(&csv, "quixotic-key,%s,1.50,7\nquixotic-twin,%s twin,1.50,7\n", ada, ada)
	k.site.write("rows.csv", csv.String())
	k.refresh("cards")
	eventually(t, "the cards", func() bool { return k.ready("cards") == 302 })
	k.site.write("rows.csv", strings.Replace(csv.String(), ada+",1.50", ada+" Byron,2.50", 1)) // an older state is in the files, too
	k.refresh("cards")
	eventually(t, "the new card", func() bool { return k.ready("cards") == 302 && k.site.receiver.lastGenerations(t)["quixotic-key"] == 2 })
	job, images := k.completed(ada+" in a batch", "somebody else")
	k.site.write("rows.csv", strings.Join(strings.SplitAfter(csv.String(), "\n")[:301], "")) // the source has it no longer
	k.refresh("cards")
	eventually(t, "the reading", func() bool {
		c, err := k.daemon.store.Counters(t.Context())
		return err == nil && c.Missing == 2 && c.JobsOpen == 0
	})
	files := len(k.files())
	k.age(time.Hour)

	var done struct {
		Rows, Images, Files, FilesLeft int64
		Sinks, Bindings                []string
	}
	for _, key := range []string{"quixotic-key", "quixotic-twin"} {
		k.do("DELETE", "/bindings/cards/rows/"+key, "", 200, &done)
		if done.Rows != 1 || done.Images != 1 || done.Files == 0 || done.FilesLeft != 0 {
			t.Errorf("deleted %s: %+v", key, done)
		}
		k.do("DELETE", "/bindings/cards/rows/"+key, "", 404, nil)
		k.do("GET", "/b/cards/"+key+".png", "", 404, nil)
	}
	if text := k.text("/jobs/" + job + "/results.csv"); !strings.Contains(text, "uixotic") {
		t.Errorf("results.csv is %s", text)
	}
	k.do("DELETE", "/jobs/"+job+"/rows/0", "", 200, &done)
	if text := k.text("/jobs/" + job + "/results.csv"); strings.Contains(text, "uixotic") || !strings.Contains(text, "somebody else") {
		t.Errorf("afterwards results.csv is %s", text)
	}
	k.do("GET", "/jobs/"+job+"/results.csv", "", 200, nil)
	k.do("GET", "/jobs/"+job+"/failed.csv", "", 200, nil)
	k.do("GET", "/jobs/"+job+"/results.zip", "", 200, nil)
	k.do("GET", images[0], "", 404, nil)
	k.do("GET", images[1], "", 200, nil)
	if n := len(k.files()); n != files-4 { // the card as it was before is gone, too
		t.Errorf("%d files are left of %d, want 4 less", n, files)
	}
	k.must(k.daemon.scrub(t.Context()))
	if found := k.where("uixotic"); found != "" {
		t.Error(found)
	}
	if text := k.log.String(); strings.Contains(text, "uixotic") {
		t.Errorf("the log has it:\n%s", text)
	}
}

// where names a file below data that has text.
func (k *kept) where(text string) (found string) {
	k.tb.Helper()
	if err := filepath.WalkDir(filepath.Join(k.site.dir, "data"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if at := bytes.Index(data, []byte(text)); at >= 0 {
			found = fmt.Sprintf("%s at %d: %q", path, at, data[max(0, at-60):min(len(data), at+60)])
		}
		return err
	}); err != nil {
		k.tb.Fatal(err)
	}
	return found
}

func TestDeletedKeyIsDeletedEverywhere(t *testing.T) {
	k := newKept(t, catalogOfPeople)
	eventually(t, "the cards", func() bool { return k.ready("cards") == 3 })
	body := `{"rowKey":"title","variables":[{"title":"SKU-001"},{"title":"other"}]}`
	var accepted struct{ JobID string }
	k.do("POST", "/template/card/batch", body, 202, &accepted)
	eventually(t, "the batch ends", func() bool { return k.job(accepted.JobID).Status == "completed" })
	var done struct {
		Rows, Images int64
		Notes        []string
	}
	k.do("POST", "/deletions", `{"key":"SKU-001","forget":true}`, 200, &done)
	if done.Rows != 2 || done.Images != 2 {
		t.Errorf("deleted was %+v, want the row of the source and that of the batch", done)
	}
	v := k.job(accepted.JobID)
	if len(v.Results) != 1 || v.Results[0].Index != 1 {
		t.Errorf("results are %+v, want the second row", v.Results)
	}
	k.refresh("cards")
	k.site.write("rows.csv", csvRows(4, "one"))
	eventually(t, "the source is read again", func() bool { return k.ready("cards") == 3 })
	k.do("GET", "/b/cards/SKU-001.png", "", 404, nil)
	k.do("POST", "/bindings/cards/rows/SKU-001/recall", "", 200, nil)
	k.refresh("cards")
	eventually(t, "the row is back", func() bool { return k.ready("cards") == 4 })
}

func TestSharedBytesOfADeletedJobStay(t *testing.T) {
	k := newKept(t, catalogOfPeople)
	first, images := k.completed("twin", "alone")
	k.completed("twin")
	k.age(time.Hour)
	k.do("DELETE", "/jobs/"+first, "", 200, nil)
	k.do("DELETE", "/jobs/"+first, "", 200, nil) // what broke off is gone on with
	k.do("GET", "/jobs/"+first, "", 410, nil)
	k.do("GET", images[0], "", 200, nil)
	k.do("GET", images[1], "", 404, nil)
}

// A deletion that is killed at a named moment is finished after the restart,
// and takes nothing from anybody else.
func TestDeletionSurvivesKillAt(t *testing.T) {
	for _, point := range []string{"job.emptied", "blobs.condemned", "blobs.removed"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			p := s.start(fmt.Sprintf("%s=%s:1", childCrash, point))
			k := &kept{process: p, site: s}
			first, images := k.completed("twin", "alone")
			second, _ := k.completed("twin", "other")
			k.age(time.Hour)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, p.url+"/jobs/"+first, nil)
			k.must(err)
			if res, err := http.DefaultClient.Do(req); err == nil {
				res.Body.Close()
			}
			p.mustDie(point)
			k.process = s.start()
			eventually(t, "the deletion goes on by itself", func() bool { return len(k.files()) == 2 })
			k.do("GET", "/jobs/"+first, "", 410, nil)
			k.do("GET", images[1], "", 404, nil)
			k.mustComplete(second, 2)
		})
	}
}

func TestSweepKilledInTheMiddleLosesNothing(t *testing.T) {
	s := newSite(t, "")
	d := s.open()
	hash, err := d.blobs.Put(t.Context(), []byte("of nobody"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := d.store.BeginSweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Mark(t.Context(), []string{hash}, time.Now()); err != nil {
		t.Fatal(err)
	}
	far := time.Now().Add(200 * day)
	if _, _, err := d.store.Condemn(t.Context(), far, ""); err != nil { // and dies
		t.Fatal(err)
	}
	if _, err := d.blobs.Put(t.Context(), []byte("of nobody")); err != nil {
		t.Fatal(err)
	}
	if err := d.expire(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if r, _, err := d.blobs.Open(t.Context(), hash); err != nil {
		t.Errorf("bytes that were put again are gone: %v", err)
	} else {
		r.Close()
	}
	if err := d.expire(t.Context(), far); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.blobs.Open(t.Context(), hash); err == nil {
		t.Error("bytes of nobody are kept for ever")
	}
	if _, _, err := d.store.Condemn(t.Context(), far, ""); err != nil {
		t.Fatal(err)
	}
}

func TestLowDiskStopsIntakeUntilThereIsRoom(t *testing.T) {
	s := newSite(t, "keep: { min_free: 40MB }")
	p := s.start(childDisk + "=64m")
	k := &kept{process: p, site: s}
	k.completed("before")
	filler := filepath.Join("/proc", fmt.Sprint(p.cmd.Process.Pid), "root", s.dir, "data", "filler")
	k.must(os.WriteFile(filler, make([]byte, 30<<20), 0o644))
	var refused struct {
		Code, Detail string
		Retryable    bool
	}
	k.do("POST", "/template/card/batch", `{"variables":[{"title":"x"}]}`, 507, &refused)
	if refused.Code != "disk_low" || !refused.Retryable {
		t.Errorf("refused with %+v", refused)
	}
	k.must(os.Remove(filler))
	k.completed("after")
}
