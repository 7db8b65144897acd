package daemon

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const sentSite = `
sources: { crm: { kind: webhook, path: crm, secret: "` + crmSecret + `", rows: "$.records", key: id } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: crm, template: card, map: { title: name }, sinks: [hook], public: true } ]
`

// A sender sends rows, one a call, until it is stopped or nobody answers.
type sender struct {
	mu    sync.Mutex
	acked []string // their keys
	sent  []string

	stop chan struct{}
	done sync.WaitGroup
}

// load has n senders send to p.
func (p *process) load(n int) *sender {
	s := &sender{stop: make(chan struct{})}
	for i := range n {
		s.done.Go(func() {
			for row := 0; ; row++ {
				select {
				case <-s.stop:
					return
				default:
				}
				key := fmt.Sprintf("%d-%d", i, row)
				s.mu.Lock()
				s.sent = append(s.sent, key)
				s.mu.Unlock()
				status, _, err := p.tell("crm", "msg_"+key, records(record(key, "Ada "+key)))
				if err != nil || status != http.StatusOK {
					return
				}
				s.mu.Lock()
				s.acked = append(s.acked, key)
				s.mu.Unlock()
			}
		})
	}
	p.tb.Cleanup(s.end)
	return s
}

func (s *sender) end() {
	s.mu.Lock()
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.mu.Unlock()
	s.done.Wait()
}

func (s *sender) acknowledged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acked)
}

// more waits until so many more are acknowledged.
func (s *sender) more(tb testing.TB, n int) {
	tb.Helper()
	before := len(s.acknowledged())
	eventually(tb, fmt.Sprintf("%d more rows are acknowledged", n), func() bool { return len(s.acknowledged()) >= before+n })
}

// mustHave checks that each key is a row, and that all that was half done is done.
func (p *process) mustHave(keys []string) {
	p.tb.Helper()
	for _, key := range keys {
		if status := p.get("/bindings/cards/rows/"+key, nil); status != http.StatusOK {
			p.tb.Errorf("row %s is answered with %d", key, status)
		}
	}
	eventually(p.tb, "all pictures are made and told of", func() bool { return p.ready("cards") >= len(keys) && p.owes("hook") == 0 })
}

// mustHear checks that receivers heard of the picture of each key.
func mustHear(t *testing.T, keys []string, receivers ...*receiver) {
	t.Helper()
	heard := ""
	for _, r := range receivers {
		for _, h := range r.all("render.completed") {
			heard += string(h.Data)
		}
	}
	for _, key := range keys {
		if !strings.Contains(heard, fmt.Sprintf("%q", key)) {
			t.Errorf("nobody was told of %s", key)
		}
	}
}

// A litestream is a process of it with the configuration in deploy.
type litestream struct {
	tb  testing.TB
	bin string
	env []string
	db  string
	cmd *exec.Cmd
	log *output
}

func newLitestream(tb testing.TB, db string) *litestream {
	tb.Helper()
	bin, err := filepath.Abs("../.cache/bin/litestream")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(bin); err != nil {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("there is no .cache/bin/litestream: make test installs it")
		}
		tb.Skip("there is no .cache/bin/litestream: make .cache/bin/litestream installs it")
	}
	replica := filepath.Join(tb.TempDir(), "replica")
	l := &litestream{tb: tb, bin: bin, db: db, log: &output{}, env: append(os.Environ(), "PICTIFYD_DB="+db, "LITESTREAM_REPLICA=file://"+replica)}
	l.cmd = exec.Command(bin, "replicate", "-config", "../deploy/litestream.yml")
	l.cmd.Env, l.cmd.Stdout, l.cmd.Stderr = l.env, l.log, l.log
	if err := l.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if l.cmd.ProcessState == nil {
			_ = l.cmd.Process.Kill()
			_ = l.cmd.Wait()
		}
		if tb.Failed() {
			tb.Logf("log of litestream:\n%s", l.log.String())
		}
	})
	eventually(tb, "litestream has copied something", func() bool {
		files, err := filepath.Glob(filepath.Join(replica, "ltx", "*", "*.ltx"))
		return err == nil && len(files) > 0
	})
	return l
}

func (l *litestream) end(with syscall.Signal) {
	l.tb.Helper()
	if err := l.cmd.Process.Signal(with); err != nil {
		l.tb.Fatal(err)
	}
	if err := l.cmd.Wait(); err != nil && with == syscall.SIGTERM {
		l.tb.Fatalf("litestream ended with %v\n%s", err, l.log.String())
	}
}

