package daemon

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// move posts to a job's door and returns the status of the answer.
func (p *process) move(id, move string) int {
	p.tb.Helper()
	res, err := http.Post(p.url+"/jobs/"+id+"/"+move, "application/json", nil)
	if err != nil {
		p.tb.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func (p *process) mustMove(id, move string) {
	p.tb.Helper()
	if status := p.move(id, move); status != http.StatusOK {
		p.tb.Fatalf("%s of %s answers %d", move, id, status)
	}
}

// glance is a job without its rows.
func (p *process) glance(id string) jobView {
	p.tb.Helper()
	var v jobView
	p.get("/jobs/"+id+"?limit=1", &v)
	return v
}

// mustPost sends rows and returns the job's id.
func (p *process) mustPost(rows []map[string]any, webhook string) string {
	p.tb.Helper()
	id, err := p.postBatch(rows, webhook)
	if err != nil {
		p.tb.Fatal(err)
	}
	return id
}

// ends waits for the n-th completion webhook of a job.
func (r *receiver) ends(tb testing.TB, id string, n int) hook {
	tb.Helper()
	var last hook
	eventually(tb, fmt.Sprintf("completion %d of %s", n, id), func() bool {
		var count int
		for _, h := range r.all("batch.completed") {
			if bytes.Contains(h.Data, []byte(id)) {
				count++
				last = h
			}
		}
		return count >= n
	})
	return last
}

func TestJobIsCancelledWhileItIsDrawn(t *testing.T) {
	s := newSite(t, "")
	null := &rendertest.Null{Delay: 20 * time.Millisecond}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	const rows = 1500
	id := p.mustPost(batchRows(rows), s.receiver.server.URL)
	eventually(t, "some rows are done", func() bool { return p.glance(id).CompletedItems > 10 })
	p.mustMove(id, "cancel")
	v := p.job(id)
	if v.Status != "cancelled" || v.CompletedItems == 0 || v.CompletedItems+v.FailedItems != rows || len(v.Results) != v.CompletedItems || len(v.Errors) != v.FailedItems {
		t.Fatalf("the job is %s: %d and %d failed, %d results and %d errors", v.Status, v.CompletedItems, v.FailedItems, len(v.Results), len(v.Errors))
	}
	for _, e := range v.Errors {
		if e.Code != "cancelled" {
			t.Errorf("row %d: %+v", e.Index, e)
		}
	}
	if h := s.receiver.ends(t, id, 1); !bytes.Contains(h.Data, []byte(`"status":"cancelled"`)) {
		t.Errorf("told was %.300s", h.Data)
	}
	if drawn := null.Count(); drawn > v.CompletedItems+600 { // what was in hand
		t.Errorf("%d pictures were drawn for %d rows", drawn, v.CompletedItems)
	}
	if status := p.move(id, "cancel"); status != http.StatusConflict {
		t.Errorf("cancelling it once more answers %d", status)
	}
}

func TestPausedJobStopsWithinATurnAndGoesOn(t *testing.T) {
	s := newSite(t, "")
	null := &rendertest.Null{Delay: 10 * time.Millisecond}
	url, d := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	const rows = 900
	id := p.mustPost(batchRows(rows), s.receiver.server.URL)
	eventually(t, "some rows are done", func() bool { return p.glance(id).CompletedItems > 10 })
	p.mustMove(id, "pause")
	eventually(t, "the turns in hand end", func() bool {
		c, err := d.store.Counters(t.Context())
		return err == nil && c.RendersClaimed == 0
	})
	v := p.glance(id)
	if v.Status != "paused" || v.CompletedItems >= rows {
		t.Fatalf("the job is %+v", v)
	}
	other := p.mustPost([]map[string]any{{"title": "another"}}, s.receiver.server.URL)
	s.receiver.ends(t, other, 1)
	if again := p.glance(id); again.CompletedItems != v.CompletedItems {
		t.Errorf("%d rows ended while the job was paused", again.CompletedItems-v.CompletedItems)
	}
	p.mustMove(id, "resume")
	p.mustComplete(id, rows)
	if n := null.Count(); n != rows+1 {
		t.Errorf("%d pictures were drawn for %d rows", n, rows+1)
	}
}

// A gallery is a host of pictures that can be made to fail.
type gallery struct {
	url    string
	picked atomic.Int64
	status atomic.Int64 // of the answers to /bad…; 0 is a picture
}

func newGallery(tb testing.TB) *gallery {
	s := &gallery{}
	picture := photos(tb)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.picked.Add(1)
		if status := s.status.Load(); status != 0 && strings.HasPrefix(r.URL.Path, "/bad") {
			w.WriteHeader(int(status))
			return
		}
		http.Redirect(w, r, picture+"/photo.png", http.StatusFound)
	}))
	tb.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func TestFailedRowsAreRetriedWithoutSendingThemAgain(t *testing.T) {
	s := newSite(t, "")
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	gallery := newGallery(t)
	gallery.status.Store(http.StatusForbidden)
	rows := batchRows(60)
	for i := range rows {
		rows[i]["photo"] = fmt.Sprintf("%s/good%d.png", gallery.url, i)
		if i%10 == 0 {
			rows[i]["photo"] = fmt.Sprintf("%s/bad%d.png", gallery.url, i)
		}
	}
	rows[7] = map[string]any{"price": "none"} // nothing helps it
	id := p.mustPost(rows, s.receiver.server.URL)
	first := s.receiver.ends(t, id, 1)
	v := p.job(id)
	if v.Status != "partial" || v.FailedItems != 7 {
		t.Fatalf("the job is %s with %d failed: %+v", v.Status, v.FailedItems, v.Errors)
	}
	for _, e := range v.Errors {
		if e.Index != 7 && (e.Code != "asset_fetch_failed" || e.Field != "variables.photo" || e.Key != fmt.Sprint(e.Index)) {
			t.Errorf("row %d: %+v", e.Index, e)
		}
	}
	drawn := null.Count()
	gallery.status.Store(0)
	p.mustMove(id, "retry")
	second := s.receiver.ends(t, id, 2)
	if first.ID == second.ID || !bytes.Contains(second.Data, []byte(`"completedCount":59`)) {
		t.Errorf("told was %s and then %s: %.300s", first.ID, second.ID, second.Data)
	}
	v = p.job(id)
	if v.Status != "partial" || v.CompletedItems != 59 || len(v.Errors) != 1 || v.Errors[0].Index != 7 {
		t.Errorf("the job is %s with %d done and the errors %+v", v.Status, v.CompletedItems, v.Errors)
	}
	if n := null.Count() - drawn; n != 6 {
		t.Errorf("the retry drew %d pictures, want 6", n)
	}
}

