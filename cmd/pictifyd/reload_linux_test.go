package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram makes this binary pictifyd.
const asProgram = "PICTIFYD_TEST_AS_PROGRAM"

// written is what a process wrote so far.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *written) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *written) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// A process that gets SIGHUP takes a binding that came, and starts anew for a
// section that it reads at the start alone.
func TestHangupHasTheConfigurationReadAgain(t *testing.T) {
	chrome := testChrome(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	const sources = "sources: { team: { kind: static, rows: [{ id: 1, name: Ada }], key: id } }\n"
	head := "server: { listen: \"" + address + "\" }\nrender: { chrome: \"" + chrome + "\" }\n"
	path := write(t, head+sources)
	save := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "run", "-c", path)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	log := &written{}
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !ok(); <-time.After(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it never came to: %s\n%s", what, log)
			}
		}
	}
	answers := func(path string, want int) func() bool {
		return func() bool {
			res, err := http.Get("http://" + address + path)
			if err != nil {
				return false
			}
			defer res.Body.Close()
			return res.StatusCode == want
		}
	}
	wait("the source", answers("/sources/team", http.StatusOK))
	save(head + strings.ReplaceAll(sources, "team", "crew"))
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	wait("the other source", answers("/sources/crew", http.StatusOK))
	if strings.Count(log.String(), "pictifyd listens") != 1 {
		t.Errorf("it started anew:\n%s", log)
	}
	save(strings.Replace(head, "\" }\nrender", "\", limits: { uploads: 3 } }\nrender", 1) + sources)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	wait("the start for a section that is read at the start", func() bool {
		return strings.Count(log.String(), "pictifyd listens") == 2 && answers("/sources/team", http.StatusOK)()
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, log)
	}
}
