package chrome

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// childDir makes this binary a daemon with a pool, whose profiles are there.
const childDir = "PICTIFYD_CHROME_CHILD_DIR"

func TestMain(m *testing.M) {
	if name, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "fake-"); ok {
		fakeChrome(name)
	}
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
	}
	goleak.VerifyTestMain(m)
}

// fakeChrome is a Chrome with one fault.
func fakeChrome(fault string) {
	switch fault {
	case "nosandbox":
		fmt.Fprintln(os.Stderr, "[1:1:0101/000000.000000:FATAL:zygote_host_impl_linux.cc(127)] No usable sandbox! Update your kernel.")
	case "nolibrary":
		fmt.Fprintln(os.Stderr, "error while loading shared libraries: libnss3.so: cannot open shared object file")
	case "silent":
		_, _ = io.Copy(io.Discard, os.NewFile(3, "commands"))
	}
	os.Exit(1)
}

// child holds a pool open until it is killed.
func child(dir string) {
	cfg := DefaultConfig()
	cfg.Browsers, cfg.Chrome = "1", os.Getenv("PICTIFYD_TEST_CHROME")
	p, err := Open(context.Background(), cfg, rendertest.Files{}, Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(p.Status()); err != nil {
		os.Exit(1)
	}
	time.Sleep(time.Hour)
}
