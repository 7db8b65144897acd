package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// postTelling sends a batch of n rows, the last of which is none, whose webhook
// is sent these events.
func (p *process) postTelling(n int, webhook string, events ...string) string {
	p.tb.Helper()
	rows := []any{}
	for i := range n - 1 {
		rows = append(rows, map[string]any{"title": fmt.Sprintf("Card %d, \"quoted\"", i), "price": i})
	}
	body, err := json.Marshal(map[string]any{"variables": append(rows, "no row"), "webhookUrl": webhook, "webhookEvents": events})
	if err != nil {
		p.tb.Fatal(err)
	}
	res, err := http.Post(p.url+"/templates/card/batch-render", "application/json", bytes.NewReader(body))
	if err != nil {
		p.tb.Fatal(err)
	}
	defer res.Body.Close()
	var accepted struct{ JobID string }
	if err := json.NewDecoder(res.Body).Decode(&accepted); err != nil || accepted.JobID == "" {
		p.tb.Fatalf("%s, %v", res.Status, err)
	}
	return accepted.JobID
}

// rowIDs are the ids under which each row was told of, by index.
func (r *receiver) rowIDs(tb testing.TB) map[int]string {
	tb.Helper()
	ids := map[int]string{}
	for _, event := range []string{"render.completed", "render.failed"} {
		for _, h := range r.all(event) {
			var d struct{ Index int }
			if err := json.Unmarshal(h.Data, &d); err != nil {
				tb.Fatal(err)
			}
			if ids[d.Index] != "" && ids[d.Index] != h.ID {
				tb.Errorf("row %d was told as %s and as %s", d.Index, ids[d.Index], h.ID)
			}
			ids[d.Index] = h.ID
		}
	}
	return ids
}

func TestWebhookTellsOfEachRowAndLeadsToTheFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	p := s.start()
	const rows = 120
	id := p.postTelling(rows, s.receiver.server.URL, "render.completed", "render.failed", "batch.completed")
	eventually(t, "all is told", func() bool {
		return len(s.receiver.all("render.completed")) == rows-1 && len(s.receiver.all("render.failed")) == 1 && len(s.receiver.all("batch.completed")) == 1
	})
	var failed struct {
		Index               int
		JobID, Code, Source string
	}
	if err := json.Unmarshal(s.receiver.all("render.failed")[0].Data, &failed); err != nil || failed.Index != rows-1 || failed.JobID != id || failed.Code != "bad_row" || failed.Source != "batch" {
		t.Errorf("of the failed row was told %+v, %v", failed, err)
	}
	if ids := s.receiver.rowIDs(t); len(ids) != rows {
		t.Errorf("%d rows were told of, want %d", len(ids), rows)
	}
	var end struct{ CSVURL, ZipURL, FailedURL, ResultsURL string }
	if err := json.Unmarshal(s.receiver.all("batch.completed")[0].Data, &end); err != nil {
		t.Fatal(err)
	}
	for address, begins := range map[string]string{
		end.CSVURL: "price,title,url,error\r\n0,\"Card 0, \"\"quoted\"\"\",http://", end.ZipURL: "PK\x03\x04",
		end.FailedURL: "price,title,_error,_code,_field\r\n,,\"the row is a text, not an object of variables\",bad_row,", end.ResultsURL: `{"index":0,`,
	} {
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), begins) {
			t.Errorf("%s answers %d, %v: %.200q", address, res.StatusCode, err, text)
		}
	}
}

func TestRowEventsSurviveKill(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	const rows = 40
	const answered = 5
	p := s.start(fmt.Sprintf("%s=delivery.answered:%d", childCrash, answered))
	p.postTelling(rows, s.receiver.server.URL, "render.completed", "render.failed")
	p.mustDie("delivery.answered")
	s.start(childCrash + "=delivery.claimed:2").mustDie("delivery.claimed")
	s.start()
	eventually(t, "every row is told of", func() bool { return len(s.receiver.rowIDs(t)) == rows })
	// At the first death those on their way, one of which was being answered, and the
	// answered ones before it, none of which need be recorded yet; at the second those
	// on their way.
	if all := len(s.receiver.all("")); all > rows+answered-1+leastFlights+leastFlights {
		t.Errorf("%d events for %d rows: more than were on their way or not recorded when it died", all, rows)
	}
}

func TestRowEventsDoNotStormWhoDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.receiver.mu.Lock()
	s.receiver.refuse = 1 << 30
	s.receiver.mu.Unlock()
	p := s.start()
	const rows = 300
	id := p.postTelling(rows, s.receiver.server.URL, "render.completed")
	eventually(t, "the job ends", func() bool {
		var v jobView
		p.get("/jobs/"+id+"?limit=1", &v)
		return v.Status == "partial"
	})
	other := newReceiver(t)
	if _, err := p.postBatch(batchRows(30), other.server.URL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of another job is told", func() bool { return len(other.all("batch.completed")) == 1 })
	s.receiver.mu.Lock()
	defer s.receiver.mu.Unlock()
	// Those on their way when it rests, and one after each rest.
	if len(s.receiver.tried) == 0 || len(s.receiver.tried) > 3*leastFlights {
		t.Errorf("%d requests to a receiver that refuses all", len(s.receiver.tried))
	}
}

func TestErasedRowIsInNoFileThatWasMadeBefore(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	p := s.start()
	id, err := p.postBatch(batchRows(5), "")
	if err != nil {
		t.Fatal(err)
	}
	p.mustComplete(id, 5)
	read := func() string {
		res, err := http.Get(p.url + "/jobs/" + id + "/results.csv")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res.Status, err)
		}
		return string(text)
	}
	if text := read(); !strings.Contains(text, "Card 3") {
		t.Fatalf("before it is erased: %s", text)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, p.url+"/jobs/"+id+"/rows/3", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if text := read(); res.StatusCode != http.StatusOK || strings.Contains(text, "Card 3") || !strings.Contains(text, "Card 4") {
		t.Errorf("erased with %s: %s", res.Status, text)
	}
}
