package daemon

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
)

// A daemon that is killed while a batch comes in has accepted nothing, keeps
// nothing of it, and takes the same request again.
func TestUploadThatIsKilledLeavesNothing(t *testing.T) {
	s := newSite(t, "")
	const rows = 1200
	p := s.start(childCrash + "=rows.staged:2")
	if id, err := p.postKeyed("once", batchRows(rows)); err == nil {
		t.Fatalf("the batch was accepted as %s", id)
	}
	p.mustDie("rows.staged")
	if n := s.count(t, "job_rows"); n == 0 {
		t.Fatal("nothing was staged before the kill")
	}

	p = s.start()
	if n := s.count(t, "job_rows"); n != 0 {
		t.Errorf("%d staged rows of nobody are left", n)
	}
	var list struct{ Jobs []struct{ JobID string } }
	p.get("/jobs", &list)
	if len(list.Jobs) != 0 {
		t.Errorf("there are jobs: %v", list.Jobs)
	}
	id, err := p.postKeyed("once", batchRows(rows))
	if err != nil {
		t.Fatal(err)
	}
	p.mustComplete(id, rows)
}

// postKeyed sends a batch under an Idempotency-Key.
func (p *process) postKeyed(key string, rows []map[string]any) (id string, err error) {
	p.tb.Helper()
	body, err := json.Marshal(map[string]any{"variables": rows})
	if err != nil {
		p.tb.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, p.url+"/template/card/batch", bytes.NewReader(body))
	if err != nil {
		p.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var accepted struct{ JobID string }
	err = json.NewDecoder(res.Body).Decode(&accepted)
	return accepted.JobID, err
}

// count is how many rows a table of the site has.
func (s *site) count(t *testing.T, table string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "data", "pictifyd.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
