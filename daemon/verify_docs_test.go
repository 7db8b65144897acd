package daemon

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/signing"
)

// snippet is the first block of a language in a page of the docs.
func snippet(tb testing.TB, page, language string) string {
	tb.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n```"+language+"\n")
	code, _, ended := strings.Cut(rest, "\n```\n")
	if !ok || !ended {
		tb.Fatalf("%s has no block of %s", page, language)
	}
	return code
}

func TestVerificationInTheDocsTellsGoodFromBad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ language, file, program, call string }{
		"python": {"python", "verify.py", "python3", `
import sys
call = json.load(sys.stdin)
try:
    print("ok", verify(call["secret"], call["headers"], call["body"].encode())["event"])
except ValueError as e:
    print(e)
`},
		"node": {"js", "verify.mjs", "node", `
import { readFileSync } from "node:fs";
const call = JSON.parse(readFileSync(0, "utf8"));
try {
  console.log("ok", verify(call.secret, call.headers, Buffer.from(call.body)).event);
} catch (e) {
  console.log(e.message);
}
`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(c.program); err != nil {
				if os.Getenv("PICTIFYD_TEST_ALL") != "" {
					t.Fatal(err)
				}
				t.Skipf("%s is not installed", c.program)
			}
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(path, []byte(snippet(t, "../docs/subscriptions.md", c.language)+"\n"+c.call), 0o600); err != nil {
				t.Fatal(err)
			}
			secret, old := signing.NewSecret(), signing.NewSecret()
			for what, one := range map[string]struct {
				secret string
				body   string
				sent   time.Time
				want   string
			}{
				"as it was sent":         {secret, `{"event":"render.completed","data":{"key":"Ä"}}`, time.Now(), "ok render.completed"},
				"with the secret before": {old, `{"event":"render.completed","data":{"key":"Ä"}}`, time.Now(), "ok render.completed"},
				"another body":           {secret, `{"event":"render.failed","data":{"key":"Ä"}}`, time.Now(), "not from pictifyd"},
				"another secret":         {signing.NewSecret(), `{"event":"render.completed","data":{"key":"Ä"}}`, time.Now(), "not from pictifyd"},
				"an old one":             {secret, `{"event":"render.completed","data":{"key":"Ä"}}`, time.Now().Add(-time.Hour), "too old"},
			} {
				h := http.Header{}
				m := signing.Message{ID: "dlv_1", Event: "render.completed", Sent: one.sent, Body: []byte(`{"event":"render.completed","data":{"key":"Ä"}}`)}
				if err := m.Sign(h, secret, old); err != nil {
					t.Fatal(err)
				}
				headers := map[string]string{}
				for k := range h {
					headers[strings.ToLower(k)] = h.Get(k)
				}
				input, err := json.Marshal(map[string]any{"secret": one.secret, "headers": headers, "body": one.body})
				if err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), c.program, path)
				cmd.Stdin = bytes.NewReader(input)
				out, err := cmd.CombinedOutput()
				if got := strings.TrimSpace(string(out)); err != nil || got != one.want {
					t.Errorf("%s: %q, %v, want %q", what, got, err, one.want)
				}
			}
		})
	}
}
