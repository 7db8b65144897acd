package daemon

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestKeysAndWhatTheySpentSurviveARestart(t *testing.T) {
	const full = "key-that-opens-everything"
	s := newSite(t, "")
	s.write("pictifyd.yaml", `
server: { listen: "127.0.0.1:0", keys: [ { name: full, key: `+full+` } ] }
templates: templates
`)
	p := s.start()
	admin := func() client.Remote { return client.Remote{URL: p.url, Key: full} }
	made, err := admin().NewKey(t.Context(), client.KeyOrder{Name: "ci", Scopes: []string{"renders:write"}, Quota: "10/month"})
	if err != nil {
		t.Fatal(err)
	}
	send := func(rows int) error {
		body := `{"variables":[` + strings.TrimSuffix(strings.Repeat(`{"title":"A"},`, rows), ",") + `]}`
		_, err := client.Remote{URL: p.url, Key: made.Key}.Ask(t.Context(), http.MethodPost, "/templates/card/batch-render",
			http.Header{"Content-Type": {"application/json"}}, []byte(body), 1<<20)
		return err
	}
	if err := send(7); err != nil {
		t.Fatal(err)
	}
	if code := p.terminate(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	p = s.start()
	if err := send(4); problem.CodeOf(err) != problem.Overloaded || !strings.Contains(err.Error(), "3 of the key's quota") {
		t.Errorf("4 of the 3 left: %v", err)
	}
	if err := send(3); err != nil {
		t.Errorf("the 3 that are left: %v", err)
	}
	keys, err := admin().Keys(t.Context())
	if err != nil || len(keys) != 2 || keys[0].Name != "ci" || keys[0].Spent != 10 || keys[0].UsedAt.IsZero() || keys[0].Key != "" || keys[1].Source != "config" {
		t.Errorf("keys %+v, %v", keys, err)
	}
	if err := admin().RevokeKey(t.Context(), "ci"); err != nil {
		t.Fatal(err)
	}
	if err := send(1); problem.CodeOf(err) != problem.Unauthorized {
		t.Errorf("a revoked key: %v", err)
	}
	if err := admin().RevokeKey(t.Context(), "full"); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("a key of the configuration: %v", err)
	}
	p.terminate()
	p = s.start()
	if err := send(1); problem.CodeOf(err) != problem.Unauthorized {
		t.Errorf("a revoked key after a restart: %v", err)
	}
}
