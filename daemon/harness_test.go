package daemon

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
)

// A site is a folder with everything that a daemon needs, and a receiver of
// its webhooks that outlives the daemon.
type site struct {
	tb       testing.TB
	dir      string
	receiver *receiver
}

const cardTemplate = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<script type="application/json" id="p-template">
{
  "name": "card",
  "sizes": { "default": { "w": 400, "h": 200 } },
  "vars": {
    "title": { "type": "text", "required": true, "example": "Mug" },
    "price": { "type": "number", "default": 0, "example": 14.9 },
    "photo": { "type": "image" }
  }
}
</script>
</head>
<body>
<section id="card" class="p-page" style="background: #fff">
  <img id="photo" src="{{ photo ?? &quot;data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7&quot; }}" style="left: 0; top: 0; width: 20px; height: 20px">
  <h1 id="title" style="left: 30px; top: 20px; font: 700 32px/1.1 sans-serif">{{ title }}</h1>
  <p id="price" style="left: 30px; top: 90px; font: 24px/1 sans-serif">{{ price * 0.9 | currency }}</p>
</section>
</body>
</html>
`

// newSite lays out a folder with the template card and the given sources,
// bindings and so on (YAML at the top level), and an empty ledger.
func newSite(tb testing.TB, yaml string) *site {
	tb.Helper()
	s := newBareSite(tb, yaml)
	if !strings.Contains(yaml, "store:") {
		s.giveLedger()
	}
	return s
}

// newBareSite is a site where no daemon was yet: it has no ledger.
func newBareSite(tb testing.TB, yaml string) *site {
	tb.Helper()
	s := &site{tb: tb, dir: tb.TempDir(), receiver: newReceiver(tb)}
	s.write("templates/card.html", cardTemplate)
	s.write("pictifyd.yaml", chromeFor(yaml)+`
