package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/mcp/mcptest"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A blank renderer gives pictures of the right size, with nothing on them.
type blank struct{ rendertest.Null }

func (b *blank) Render(ctx context.Context, r render.Request) (render.Output, error) {
	out, err := b.Null.Render(ctx, r)
	if err != nil {
		return out, err
	}
	var data bytes.Buffer
	err = png.Encode(&data, image.NewNRGBA(image.Rect(0, 0, r.Width, r.Height)))
	out.Bytes = data.Bytes()
	return out, err
}

const agentCard = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{ "name": "card", "sizes": { "default": { "w": 400, "h": 200 } }, "vars": { "title": { "type": "text", "required": true, "example": "Mug" }, "price": { "type": "number", "default": 0 } } }
</script>
</head>
<body>
<section id="card" class="p-page" style="background: #fff">
  <h1 id="title" style="left: 30px; top: 20px; font: 700 32px/1.1 sans-serif">{{ title }}</h1>
</section>
</body>
</html>
`

const agentKey = "agent-key-of-sixteen-letters"

// agentDaemon runs a daemon with one template and one key, and is its address.
func agentDaemon(t *testing.T) string {
	t.Helper()
	path := write(t, "server: { listen: \"127.0.0.1:0\", keys: [ { name: agent, key: "+agentKey+", scopes: [templates:write, renders:write, bindings:read] } ] }\ntemplates: templates\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "templates", "card.html"), []byte(agentCard), 0o644); err != nil {
		t.Fatal(err)
	}
	settings, err := daemon.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- daemon.Run(ctx, settings, daemon.Options{
			Log: slog.New(slog.DiscardHandler), Renderer: &blank{}, Listening: func(a net.Addr) { listening <- a },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the daemon ended: %v", err)
		}
	})
	select {
	case a := <-listening:
		return "http://" + a.String()
	case err := <-ended:
		ended <- err
		t.Fatalf("the daemon ended: %v", err)
	}
	return ""
}

// asAgent is the command that a client starts.
func asAgent(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"mcp"}, args...)...)
	cmd.Env = append(append(os.Environ(), asProgram+"=1"), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func TestAgentEditsATemplateOverStandardInputAndOutput(t *testing.T) {
	url := agentDaemon(t)
	file := filepath.Join(t.TempDir(), "agent.key")
	if err := os.WriteFile(file, []byte(agentKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := asAgent(t, nil, "--server", url, "--key-file", file)
	log := &written{}
	cmd.Stderr = log
	c := mcptest.Connect(t, &sdk.CommandTransport{Command: cmd}, nil)
	mcptest.EditToPublish(c, "card", "title", "Agent: {{ title }}")
	for _, name := range c.Tools() {
		if name == "list_sources" {
			t.Error("the agent is told of what its key may not")
		}
	}
	if err := c.Close(); err != nil {
		t.Errorf("the command ends with %v", err)
	}
	if log.String() != "" {
		t.Errorf("it writes %s", log)
	}
}

func TestAgentIsToldWhatKeepsItFromItsDaemon(t *testing.T) {
	c := mcptest.Connect(t, &sdk.CommandTransport{Command: asAgent(t, []string{"PICTIFYD_SERVER=http://127.0.0.1:1", "PICTIFYD_KEY=" + agentKey})}, nil)
	if r := c.Refused(t.Context(), "list_templates", nil); !strings.Contains(r.Text, "pictifyd does not answer") || !strings.Contains(r.Hint, "pictifyd run") {
		t.Errorf("without a daemon: %+v", r)
	}
	if _, err := c.ListTools(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("without a daemon tools are listed: %v", err)
	}
	c = mcptest.Connect(t, &sdk.CommandTransport{Command: asAgent(t, []string{"PICTIFYD_SERVER=" + agentDaemon(t), "PICTIFYD_KEY=another-key-of-letters"})}, nil)
	if r := c.Refused(t.Context(), "list_templates", nil); r.Status != 401 || r.Code != "invalid_api_key" {
		t.Errorf("with another key: %+v", r)
	}
}

func TestAgentsKeyIsInOnePlace(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(empty, []byte("two words"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--key-file", empty}, {"--key-file", empty + ".none"}, {"--key-file", empty, "--key", "x"}} {
		if code, stdout, stderr := call(append([]string{"mcp"}, args...)...); code != exitInput || stdout != "" || !strings.Contains(stderr, "key") {
			t.Errorf("%v: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
}
