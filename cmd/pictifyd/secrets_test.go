package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every command that reads the configuration prints nothing of what is secret in it,
// whether the file is good or broken, and whoever it asks repeats the request.
func TestCommandsShowNoSecret(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": r.URL.String(), "headers": r.Header}})
	}))
	t.Cleanup(echo.Close)
	text, err := os.ReadFile("../../daemon/testdata/secretive.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const pem = `"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"`
	yaml := strings.NewReplacer("ECHO", echo.URL, "CREDENTIALS", `'{"type":"service_account","private_key":"hunter2"}'`, "CERTIFICATE", pem, "PRIVATE", pem).Replace(string(text))
	good := strings.NewReplacer(
		", tls: { ca: "+pem+", certificate: "+pem+", private_key: "+pem+" }", "",
		`credentials: '{"type":"service_account","private_key":"hunter2"}'`, `api_key: "hunter2-google-too"`,
	).Replace(yaml) + "render: { chrome: /nowhere/chrome }\n"
	for name, yaml := range map[string]string{"good": good, "wrong certificates": yaml, "half": yaml[:len(yaml)*2/3], "wrong keys": strings.ReplaceAll(yaml, "key: sku", "kee: sku")} {
		path := write(t, yaml)
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "templates", "card.html"), []byte("<p>{{ title }}</p>\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"check", "-c", path}, {"check", "--online", "-c", path}, {"plan", "cards", "-c", path}, {"plan", "others", "-c", path}, {"plan", "none", "-c", path},
			{"doctor", "-c", path}, {"doctor", "--json", "-c", path}, {"run", "--once", "--log-level", "debug", "-c", path}, {"run", "--once", "--log-level", "debug", "--log-format", "json", "-c", path},
			{"store", "migrate", "-c", path}, {"store", "copy", "-c", path, "--to", "postgres://me:hunter2@127.0.0.1:1/none"}, {"config", "schema"},
		} {
			code, stdout, stderr := call(args...)
			if name == "good" && args[0] == "check" && len(args) == 3 && code != exitDone {
				t.Fatalf("the good file is not: %s%s", stdout, stderr)
			}
			if len(stdout)+len(stderr) == 0 && args[0] != "plan" && args[0] != "store" {
				t.Errorf("%s, %v: it says nothing", name, args)
			}
			for _, said := range []string{stdout, stderr} {
				if at := strings.Index(said, "hunter2"); at >= 0 {
					t.Errorf("%s: %v shows a secret: …%s…", name, args[:2], said[max(0, at-150):min(len(said), at+30)])
				}
			}
		}
	}
	t.Setenv("PICTIFYD_KEY", "hunter2-key-of-a-caller")
	t.Setenv("PICTIFYD_SERVER", echo.URL)
	for _, args := range [][]string{
		{"status"}, {"status", "--json"}, {"explain", "cards", "A"}, {"keys", "list"}, {"deliveries", "list"}, {"gap"}, {"guard", "cards"}, {"quarantine", "cards"}, {"refresh", "cards"}, {"pause", "cards"}, {"run-now", "cards"},
	} {
		_, stdout, stderr := call(args...)
		var both bytes.Buffer
		both.WriteString(stdout + stderr)
		if strings.Contains(both.String(), "hunter2-key-of-a-caller") {
			t.Errorf("%v shows the caller's key: %s", args, both.String())
		}
	}
}
