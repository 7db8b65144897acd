package client

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestSendGoesToItsDaemonWithItsKey(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/images/away" {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
	}))
	defer server.Close()
	for base, want := range map[string]string{
		server.URL: "GET /templates/a%2Fb?limit=25 Bearer key", server.URL + "/": "GET /templates/a%2Fb?limit=25 Bearer key", server.URL + "/images/": "GET /images/templates/a%2Fb?limit=25 Bearer key",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/templates/a%2Fb?limit=25", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := Remote{URL: base, Key: "key"}.Send(req)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || string(got) != want {
			t.Errorf("%s: %d %q, want %q", base, res.StatusCode, got, want)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/away", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Remote{URL: server.URL + "/images", Key: "key"}.Send(req)
	if err != nil || res.StatusCode != http.StatusFound {
		t.Fatalf("a redirect: %v %v", res, err)
	}
	res.Body.Close()
	for _, base := range []string{"", "nowhere", "file:///etc", "http://127.0.0.1:1"} {
		res, err := Remote{URL: base, Key: "key"}.Send(req)
		if err == nil {
			res.Body.Close()
		}
		if code := problem.CodeOf(err); err == nil || code == problem.Internal {
			t.Errorf("%q: %v", base, err)
		}
	}
}