// restore is a site on another machine, whose ledger is the copy.
func (l *litestream) restore(t *testing.T) *site {
	t.Helper()
	s := newBareSite(t, sentSite)
	if err := os.MkdirAll(filepath.Join(s.dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(l.bin, "restore", "-config", "../deploy/litestream.yml", "-integrity-check", "full", "-o", filepath.Join(s.dir, "data", "pictifyd.db"), l.db)
	cmd.Env = l.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("litestream restore: %v\n%s", err, out)
	}
	return s
}

// A daemon is killed under load. What Litestream copied of its ledger has every row
// that was acknowledged, and a daemon on it goes on where that one was.
func TestLitestreamRestoresWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	s := newSite(t, sentSite)
	p := s.start()
	l := newLitestream(t, filepath.Join(s.dir, "data", "pictifyd.db"))
	sent := p.load(4)
	sent.more(t, 100)
	p.kill()
	sent.end()
	l.end(syscall.SIGTERM)

	restored := l.restore(t)
	p = restored.start()
	p.mustHave(sent.acknowledged())
	mustHear(t, sent.acknowledged(), s.receiver, restored.receiver)
}

// A whole machine is gone under load, Litestream with it. The copy is a ledger as it
// was, and senders that send again what they are unsure of have lost nothing.
func TestLitestreamRestoresALedgerAsItWasWhenTheMachineIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t, sentSite)
	p := s.start()
	sent := p.load(4)
	sent.more(t, 20)
	l := newLitestream(t, filepath.Join(s.dir, "data", "pictifyd.db"))
	copied := sent.acknowledged()[:20]
	sent.more(t, 100)
	l.end(syscall.SIGKILL)
	p.kill()
	sent.end()

	restored := l.restore(t)
	p = restored.start()
	p.mustHave(copied)
	for _, key := range sent.sent {
		if status, _, err := p.tell("crm", "msg_"+key, records(record(key, "Ada "+key))); err != nil || status != http.StatusOK {
			t.Fatalf("sent again, %s is answered with %d, %v", key, status, err)
		}
	}
	p.mustHave(sent.sent)
	mustHear(t, sent.sent, s.receiver, restored.receiver)
}

// Without Litestream: one statement of SQLite copies the ledger while it is written
// to. The pictures are lost, and made again for whoever asks.
func TestCopyBySQLiteRestoresWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	s := newSite(t, sentSite)
	p := s.start()
	sent := p.load(4)
	sent.more(t, 60)
	before := sent.acknowledged()
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "data", "pictifyd.db"))
	if err != nil {
		t.Fatal(err)
	}
	restored := newBareSite(t, sentSite)
	if err := os.MkdirAll(filepath.Join(restored.dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`VACUUM INTO ?`, filepath.Join(restored.dir, "data", "pictifyd.db")); err != nil {
		t.Fatal(err)
	}
	db.Close()
	p.kill()
	sent.end()

	p = restored.start()
	p.mustHave(before)
	for _, key := range before {
		eventually(t, "the picture of "+key+" is made again", func() bool { return p.get("/b/cards/"+key+".png", nil) == http.StatusOK })
	}
	mustHear(t, before, s.receiver, restored.receiver)
}

// A PostgreSQL ledger is dumped under load and restored to another database. The
// images are as they are now: pictures that were made since the dump are made again.
func TestDumpOfPostgresRestoresWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	s, dsn := newBareSite(t, sentSite), newDatabase(t)
	p := s.startOn(dsn, "dumped", sentSite)
	sent := p.load(4)
	sent.more(t, 60)
	before := sent.acknowledged()
	dump := filepath.Join(t.TempDir(), "pictifyd.dump")
	mustRun(t, "pg_dump", "--format=custom", "--file="+dump, dsn)
	sent.more(t, 60)
	p.kill()
	sent.end()

	dsn = newDatabase(t)
	mustRun(t, "pg_restore", "--no-owner", "--exit-on-error", "--dbname="+dsn, dump)
	p = s.startOn(dsn, "restored", sentSite)
	p.mustHave(before)
	for _, key := range sent.sent {
		if status, _, err := p.tell("crm", "msg_"+key, records(record(key, "Ada "+key))); err != nil || status != http.StatusOK {
			t.Fatalf("sent again, %s is answered with %d, %v", key, status, err)
		}
	}
	p.mustHave(sent.sent)
	mustHear(t, sent.sent, s.receiver)
	for _, key := range sent.sent {
		if status := p.get("/b/cards/"+key+".png", nil); status != http.StatusOK {
			t.Errorf("the picture of %s is answered with %d", key, status)
		}
	}
}

// mustRun runs a program of PostgreSQL, of the newest version that there is.
func mustRun(t *testing.T, name string, args ...string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		t.Fatalf("there is no %s: make services installs PostgreSQL", name)
	}
	if out, err := exec.Command(found[len(found)-1], args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