server: { listen: "127.0.0.1:0" }
egress: { allow: ["127.0.0.1"] }
templates: templates
`+strings.ReplaceAll(yaml, "RECEIVER", s.receiver.server.URL))
	return s
}

// chromeFor is the setting of the Chrome that the tests were given, for a
// configuration that has none itself.
func chromeFor(yaml string) string {
	path := os.Getenv("PICTIFYD_TEST_CHROME")
	if path == "" || strings.Contains(yaml, "\nrender:") {
		return ""
	}
	return "render: { chrome: " + strconv.Quote(path) + " }"
}

// forgetChrome takes that setting out of the configuration.
func (s *site) forgetChrome() {
	s.tb.Helper()
	src, err := os.ReadFile(filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil {
		s.tb.Fatal(err)
	}
	if rest, ok := strings.CutPrefix(string(src), chromeFor("")); ok {
		s.write("pictifyd.yaml", rest)
	}
}

func (s *site) write(name, text string) {
	s.tb.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.tb.Fatal(err)
	}
	// As an editor does it: a new file under the old name.
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		s.tb.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		s.tb.Fatal(err)
	}
}

// A process is a daemon in a process of its own.
type process struct {
	tb   testing.TB
	cmd  *exec.Cmd
	url  string
	done chan struct{} // closed when it ended
	runs chan struct{} // closed when it answers requests, also after it stood by
	log  *output
	err  error
}

// output is what a process wrote so far; it may be read while it writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs a daemon on the site and returns when it listens, or, with a
// crash point, when it listens or is dead.
func (s *site) start(env ...string) *process {
	s.tb.Helper()
	if campaign.Leaves(s.tb) {
		s.tb.Skip("of a daemon in a process of its own the race detector sees nothing: runs in the pass without -short")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childConfig+"="+filepath.Join(s.dir, "pictifyd.yaml"))
	cmd.Env = append(cmd.Env, env...)
	if slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, childDisk+"=") }) {
		cmd.SysProcAttr = ownMounts()
	}
	p := &process{tb: s.tb, cmd: cmd, done: make(chan struct{}), runs: make(chan struct{}), log: &output{}}
	cmd.Stderr = p.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if addr, ok := strings.CutPrefix(lines.Text(), "standing by "); ok {
				listening <- addr
			}
			if addr, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
				listening <- addr
				close(p.runs)
			}
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	s.tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.done
		if s.tb.Failed() {
			s.tb.Logf("log of the daemon:\n%s", p.log.String())
		}
	})
	select {
	case addr := <-listening:
		p.url = "http://" + addr
	case <-p.done:
		if len(env) == 0 {
			s.tb.Fatalf("the daemon ended: %v\n%s", p.err, p.log.String())
		}
	case <-time.After(time.Minute):
		s.tb.Fatalf("the daemon does not listen\n%s", p.log.String())
	}
	return p
}

// mustDie waits until the daemon was killed by its own crash point.
func (p *process) mustDie(point string) {
	p.tb.Helper()
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.tb.Fatalf("the daemon never came to %s\n%s", point, p.log.String())
	}
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || status.Signal() != syscall.SIGKILL {
		p.tb.Fatalf("the daemon ended with %v at %s, want a kill\n%s", p.cmd.ProcessState, point, p.log.String())
	}
}

// terminate sends SIGTERM and returns the exit code.
func (p *process) terminate() int {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.tb.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.tb.Fatalf("the daemon does not end\n%s", p.log.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// get decodes the JSON answer of a path, and returns the status.
func (p *process) get(path string, into any) int {
	p.tb.Helper()
	res, err := http.Get(p.url + path)
	if err != nil {
		p.tb.Fatalf("get %s: %v", path, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.tb.Fatalf("get %s: %v", path, err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			p.tb.Fatalf("get %s: %v in %s", path, err, body)
		}
	}
	return res.StatusCode
}

// eventually waits until ok is true, looking again after each short interval.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // on a busy machine
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatalf("it never came to: %s", what)
		}
	}
}

// A hook is one webhook as it arrived.
type hook struct {
	ID    string
	Event string
	Data  json.RawMessage
}

// A receiver keeps the webhooks that arrive.
type receiver struct {
	server *httptest.Server

	mu     sync.Mutex
	hooks  []hook
	tried  []string // the ids of all requests, the refused ones too
	refuse int      // so many requests are answered with 500
}

func newReceiver(tb testing.TB) *receiver {
	r := &receiver{}
	r.server = httptest.NewServer(http.HandlerFunc(r.receive))
	tb.Cleanup(r.server.Close)
	return r
}

func (r *receiver) receive(w http.ResponseWriter, req *http.Request) {
	var h hook
	if err := json.NewDecoder(req.Body).Decode(&h); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.ID = req.Header.Get("webhook-id")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried = append(r.tried, h.ID)
	if r.refuse > 0 {
		r.refuse--
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	r.hooks = append(r.hooks, h)
}

func (r *receiver) all(event string) []hook {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []hook
	for _, h := range r.hooks {
		if event == "" || h.Event == event {
			found = append(found, h)
		}
	}
	return found
}

// refuseNext has the next n requests refused.
func (r *receiver) refuseNext(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = n
}

// forget keeps nothing of what arrived.
func (r *receiver) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hooks, r.tried = nil, nil
}

// different is how many deliveries arrived, those that were sent again once.
func (r *receiver) different() int {
	ids := map[string]bool{}
	for _, h := range r.all("") {
		ids[h.ID] = true
	}
	return len(ids)
}

// jobView is what the tests read of GET /jobs/{id}.
type jobView struct {
	JobID          string
	Status         string
	TotalItems     int
	CompletedItems int
	FailedItems    int
	Results        []struct {
		Index   int
		Key     string
		Success bool
		URL     string
	}
	Errors []struct {
		Index int
		Key   string
		Code  string
		Field string
		Error string

		Retryable bool
	}
}

// postBatch sends the seed's own form of a batch and returns the job's id.
func (p *process) postBatch(rows []map[string]any, webhook string) (string, error) {
	batch := map[string]any{"variables": rows}
	if webhook != "" {
		batch["webhookUrl"] = webhook
	}
	body, err := json.Marshal(batch)
	if err != nil {
		return "", err
	}
	res, err := http.Post(p.url+"/template/card/batch", "application/json", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	var accepted struct{ JobID string }
	if err := json.Unmarshal(answer, &accepted); err != nil || res.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("%s: %s", res.Status, answer)
	}
	if accepted.JobID == "" {
		return "", errors.New("no jobId in " + string(answer))
	}
	return accepted.JobID, nil
}

// job reads a whole job, all pages of it.
func (p *process) job(id string) jobView {
	p.tb.Helper()
	var whole jobView
	for page := 1; ; page++ {
		var v jobView
		if status := p.get(fmt.Sprintf("/jobs/%s?page=%d&limit=100", id, page), &v); status != http.StatusOK {
			p.tb.Fatalf("job %s: status %d", id, status)
		}
		if page == 1 {
			whole = v
		} else {
			whole.Results, whole.Errors = append(whole.Results, v.Results...), append(whole.Errors, v.Errors...)
		}
		if len(v.Results)+len(v.Errors) == 0 || len(whole.Results)+len(whole.Errors) >= v.TotalItems {
			return whole
		}
	}
}
