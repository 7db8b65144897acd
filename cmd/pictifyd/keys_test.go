package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestKeyCommandsSpeakToTheDaemon(t *testing.T) {
	var asked []string
	daemon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("Authorization")+" "+string(body))
		switch {
		case strings.HasSuffix(r.URL.Path, "/none"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"detail":"there is no key \"none\"","code":"key_not_found"}`)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"key":"pk_live_abcdef","id":"key_1","name":"ci"}`)
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"keys":[{"id":"key_1","name":"ci","source":"api","start":"pk_live_abcd","scopes":["renders:write"],"templates":[],"rate":60,"quota":"10/day","spent":3,"usedAt":"2026-05-04T12:00:00Z"},
				{"id":"config:x","name":"x","source":"config","scopes":[],"templates":["card"]}]}`)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer daemon.Close()
	t.Setenv("PICTIFYD_SERVER", daemon.URL)
	t.Setenv("PICTIFYD_KEY", "the-key-of-an-admin")
	for _, c := range []struct {
		args        string
		code        int
		out, errOut string
		asked       string
	}{
		{"new ci --scopes renders:write,images:read --quota 10/day --expires 2027-01-31", 0, "pk_live_abcdef\n", "not shown again",
			`POST /keys Bearer the-key-of-an-admin {"name":"ci","scopes":["renders:write","images:read"],"quota":"10/day","expiresAt":"2027-02-01T00:00:00Z"}`},
		{"new ci --json", 0, `"key":"pk_live_abcdef"`, "", `POST /keys Bearer the-key-of-an-admin {"name":"ci"}`},
		{"list", 0, "pk_live_abcd…", "", "GET /keys"},
		{"list", 0, "3 of 10/day", "", "GET /keys"},
		{"revoke ci", 0, `the key "ci" is revoked`, "", "DELETE /keys/ci "},
		{"revoke none", 2, "", `there is no key "none"`, "DELETE /keys/none"},
		{"new ci --expires soon", 2, "", "no time when a key ends", ""},
		{"new", 2, "", "name", ""},
	} {
		asked = nil
		var out, errOut bytes.Buffer
		code := run(append([]string{"keys"}, strings.Fields(c.args)...), nil, &out, &errOut)
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errOut.String(), c.errOut) {
			t.Errorf("%s: ended with %d, %q, %q", c.args, code, out.String(), errOut.String())
		}
		if got := strings.Join(asked, "\n"); !strings.HasPrefix(got, c.asked) || c.asked == "" && got != "" {
			t.Errorf("%s: asked %q, want %q", c.args, got, c.asked)
		}
	}
}

func TestExpiryIsATimeFromNowOrADay(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 5, time.UTC)
	for text, want := range map[string]string{"90d": "2026-08-02T12:00:00Z", "12h": "2026-05-05T00:00:00Z", "2026-12-31": "2027-01-01T00:00:00Z"} {
		got, err := expiry(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0d", "-1d", "2026-13-01", "90"} {
		if got, err := expiry(text, now); err == nil {
			t.Errorf("%s is %v", text, got)
		}
	}
}