// Rows whose pictures cannot be had do not keep the others waiting, and say why.
func TestRowsWithBadAddressesFailAlone(t *testing.T) {
	for name, c := range map[string]struct {
		bad  func(i int) bool
		want string
	}{
		"one":         {func(i int) bool { return i == 33 }, "partial"},
		"every tenth": {func(i int) bool { return i%10 == 0 }, "partial"},
		"all":         {func(int) bool { return true }, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			url, _ := s.run(Options{Renderer: &rendertest.Null{}})
			p := &process{tb: t, url: url}
			gallery := newGallery(t)
			gallery.status.Store(http.StatusNotFound)
			const n = 200
			rows, failing := batchRows(n), 0
			for i := range rows {
				rows[i]["photo"] = fmt.Sprintf("%s/good%d.png", gallery.url, i)
				if c.bad(i) {
					rows[i]["photo"] = fmt.Sprintf("%s/bad%d.png", gallery.url, i)
					failing++
				}
			}
			id := p.mustPost(rows, s.receiver.server.URL)
			s.receiver.ends(t, id, 1)
			v := p.job(id)
			if v.Status != c.want || v.FailedItems != failing || v.CompletedItems != n-failing || len(v.Errors) != failing {
				t.Fatalf("the job is %s: %d done, %d failed, %d errors", v.Status, v.CompletedItems, v.FailedItems, len(v.Errors))
			}
			for _, e := range v.Errors {
				if !c.bad(e.Index) || e.Code != "asset_fetch_failed" || e.Field != "variables.photo" || e.Retryable || !strings.Contains(e.Error, "404") {
					t.Errorf("row %d: %+v", e.Index, e)
				}
			}
		})
	}
}

