package daemon

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// tryMove posts a move to a daemon that may die of it.
func (p *process) tryMove(id, move string) {
	res, err := http.Post(p.url+"/jobs/"+id+"/"+move, "application/json", nil)
	if err == nil {
		res.Body.Close()
	}
}

// mustEndOnce checks that each row of a job ended once, and says how many
// succeeded.
func (p *process) mustEndOnce(id string, rows int) (succeeded int) {
	p.tb.Helper()
	v := p.job(id)
	seen := map[int]bool{}
	for _, r := range v.Results {
		if seen[r.Index] {
			p.tb.Errorf("row %d is there twice", r.Index)
		}
		seen[r.Index] = true
	}
	for _, e := range v.Errors {
		if seen[e.Index] {
			p.tb.Errorf("row %d is there twice", e.Index)
		}
		seen[e.Index] = true
	}
	if len(seen) != rows || v.CompletedItems != len(v.Results) || v.FailedItems != len(v.Errors) {
		p.tb.Errorf("%d rows of %d; counted %d and %d failed, listed %d and %d", len(seen), rows, v.CompletedItems, v.FailedItems, len(v.Results), len(v.Errors))
	}
	return v.CompletedItems
}

func TestCancelSurvivesKillAt(t *testing.T) {
	for _, point := range []string{"job.moved", "job.steered"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			const rows = 1400
			p := s.start(childCrash + "=" + point + ":1")
			id, err := p.postBatch(batchRows(rows), s.receiver.server.URL)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "some rows are done", func() bool { return p.glance(id).CompletedItems > 0 })
			p.tryMove(id, "cancel")
			p.mustDie(point)
			p = s.start()
			eventually(t, "the job is cancelled", func() bool { return p.glance(id).Status == "cancelled" })
			if done := p.mustEndOnce(id, rows); done == 0 || done == rows {
				t.Errorf("%d rows are done, want some of %d", done, rows)
			}
			s.receiver.mustHaveOneID(t, "batch.completed")
			p.mustMove(id, "retry")
			p.mustComplete(id, rows)
		})
	}
}

func TestPausedJobSurvivesKill(t *testing.T) {
	for _, move := range []string{"pause", "resume"} {
		t.Run(move, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			const rows = 1400
			p := s.start()
			id := p.mustPost(batchRows(rows), s.receiver.server.URL)
			eventually(t, "some rows are done", func() bool { return p.glance(id).CompletedItems > 0 })
			if move == "resume" {
				p.mustMove(id, "pause")
			}
			p.kill()
			p = s.start(childCrash + "=job.moved:1")
			p.tryMove(id, move)
			p.mustDie("job.moved")
			p = s.start()
			if move == "pause" {
				eventually(t, "the pause is in force", func() bool { return p.glance(id).Status == "paused" && p.still() })
				done := p.glance(id).CompletedItems
				p.kill()
				p = s.start()
				other := p.mustPost([]map[string]any{{"title": "another"}}, "")
				eventually(t, "another job is done", func() bool { return p.glance(other).Status == "completed" })
				if v := p.glance(id); v.Status != "paused" || v.CompletedItems != done {
					t.Errorf("after another restart the job is %s with %d rows, want it paused with %d", v.Status, v.CompletedItems, done)
				}
				p.mustMove(id, "resume")
			}
			p.mustComplete(id, rows)
			s.receiver.mustHaveOneID(t, "batch.completed")
		})
	}
}

func TestRetrySurvivesKillAt(t *testing.T) {
	for _, point := range []string{"job.moved", "job.replanned", "renders.claimed", "blobs.written"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			gallery := newGallery(t)
			gallery.status.Store(http.StatusForbidden)
			const n = 700
			rows := batchRows(n)
			for i := range rows {
				if i%10 != 9 {
					rows[i]["photo"] = fmt.Sprintf("%s/bad%d.png", gallery.url, i)
				}
			}
			p := s.start()
			id := p.mustPost(rows, s.receiver.server.URL)
			first := s.receiver.ends(t, id, 1)
			gallery.status.Store(0)
			p.kill()

			p = s.start(childCrash + "=" + point + ":1")
			p.tryMove(id, "retry")
			p.mustDie(point)
			p = s.start()
			p.mustComplete(id, n)
			second := s.receiver.ends(t, id, 2)
			if first.ID == second.ID {
				t.Errorf("both ends were told as %s", first.ID)
			}
		})
	}
}

// kill ends a daemon as kill -9 does.
func (p *process) kill() {
	p.tb.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.tb.Fatal(err)
	}
	<-p.done
}

// still reports whether no render is in hand.
func (p *process) still() bool {
	p.tb.Helper()
	res, err := http.Get(p.url + "/metrics")
	if err != nil {
		p.tb.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.tb.Fatal(err)
	}
	return strings.Contains(string(text), `pictifyd_renders{state="claimed"} 0`) && strings.Contains(string(text), `pictifyd_renders{state="waiting"} 0`)
}
