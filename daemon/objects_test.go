package daemon

import (
	"crypto/md5" //nolint:gosec // the ETag of stores
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// The picture of a row ends as an object and its alias, with the bytes that /b/ serves.
func TestPictureOfARowBecomesAnObject(t *testing.T) {
	var mu sync.Mutex
	objects := map[string]string{}
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPut {
			sum := md5.Sum(data) //nolint:gosec // as above
			w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
			mu.Lock()
			defer mu.Unlock()
			objects[r.URL.Path] = string(data)
		}
	}))
	t.Cleanup(bucket.Close)
	s := newSite(t, "")
	s.write("pictifyd.yaml", strings.ReplaceAll(`server: { listen: "127.0.0.1:0" }
templates: templates
sources: { rows: { kind: static, key: sku, rows: [ { sku: "Köln/1", name: Mug, price: 1 } ] } }
sinks:
  archive: { kind: s3, bucket: cards, endpoint: "STORE", access_key: an-id, secret_key: a-secret, path: "{{ key }}/{{ output }}-{{ hash }}.{{ ext }}", alias: "now/{{ key }}.{{ ext }}" }
bindings:
  - { name: cards, source: rows, template: card, map: { title: name }, sinks: [archive], public: true }
`, "STORE", bucket.URL))
	r := s.reloadable()
	alias := ""
	eventually(t, "there is an object and its alias", func() bool {
		mu.Lock()
		defer mu.Unlock()
		alias = objects["/cards/now/Köln%2F1.png"]
		return alias != "" && len(objects) == 2
	})
	if served := r.mustSend(http.StatusOK, "GET", "/b/cards/K%C3%B6ln%2F1.png", ""); served != alias {
		t.Errorf("the alias has %d bytes, and /b/ serves %d others", len(alias), len(served))
	}
	for path, data := range objects {
		if data != alias || !strings.HasPrefix(path, "/cards/now/") && !strings.HasPrefix(path, "/cards/Köln%2F1/png-") {
			t.Errorf("there is %s with %d bytes", path, len(data))
		}
	}
}
