package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// An Own server is one of the test's own, which it may stop as it likes.
type Own struct {
	DSN string

	tb       testing.TB
	bin      string
	dir      string
	port     int
	as       *syscall.Credential // nil is whoever runs the test
	settings []string            // "name=value"
	cmd      *exec.Cmd
	out      bytes.Buffer
}

// NewServer makes a server in a folder of its own and starts it, with settings of
// the form "name=value". Without PostgreSQL's programs the test is skipped.
func NewServer(tb testing.TB, settings ...string) *Own {
	tb.Helper()
	s := newOwn(tb, settings)
	if out, err := s.command("initdb", "-D", filepath.Join(s.dir, "data"), "-U", "pictifyd", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C").CombinedOutput(); err != nil {
		tb.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Start()
	return s
}

// Standby makes a copy of the server as it is now, which follows it, and starts it.
func (s *Own) Standby() *Own {
	s.tb.Helper()
	copied := newOwn(s.tb, s.settings)
	if out, err := copied.command("pg_basebackup", "-D", filepath.Join(copied.dir, "data"), "-d", s.DSN, "-R", "-X", "stream", "-c", "fast", "--no-sync").CombinedOutput(); err != nil {
		s.tb.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	copied.Start()
	return copied
}

// Promote ends the following: the standby is a server of its own.
func (s *Own) Promote() {
	s.tb.Helper()
	conn, err := pgconn.Connect(context.Background(), s.DSN)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), "SELECT pg_promote(true, 60)").ReadAll(); err != nil {
		s.tb.Fatal(err)
	}
}

// Address is where the server listens.
func (s *Own) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// newOwn is a server without data.
func newOwn(tb testing.TB, settings []string) *Own {
	tb.Helper()
	Server(tb) // it is skipped where the others are
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		tb.Skip("there is no postgres in /usr/lib/postgresql to start")
	}
	slices.Sort(found)
	s := &Own{tb: tb, bin: filepath.Dir(found[len(found)-1]), settings: settings}
	if s.dir, err = os.MkdirTemp("", "pgtest-"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Kill(); _ = os.RemoveAll(s.dir) })
	s.lend()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	s.DSN = fmt.Sprintf("postgres://pictifyd@%s/postgres?sslmode=disable", s.Address())
	return s
}

// lend gives the folder to a user who is not root, as whom the server refuses to run.
func (s *Own) lend() {
	if os.Getuid() != 0 {
		return
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid) // they are numbers
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(s.dir, uid, gid); err != nil {
			s.tb.Fatal(err)
		}
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return
	}
	s.tb.Skip("there is no user as whom a server could run")
}

func (s *Own) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

// Start starts the server, and returns when it answers.
func (s *Own) Start() {
	s.tb.Helper()
	s.out.Reset()
	args := []string{"-D", filepath.Join(s.dir, "data"), "-p", strconv.Itoa(s.port)}
	for _, setting := range append([]string{"listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=16MB"}, s.settings...) {
		args = append(args, "-c", setting)
	}
	s.cmd = s.command("postgres", args...)
	s.cmd.Stderr = &s.out
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for wait := time.NewTicker(20 * time.Millisecond); ; {
		conn, err := pgconn.Connect(ctx, s.DSN)
		if err == nil {
			wait.Stop()
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-wait.C:
		case <-ctx.Done():
			s.tb.Fatalf("the server does not answer: %v", err)
		}
	}
}

// Stop ends the server as an administrator does, with all that is going on.
func (s *Own) Stop() { s.end(syscall.SIGINT) }

// Kill ends it as a power cut does.
func (s *Own) Kill() { s.end(syscall.SIGQUIT) }

func (s *Own) end(how syscall.Signal) {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Signal(how)
	_ = s.cmd.Wait() // it ends with an error where it was killed
	s.cmd = nil
}