func TestHostThatComesBackLosesNoRow(t *testing.T) {
	usual := jobPatience.again
	jobPatience.again = 1000 // a busy machine is not done with the good rows before the others had all their tries
	t.Cleanup(func() { jobPatience.again = usual })
	s := newSite(t, "")
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	gallery := newGallery(t)
	gallery.status.Store(http.StatusServiceUnavailable)
	n := 300
	if campaign.Leaves(t) { // the race detector makes them slow
		n = 60
	}
	rows := batchRows(n)
	for i := range rows {
		rows[i]["photo"] = fmt.Sprintf("%s/good%d.png", gallery.url, i)
		if i%3 == 0 {
			rows[i]["photo"] = fmt.Sprintf("%s/bad%d.png", gallery.url, i)
		}
	}
	id := p.mustPost(rows, s.receiver.server.URL)
	eventually(t, "the good rows are done while the others rest", func() bool { return p.glance(id).CompletedItems == n*2/3 })
	if v := p.glance(id); v.FailedItems != 0 {
		t.Fatalf("%d rows failed at once", v.FailedItems)
	}
	gallery.status.Store(0)
	p.mustComplete(id, n)
}

// A host that is away is asked a few times in all, and its rows end soon.
func TestHostThatStaysAwayIsAskedAFewTimes(t *testing.T) {
	s := newSite(t, "")
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	gallery := newGallery(t)
	gallery.status.Store(http.StatusBadGateway)
	n := 1000
	if campaign.Leaves(t) { // enough: asked for each of them three times would be 900
		n = 300
	}
	rows := batchRows(n)
	for i := range rows {
		rows[i]["photo"] = fmt.Sprintf("%s/bad%d.png", gallery.url, i)
	}
	id := p.mustPost(rows, s.receiver.server.URL)
	s.receiver.ends(t, id, 1)
	v := p.glance(id)
	if v.Status != "failed" || v.FailedItems != n {
		t.Fatalf("the job is %s with %d failed", v.Status, v.FailedItems)
	}
	if e := p.job(id).Errors[n-1]; !e.Retryable || !strings.Contains(e.Error, "tried 3 times") {
		t.Errorf("the last error is %+v", e)
	}
	if asked := gallery.picked.Load(); asked < 150 || asked > 300 { // 50 for each of three tries, and who was on the way
		t.Errorf("the host was asked %d times, want about 150", asked)
	}
}

// Between two jobs the turns alternate, and so do the pages of their planning.
func TestSmallJobIsDoneBesideALargeOne(t *testing.T) {
	s := newSite(t, "")
	null := &rendertest.Null{Delay: 5 * time.Millisecond}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	large := 6000
	if campaign.Leaves(t) { // more than may be drawn before the small one is done
		large = 2500
	}
	first := p.mustPost(batchRows(large), "")
	second := p.mustPost(otherRows("second", large), "") // so that both places of planning are taken
	eventually(t, "the large job is drawn", func() bool { return p.glance(first).CompletedItems > 0 })
	before := null.Count()
	small := p.mustPost(otherRows("small", 100), s.receiver.server.URL)
	s.receiver.ends(t, small, 1)
	drawn := null.Count() - before
	if v := p.glance(first); v.Status != "processing" {
		t.Fatalf("the large job is %s: it ended before the small one", v.Status)
	}
	if p.glance(second).Status == "completed" {
		t.Error("the second large job ended before the small one")
	}
	// What was in hand when it came, its own, and as many of each of the others.
	if drawn > 1200 {
		t.Errorf("%d pictures were drawn until the small job was done, want at most 1200", drawn)
	}
	p.mustMove(first, "cancel")
	p.mustMove(second, "cancel")
}

func otherRows(word string, n int) []map[string]any {
	rows := batchRows(n)
	for i := range rows {
		rows[i]["title"] = fmt.Sprintf("%s %d", word, i)
	}
	return rows
}
