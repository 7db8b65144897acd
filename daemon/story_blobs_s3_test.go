package daemon

import (
	"encoding/json"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/s3test"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// fetch makes a request, and returns its answer with all of its body.
func (p *process) fetch(method, path string, header ...string) (*http.Response, string) {
	p.tb.Helper()
	r, err := http.NewRequestWithContext(p.tb.Context(), method, p.url+path, nil)
	if err != nil {
		p.tb.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		p.tb.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.tb.Fatalf("%s %s: %v", method, path, err)
	}
	return res, string(body)
}

// Images in a bucket: they are served with ETags and ranges; while the bucket is
// away the work waits, is said to wait, and nothing is lost.
func TestImagesInABucketAndABucketThatIsAway(t *testing.T) {
	s, bucket := newBucketSite(t)
	secret, _ := bucket.User.Password()
	const rows = 60
	s.write("rows.csv", csvRows(rows, "one"))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "all images", func() bool { return p.ready("cards") == rows && len(s.receiver.lastGenerations(t)) == rows })

	keys := bucket.Keys()
	if len(keys) < rows {
		t.Fatalf("%d objects, want %d", len(keys), rows)
	}
	hash := path.Base(keys[0])
	want := string(bucket.Get(keys[0]))
	image := "/images/" + hash + ".png"
	res, body := p.fetch("GET", image)
	etag := res.Header.Get("ETag")
	if res.StatusCode != http.StatusOK || body != want || etag == "" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("GET: %d, %d bytes, %v", res.StatusCode, len(body), res.Header)
	}
	if res, body := p.fetch("HEAD", image); res.StatusCode != http.StatusOK || body != "" || res.ContentLength != int64(len(want)) {
		t.Errorf("HEAD: %d, length %d", res.StatusCode, res.ContentLength)
	}
	if res, body := p.fetch("GET", image, "Range", "bytes=2-9"); res.StatusCode != http.StatusPartialContent || body != want[2:10] {
		t.Errorf("Range: %d, %q", res.StatusCode, body)
	}
	if res, _ := p.fetch("GET", image, "If-None-Match", etag); res.StatusCode != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", res.StatusCode)
	}
	if res, _ := p.fetch("GET", "/images/"+strings.Repeat("0", 64)+".png"); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown image: %d", res.StatusCode)
	}

	// The bucket goes away.
	bucket.Breaks(s3test.Says(503, "SlowDown", "Please reduce your request rate."))
	s.write("rows.csv", strings.Replace(csvRows(rows, "one"), "one 7", "two 7", 1))
	p.refresh("cards")
	var waits struct{ WaitingFor []string }
	eventually(t, "it is not ready", func() bool { return p.get("/readyz", &waits) == 503 })
	if text := strings.Join(waits.WaitingFor, "; "); !strings.Contains(text, bucket.Bucket) || !strings.Contains(text, "SlowDown") {
		t.Errorf("it waits for %q", text)
	}
	if res, body := p.fetch("GET", "/images/"+path.Base(keys[1])+".png"); res.StatusCode < 500 || strings.Contains(body, secret) {
		t.Errorf("an image of a bucket that is away: %d %s", res.StatusCode, body)
	}
	if v := p.binding("cards"); v.Items != rows || v.Failed != 0 {
		t.Errorf("while it is away: %+v, want all %d rows and no failure", v, rows)
	}

	bucket.Breaks(nil)
	eventually(t, "the change is drawn once the bucket is back", func() bool {
		return p.ready("cards") == rows && s.receiver.lastGenerations(t)["SKU-007"] == 2
	})
	eventually(t, "it is ready", func() bool { return p.get("/readyz", nil) == 200 })
	if v := p.binding("cards"); v.Error != "" || v.Failed != 0 {
		t.Errorf("afterwards: %+v", v)
	}
	var system json.RawMessage
	p.get("/system", &system)
	if strings.Contains(string(system), secret) {
		t.Error("the system's page shows the secret")
	}
}
