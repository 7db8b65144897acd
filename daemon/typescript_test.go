package daemon

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

const typescriptExample = "../examples/typescript"

// A typescript is the folder of examples/typescript with what npm brings, and types
// that were made from a running daemon.
type typescript struct {
	tb  testing.TB
	dir string
	url string
}

// newTypescript makes one of the daemon at url.
func newTypescript(tb testing.TB, url string) *typescript {
	tb.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("PICTIFYD_TEST_ALL") != "" {
				tb.Fatal(err)
			}
			tb.Skipf("%s is not installed: make test installs it", name)
		}
	}
	c := &typescript{tb, tb.TempDir(), url}
	for _, name := range []string{"package.json", "package-lock.json", "tsconfig.json", "certificates.ts", "../../api/testdata/lint.mjs"} {
		data, err := os.ReadFile(filepath.Join(typescriptExample, name))
		if err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.dir, filepath.Base(name)), data, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	c.must("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")
	c.must("npm", "run", "--silent", "generate")
	return c
}

// run gives what a program printed.
func (c *typescript) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.tb.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "PICTIFYD_URL="+c.url, "PICTIFYD_KEY="+clientKey, "WEBHOOK_URL="+os.Getenv("WEBHOOK_URL"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *typescript) must(name string, args ...string) string {
	c.tb.Helper()
	out, err := c.run(name, args...)
	if err != nil {
		c.tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

const clientKey = "key-of-the-typescript-client"

// The types of the client are made from the document that the daemon answers,
// so that tsc says whether the example and the document agree, and the run
// whether the document and the daemon do.
func TestTypeScriptClientIsMadeFromTheDaemonAndRunsTheSeedExample(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("npm takes its time")
	}
	s := newSite(t, "")
	s.write("pictifyd.yaml", `
server: { listen: "127.0.0.1:0", keys: [ "`+clientKey+`" ] }
egress: { allow: ["127.0.0.1"] }
templates: templates
`)
	if err := os.CopyFS(filepath.Join(s.dir, "templates"), os.DirFS("../examples/certificates/templates")); err != nil {
		t.Fatal(err)
	}
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	t.Setenv("WEBHOOK_URL", s.receiver.server.URL)
	c := newTypescript(t, url)

	if out, err := c.run("node", "lint.mjs", url+"/openapi.json"); err != nil {
		t.Errorf("the linter says: %v\n%s", err, out)
	}
	out := c.must("npm", "run", "--silent", "start")
	for _, want := range []string{"3 certificates are being made as batch_", "C-1001  " + url + "/images/", "C-1003  ", "\ncompleted\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("the client does not say %q:\n%s", want, out)
		}
	}
	eventually(t, "the completion webhook", func() bool { return len(s.receiver.all("batch.completed")) == 1 })
	if again := c.must("node", "out/certificates.js"); !strings.Contains(out, strings.SplitN(again, "\n", 2)[0]) {
		t.Errorf("the same Idempotency-Key was another job: %s", again)
	}

	out, err := c.run("node", "out/certificates.js", "tpl_certficate")
	if want := `template_not_found: there is no template "tpl_certficate"`; err == nil || !strings.Contains(out, want) {
		t.Errorf("%v, and the client does not say %q:\n%s", err, want, out)
	}
	c.mustNotCheck("'/templates/{id}/batch-render', { params: { path: { id: 'a' } }, body: { variables: 7 } }",
		"'/templates/{id}/batch-render', { params: { path: { id: 'a' } }, body: { format: 'bmp' } }",
		"'/templates/{id}/batch-render', { params: { path: {} }, body: {} }",
		"'/templates/{id}/batch-rendr', { params: { path: { id: 'a' } }, body: {} }")
}

// mustNotCheck has tsc refuse every one of some calls, which the document does
// not allow.
func (c *typescript) mustNotCheck(calls ...string) {
	c.tb.Helper()
	code := "import createClient from 'openapi-fetch'; import type { paths } from './pictifyd.d.ts'; const api = createClient<paths>();\n"
	for _, call := range calls {
		code += "await api.POST(" + call + ");\n"
	}
	path := filepath.Join(c.dir, "wrong.ts")
	if err := os.WriteFile(path, []byte(code), 0o644); err != nil {
		c.tb.Fatal(err)
	}
	out, err := c.run("npm", "run", "--silent", "check")
	if err == nil || strings.Contains(out, "wrong.ts(1,") {
		c.tb.Errorf("tsc: %v\n%s", err, out)
	}
	for i, call := range calls {
		if !strings.Contains(out, fmt.Sprintf("wrong.ts(%d,", i+2)) {
			c.tb.Errorf("tsc takes %s:\n%s", call, out)
		}
	}
}
