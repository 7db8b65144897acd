package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/client"
)

// A cutter is a road to a daemon on which connections break off.
type cutter struct {
	url  string
	to   string
	cuts atomic.Int64 // so many connections more are cut
	up   atomic.Int64 // after so many bytes to the daemon; 0: never
	down atomic.Int64 // the same of those back
	seen atomic.Int64 // connections
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	c := &cutter{url: "http://" + listener.Addr().String(), to: strings.TrimPrefix(to, "http://")}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go c.carry(conn)
		}
	}()
	return c
}

func (c *cutter) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer far.Close()
	c.seen.Add(1)
	up, down := int64(1<<62), int64(1<<62)
	if c.cuts.Add(-1) >= 0 {
		if n := c.up.Load(); n > 0 {
			up = n
		}
		if n := c.down.Load(); n > 0 {
			down = n
		}
	}
	over := make(chan struct{}, 2)
	pass := func(to io.Writer, from io.Reader, most int64) {
		_, _ = io.CopyN(to, from, most) // broken by either side, or here
		over <- struct{}{}
	}
	go pass(far, near, up)
	go pass(near, far, down)
	<-over
}

func writeRows(t *testing.T, rows int) string {
	t.Helper()
	text, err := json.Marshal(batchRows(rows))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rows.json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a client sends, watches and fetches survives connections that break off
// and a daemon that is killed, and nothing of it is done twice.
func TestClientGoesOnWhereItsConnectionBroke(t *testing.T) {
	const rows = 120
	const patience = time.Minute
	s := newSite(t, "")
	p := s.start()
	road := newCutter(t, p.url)
	remote := client.Remote{URL: road.url}
	file := writeRows(t, rows)
	b := client.Batch{Template: "card", Path: file, Options: map[string]json.RawMessage{"format": json.RawMessage(`"png"`)}}

	road.up.Store(2000)
	road.cuts.Store(2)
	id, err := b.Send(t.Context(), remote, patience)
	if err != nil {
		t.Fatal(err)
	}
	if road.cuts.Load() > 0 {
		t.Error("no upload was cut")
	}
	road.up.Store(0)
	if again, err := b.Send(t.Context(), remote, patience); err != nil || again != id {
		t.Errorf("the same file again is %s, %v; want %s", again, err, id)
	}
	if only := p.onlyJob(); only != id {
		t.Errorf("the job is %s, not %s", only, id)
	}

	road.down.Store(900)
	road.cuts.Store(3)
	job, err := client.Follow(t.Context(), remote, id, patience, func(client.Job) {})
	if err != nil || !job.Whole() || job.Completed != rows {
		t.Fatalf("%+v, %v", job, err)
	}

	dir := filepath.Join(t.TempDir(), "out")
	road.down.Store(3000)
	road.cuts.Store(5)
	f := client.Fetch{Remote: remote, Job: id, Dir: dir, Patience: patience}
	if n, err := f.Pictures(t.Context()); err != nil || n != rows {
		t.Fatalf("%d pictures, %v", n, err)
	}
	for i := range rows {
		if info, err := os.Stat(filepath.Join(dir, fmt.Sprintf("%d.png", i))); err != nil || info.Size() == 0 {
			t.Fatalf("row %d: %v", i, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".part-*")); len(left) > 0 {
		t.Errorf("halves are left: %v", left)
	}

	// What is there is not fetched again; what was damaged is.
	spoilt := filepath.Join(dir, "7.png")
	if err := os.WriteFile(spoilt, []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, "8.png"))
	if err != nil {
		t.Fatal(err)
	}
	f = client.Fetch{Remote: remote, Job: id, Dir: dir, Patience: patience}
	if n, err := f.Pictures(t.Context()); err != nil || n != rows {
		t.Fatalf("again: %d pictures, %v", n, err)
	}
	after, err := os.Stat(filepath.Join(dir, "8.png"))
	if err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("a picture was fetched again: %v", err)
	}
	if info, err := os.Stat(spoilt); err != nil || info.Size() < 10 {
		t.Errorf("a damaged picture was left: %v", err)
	}
}

func TestClientWaitsForADaemonThatIsRestarted(t *testing.T) {
	s := newSite(t, "")
	p := s.start(childCrash + "=blobs.written:1")
	remote := client.Remote{URL: p.url}
	id, err := p.postBatch(batchRows(30), "")
	if err != nil {
		t.Fatal(err)
	}
	p.mustDie("blobs.written")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := client.Follow(ctx, remote, id, time.Second, func(client.Job) {}); err == nil {
		t.Error("a daemon that is gone was not missed")
	}
	next := s.start()
	road := newCutter(t, next.url)
	job, err := client.Follow(ctx, client.Remote{URL: road.url}, id, time.Minute, func(client.Job) {})
	if err != nil || job.Completed != 30 {
		t.Errorf("%+v, %v", job, err)
	}
}
